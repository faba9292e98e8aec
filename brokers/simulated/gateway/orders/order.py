"""An order as the gateway keeps it: what its client asked, and what became of it."""

from __future__ import annotations

from msgspec import Struct

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol.requests import PlaceOrder

OCA_TYPE_OF_CHILDREN = 3
"""Bracket children without a group of their own: reduce without block (TWS.md 3.4)."""
DUST = 1e-9


class GatewayOrder(Struct, kw_only=True):
    """Mutable: the desk updates it. `perm_id` is login-wide, `order_id` the client's own."""

    perm_id: int
    client_id: int
    account: str
    request: PlaceOrder
    stock: Listed
    quantity: float
    limit_price: float | None
    stop_price: float | None
    """The stop or trigger price; of a trailing order where its stop stands now, None until it has one."""
    good_till: float | None = None
    good_after: float | None = None
    oca_group: str = ""
    oca_type: int = OCA_TYPE_OF_CHILDREN
    parent_perm_id: int = 0
    placed_at: float = 0.0
    status: str = "PendingSubmit"
    why_held: str = ""
    transmitted: bool = False
    withheld: bool = False
    """Taken, but not in the market: it waits for a locate, for a human, or for ever."""
    filled: float = 0.0
    average_price: float = 0.0
    last_price: float = 0.0
    commission: float | None = None
    is_liquidation: bool = False
    fills: int = 0
    cap_price: float = 0.0
    warning: str = ""
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

    @property
    def is_manual(self) -> bool:
        """Entered by hand in TWS: its order id is 0 until it is bound, negative after."""
        return self.order_id <= 0

    def take_fill(self, quantity: float, price: float) -> None:
        """Add one execution to quantity and average price."""
        total = self.filled + quantity
        self.average_price = (self.average_price * self.filled + price * quantity) / total
        self.filled = total
        self.last_price = price
        self.fills += 1
