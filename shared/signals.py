"""What a strategy says, and the target that sizing makes of it."""

from __future__ import annotations

from msgspec import Struct


class Signal(Struct, frozen=True, kw_only=True):
    """A strategy's view of one instrument: `conviction` in [-1, 1] (sign = direction), never a quantity."""

    symbol: str
    conviction: float
    reason: str


class TargetPosition(Struct, frozen=True, kw_only=True):
    """The signed quantity (shares) a strategy should hold, and why."""

    strategy: str
    symbol: str
    quantity: int
    reason: str
