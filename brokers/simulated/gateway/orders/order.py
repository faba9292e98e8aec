"""An order as the gateway keeps it: what its client asked, and what became of it."""

from __future__ import annotations

from msgspec import Struct

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol.requests import PlaceOrder

OCA_TYPE_OF_CHILDREN = 3
"""Bracket children without a group of their own: reduce without block (TWS.md 3.4)."""


class GatewayOrder(Struct, kw_only=True):
    """Mutable: the desk updates it. `perm_id` is account-wide, `order_id` the client's own."""

    perm_id: int
    client_id: int
    request: PlaceOrder
    stock: Listed
    quantity: float
    limit_price: float | None
    stop_price: float | None
    oca_group: str = ""
    oca_type: int = OCA_TYPE_OF_CHILDREN
    parent_perm_id: int = 0
    status: str = "PendingSubmit"
    why_held: str = ""
    transmitted: bool = False
    filled: float = 0.0
    average_price: float = 0.0
    last_price: float = 0.0
    commission: float | None = None
    fills: int = 0
    completed_at: float | None = None
    completed_status: str = ""

    @property
    def order_id(self) -> int:
        return self.request.order_id

    @property
    def remaining(self) -> float:
        return max(self.quantity - self.filled, 0.0)

    @property
    def done(self) -> bool:
        """Filled, cancelled or refused: it will not trade again."""
        return self.completed_at is not None

    def take_fill(self, quantity: float, price: float) -> None:
        """Add one execution to quantity and average price."""
        total = self.filled + quantity
        self.average_price = (self.average_price * self.filled + price * quantity) / total
        self.filled = total
        self.last_price = price
        self.fills += 1
