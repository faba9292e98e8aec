"""Where a trailing stop stands, as far as closed rows tell.

The stop itself is the broker's (a native TRAIL order); the book follows it, so that one that is lost is put back at
the best price it had reached. The rule is the one of the written fill rules (DESIGN.md 10): a bar moves the stop when
it is over, by its high for a sell stop and its low for a buy stop; the bar in which the position was opened only by
its close, for its best price may have come before the entry.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from daemon.engine.plan import Plan
from shared.market import Bar
from shared.orders import Side

_GRID_DUST = 1e-9  # of a tick
_OTHER_SCALE = 1.3
"""How far a bar may be from what was paid and from what the stop has followed: less than a split of 3:2 moves it."""


def trailed_stop(plan: Plan, price: float, tick: float) -> float:
    """The stop that belongs to a market price, on tick and rounded away from the market (IB: Trailing Stop Orders)."""
    distance = plan.trail_amount if plan.trail_amount is not None else price * (plan.trail_percent or 0.0) / 100
    if plan.side is Side.BUY:
        steps = math.floor((price - distance) / tick + _GRID_DUST)
    else:
        steps = math.ceil((price + distance) / tick - _GRID_DUST)
    return round(max(steps, 1) * tick, 8)


def follow(plan: Plan, bar: Bar, closed_at: datetime, interval_s: int, tick: float) -> None:
    """Move the plan's stop after a closed bar; never away from the market. A bar that is NaN moves nothing.

    Nor does one as far off as a split makes it: rows have its prices before the broker shows its shares, and the accept
    scales the stop. What the broker's own stop has followed is learnt from the broker (`stop_prices.learn`).
    """
    opened_at = plan.opened_at
    if not plan.is_trailing or opened_at is None or closed_at < opened_at or math.isnan(bar.close):
        return
    best = bar.high if plan.side is Side.BUY else bar.low
    was_opened_inside = opened_at > closed_at - timedelta(seconds=interval_s)
    price = bar.close if was_opened_inside else best
    if not _is_of_another_scale(plan, price):
        tighten(plan, trailed_stop(plan, price, tick))


def _is_of_another_scale(plan: Plan, price: float) -> bool:
    """Whether the price is far better than all that the plan has seen."""
    paid, sign = plan.average_price, plan.side.sign
    if plan.stop_price is None or paid <= 0:
        return False
    best = sign * max(sign * paid, sign * _followed_price(plan, plan.stop_price))
    return (price / best) ** sign > _OTHER_SCALE


def _followed_price(plan: Plan, stop_price: float) -> float:
    """The market price that a stop belongs to."""
    sign = plan.side.sign
    if plan.trail_amount is not None:
        return stop_price + sign * plan.trail_amount
    return stop_price / (1 - sign * (plan.trail_percent or 0.0) / 100)


def tighten(plan: Plan, stop_price: float) -> None:
    """Take over a stop that stands nearer to the market than the one known."""
    if plan.stop_price is None or plan.side.sign * (stop_price - plan.stop_price) > 0:
        plan.stop_price = stop_price


def followed_stop(plan: Plan, price: float | None, tick: float) -> float | None:
    """Where the broker's stop stands at least by now: it follows every print, and the entry's own was the first.

    Of that and the last row's `price` the one that moves the stop less: the market may have turned since, and an
    execution may be corrected to a price that nobody has printed.
    """
    if price is None or plan.average_price <= 0:
        return plan.stop_price
    sign = plan.side.sign
    of_entry = trailed_stop(plan, sign * min(sign * plan.average_price, sign * price), tick)
    is_nearer = plan.stop_price is None or sign * (of_entry - plan.stop_price) > 0
    return of_entry if is_nearer else plan.stop_price


def resting_stop(plan: Plan, stop_price: float | None, shown: float | None) -> float | None:
    """The nearer to the market of a stop and of where the broker has `shown` it, whatever the last row's price.

    What rests there is not to be moved, believed or not: it has seen what no row has told yet. Not one as far off as a
    split makes it, as in `follow`.
    """
    if not shown or _is_of_another_scale(plan, _followed_price(plan, shown)):
        return stop_price
    is_nearer = stop_price is None or plan.side.sign * (shown - stop_price) > 0
    return shown if is_nearer else stop_price
