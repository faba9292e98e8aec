"""What can happen to an account and its orders: frozen records, the lines of the ledger file."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class OrderRecorded(Struct, frozen=True, kw_only=True, tag="order"):
    """An order was accepted, changed by its client, or shrunk by its OCA group."""

    at: float
    perm_id: int
    client_id: int
    order_id: int
    order_ref: str
    symbol: str
    side: str
    quantity: float
    order_type: str
    limit_price: float | None
    stop_price: float | None
    parent_perm_id: int
    oca_group: str
    tif: str
    change: str = "new"


class Execution(Struct, frozen=True, kw_only=True, tag="execution"):
    """One fill."""

    at: float
    exec_id: str
    perm_id: int
    client_id: int
    order_id: int
    order_ref: str
    con_id: int
    symbol: str
    side: str
    quantity: float
    price: float
    filled: float
    average_price: float
    liquidation: bool = False
    """Whether IB closed the position, not the client."""


class ExecutionCorrected(Struct, frozen=True, kw_only=True, tag="correction"):
    """`execution` replaces the one whose id has the same stem; 0 shares is a bust."""

    at: float
    replaces: str
    execution: Execution


class CommissionCharged(Struct, frozen=True, kw_only=True, tag="commission"):
    """The cost of one execution; `realized_pnl` is None where the execution only opened."""

    at: float
    exec_id: str
    commission: float
    realized_pnl: float | None


class OrderEnded(Struct, frozen=True, kw_only=True, tag="ended"):
    """An order stopped working without being filled: `status` is Cancelled or Inactive."""

    at: float
    perm_id: int
    client_id: int
    order_id: int
    order_ref: str
    status: str
    reason: str


class SplitApplied(Struct, frozen=True, kw_only=True, tag="split"):
    """A holding became `ratio` times as many shares at a price divided by it."""

    at: float
    con_id: int
    ratio: float


class DividendPaid(Struct, frozen=True, kw_only=True, tag="dividend"):
    """Cash for a holding, negative for a short one; dollars."""

    at: float
    con_id: int
    amount: float


Record: TypeAlias = (
    OrderRecorded | Execution | ExecutionCorrected | CommissionCharged | OrderEnded | SplitApplied | DividendPaid
)
