"""How the data side behaves: the switches that a fault sets and clears. At rest it behaves as documented."""

from __future__ import annotations

from msgspec import Struct, field

from brokers.simulated.gateway.orders.refusals import Refusal


class FeedConduct(Struct):
    """Mutable; each field is read at the moment in which it matters."""

    delayed: bool = False
    """Nobody is subscribed: requests get delayed data with 10167, or 354 (fault 49)."""
    competing_session: bool = False
    """Another login took the market data: 10197, 162 for history, and nothing flows (TWS.md 3.38, fault 50)."""
    silent: set[tuple[int, int]] = field(default_factory=set)
    """(client id, request id) of streams that died without a word (TWS.md 3.37, fault 43)."""
    history_refusal: Refusal | None = None
    """What every history request gets instead of bars (fault 45)."""
