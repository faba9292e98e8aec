"""Where the stop of an adopted position stands: so many per hundred from the market, as far as that is known.

Its cost or the last price may be of before a split, or of years ago. Where they are far apart the stop stands behind
both, for at the wrong one it would fire at once, and the first price of now brings it to its distance.
"""

from __future__ import annotations

from datetime import timedelta

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.settlement import ADOPTED
from daemon.engine.trailing import tighten
from shared.market import Instrument
from shared.orders import Leg, OrderStatus, WorkingOrder


def stop_behind(plan: Plan, prices: list[float], settings: EngineSettings, instrument: Instrument) -> float:
    """The stop that belongs to the price of these that is the worst for the plan."""
    sign = plan.side.sign
    worst = sign * min(sign * price for price in prices)
    return instrument.round_to_tick(worst * (1 - sign * settings.truth.adopted_stop_pct / 100))


def bring_near(book: Book, plan: Plan, column: int, instrument: Instrument, settings: EngineSettings) -> None:
    """Let a price of now decide where the stop of a plan without one belongs, never further from the market.

    That is one near the cost, which is the broker's, or one of a bar that began after the adoption: trading may have
    halted over a split in any other.
    """
    prices, since, jump_pct_max = book.prices, plan.unpriced_since, settings.limits.price_jump_pct_max
    printed_at = prices.priced_at(column)
    if since is None or printed_at is None or printed_at <= since or book.has_split(plan.symbol):
        return
    cost = plan.average_price
    if cost > 0:
        prices.confirm(column, cost, jump_pct_max)
    price = prices.good_price(column)
    if price is None or prices.is_suspect(column):
        return
    is_of_whole_bar = printed_at - timedelta(seconds=settings.interval_s) >= since
    if is_of_whole_bar or (cost > 0 and prices.is_near(column, cost, jump_pct_max)):
        tighten(plan, stop_behind(plan, [price], settings, instrument))
        plan.unpriced_since = None
        book.touch(plan)


def too_far(book: Book, plan: Plan) -> list[WorkingOrder]:
    """Its stops at work that stand further from the market than they belong.

    Not while an exit works: the change would give back what the OCA group has taken off.
    """
    orders, belongs = book.orders_of(plan.plan_id), plan.stop_price
    if plan.strategy != ADOPTED or belongs is None or any(order.leg is Leg.EXIT for order in orders):
        return []
    stops = [order for order in orders if order.leg in PROTECTIVE and order.status is OrderStatus.WORKING]
    return [
        stop
        for stop in stops
        if stop.order.stop_price is not None and plan.side.sign * (belongs - stop.order.stop_price) > 0
    ]
