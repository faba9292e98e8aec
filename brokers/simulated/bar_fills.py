"""The written fill rules for bars (DESIGN 10), pessimistic, one set for every driver that replays bars. PURE.

Prices. A market order gets the open, plus slippage against us. A limit is filled only when the bar trades
THROUGH it, at the limit, or opens beyond it, at the (better) open; a touch is not enough. A stop is filled
when the bar touches it, at the worse of stop and open, plus slippage. Slippage is in basis points of the
price and never added to a limit; spread and impact, where they are asked for, are added to it for the shares that are
filled (costs/slippage.py). A market-if-touched order is filled when the bar touches it, at the better of
trigger and open, plus slippage; a limit-if-touched is a limit from the next bar on. A trailing stop follows a bar
only when that bar is over, and follows the entry bar only to its close: the favourable move may have come after
the adverse one. Its first price comes from the first bar it sees.

Sessions. `session="first"` and `"last"` mark the bars that hold the auctions: OPG orders are filled at the first
bar's open, MOC and LOC at the last bar's close, limits only beyond their price, and what is left of them is
cancelled. IOC and FOK orders have the open of the first newer bar; FOK and all-or-none are filled whole or not.
A GTD order sees the bars that close by its instant, a good-after order those that come after one that closed at its
instant or later: what lies on both sides of the instant is nobody's.

Order of events inside one bar:

1. The open: market orders, stops the open has passed, limits the open is beyond. Children that an entry at
the open made live take part: they see this whole bar. 2. Inside: stops before limits, so the stop is taken
before the target when one bar touches both. 3. Children of an entry filled inside the bar: they can be
stopped in it (as if the bar had opened at the entry price, for the low may come after the entry) but not take
profit in it (for the high may have come before).

With `intrabar="skip_entry_bar"` what a parent fills in a bar is out of its children's reach until the next;
plain backtrader does it so, and comparing with it is the only use.

An order meets a bar only if it was placed before the bar's `at`, the time at which the bar closed. A
stop-limit that triggers at the open is a limit for that whole bar; one that triggers inside works from the
next bar on. `participation` x volume (whole shares) is what all our orders together get of one bar; None is
without limit. What is left of a market order or of a triggered stop goes on at the next open. OCA type 1 is
taken as type 2: here a partial fill resizes the other leg and never cancels the protection of the rest.
"""

import math
from typing import Literal

import msgspec

from brokers.simulated.costs.slippage import MarketSlippage
from brokers.simulated.sim_order import (
    AT_CLOSE,
    IMMEDIATE,
    LIMITS,
    STOPS,
    TRAILING,
    TRIGGERED,
    AuctionKind,
    Outcome,
    Side,
    SimOrder,
    Trailed,
)
from brokers.simulated.trailing import follow
from brokers.simulated.working_orders import WorkingOrders
from shared.market import Bar, BarRow, bar_of

Intrabar = Literal["entry_bar", "skip_entry_bar"]
PartOfSession = Literal["", "first", "last"]

BASIS_POINT = 1e-4
_NOTHING: dict[int, SimOrder] = {}


def slipped(side: Side, price: float, slippage_bps: float) -> float:
    """The price moved against us."""
    return price * (1 + (BASIS_POINT if side == "BUY" else -BASIS_POINT) * slippage_bps)


def market_fill(side: Side, bar: Bar, slippage_bps: float = 0.0) -> float:
    return slipped(side, bar.open, slippage_bps)


def limit_fill(side: Side, limit: float, bar: Bar) -> float | None:
    """The price at which a resting limit is filled on this bar; None when it is not."""
    if side == "BUY":
        return bar.open if bar.open < limit else limit if bar.low < limit else None
    return bar.open if bar.open > limit else limit if bar.high > limit else None


def touch_fill(side: Side, trigger: float, bar: Bar, slippage_bps: float = 0.0) -> float | None:
    """The price at which a market-if-touched order is filled on this bar; None when it is not touched."""
    if side == "BUY":
        return slipped(side, min(trigger, bar.open), slippage_bps) if bar.low <= trigger else None
    return slipped(side, max(trigger, bar.open), slippage_bps) if bar.high >= trigger else None


def stop_fill(side: Side, stop: float, bar: Bar, slippage_bps: float = 0.0) -> float | None:
    """The price at which a resting stop is filled on this bar; None when it is not touched."""
    if side == "BUY":
        return slipped(side, max(stop, bar.open), slippage_bps) if bar.high >= stop else None
    return slipped(side, min(stop, bar.open), slippage_bps) if bar.low <= stop else None


class _Passage(msgspec.Struct):
    """One bar passing by one instrument: what of it is left, and what happened inside it."""

    bar: Bar
    at: float
    available: float
    seen: Bar  # what of it an order can see now: its open, then the whole
    orders: list[SimOrder] = msgspec.field(default_factory=list)  # those it meets, as of what happened last
    inside: bool = False
    out_of_reach: dict[int, float] = msgspec.field(default_factory=dict)  # parent -> shares no limit may close
    entry_prices: dict[int, float] = msgspec.field(default_factory=dict)  # child -> price of the entry inside
    triggered_inside: set[int] = msgspec.field(default_factory=set)  # stop-limits that wait for the next bar

    def seen_by(self, order: SimOrder) -> Bar:
        """The part of the bar that an order can see: its open, the whole, or what followed its entry."""
        entry_price = self.entry_prices.get(order.key)
        return self.seen if entry_price is None else msgspec.structs.replace(self.bar, open=entry_price)


class BarMatcher(WorkingOrders):
    """All orders of one account against rows of bars.

    The cost of a row follows the working orders, not its length.
    """

    def __init__(
        self,
        *,
        slippage_bps: float = 0.0,
        participation: float | None = 1.0,
        intrabar: Intrabar = "entry_bar",
        market_slippage: MarketSlippage | None = None,
    ) -> None:
        super().__init__()
        if not slippage_bps >= 0:
            raise ValueError(f"slippage_bps {slippage_bps}: must be 0 or more")
        if participation is not None and not participation > 0:
            raise ValueError(f"participation {participation}: must be above 0, or None for no limit")
        self._slippage_bps = slippage_bps
        self._market_slippage = market_slippage
        self._participation = participation
        self._skips_entry_bar = intrabar == "skip_entry_bar"
        self._placed_at: dict[int, float] = {}
        self._seen_at = -math.inf

    def submit(self, order: SimOrder, *, market_open: bool = True, at: float | None = None) -> list[Outcome]:
        """As in the book.

        `at` (epoch seconds) is the moment of the decision; by default that of the latest bar seen.
        """
        order.oca_type = max(order.oca_type, 2)
        outcomes = super().submit(order, market_open=market_open)
        self._placed_at[order.key] = self._seen_at if at is None else at
        return outcomes

    def on_row(self, row: BarRow, at: float, *, session: PartOfSession = "") -> list[Outcome]:
        """One closed interval of the whole universe, `at` its closing time; instruments in index order."""
        outcomes = self._pass_time(at)
        for instrument in sorted(self._by_instrument):
            outcomes += self.on_bar(instrument, bar_of(row, instrument), at, session=session)
        return outcomes

    def on_bar(self, instrument: int, bar: Bar, at: float, *, session: PartOfSession = "") -> list[Outcome]:
        """One closed bar of one instrument; `session` marks the bars that hold the auctions.

        A bar with a price that is none (NaN: nothing traded) is passed over.
        """
        outcomes = self._pass_time(at)
        self._market_open = True
        if instrument not in self._by_instrument or not _is_whole(bar):
            return outcomes
        passage = _Passage(bar, at, self._share_of(bar.volume), _only(bar.open, bar.volume))
        trails = is_hasty = False
        for order in self._by_instrument[instrument].values():
            trails |= order.order_type in TRAILING
            is_hasty |= order.tif in IMMEDIATE
        old = {order.key for order in self._old_enough(instrument, passage)} if trails else set[int]()
        outcomes += self._hold_auction(instrument, passage, "open") if session == "first" else []
        passage.orders = self._old_enough(instrument, passage)
        outcomes += self._until_quiet(instrument, passage)
        outcomes += self._end_immediate(instrument, passage) if is_hasty else []
        passage.inside, passage.seen = True, bar
        outcomes += self._until_quiet(instrument, passage)
        outcomes += self._trail(instrument, passage, old) if trails else []
        if session == "last":
            outcomes += self._hold_auction(instrument, passage, "close")
        return outcomes

    def _pass_time(self, at: float) -> list[Outcome]:
        """A bar that closes at `at` begins where the one before it closed: what begins or ends by then does so."""
        if at <= self._seen_at:
            return []
        outcomes = self.on_time(max(self._seen_at, self._now))
        self._seen_at = at
        if not self._timed:
            return outcomes
        for order in tuple(self._timed.values()):
            if order.tif == "GTD" and order.good_till is not None and order.good_till < at:
                outcomes += self._cancel(order, "good till date has passed")
        return outcomes

    def _share_of(self, volume: float) -> float:
        if self._participation is None:
            return math.inf
        return math.floor(volume * self._participation + 1e-9) if volume > 0 else 0.0

    def _until_quiet(self, instrument: int, passage: _Passage) -> list[Outcome]:
        """Stops and market orders, then limits; again while a fill makes children live."""
        outcomes: list[Outcome] = []
        while passage.orders:
            stopped = self._take_stops(passage)
            if stopped:
                passage.orders = self._old_enough(instrument, passage)
            limited = self._take_limits(passage)
            if limited:
                passage.orders = self._old_enough(instrument, passage)
            elif not stopped:
                break
            outcomes += stopped
            outcomes += limited
        return outcomes

    def _take_stops(self, passage: _Passage) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for order in passage.orders:
            is_limit = order.order_type in LIMITS
            waits = not order.triggered and order.order_type in TRIGGERED
            if not waits and (is_limit or passage.inside):  # inside the bar a market order waits for the next open
                continue
            begins = waits and order.stop_price is None  # a trailing stop, which only an order within reach does
            if begins and self._within_reach(order, passage) <= 0:
                continue
            price = self._price_without_limit(order, passage, waits=waits)
            if price is None:
                continue
            reachable = self._within_reach(order, passage)
            if reachable <= 0:
                continue
            if waits:
                order.triggered = True
                outcomes.append(self._settle(order))
            if is_limit:
                if passage.inside or order.order_type == "LIT":
                    passage.triggered_inside.add(order.key)
            else:
                outcomes += self._execute(order, price, reachable, passage)
        return outcomes

    def _price_without_limit(self, order: SimOrder, passage: _Passage, *, waits: bool) -> float | None:
        bar = passage.seen_by(order) if passage.entry_prices else passage.seen
        if not waits:
            return market_fill(order.side, bar, self._slippage_bps)
        if order.stop_price is None:  # a trailing stop begins where the bar it first sees begins
            follow(order, bar.open)
        assert order.stop_price is not None
        fill = stop_fill if order.order_type in STOPS else touch_fill
        return fill(order.side, order.stop_price, bar, self._slippage_bps)

    def _take_limits(self, passage: _Passage) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for order in passage.orders:
            kind = order.order_type
            if kind not in LIMITS or (kind != "LMT" and order.waits_for_trigger):
                continue
            if order.key in passage.triggered_inside:
                continue
            assert order.limit_price is not None
            bar = passage.seen_by(order) if passage.entry_prices else passage.seen
            price = limit_fill(order.side, order.limit_price, bar)
            if price is not None:
                outcomes += self._execute(order, price, self._within_reach(order, passage), passage)
        return outcomes

    def _old_enough(self, instrument: int, passage: _Passage) -> list[SimOrder]:
        """Those of `_newly_seen` that trade between the auctions; asked for anew when something has happened."""
        placed_at, at, now = self._placed_at, passage.at, self._now
        return [
            order
            for order in self._by_instrument.get(instrument, _NOTHING).values()
            if order.why_held != "child"
            and placed_at[order.key] < at
            and (order.good_after is None or now >= order.good_after)
            and order.tif != "OPG"
            and order.order_type not in AT_CLOSE
        ]

    def _newly_seen(self, instrument: int, passage: _Passage) -> list[SimOrder]:
        """The orders placed before this bar closed that wait neither for a parent nor for their time."""
        placed_at, at = self._placed_at, passage.at
        return [
            order
            for order in self.working_in((instrument,))
            if order.why_held != "child" and placed_at[order.key] < at and self._has_begun(order)
        ]

    def _hold_auction(self, instrument: int, passage: _Passage, kind: AuctionKind) -> list[Outcome]:
        """Fill what waits for this auction at the bar's open or close, and cancel what is left of it."""
        price = passage.bar.open if kind == "open" else passage.bar.close
        at_price = _only(price, passage.bar.volume)
        outcomes: list[Outcome] = []
        for order in [one for one in self._newly_seen(instrument, passage) if one.auction == kind]:
            if order.order_type not in LIMITS:
                market_price = market_fill(order.side, at_price, self._slippage_bps)
                outcomes += self._execute(order, market_price, self._within_reach(order, passage), passage)
            elif limit_fill(order.side, order.limit_price or 0.0, at_price) is not None:
                outcomes += self._execute(order, price, self._within_reach(order, passage), passage)
            outcomes += self._cancel(order, f"not filled in the auction at the {kind}")
        return outcomes

    def _end_immediate(self, instrument: int, passage: _Passage) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for order in self._old_enough(instrument, passage):
            has_had_its_chance = not order.waits_for_trigger and order.key not in passage.triggered_inside
            if order.tif in IMMEDIATE and has_had_its_chance:
                outcomes += self._cancel(order, "not filled at once")
        passage.orders = self._old_enough(instrument, passage)
        return outcomes

    def _trail(self, instrument: int, passage: _Passage, old: set[int]) -> list[Outcome]:
        """The bar is over: trailing stops follow it, those that began inside it only to its close."""
        outcomes: list[Outcome] = []
        for order in self._old_enough(instrument, passage):
            if order.order_type not in TRAILING or order.triggered:
                continue
            best = passage.bar.high if order.side == "SELL" else passage.bar.low
            if follow(order, best if order.key in old else passage.bar.close):
                assert order.stop_price is not None
                outcomes.append(Trailed(order.key, order.stop_price, order.limit_price))
        return outcomes

    def _within_reach(self, order: SimOrder, passage: _Passage) -> float:
        """The live quantity, less what the parent has filled in this bar and this order may not close yet."""
        parent = order.parent_key
        if parent is None or order.key not in self._working:
            return self.live_quantity(order)
        open_now = self._open_quantity(order)
        if self._skips_entry_bar or (order.order_type in LIMITS and not order.waits_for_trigger):
            open_now -= passage.out_of_reach.get(parent, 0.0)
        return max(0.0, min(order.remaining, open_now))

    def _execute(self, order: SimOrder, price: float, reachable: float, passage: _Passage) -> list[Outcome]:
        quantity = min(reachable, passage.available)
        if quantity <= 0 or (order.needs_all and quantity < reachable):
            return []
        price = self._slipped_further(order, price, quantity)
        passage.available -= quantity
        if passage.inside or self._skips_entry_bar:
            passage.out_of_reach[order.key] = passage.out_of_reach.get(order.key, 0.0) + quantity
        if passage.inside and order.filled <= 0:
            for child in self._children.get(order.key, ()):
                passage.entry_prices[child.key] = price
        return self._fill(order, quantity, price)

    def _slipped_further(self, order: SimOrder, price: float, quantity: float) -> float:
        """The price with what spread and impact take of so many shares; a limit gets no other price than its own."""
        if self._market_slippage is None or order.order_type in LIMITS:
            return price
        slip = self._market_slippage.slip(order.instrument, order.filled + quantity)
        return slipped(order.side, price, slip.bps)


def _is_whole(bar: Bar) -> bool:
    """Whether all four are prices, as `is_price` has it."""
    most = math.inf
    return 0 < bar.open < most and 0 < bar.high < most and 0 < bar.low < most and 0 < bar.close < most


def _only(price: float, volume: float) -> Bar:
    """One instant as a bar of its own."""
    return Bar(price, price, price, price, volume)
