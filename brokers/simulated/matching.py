"""The simulated gateway's matching: our orders against the market's quotes and trades, event by event. PURE.

The market is given, our orders do not move it. What fills what:

- Quote. Market orders, and stops that became market orders, fill at the bid or ask; a limit fills when the
  other side of the quote is at or through it, at the quote (so never worse than the limit). The quote stands
  until the next one: an order that arrives or is modified while the market is open meets it at once. `size`
  is what is shown on each side; infinite when not given.
- Trade. An untriggered stop triggers when the trade is at or through its stop price. A stop fills at the
  trade or at its side of the standing quote, whichever is worse: never better than the trade. A triggered
  stop-limit becomes a limit and fills from the next event on. A resting limit fills at its own price when the
  trade is at or through it. `participation` x size (whole shares) is what we get of a trade, shared by all
  our orders; None is without limit. What is left over waits for the next event.
- Priority among our own orders: orders that take any price first, then limits by how far the price reaches
  beyond them, then age.
- An order is not filled by the event that made it live (a child by the event that filled its parent).
- NaN, infinite, zero and negative prices never match; a crossed quote counts as no quote; a trade without
  size counts as no trade.
- `regular=False` marks an event outside regular hours: only orders with `outside_rth` see it.

Families, OCA and the end of the day: `working_orders.py`.
"""

import math

import msgspec

from brokers.simulated.working_orders import (
    Cancelled,
    Filled,
    OrderType,
    Outcome,
    Reduced,
    Side,
    SimOrder,
    Status,
    StatusChanged,
    WorkingOrders,
    is_price,
)

__all__ = [
    "Cancelled",
    "Filled",
    "Matcher",
    "OrderType",
    "Outcome",
    "Reduced",
    "Side",
    "SimOrder",
    "Status",
    "StatusChanged",
]


class _Quote(msgspec.Struct):
    """The standing quote; a side that cannot be traded on is None. Sizes shrink as we take from them."""

    bid: float | None
    ask: float | None
    bid_size: float
    ask_size: float

    def against(self, side: Side) -> float | None:
        """The price an order of this side would meet."""
        return self.ask if side == "BUY" else self.bid


class Matcher(WorkingOrders):
    """All orders of one account against one market."""

    def __init__(self, *, participation: float | None = 1.0) -> None:
        super().__init__()
        if participation is not None and not participation > 0:
            raise ValueError(f"participation {participation}: must be above 0, or None for no limit")
        self._participation = math.inf if participation is None else participation
        self._quotes: dict[int, _Quote] = {}

    def submit(self, order: SimOrder, *, market_open: bool) -> list[Outcome]:
        outcomes = super().submit(order, market_open=market_open)
        return outcomes + self._meet_quote(order.instrument)

    def modify(
        self,
        key: int,
        *,
        quantity: float | None = None,
        limit_price: float | None = None,
        stop_price: float | None = None,
        transmit: bool | None = None,
    ) -> list[Outcome]:
        outcomes = super().modify(
            key, quantity=quantity, limit_price=limit_price, stop_price=stop_price, transmit=transmit
        )
        return outcomes + self._meet_quote(self.order(key).instrument) if outcomes else []

    def on_quote(
        self, instrument: int, bid: float, ask: float, *, size: float = math.inf, regular: bool = True
    ) -> list[Outcome]:
        """A new best bid and offer, either of them NaN when there is none."""
        is_crossed = bid > ask
        self._quotes[instrument] = _Quote(
            bid=bid if is_price(bid) and not is_crossed else None,
            ask=ask if is_price(ask) and not is_crossed else None,
            bid_size=size,
            ask_size=size,
        )
        self._market_open = regular
        if instrument not in self._by_instrument:
            return []
        return self._release(instrument) + self._meet_quote(instrument)

    def on_trade(self, instrument: int, price: float, size: float, *, regular: bool = True) -> list[Outcome]:
        """A trade of the market. Triggers stops, then fills what it reaches."""
        self._market_open = regular
        if instrument not in self._by_instrument or not is_price(price) or not size > 0:
            return []
        outcomes = self._release(instrument)
        reached = [order for order in self._eligible(instrument) if _is_reached(order, price)]
        just_limits = {order.key for order in reached if order.order_type == "STP LMT" and not order.triggered}
        outcomes += [self._trigger(order) for order in reached if order.waits_for_trigger]
        available = _whole_shares(size * self._participation)
        for order in sorted(reached, key=lambda one: _rank(one, price)):
            quantity = min(self.live_quantity(order), available)
            if quantity > 0 and order.key not in just_limits:
                available -= quantity
                outcomes += self._fill(order, quantity, self._price_on_trade(order, price))
        return outcomes

    def on_close(self, *, reason: str = "end of session") -> list[Outcome]:
        """As in the book; and no quote stands overnight."""
        self._quotes.clear()
        return super().on_close(reason=reason)

    def _meet_quote(self, instrument: int) -> list[Outcome]:
        """Match every order that is live now against the standing quote."""
        quote = self._quotes.get(instrument)
        if quote is None:
            return []
        outcomes: list[Outcome] = []
        for order in sorted(self._eligible(instrument), key=lambda one: _rank(one, 0.0)):
            price = quote.against(order.side)
            if price is None or not _accepts(order, price):
                continue
            shown = quote.ask_size if order.side == "BUY" else quote.bid_size
            quantity = min(self.live_quantity(order), shown)
            if quantity <= 0:
                continue
            if order.side == "BUY":
                quote.ask_size -= quantity
            else:
                quote.bid_size -= quantity
            outcomes += self._fill(order, quantity, price)
        return outcomes

    def _eligible(self, instrument: int) -> list[SimOrder]:
        """The orders this event can reach: visible, not waiting for a parent, allowed at this hour."""
        return [
            order
            for order in self._by_instrument.get(instrument, {}).values()
            if (self._market_open or order.outside_rth) and order.why_held != "child"
        ]

    def _release(self, instrument: int) -> list[Outcome]:
        """Orders that were held because the market was closed become Submitted with its first event."""
        held = [order for order in self._eligible(instrument) if order.status == "PreSubmitted"]
        return [self._settle(order) for order in held if not order.waits_for_trigger]

    def _trigger(self, order: SimOrder) -> Outcome:
        order.triggered = True
        return self._settle(order)

    def _price_on_trade(self, order: SimOrder, trade_price: float) -> float:
        """What a reached order gets: a limit its own price, the others the worse of trade and quote."""
        if not order.takes_any_price:
            assert order.limit_price is not None
            return order.limit_price
        quote = self._quotes.get(order.instrument)
        quoted = None if quote is None else quote.against(order.side)
        if quoted is None:
            return trade_price
        return max(trade_price, quoted) if order.side == "BUY" else min(trade_price, quoted)


def _is_reached(order: SimOrder, price: float) -> bool:
    """Whether a trade at or through the order's price fills it or, for a stop, triggers it."""
    if order.takes_any_price:
        return True
    is_buy = order.side == "BUY"
    if order.waits_for_trigger:
        assert order.stop_price is not None
        return price >= order.stop_price if is_buy else price <= order.stop_price
    return _accepts(order, price)


def _accepts(order: SimOrder, price: float) -> bool:
    """Whether the order would deal at this price."""
    if order.takes_any_price:
        return True
    if order.waits_for_trigger:
        return False
    assert order.limit_price is not None
    return price <= order.limit_price if order.side == "BUY" else price >= order.limit_price


def _rank(order: SimOrder, price: float) -> tuple[int, float]:
    """Priority, smallest first; equal ranks keep their age because sorting is stable."""
    if order.order_type not in ("LMT", "STP LMT"):
        return 0, 0.0
    assert order.limit_price is not None
    beyond = order.limit_price - price if order.side == "BUY" else price - order.limit_price
    return 1, -beyond


def _whole_shares(quantity: float) -> float:
    return math.floor(quantity + 1e-9) if math.isfinite(quantity) else quantity
