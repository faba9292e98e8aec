"""Where the stop of each plan stands or belongs: as its strategy set it, or where the market has taken it since."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from daemon.engine.adopted_stops import bring_near
from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.desk import Desk
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.trailing import follow, followed_stop, resting_stop, tighten, trailed_stop
from shared.ids import parse_ref
from shared.market import BarRow, bar_of
from shared.orders import OpenOrder, OrderType, WorkingOrder


class StopPrices:
    """Keeps `Plan.stop_price`; holds no state of its own."""

    def __init__(self, book: Book, settings: EngineSettings, desks: dict[str, Desk]) -> None:
        self._book = book
        self._settings = settings
        self._desks = desks

    def follow(self, row: BarRow, closed_at: datetime) -> None:
        """Let the trailing stops of the book follow a row of believable bars, and adopted ones find their place by it.

        Not over a split that waits for a person: the stop is still in the prices of before.
        """
        for plan in [plan for plan in self._book.plans.values() if plan.unpriced_since is not None]:
            desk = self._desk_with(plan.symbol)
            if desk is not None:
                column, instrument = desk.column(plan.symbol), desk.instrument(plan.symbol)
                bring_near(self._book, plan, column, instrument, self._settings)
        for plan in [plan for plan in self._book.plans.values() if plan.is_trailing]:
            desk = self._desk_of(plan)
            if desk is not None and not self._book.has_split(plan.symbol):
                bar = bar_of(row, desk.column(plan.symbol))
                follow(plan, bar, closed_at, self._settings.interval_s, desk.instrument(plan.symbol).tick)

    def learn(self, lines: tuple[OpenOrder, ...]) -> None:
        """Take over where the broker's trailing stops stand: it has seen every print, the book only closed rows.

        A stop on the wrong side of the market would have been filled: that is no stop price, and is not believed. The
        market may be old (no row has closed since, or none came): of a stop believed beyond it that is lost, the shares
        would be sold at once. Only a change of what rests there takes it as it is (`followed`).
        """
        for line in lines:
            ref = parse_ref(line.ref)
            plan = self._book.plans.get(ref.plan_id) if ref else None
            if plan is None or ref is None or ref.leg not in PROTECTIVE or line.order_type != OrderType.TRAIL:
                continue
            if plan.is_rebuilt and not plan.is_trailing:
                plan.trail_percent, plan.trail_amount = line.trail_percent, line.trail_amount
            self._believe(plan, line.stop_price)

    def hear(self, working: WorkingOrder, stop_price: float | None) -> None:
        """The broker has taken a trailing stop of ours there; what is changed of it before a report begins there, too.

        Never further from the market: what it told before it heard of a change of ours may come behind that.
        """
        plan = self._book.plans[working.plan]
        if working.leg in PROTECTIVE and working.order.order_type is OrderType.TRAIL and stop_price:
            working.order = replace(working.order, stop_price=resting_stop(plan, working.order.stop_price, stop_price))
            self._believe(plan, stop_price)

    def complete(self, plan: Plan) -> None:
        """A plan rebuilt from the broker's word alone gets the stop its strategy would set at the average price."""
        desk = self._desk_of(plan)
        if desk is None or not plan.is_rebuilt or plan.average_price <= 0:
            return
        if not plan.is_trailing:
            plan.trail_percent, plan.trail_amount = desk.trail(plan.symbol, plan.average_price)
        prices = desk.exit_prices(plan.symbol, plan.side, plan.average_price)
        if plan.stop_price is None:
            plan.stop_price = prices[0] if prices else None
        price = self._book.prices.good_price(desk.column(plan.symbol))
        if plan.is_trailing and plan.stop_price is not None and price is not None:
            tighten(plan, trailed_stop(plan, price, desk.instrument(plan.symbol).tick))

    def is_through(self, plan: Plan) -> bool:
        """Whether the market stands beyond the stop already, as far as closed rows tell."""
        desk = self._desk_with(plan.symbol)
        if desk is None or plan.stop_price is None:
            return False
        price = self._book.prices.good_price(desk.column(plan.symbol))
        return price is not None and plan.side.sign * (price - plan.stop_price) <= 0

    def followed(self, plan: Plan, shown: float | None) -> float | None:
        """Where the broker's trailing stop stands at least by now: a change that moved it back would widen the risk.

        `shown` is where it rested when the broker last told of it.
        """
        desk, stop_price = self._desk_of(plan), plan.stop_price
        if desk is not None:
            price = self._book.prices.good_price(desk.column(plan.symbol))
            stop_price = followed_stop(plan, price, desk.instrument(plan.symbol).tick)
        return resting_stop(plan, stop_price, shown)

    def _believe(self, plan: Plan, stop_price: float | None) -> None:
        desk = self._desk_of(plan)
        price = self._book.prices.good_price(desk.column(plan.symbol)) if desk else None
        if stop_price and price is not None and plan.side.sign * (price - stop_price) > 0:
            tighten(plan, stop_price)

    def _desk_with(self, symbol: str) -> Desk | None:
        return next((desk for desk in self._desks.values() if symbol in desk.symbols), None)

    def _desk_of(self, plan: Plan) -> Desk | None:
        desk = self._desks.get(plan.strategy)
        return desk if desk is not None and plan.symbol in desk.symbols else None
