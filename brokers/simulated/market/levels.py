"""Where the synthetic prices stand at the open of each day, and how far each day goes.

A log price is a walk over days: an overnight move, then the session's. It is drawn year by year and counted
from one fixed point, the listing's price at the open of `ANCHOR`, so that a day's prices do not depend on which
session is played. Years away from it prices wander as far as their volatility carries them.

Corporate actions and jumps are part of the walk: a split takes log(ratio), a dividend its share of the price
off the overnight move. Dividend amounts are that share of the close before, in whole cents.
"""

import datetime as dt
import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.bars import STEP_S
from brokers.simulated.market.chance import Chance, Lane
from brokers.simulated.market.character import Character
from brokers.simulated.market.intraday import OVERNIGHT_SHARE, STEPS
from brokers.simulated.market.listings import Listing
from brokers.simulated.market.source import Floats
from brokers.simulated.market.trading_days import closes_at, opens_at, trading_days_of

ANCHOR = dt.date(2026, 11, 20)
SESSIONS_A_YEAR = 252
MARKET_VOLATILITY = 0.14  # annual, of the factor
OWN_SHARE_MIN = 0.25  # of the volatility of a symbol, at least, is its own
RATIOS = np.array([2.0, 2.0, 2.0, 3.0, 4.0, 7.0, 10.0, 0.1])  # of splits
YEARS_KEPT = 2
DAYS_A_YEAR = 366
NO_STEP = -1

Columns = Sequence[int] | slice


class Day(msgspec.Struct, frozen=True):
    """One day of some symbols, arrays (n,). Moves are log returns."""

    log_open: Floats
    session: Floats  # open to close, jumps aside
    jump: Floats
    jump_step: NDArray[np.int32]  # the step that opens beyond the jump; NO_STEP without one
    ratio: Floats  # new shares for an old one, before the open
    paid: Floats  # dividend before the open, as a share of the close before
    log_shares: Floats  # log of shares in circulation, in units of those on ANCHOR

    @property
    def log_close(self) -> Floats:
        log_close: Floats = self.log_open + self.session + self.jump
        return log_close


class _News(msgspec.Struct, frozen=True):
    """What befalls a year's trading days, arrays (n, days); as in `Day`."""

    gap: Floats
    jump: Floats
    jump_step: NDArray[np.int32]
    ratio: Floats
    paid: Floats


class _Year(msgspec.Struct, frozen=True):
    """A year of all symbols, arrays (n, days). `log_opens` counts from the close of the year before."""

    places: dict[dt.date, int]
    log_opens: Floats
    sessions: Floats
    news: _News
    log_shares: Floats  # from the end of the year before
    whole: Floats  # (n,) the year's whole move


def steps_of_session(day: dt.date) -> int:
    return round((closes_at(day) - opens_at(day)) / STEP_S)


class Levels:
    """The walk of a list of symbols."""

    def __init__(self, chance: Chance, listings: Sequence[Listing], character: Character) -> None:
        self._chance = chance
        self._symbols = [one.symbol for one in listings]
        self._character = character
        volatility = np.array([one.annual_volatility for one in listings])
        systematic = np.array([one.beta for one in listings]) * MARKET_VOLATILITY
        own_variance = np.maximum(volatility**2 - systematic**2, (OWN_SHARE_MIN * volatility) ** 2)
        self._systematic = systematic / math.sqrt(SESSIONS_A_YEAR)
        self._own = np.sqrt(own_variance) / math.sqrt(SESSIONS_A_YEAR)
        self._years: dict[int, _Year] = {}
        anchored = self._year(ANCHOR.year)
        place = anchored.places[ANCHOR]
        log_start = np.log([one.start_price for one in listings])
        self._closes_before = {ANCHOR.year: log_start - anchored.log_opens[:, place]}
        self._shares_before = {ANCHOR.year: -anchored.log_shares[:, place]}

    def returns(self, market: Floats, own: Floats, columns: Columns) -> Floats:
        """Standard normals of the factor (...) and of symbols (n, ...) made into log returns of a whole day."""
        shape = (-1,) + (1,) * (own.ndim - 1)
        scaled: Floats = self._systematic[columns].reshape(shape) * market + self._own[columns].reshape(shape) * own
        return scaled

    def day(self, day: dt.date, columns: Columns = slice(None)) -> Day:
        year = self._year(day.year)
        self._count_to(day.year)
        place = year.places[day]
        news = year.news
        return Day(
            log_open=self._closes_before[day.year][columns] + year.log_opens[columns, place],
            session=year.sessions[columns, place],
            jump=news.jump[columns, place],
            jump_step=news.jump_step[columns, place],
            ratio=news.ratio[columns, place],
            paid=news.paid[columns, place],
            log_shares=self._shares_before[day.year][columns] + year.log_shares[columns, place],
        )

    def ex_dates(self, column: int, first: dt.date, last: dt.date) -> list[dt.date]:
        """The days from first to last, both included, that begin with a corporate action."""
        found = []
        for number in range(first.year, last.year + 1):
            year = self._year(number)
            has_one = (year.news.ratio[column] != 1) | (year.news.paid[column] > 0)
            found += [day for day, place in year.places.items() if has_one[place] and first <= day <= last]
        return found

    def _count_to(self, year: int) -> None:
        """Carry the level of the anchored year over to another, year by year."""
        step = 1 if year > ANCHOR.year else -1
        at = ANCHOR.year
        while at != year:
            if at + step not in self._closes_before:
                over = self._year(at if step > 0 else at + step)
                self._closes_before[at + step] = self._closes_before[at] + step * over.whole
                self._shares_before[at + step] = self._shares_before[at] + step * over.log_shares[:, -1]
            at += step

    def _year(self, number: int) -> _Year:
        if number not in self._years:
            for oldest in list(self._years)[: len(self._years) - YEARS_KEPT + 1]:
                del self._years[oldest]
            self._years[number] = self._make_year(number)
        return self._years[number]

    def _make_year(self, number: int) -> _Year:
        days = trading_days_of(number)
        places = np.array([day.timetuple().tm_yday - 1 for day in days])
        market = self._chance.of("", Lane.YEAR, number).standard_normal((2, DAYS_A_YEAR))[:, places]
        own = np.empty((len(self._symbols), 2, len(days)))
        for row, symbol in enumerate(self._symbols):
            own[row] = self._chance.of(symbol, Lane.YEAR, number).standard_normal((2, DAYS_A_YEAR))[:, places]
        overnight, session = np.moveaxis(self.returns(market, own, slice(None)), 1, 0)
        news = self._make_news(number, places, np.array([steps_of_session(day) for day in days]))
        length = np.array([steps_of_session(day) / STEPS for day in days])
        sessions = session * np.sqrt((1 - OVERNIGHT_SHARE) * length)
        gaps = overnight * math.sqrt(OVERNIGHT_SHARE) + news.gap - np.log(news.ratio) + np.log1p(-news.paid)
        moves = np.cumsum(gaps + sessions + news.jump, axis=1)
        return _Year(
            places={day: place for place, day in enumerate(days)},
            log_opens=moves - sessions - news.jump,
            sessions=sessions,
            news=news,
            log_shares=np.cumsum(np.log(news.ratio), axis=1),
            whole=moves[:, -1].copy(),
        )

    def _make_news(self, number: int, places: NDArray[np.intp], steps: NDArray[np.intp]) -> _News:
        """Drawn only for a market that has any; jumps keep off a session's first and last ten minutes."""
        shape = (len(self._symbols), len(places))
        if not self._character.moves_prices:
            nothing, one = np.zeros(shape), np.broadcast_to(1.0, shape)
            return _News(nothing, nothing, np.broadcast_to(np.int32(NO_STEP), shape), one, nothing)
        u = np.empty((10, *shape))
        for row, symbol in enumerate(self._symbols):
            u[:, row] = self._chance.of(symbol, Lane.NEWS, number).random((10, DAYS_A_YEAR))[:, places]
        splits, pays = u[0] < self._character.split_rate, u[1] < self._character.dividend_rate
        gaps, halts = u[2] < self._character.gap_rate, u[3] < self._character.halt_rate
        sign = np.where(u[4] < 0.5, -1.0, 1.0)  # noqa: PLR2004 - a coin
        overnight = gaps & (u[5] < 0.5) & ~splits  # noqa: PLR2004 - a coin
        inside = gaps & ~overnight
        jump = np.where(halts, 0.07 + 0.11 * u[6], np.where(inside, 0.01 + 0.035 * u[6], 0.0))
        jump_step = np.where(jump > 0, (120 + u[7] * (steps - 240)).astype(np.int32), NO_STEP)
        return _News(
            gap=np.where(overnight, sign * (0.03 + 0.09 * u[6]), 0.0),
            jump=np.log1p(sign * jump),
            jump_step=jump_step.astype(np.int32),
            ratio=np.where(splits, RATIOS[(u[8] * len(RATIOS)).astype(np.intp)], 1.0),
            paid=np.where(pays & ~splits, 0.002 + 0.008 * u[9], 0.0),
        )
