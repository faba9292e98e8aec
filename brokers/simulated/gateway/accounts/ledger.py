"""The account: cash, positions, average cost, profit. PURE, and the oracle of the tests.

Average cost includes commissions, as IB's does (TWS.md 3.27). A fill that crosses zero closes the old
position first and opens the rest, its commission shared by quantity. Every order, change, execution,
commission and end of an order is appended to `records`; nothing there is ever altered. Currency is USD
throughout; quantities are shares, signed in positions.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from msgspec import Struct

MARGIN_RATE = 0.25
"""Initial and maintenance margin of a stock position, as a share of its market value (IB's intraday rule)."""
CENT_DUST = 1e-9


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


Record: TypeAlias = OrderRecorded | Execution | CommissionCharged | OrderEnded


class Position(Struct):
    """A holding; `quantity` is negative when short, `average_cost` is per share and positive."""

    con_id: int
    symbol: str
    quantity: float = 0.0
    average_cost: float = 0.0
    realized_pnl: float = 0.0
    market_price: float = math.nan

    @property
    def price(self) -> float:
        """The price it is valued at: the market's, until there is one the average cost."""
        return self.average_cost if math.isnan(self.market_price) else self.market_price

    @property
    def market_value(self) -> float:
        return self.quantity * self.price

    @property
    def unrealized_pnl(self) -> float:
        return self.quantity * (self.price - self.average_cost)


class Ledger:
    """One account and everything that happened to it."""

    def __init__(self, account: str, cash: float) -> None:
        self.account = account
        self.cash = cash
        self.cash_at_start = cash
        self.positions: dict[int, Position] = {}
        self.records: list[Record] = []

    # ------------------------------------------------------------------ writing

    def record(self, entry: Record) -> None:
        """Append what happened to an order; executions come through `book`."""
        self.records.append(entry)

    def book(self, execution: Execution, commission: float) -> CommissionCharged:
        """Take an execution into cash and position; returns its commission record."""
        assert execution.quantity > 0
        assert execution.price > 0
        signed = execution.quantity if execution.side == "BUY" else -execution.quantity
        position = self.positions.setdefault(execution.con_id, Position(execution.con_id, execution.symbol))
        realized = _apply(position, signed, execution.price, commission)
        self.cash -= signed * execution.price + commission
        charged = CommissionCharged(
            at=execution.at, exec_id=execution.exec_id, commission=commission, realized_pnl=realized
        )
        self.records += [execution, charged]
        return charged

    def mark(self, con_id: int, price: float) -> None:
        """Value the position in `con_id` at `price`; NaN leaves the last price standing."""
        position = self.positions.get(con_id)
        if position is not None and not math.isnan(price):
            position.market_price = price

    # ------------------------------------------------------------------ reading

    @property
    def executions(self) -> list[Execution]:
        return [record for record in self.records if isinstance(record, Execution)]

    @property
    def commissions(self) -> dict[str, CommissionCharged]:
        """Commission records by execId."""
        return {record.exec_id: record for record in self.records if isinstance(record, CommissionCharged)}

    @property
    def orders(self) -> list[OrderRecorded]:
        """The orders as they were accepted, without their changes."""
        return [record for record in self.records if isinstance(record, OrderRecorded) and record.change == "new"]

    def quantity(self, symbol: str) -> float:
        """Signed position in `symbol`; 0 when flat or never held."""
        return sum(position.quantity for position in self.positions.values() if position.symbol == symbol)

    @property
    def realized_pnl(self) -> float:
        return sum(position.realized_pnl for position in self.positions.values())

    @property
    def unrealized_pnl(self) -> float:
        return sum(position.unrealized_pnl for position in self.positions.values())

    @property
    def stock_value(self) -> float:
        return sum(position.market_value for position in self.positions.values())

    @property
    def gross_position_value(self) -> float:
        return sum(abs(position.market_value) for position in self.positions.values())

    @property
    def net_liquidation(self) -> float:
        return self.cash + self.stock_value

    def account_values(self) -> dict[str, float]:
        """The amounts a TWS reports for the account, in USD, by its own tags."""
        margin = MARGIN_RATE * self.gross_position_value
        available = self.net_liquidation - margin
        return {
            "NetLiquidation": self.net_liquidation,
            "EquityWithLoanValue": self.net_liquidation,
            "TotalCashValue": self.cash,
            "SettledCash": self.cash,
            "AccruedCash": 0.0,
            "GrossPositionValue": self.gross_position_value,
            "InitMarginReq": margin,
            "MaintMarginReq": margin,
            "FullInitMarginReq": margin,
            "FullMaintMarginReq": margin,
            "AvailableFunds": available,
            "ExcessLiquidity": available,
            "FullAvailableFunds": available,
            "FullExcessLiquidity": available,
            "BuyingPower": max(available, 0.0) / MARGIN_RATE,
        }

    def currency_values(self) -> dict[str, float]:
        """The amounts reported per currency (the account's ledger)."""
        return {
            "CashBalance": self.cash,
            "TotalCashBalance": self.cash,
            "StockMarketValue": self.stock_value,
            "UnrealizedPnL": self.unrealized_pnl,
            "RealizedPnL": self.realized_pnl,
            "NetLiquidationByCurrency": self.net_liquidation,
            "ExchangeRate": 1.0,
        }


def _apply(position: Position, signed: float, price: float, commission: float) -> float | None:
    """Change the position by `signed` shares; what the closing part realised, None if none closed."""
    closing = min(abs(signed), abs(position.quantity)) if signed * position.quantity < 0 else 0.0
    opening = abs(signed) - closing
    direction = math.copysign(1.0, signed)
    realized = None
    if closing > 0:
        fee = commission * closing / abs(signed)
        realized = -direction * closing * (price - position.average_cost) - fee
        position.realized_pnl += realized
        position.quantity += direction * closing
    if opening > 0:
        fee = commission * opening / abs(signed)
        cost = abs(position.quantity) * position.average_cost + opening * price + direction * fee
        position.quantity += direction * opening
        position.average_cost = cost / abs(position.quantity)
    if abs(position.quantity) < CENT_DUST:
        position.quantity = position.average_cost = 0.0
    position.market_price = price if math.isnan(position.market_price) else position.market_price
    return realized
