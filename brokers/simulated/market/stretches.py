"""Stretches of a synthetic session: whole blocks of some symbols, in steps of five seconds.

A block is a quarter of an hour. A day's blocks are drawn first, so that together they make the day's move, then
the steps of each block, so that together they make the block's (both are Brownian bridges). A block is a
function of seed, symbol, day and block alone: nothing before it need be drawn, and neither the other symbols
nor the order of questions matter.
"""

import datetime as dt
import math
from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.bars import STEP_S
from brokers.simulated.market.chance import Chance, Lane
from brokers.simulated.market.day_market import TICK, quotes_around
from brokers.simulated.market.halts import Pause, pauses_in
from brokers.simulated.market.intraday import (
    CLOSING_SHARE,
    OPENING_SHARE,
    STEPS,
    STEPS_A_BLOCK,
    Shape,
    shape_of,
)
from brokers.simulated.market.levels import SESSIONS_A_YEAR, Day, Levels, steps_of_session
from brokers.simulated.market.listings import Listing
from brokers.simulated.market.source import Floats
from brokers.simulated.market.trading_days import opens_at

SHARES_A_PRINT = 400.0  # the fewer prints a step expects, the likelier it has none
VOLUME_SPREAD, AUCTION_SPREAD = 0.7, 0.3  # log standard deviation of the volume of a step, of an auction
REOPENING_SHARE = 0.002  # of a day's volume, in the auction after a halt
SPREAD_SCALE = 1.2  # basis points of spread of a name with REFERENCE_VOLUME
REFERENCE_VOLUME = 20e6
LOT = 100
ONE_LOT_VOLUME = 1e6  # a day's shares of a name that shows two lots on average; the rest goes with its square root


class Stretch(msgspec.Struct, frozen=True):
    """Steps `first` to `first` + k - 1 of a day: `starts_at` (k,), the others (n, k) as in `MarketStep`."""

    first: int
    auction: Floats  # the part of the volume that crossed in an auction
    starts_at: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats


class _Draws(msgspec.Struct, frozen=True):
    """All chance of a stretch: standard normals (k,) of the factor and (n, k) of the symbols; uniforms (n, k)."""

    market: Floats
    moves: Floats
    up: Floats
    down: Floats
    volumes: Floats
    prints: Floats
    bids: Floats
    asks: Floats


class _Prices(msgspec.Struct, frozen=True):
    """What every step opens and closes at, (n, k), on tick, trading or not."""

    open: Floats
    close: Floats


class Stretches:
    """Makes them for a list of symbols; `columns` are places in that list."""

    def __init__(self, chance: Chance, listings: Sequence[Listing], levels: Levels) -> None:
        self._chance = chance
        self._levels = levels
        self._symbols = [one.symbol for one in listings]
        self._volatility = np.array([one.annual_volatility for one in listings])
        self._daily_volume = np.array([one.daily_volume for one in listings])
        self.pauses = lru_cache(len(listings) + 64)(self._make_pauses)

    def of(self, day: dt.date, blocks: range, columns: Sequence[int]) -> Stretch:
        shape = shape_of(steps_of_session(day))
        draws = self._draw(day, blocks, columns)
        level = self._levels.day(day, columns)
        prices = self._prices(day, blocks, columns, draws)
        steps = np.arange(blocks.start * STEPS_A_BLOCK, blocks.stop * STEPS_A_BLOCK)
        halted, resumes = self._halted(day, steps, columns)
        usual = (self._daily_volume[columns] * np.exp(level.log_shares))[:, None]
        auction = _auctions(usual, steps, shape, draws.volumes, resumes)
        volume, traded = _volumes(usual, shape.volume[steps], draws)
        traded = (traded | (auction > 0)) & ~halted
        high, low = self._extremes(prices, shape.deviation[steps], columns, draws)
        ohlcv = (prices.open, high, low, prices.close, volume + auction)
        bid, ask = quotes_around(prices.close, prices.close >= prices.open, _spread_ticks(prices, usual, shape, steps))
        return Stretch(
            int(steps[0]),
            auction,
            opens_at(day) + STEP_S * steps.astype(np.float64),
            *(np.where(traded, values, np.nan) for values in ohlcv),
            *(np.where(halted, np.nan, values) for values in (bid, ask)),
            *(np.where(halted, 0.0, _sizes(usual, uniform)) for uniform in (draws.bids, draws.asks)),
        )

    def _make_pauses(self, day: dt.date, column: int) -> list[Pause]:
        """The LULD pauses of a symbol; without news no five minutes move as far (seven standard deviations)."""
        if not self._levels.day(day, [column]).jump[0]:
            return []
        blocks = range(steps_of_session(day) // STEPS_A_BLOCK)
        return pauses_in(self._prices(day, blocks, [column], self._draw(day, blocks, [column])).close[0])

    def _halted(
        self, day: dt.date, steps: NDArray[np.intp], columns: Sequence[int]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where trading pauses, and where it resumes, (n, k)."""
        halted = np.zeros((len(columns), len(steps)), dtype=np.bool_)
        resumes = np.zeros_like(halted)
        for row, column in enumerate(columns):
            for pause in self.pauses(day, column):
                halted[row] |= (steps >= pause.first) & (steps < pause.resumes)
                resumes[row] |= steps == pause.resumes
        return halted, resumes

    def _draw(self, day: dt.date, blocks: range, columns: Sequence[int]) -> _Draws:
        count, ordinal = len(blocks) * STEPS_A_BLOCK, day.toordinal()
        normals, uniforms = np.empty((len(columns), 4, count)), np.empty((len(columns), 3, count))
        market = np.empty(count)
        for place, block in enumerate(blocks):
            part = slice(place * STEPS_A_BLOCK, (place + 1) * STEPS_A_BLOCK)
            market[part] = self._chance.of("", Lane.STEPS, ordinal, block).standard_normal(STEPS_A_BLOCK)
            for row, column in enumerate(columns):
                numbers = self._chance.of(self._symbols[column], Lane.STEPS, ordinal, block)
                normals[row, :, part] = numbers.standard_normal((4, STEPS_A_BLOCK))
                uniforms[row, :, part] = numbers.random((3, STEPS_A_BLOCK))
        return _Draws(market, *np.moveaxis(normals, 1, 0), *np.moveaxis(uniforms, 1, 0))

    def _prices(self, day: dt.date, blocks: range, columns: Sequence[int], draws: _Draws) -> _Prices:
        """Through the steps of each block, from the level at which it begins to that at which it ends."""
        level = self._levels.day(day, columns)
        deviation = shape_of(steps_of_session(day)).deviation.reshape(-1, STEPS_A_BLOCK)
        ends = self._block_ends(day, level, columns, deviation)
        within = deviation[blocks.start : blocks.stop]
        each = (len(columns), len(blocks), STEPS_A_BLOCK)
        moves = self._levels.returns(draws.market.reshape(each[1:]), draws.moves.reshape(each), columns) * within
        walked = np.cumsum(moves, axis=-1)
        variance = np.cumsum(within**2, axis=-1)
        start, end = ends[:, blocks.start : blocks.stop, None], ends[:, blocks.start + 1 : blocks.stop + 1, None]
        path = start + walked + variance / variance[:, -1:] * (end - start - walked[..., -1:])
        path[..., -1:] = end
        before = np.concatenate([start, path[..., :-1]], axis=-1)
        steps = np.arange(blocks.start * STEPS_A_BLOCK, blocks.stop * STEPS_A_BLOCK)
        jump = np.where(steps >= level.jump_step[:, None], level.jump[:, None], 0.0)
        flat = (len(columns), -1)
        return _Prices(on_tick(np.exp(before.reshape(flat) + jump)), on_tick(np.exp(path.reshape(flat) + jump)))

    def _block_ends(self, day: dt.date, level: Day, columns: Sequence[int], deviation: Floats) -> Floats:
        """Log prices at the ends of a day's blocks, jumps aside, (n, blocks + 1); the first is the open."""
        variance = (deviation**2).sum(axis=1)
        ordinal, count = day.toordinal(), len(variance)
        market = self._chance.of("", Lane.BLOCKS, ordinal).standard_normal(count)
        own = np.empty((len(columns), count))
        for row, column in enumerate(columns):
            own[row] = self._chance.of(self._symbols[column], Lane.BLOCKS, ordinal).standard_normal(count)
        walked = np.cumsum(self._levels.returns(market, own, columns) * np.sqrt(variance), axis=1)
        share = np.cumsum(variance) / variance.sum()
        ends = level.log_open[:, None] + walked + share * (level.session[:, None] - walked[:, -1:])
        ends[:, -1] = level.log_open + level.session
        return np.concatenate([level.log_open[:, None], ends], axis=1)

    def _extremes(
        self, prices: _Prices, deviation: Floats, columns: Sequence[int], draws: _Draws
    ) -> tuple[Floats, Floats]:
        top, bottom = np.maximum(prices.open, prices.close), np.minimum(prices.open, prices.close)
        reach = 0.5 * self._volatility[columns, None] / math.sqrt(SESSIONS_A_YEAR) * deviation
        high = np.maximum(on_tick(top * (1 + reach * np.abs(draws.up))), top)
        low = np.minimum(on_tick(bottom * (1 - reach * np.abs(draws.down))), bottom)
        return high, low


def on_tick(prices: Floats) -> Floats:
    rounded: Floats = np.maximum(TICK, np.round(np.round(prices / TICK) * TICK, 8))
    return rounded


def _volumes(usual: Floats, share: Floats, draws: _Draws) -> tuple[Floats, NDArray[np.bool_]]:
    """Shares per step outside auctions, and where anything traded."""
    expected = usual * share
    silence = np.exp(-expected / SHARES_A_PRINT)
    noise = np.exp(VOLUME_SPREAD * draws.volumes - VOLUME_SPREAD**2 / 2)
    return np.maximum(1.0, np.round(expected * noise / (1 - silence))), draws.prints >= silence


def _auctions(
    usual: Floats, steps: NDArray[np.intp], shape: Shape, volumes: Floats, resumes: NDArray[np.bool_]
) -> Floats:
    """Shares that cross at the open, at the close and after halts; 0 elsewhere."""
    last = len(shape.volume) - 1
    share = np.where(steps == 0, OPENING_SHARE, np.where(steps == last, CLOSING_SHARE, 0.0)) * (last + 1) / STEPS
    share = np.where(resumes & (steps != last), REOPENING_SHARE, share)
    noise = np.exp(AUCTION_SPREAD * volumes - AUCTION_SPREAD**2 / 2)
    return np.where(share > 0, np.maximum(1.0, np.round(usual * share * noise)), 0.0)


def _spread_ticks(prices: _Prices, usual: Floats, shape: Shape, steps: NDArray[np.intp]) -> Floats:
    """Whole ticks, wider for dear and for thin names, and wider at the open."""
    basis_points = SPREAD_SCALE * np.sqrt(REFERENCE_VOLUME / usual) * shape.spread[steps]
    ticks: Floats = np.maximum(1.0, np.round(prices.close * basis_points * 1e-4 / TICK))
    return ticks


def _sizes(usual: Floats, uniform: Floats) -> Floats:
    """Displayed shares in whole lots, geometric; large names show more."""
    mean = np.maximum(1.0, np.sqrt(usual / ONE_LOT_VOLUME))
    lots: Floats = LOT * (1 + np.floor(-mean * np.log1p(-uniform)))
    return lots
