"""The simulated gateway's matching: our orders against the market's quotes and trades, event by event. PURE.

The market is given, our orders do not move it. What fills what:

- Quote. Market orders, and stops that became market orders, fill at the bid or ask; a limit fills when the
  other side of the quote is at or through it, at the quote (so never worse than the limit). The quote stands
  until the next one: an order that arrives or is modified while the market is open meets it at once. The
  sizes are what is shown on each side; infinite when not given, and what we take is gone from them.
- Trade. An untriggered stop triggers when the trade is at or through its stop price (other trigger methods:
  triggers.py). A stop fills at the trade or at its side of the standing quote, whichever is worse: never
  better than the trade. An order that becomes a limit by its trigger fills from the next event on. A resting
  limit fills at its own price when the trade is at or through it. `participation` x size (whole shares) is
  what we get of a trade, shared by all our orders; None is without limit. What is left over waits for the
  next event. After that trailing stops follow the trade (trailing.py). One without a price begins, once it
  is live, at the last trade of the session, else at its side of the quote. Where the trigger method looks at
  quotes the stop follows what the method looks at (choice).
- Auction. OPG orders trade in the opening one, MOC and LOC in the closing one, at its price, as far as its size
  reaches, limits only if the price is at or better; what is left of them is cancelled. They trade nowhere else.
- IOC and FOK orders have one chance: the quote that stands when they arrive or begin or, for a child and for a
  triggered limit, the event after its parent filled or its trigger. FOK and all-or-none orders are filled whole
  or not at all.
- Priority among our own orders: orders that take any price first, then limits by how far the price reaches
  beyond them, then age.
- An order is not filled by the event that made it live (a child by the event that filled its parent).
- NaN, infinite, zero and negative prices never match; a crossed quote counts as no quote; a trade without
  size counts as no trade. While an instrument is halted nothing in it matches, triggers or trails.
- `regular=False` marks an event outside regular hours: only orders with `outside_rth` see it.

Families, OCA and the end of the day: `working_orders.py`.
"""

import itertools
import math
from collections.abc import Iterable
from typing import Unpack

import msgspec

from brokers.simulated.price_index import PriceIndex
from brokers.simulated.sim_order import (
    IMMEDIATE,
    LIMITS,
    AuctionKind,
    Cancelled,
    Filled,
    OrderType,
    Outcome,
    Reduced,
    Side,
    SimOrder,
    Status,
    StatusChanged,
    Trailed,
    is_price,
)
from brokers.simulated.trailing import follow
from brokers.simulated.triggers import BY_LAST, Triggers, watched
from brokers.simulated.working_orders import Terms, WorkingOrders

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
    "Trailed",
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

    def shown_to(self, side: Side) -> float:
        return self.ask_size if side == "BUY" else self.bid_size

    def take(self, side: Side, quantity: float) -> None:
        if side == "BUY":
            self.ask_size -= quantity
        else:
            self.bid_size -= quantity


class Matcher(WorkingOrders):
    """All orders of one account against one market."""

    def __init__(self, *, participation: float | None = 1.0) -> None:
        super().__init__()
        if participation is not None and not participation > 0:
            raise ValueError(f"participation {participation}: must be above 0, or None for no limit")
        self._participation = math.inf if participation is None else participation
        self._quotes: dict[int, _Quote] = {}
        self._lasts: dict[int, float] = {}
        self._indexes: dict[int, PriceIndex] = {}
        self._held: dict[int, dict[int, SimOrder]] = {}
        self._immediate: dict[int, dict[int, SimOrder]] = {}
        self._auctioned: dict[int, dict[int, SimOrder]] = {}
        self._halted: set[int] = set()
        self._fresh: set[int] = set()  # IOC and FOK orders whose chance is the next event
        self._triggers = Triggers()
        self._ages = itertools.count()

    # ------------------------------------------------------------------ our orders

    def submit(self, order: SimOrder, *, market_open: bool) -> list[Outcome]:
        outcomes = super().submit(order, market_open=market_open)
        return outcomes + self._meet_market(order.instrument)

    def modify(self, key: int, *, transmit: bool | None = None, **terms: Unpack[Terms]) -> list[Outcome]:
        outcomes = super().modify(key, transmit=transmit, **terms)
        return outcomes + self._meet_market(self.order(key).instrument) if outcomes else []

    # ------------------------------------------------------------------ the market

    def on_time(self, at: float) -> list[Outcome]:
        """As in the book; orders that begin meet the market that stands."""
        outcomes = super().on_time(at)
        begun = [self.order(one.key).instrument for one in outcomes if isinstance(one, StatusChanged)]
        for instrument in dict.fromkeys(begun):
            outcomes += self._meet_market(instrument)
        return outcomes

    def on_quote(
        self,
        instrument: int,
        bid: float,
        ask: float,
        *,
        bid_size: float = math.inf,
        ask_size: float = math.inf,
        regular: bool = True,
    ) -> list[Outcome]:
        """A new best bid and offer, either of them NaN when there is none."""
        is_crossed = bid > ask
        self._quotes[instrument] = _Quote(
            bid=bid if is_price(bid) and not is_crossed else None,
            ask=ask if is_price(ask) and not is_crossed else None,
            bid_size=bid_size,
            ask_size=ask_size,
        )
        self._market_open = regular
        if instrument not in self._indexes or instrument in self._halted:
            return []
        return self._release(instrument) + self._meet_market(instrument, is_new=True)

    def on_trade(self, instrument: int, price: float, size: float, *, regular: bool = True) -> list[Outcome]:
        """A trade of the market. Triggers stops, then fills what it reaches."""
        self._market_open = regular
        if not is_price(price) or not size > 0 or instrument in self._halted:
            return []
        self._lasts[instrument] = price
        index = self._indexes.get(instrument)
        if index is None:
            return []
        outcomes = self._release(instrument)
        reached = [order for order in index.reached_by_trade(price) if self._is_eligible(order)]
        waiting = [order for order in reached if order.waits_for_trigger]
        fired = [order for order in waiting if self._triggers.by_trade(order, price)]
        outcomes += [self._trigger(order) for order in fired]
        just_limits = {order.key for order in fired if order.order_type in LIMITS}
        takers = [order for order in reached if order.key not in just_limits and _accepts(order, price)]
        outcomes += self._share_trade(takers, price, _whole_shares(size * self._participation))
        following = [order for order in index.trailing() if order.trigger_method in BY_LAST]
        outcomes += self._trail((order, price) for order in following)
        return outcomes + self._end_immediate(instrument)

    def on_auction(self, instrument: int, price: float, size: float = math.inf, *, kind: AuctionKind) -> list[Outcome]:
        """The cross at the open or the close: what waits for it is filled at `price` or cancelled."""
        waiting = [order for order in self._auctioned.get(instrument, {}).values() if order.auction == kind]
        waiting = [order for order in waiting if order.why_held != "child"]
        outcomes: list[Outcome] = []
        if is_price(price) and size > 0 and instrument not in self._halted:
            takers = [order for order in waiting if _accepts(order, price)]
            outcomes += self._share_trade(takers, price, _whole_shares(size), at_auction=True)
        for order in waiting:
            outcomes += self._cancel(order, f"not filled in the auction at the {kind}")
        return outcomes

    def halt(self, instrument: int) -> None:
        """Trading in the instrument stops: orders rest and may be changed, nothing is matched."""
        self._halted.add(instrument)

    def resume(self, instrument: int) -> None:
        """Trading goes on with the next event; quote and last price from before the halt are gone."""
        self._halted.discard(instrument)
        self._quotes.pop(instrument, None)
        self._lasts.pop(instrument, None)

    def is_halted(self, instrument: int) -> bool:
        return instrument in self._halted

    def on_close(self, *, reason: str = "end of session") -> list[Outcome]:
        """As in the book; and neither quote nor last price stands overnight."""
        self._quotes.clear()
        self._lasts.clear()
        return super().on_close(reason=reason)

    # ------------------------------------------------------------------ matching

    def _meet_market(self, instrument: int, *, is_new: bool = False) -> list[Outcome]:
        """What the market that stands does to the orders that are live now; `is_new` if it is a new quote."""
        quote, index = self._quotes.get(instrument), self._indexes.get(instrument)
        outcomes: list[Outcome] = []
        if index is not None and instrument not in self._halted:
            if quote is not None:
                outcomes += self._meet_quote(quote, index, is_new=is_new)
            outcomes += self._begin_trails(instrument, quote, index)
        return outcomes + self._end_immediate(instrument)

    def _meet_quote(self, quote: _Quote, index: PriceIndex, *, is_new: bool) -> list[Outcome]:
        outcomes: list[Outcome] = []
        reached = [order for order in index.reached_by_quote(quote.bid, quote.ask) if self._is_eligible(order)]
        just_limits: set[int] = set()
        for order in reached if is_new else ():
            if order.waits_for_trigger and self._triggers.by_quote(order, quote.bid, quote.ask):
                outcomes.append(self._trigger(order))
                just_limits |= {order.key} if order.order_type in LIMITS else set()
        for order in sorted(reached, key=lambda one: _rank(one, 0.0)):
            price = quote.against(order.side)
            if price is None or order.key in just_limits or not _accepts(order, price):
                continue
            quantity = self._quantity_of(order, quote.shown_to(order.side))
            if quantity > 0:
                quote.take(order.side, quantity)
                outcomes += self._fill(order, quantity, price)
        following = index.trailing() if is_new else ()
        return outcomes + self._trail((order, watched(order, quote.bid, quote.ask)) for order in following)

    def _share_trade(
        self, takers: list[SimOrder], price: float, available: float, *, at_auction: bool = False
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for order in sorted(takers, key=lambda one: _rank(one, price)):
            quantity = self._quantity_of(order, available)
            if quantity > 0:
                available -= quantity
                outcomes += self._fill(order, quantity, price if at_auction else self._price_on_trade(order, price))
        return outcomes

    def _quantity_of(self, order: SimOrder, available: float) -> float:
        """How much of what is available the order takes."""
        live = self.live_quantity(order)
        if order.needs_all and available < live:
            return 0.0
        return min(live, available)

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

    def _is_eligible(self, order: SimOrder) -> bool:
        """Whether this event can reach the order: not waiting for a parent or its time, allowed at this hour."""
        if order.why_held == "child" or not (self._market_open or order.outside_rth):
            return False
        return self._has_begun(order)

    def _trigger(self, order: SimOrder) -> Outcome:
        order.triggered = True
        if order.tif in IMMEDIATE and order.order_type in LIMITS:
            self._fresh.add(order.key)
        self._sort_in(order)
        return self._settle(order)

    def _trail(self, prices: Iterable[tuple[SimOrder, float | None]]) -> list[Outcome]:
        """Let each stop follow its price."""
        return [
            _trailed(order)
            for order, price in prices
            if price is not None and self._is_eligible(order) and follow(order, price)
        ]

    def _begin_trails(self, instrument: int, quote: _Quote | None, index: PriceIndex) -> list[Outcome]:
        """Give the trailing stops that have none their first price: from the last trade, else from the quote."""
        last = self._lasts.get(instrument)
        beginning = [order for order in index.trailing() if order.stop_price is None]
        return self._trail(
            (order, quote.against(order.side) if last is None and quote is not None else last) for order in beginning
        )

    def _release(self, instrument: int) -> list[Outcome]:
        """Orders that were held because the market was closed become Submitted with its first event."""
        held = self._held.get(instrument)
        return [self._settle(order) for order in tuple(held.values())] if held and self._market_open else []

    def _end_immediate(self, instrument: int) -> list[Outcome]:
        """What is left of IOC and FOK orders that have had their chance is cancelled."""
        waiting = self._immediate.get(instrument)
        if not waiting:
            return []
        outcomes: list[Outcome] = []
        for order in tuple(waiting.values()):
            if order.key in self._fresh:
                self._fresh.discard(order.key)
            elif order.why_held != "child" and self._has_begun(order) and not order.waits_for_trigger:
                outcomes += self._cancel(order, "not filled at once")
        return outcomes

    # ------------------------------------------------------------------ lists

    def _settle(self, order: SimOrder) -> StatusChanged:
        was_child = order.why_held == "child"
        changed = super()._settle(order)
        if was_child and changed.why_held != "child" and order.tif in IMMEDIATE:
            self._fresh.add(order.key)
        is_held = changed.status == "PreSubmitted" and not changed.why_held and self._has_begun(order)
        _file(self._held, order, is_in=is_held and order.key in self._working)
        return changed

    def _enter(self, order: SimOrder) -> None:
        super()._enter(order)
        _file(self._immediate, order, is_in=order.tif in IMMEDIATE)
        _file(self._auctioned, order, is_in=order.auction is not None)
        self._sort_in(order)

    def _leave(self, order: SimOrder) -> None:
        super()._leave(order)
        for lists in (self._held, self._immediate, self._auctioned):
            _file(lists, order, is_in=False)
        self._triggers.forget(order.key)
        self._fresh.discard(order.key)
        index = self._indexes.get(order.instrument)
        if index is not None:
            index.drop(order.key)
            if order.instrument not in self._by_instrument:
                del self._indexes[order.instrument]

    def _sort_in(self, order: SimOrder) -> None:
        self._indexes.setdefault(order.instrument, PriceIndex()).put(order, next(self._ages))


def _file(lists: dict[int, dict[int, SimOrder]], order: SimOrder, *, is_in: bool) -> None:
    """Put the order on its instrument's list, or take it off; an empty list is not kept."""
    if is_in:
        lists.setdefault(order.instrument, {})[order.key] = order
    elif order.instrument in lists:
        lists[order.instrument].pop(order.key, None)
        if not lists[order.instrument]:
            del lists[order.instrument]


def _trailed(order: SimOrder) -> Trailed:
    assert order.stop_price is not None
    return Trailed(order.key, order.stop_price, order.limit_price)


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
    if order.takes_any_price or order.limit_price is None:
        return 0, 0.0
    beyond = order.limit_price - price if order.side == "BUY" else price - order.limit_price
    return 1, -beyond


def _whole_shares(quantity: float) -> float:
    return math.floor(quantity + 1e-9) if math.isfinite(quantity) else quantity
