"""What makes a stop trigger: the methods of TWS, and the memory they need. PURE.

Methods (TWS API, "Trigger Methods"): 0 default, which for stocks is 2; 1 two bids or asks in a row; 2 the last
price; 3 two last prices in a row; 4 one bid or ask; 7 last or bid or ask; 8 the midpoint. Methods by quote look
at the bid for a buy and at the ask for a sell.
"""

from brokers.simulated.sim_order import STOPS, SimOrder

DOUBLE_QUOTE, LAST, DOUBLE_LAST, QUOTE, LAST_OR_QUOTE, MIDPOINT = 1, 2, 3, 4, 7, 8
BY_QUOTE = frozenset((DOUBLE_QUOTE, QUOTE, LAST_OR_QUOTE, MIDPOINT))
BY_LAST = frozenset((0, LAST, DOUBLE_LAST, LAST_OR_QUOTE))
TWICE = frozenset((DOUBLE_QUOTE, DOUBLE_LAST))


def fires_above(order: SimOrder) -> bool:
    """Whether the order triggers when the price has risen to its stop, not when it has fallen to it."""
    return (order.side == "BUY") == (order.order_type in STOPS)


def is_plain(order: SimOrder) -> bool:
    """Whether one last price decides, which a sorted list of prices can tell."""
    return order.trigger_method in BY_LAST and order.trigger_method not in TWICE | BY_QUOTE


def touches(order: SimOrder, price: float | None) -> bool:
    """Whether the price is at or through the order's trigger price; no price touches nothing."""
    if price is None or order.stop_price is None:
        return False
    return price >= order.stop_price if fires_above(order) else price <= order.stop_price


def watched(order: SimOrder, bid: float | None, ask: float | None) -> float | None:
    """The price in a quote that the order's method looks at; None when it looks at none, or it is missing."""
    if order.trigger_method not in BY_QUOTE:
        return None
    if order.trigger_method == MIDPOINT:
        return None if bid is None or ask is None else (bid + ask) / 2
    return bid if order.side == "BUY" else ask


class Triggers:
    """Remembers which orders have been touched once and need it a second time, in a row."""

    def __init__(self) -> None:
        self._touched: set[int] = set()

    def by_trade(self, order: SimOrder, price: float) -> bool:
        """Whether a last price triggers the order."""
        return order.trigger_method in BY_LAST and self._counts(order, touched=touches(order, price))

    def by_quote(self, order: SimOrder, bid: float | None, ask: float | None) -> bool:
        """Whether a quote, either side of it None, triggers the order."""
        if order.trigger_method not in BY_QUOTE:
            return False
        return self._counts(order, touched=touches(order, watched(order, bid, ask)))

    def forget(self, key: int) -> None:
        self._touched.discard(key)

    def _counts(self, order: SimOrder, *, touched: bool) -> bool:
        """Once is enough for most methods, the double ones want it twice in a row."""
        if order.trigger_method not in TWICE:
            return touched
        if touched and order.key in self._touched:
            self._touched.discard(order.key)
            return True
        (self._touched.add if touched else self._touched.discard)(order.key)
        return False
