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
  next event. After that trailing stops follow the trade (trailing.py).
- Auction. OPG orders trade in the opening one, MOC and LOC in the closing one, at its price, as far as its size
  reaches, limits only if the price is at or better; what is left of them is cancelled. They trade nowhere else.
- IOC and FOK orders have one chance: the quote that stands when they arrive or, for a child, the event after
  its parent filled. FOK and all-or-none orders are filled whole or not at all.
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
from typing import Unpack

import msgspec

from brokers.simulated.price_index import PriceIndex
from brokers.simulated.sim_order import (
    IMMEDIATE,
    LIMITS,
    TRAILING,
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
from brokers.simulated.triggers import Triggers
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
        self._fresh: set[int] = set()  # IOC and FOK children whose chance is the next event
        self._triggers = Triggers()
        self._ages = itertools.count()

    # ------------------------------------------------------------------ our orders

    def submit(self, order: SimOrder, *, market_open: bool) -> list[Outcome]:
        outcomes = super().submit(order, market_open=market_open)
        return outcomes + self._meet_quote(order.instrument) + self._end_immediate(order.instrument)

    def modify(self, key: int, *, transmit: bool | None = None, **terms: Unpack[Terms]) -> list[Outcome]:
        outcomes = super().modify(key, transmit=transmit, **terms)
        if not outcomes:
            return []
        instrument = self.order(key).instrument
        return outcomes + self._meet_quote(instrument) + self._end_immediate(instrument)

    # ------------------------------------------------------------------ the market

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
        outcomes = self._release(instrument) + self._meet_quote(instrument, is_new=True)
        return outcomes + self._end_immediate(instrument)

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
        outcomes += self._trail(index, price)
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
        """Trading goes on with the next event; the quote from before the halt is gone."""
        self._halted.discard(instrument)
        self._quotes.pop(instrument, None)

    def is_halted(self, instrument: int) -> bool:
        return instrument in self._halted

    def on_close(self, *, reason: str = "end of session") -> list[Outcome]:
        """As in the book; and no quote stands overnight."""
        self._quotes.clear()
        return super().on_close(reason=reason)

    # ------------------------------------------------------------------ matching

    def _meet_quote(self, instrument: int, *, is_new: bool = False) -> list[Outcome]:
        """Match every order that is live now against the standing quote."""
        quote, index = self._quotes.get(instrument), self._indexes.get(instrument)
        if quote is None or index is None or instrument in self._halted:
            return []
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
        for order in index.trailing():
            outcomes += self._place_stop(order, quote.against(order.side))
        return outcomes

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
        self._sort_in(order)
        return self._settle(order)

    def _trail(self, index: PriceIndex, price: float) -> list[Outcome]:
        following = (order for order in index.trailing() if self._is_eligible(order))
        return [_trailed(order) for order in following if follow(order, price)]

    def _place_stop(self, order: SimOrder, quoted: float | None) -> list[Outcome]:
        """Give a trailing stop that has none its first price: from the last trade, else from the quote."""
        price = self._lasts.get(order.instrument, quoted)
        if order.stop_price is None and price is not None and self._is_eligible(order) and follow(order, price):
            return [_trailed(order)]
        return []

    def _release(self, instrument: int) -> list[Outcome]:
        """Orders that were held because the market was closed become Submitted with its first event."""
        held = self._held.get(instrument)
        if not held:
            return []
        ready = [order for order in held.values() if self._is_eligible(order)]
        return [self._settle(order) for order in ready]

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
        is_held = changed.status == "PreSubmitted" and not changed.why_held
        _file(self._held, order, is_in=is_held and order.key in self._working)
        return changed

    def _enter(self, order: SimOrder) -> None:
        super()._enter(order)
        _file(self._immediate, order, is_in=order.tif in IMMEDIATE)
        _file(self._auctioned, order, is_in=order.auction is not None)
        if order.order_type in TRAILING and order.stop_price is None and order.instrument in self._lasts:
            follow(order, self._lasts[order.instrument])
        self._sort_in(order)

    def _leave(self, order: SimOrder) -> None:
        super()._leave(order)
        for lists in (self._held, self._immediate, self._auctioned):
            _file(lists, order, is_in=False)
        self._triggers.forget(order.key)
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
