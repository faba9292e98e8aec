"""An order and an execution of the broker, as the judge keeps them."""

from __future__ import annotations

from msgspec import Struct


class Resting(Struct, kw_only=True):
    """An order that lives at the broker. `is_held`: it works for nobody (a locate, a precaution: TWS.md 4.33, 39)."""

    perm_id: int
    order_id: int
    ref: str
    plan: str
    leg: str
    symbol: str
    side: str
    quantity: float
    filled: float = 0.0
    stop_price: float | None = None
    born_at: float = 0.0
    is_held: bool = False

    @property
    def remaining(self) -> float:
        return max(self.quantity - self.filled, 0.0)


class Executed(Struct, kw_only=True):
    """An execution as it stands, corrections taken in; `signed` shares, times the splits since (`ratio`)."""

    exec_id: str
    ref: str
    perm_id: int
    plan: str
    symbol: str
    signed: float
    price: float
    at: float
    ratio: float = 1.0
