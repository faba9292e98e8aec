"""Everything the engine can ask for: frozen, imperative, each with its reasons.

Messages hold values and never each other in a circle, so the garbage collector need not look through them (`gc=False`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from shared.orders import BracketOrder, Order


class _Command(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    reasons: tuple[str, ...] = ()


class PlaceBracket(_Command, frozen=True, kw_only=True, tag=True):
    """Send entry, stop loss and take profit as one unit (transmit on the last leg)."""

    bracket: BracketOrder


class CancelOrder(_Command, frozen=True, kw_only=True, tag=True):
    """Ask for the cancel of one order of ours."""

    ref: str


class ReplaceStop(_Command, frozen=True, kw_only=True, tag=True):
    """Put this protective stop at the broker: a new order, or, where `order.ref` already works there, a modify."""

    order: Order


class Flatten(_Command, frozen=True, kw_only=True, tag=True):
    """Close (part of) a position with this order; it shares the OCA group of the legs that protect the position."""

    order: Order


class AskBroker(_Command, frozen=True, kw_only=True, tag=True):
    """Ask for executions, open and completed orders, positions and account; answered by BrokerReported."""


class SetTimer(_Command, frozen=True, kw_only=True, tag=True):
    """Fire `timer_id` after `after_s` seconds of the market's clock or of the wall's."""

    timer_id: str
    after_s: float
    clock: Literal["market", "wall"]


class Notify(_Command, frozen=True, kw_only=True, tag=True):
    """Tell a person. `code` is stable and documented in docs/operations.md."""

    level: Literal["info", "warning", "critical"]
    code: str
    text: str


Command = PlaceBracket | CancelOrder | ReplaceStop | Flatten | AskBroker | SetTimer | Notify
OrderCommand = PlaceBracket | CancelOrder | ReplaceStop | Flatten
