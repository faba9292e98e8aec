"""How the data side behaves: what this login may see, and the switches that a fault sets and clears."""

from __future__ import annotations

from msgspec import Struct


class FeedConduct(Struct):
    """Mutable; each field is read at the moment in which it matters. At rest everything is subscribed to."""

    subscribed: frozenset[str] | None = None
    """The symbols whose live data the login pays for; None: all of them."""
    delayed: bool = False
    """Nothing is live any more, whatever is subscribed to (fault 49)."""
    api_included: bool = True
    """Whether a missing subscription is missing altogether (354), or only for the API (10089)."""
    delayed_enabled: bool = True
    """Whether who may not see live data may see delayed data; otherwise 10168."""
    generic_unsubscribed: frozenset[int] = frozenset()
    """Generic ticks that need a subscription of their own: 10090, the other ticks go on."""
    competing_session: bool = False
    """Another login took the market data: 10197, 162 for history, and nothing flows (TWS.md 3.38, fault 50)."""

    def is_live(self, symbol: str) -> bool:
        """Whether the login gets live data of the stock."""
        return not self.delayed and (self.subscribed is None or symbol in self.subscribed)
