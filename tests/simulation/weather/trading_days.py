"""Which session of New York is played: half days and changes of the clock far more often than the year has them."""

from __future__ import annotations

import datetime as dt
import math
from functools import cache
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

from brokers.simulated.market.chance import Chance
from brokers.simulated.market.character import CALM, Character
from brokers.simulated.market.levels import Levels
from brokers.simulated.market.listings import listings_of
from brokers.simulated.market.trading_days import (
    closes_at,
    is_early_close,
    opens_at,
    trading_day_after,
    trading_days_before,
    trading_days_of,
)
from tests.simulation.plan import Market
from tests.simulation.weather.chances import weighted, whether

FIRST, LAST = dt.date(2025, 3, 1), dt.date(2027, 11, 30)
"""Calendars agree from the one (2025-01-09 was closed without a rule) and are known to the end of 2027."""
NEW_YORK, EUROPE = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
USUAL_APART = dt.timedelta(hours=6)
WEEK = dt.timedelta(days=7)
WEEKEND = dt.timedelta(days=3)
EVENTFUL = Character(
    halt_rate=0.15, gap_rate=0.3, missing_bar_rate=6.0, late_bar_rate=6.0, split_rate=0.002, dividend_rate=0.016
)
"""Splits are as seldom as in life: each moves the whole walk of prices, and many of them carry it out of all bounds.

The nights that a run plays are chosen for theirs (`drawn_market`).
"""
KINDS = {"ordinary": 0.62, "half": 0.13, "clock_change": 0.17, "holiday": 0.08}
SYMBOLS = ("SPY", "QQQ", "IWM", "AAPL", "MSFT", "AMZN", "NVDA", "TSLA", "JPM", "XOM", "IBM")
WHOLE_HALF_DAYS_SHARE = 0.25
EVE_SHARE, EVENTFUL_SHARE, ACTION_SHARE = 0.07, 0.3, 0.7
EVES_S = (900, 1800, 3600, 7200)
WINDOWS_S = {0: 0.06, 3600: 0.36, 5400: 0.38, 9000: 0.2}
"""How much of a session without an eve is played from its open on, 0 = all: quiet hours cost most and find least."""


class Day(Struct, frozen=True, kw_only=True):
    """The session of a run and the eve before it, if any; instants in epoch seconds. `lasts_s` 0 = all of it."""

    session: dt.date
    opens_at: float
    closes_at: float
    eve: dt.date | None
    eve_closes_at: float
    lasts_s: int = 0

    @property
    def length_s(self) -> float:
        """How much of the session is played."""
        return self.lasts_s or self.closes_at - self.opens_at


def day_of(market: Market) -> Day:
    """The day that a market plays."""
    first = dt.date.fromisoformat(market.first_session)
    eve = first if market.eve_s else None
    session = trading_day_after(first) if market.eve_s else first
    return Day(
        session=session,
        opens_at=opens_at(session),
        closes_at=closes_at(session),
        eve=eve,
        eve_closes_at=closes_at(first) if eve else 0.0,
        lasts_s=market.lasts_s,
    )


def character_of(market: Market) -> Character:
    """What the world has to make the market with, so that thresholds and splits are where the plan expects them."""
    return EVENTFUL if market.is_eventful else CALM


def opening_price(market: Market, symbol: str) -> float:
    """Where the first session of the market opens, in dollars."""
    levels = Levels(Chance(market.seed), listings_of((symbol,)), character_of(market))
    day = levels.day(dt.date.fromisoformat(market.first_session))
    return math.exp(float(day.log_open[0]))


def drawn_market(chance: Random) -> Market:
    """One to three symbols on a session, now and then from its eve on; then mostly with a split or dividend."""
    symbols = tuple(chance.sample(SYMBOLS, weighted(chance, {1: 0.6, 2: 0.25, 3: 0.15})))
    seed = chance.randrange(2**31)
    has_eve = whether(chance, EVE_SHARE)
    is_eventful = whether(chance, ACTION_SHARE if has_eve else EVENTFUL_SHARE)
    session = chance.choice(DAYS[weighted(chance, KINDS)]())
    if not has_eve:
        is_whole = is_early_close(session) and whether(chance, WHOLE_HALF_DAYS_SHARE)
        lasts_s = 0 if is_whole else weighted(chance, WINDOWS_S)
        return Market(seed=seed, symbols=symbols, first_session=str(session), is_eventful=is_eventful, lasts_s=lasts_s)
    if is_eventful and whether(chance, ACTION_SHARE):
        session = chance.choice(_days_of_actions(seed, symbols) or [session])
    eve = next(trading_days_before(session))
    return Market(
        seed=seed, symbols=symbols, first_session=str(eve), is_eventful=is_eventful, eve_s=chance.choice(EVES_S)
    )


def _days_of_actions(seed: int, symbols: tuple[str, ...]) -> list[dt.date]:
    """The sessions that begin with a split, where the market has any, else with a dividend."""
    levels = Levels(Chance(seed), listings_of(symbols), EVENTFUL)
    columns = range(len(symbols))
    found = [day for column in columns for day in levels.ex_dates(column, FIRST + WEEK, LAST)]
    splits = [day for day in found if any(ratio != 1 for ratio in levels.day(day).ratio.tolist())]
    return sorted(set(splits)) or sorted(set(found))


@cache
def all_days() -> tuple[dt.date, ...]:
    """Every session that may be played whole."""
    years = range(FIRST.year, LAST.year + 1)
    return tuple(day for year in years for day in trading_days_of(year) if FIRST + WEEK <= day <= LAST)


@cache
def half_days() -> tuple[dt.date, ...]:
    return tuple(day for day in all_days() if is_early_close(day))


@cache
def clock_change_days() -> tuple[dt.date, ...]:
    """The weeks in which New York and Europe are not six hours apart, and the week after each change in New York."""
    return tuple(day for day in all_days() if is_near_clock_change(day))


def is_near_clock_change(day: dt.date) -> bool:
    here, there = _offset(day, NEW_YORK), _offset(day, EUROPE)
    return there - here != USUAL_APART or here != _offset(day - WEEK, NEW_YORK)


def _offset(day: dt.date, zone: ZoneInfo) -> dt.timedelta:
    offset = dt.datetime.combine(day, dt.time(12), zone).utcoffset()
    assert offset is not None
    return offset


@cache
def holiday_neighbours() -> tuple[dt.date, ...]:
    """Sessions after a closure that is no mere weekend, and those before one."""
    days = all_days()
    gaps = [(before, after) for before, after in pairwise(days) if _is_holiday(before, after)]
    return tuple(sorted({day for pair in gaps for day in pair}))


def _is_holiday(before: dt.date, after: dt.date) -> bool:
    weekend = WEEKEND if after.weekday() == 0 else dt.timedelta(days=1)
    return after - before > weekend or (after.weekday() != 0 and after - before > dt.timedelta(days=1))


DAYS = {
    "ordinary": all_days,
    "half": half_days,
    "clock_change": clock_change_days,
    "holiday": holiday_neighbours,
}
