"""Convictions against what prices did next.

A replay's result holds what was ordered, not what was thought; but a strategy decides from rows alone, so its
convictions are had again by showing it the same rows through the same screen of prices as the engine's.
"""

from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from daemon.engine.assembly import build_desks
from daemon.engine.desk import Desk
from daemon.engine.prices import Prices
from research.backtest.assembly import timeline_of
from research.backtest.cost_model import cost_model
from research.measures.series import PERCENT, ROUNDING, Floats
from shared.config import Config
from shared.io.bar_store import BarPanel
from shared.market import BarRow

NAMES_MIN = 3
"""A rank correlation of fewer instruments is no more than a coin."""


class Convictions(Struct, frozen=True, kw_only=True, eq=False):
    """What one strategy thought on the T replayed rows of its n symbols.

    `standing` (T, n) is the conviction that holds after each row, NaN before the first; `spoke` (T,) marks the rows
    on which it said anything; `close` (T, n) are the closes it was shown, NaN where nothing printed, in the units of
    the first row (a split changes nothing).
    """

    strategy: str
    symbols: tuple[str, ...]
    standing: Floats
    spoke: npt.NDArray[np.bool_]
    close: Floats


class PredictionFigures(Struct, frozen=True, kw_only=True):
    """How well one strategy's convictions foretold.

    The period of a row is from its close to the close of the next row on which the strategy spoke.
    `information_coefficient` is the mean over `rows` periods of the rank correlation (Spearman, ties averaged) of
    standing convictions with returns across instruments, where at least three have both and neither is all equal;
    `ic_t` is that mean over its standard error. `direction_right_pct` is the share of the `directions` (a conviction
    that is not 0 and a return that is not 0) in which both have one sign.
    """

    strategy: str
    rows: int
    information_coefficient: float | None
    ic_deviation: float | None
    ic_t: float | None
    directions: int
    direction_right_pct: float | None


def convictions_of(config: Config, panel: BarPanel, start: date | None = None) -> tuple[Convictions, ...]:
    """What each strategy of `config` thinks over the rows that a replay from `start` on would show it.

    Raises DataError where `panel` cannot be replayed, ConfigError where a strategy does not load.
    """
    timeline = timeline_of(config, panel, start)
    costs = cost_model(config, panel, timeline)
    prices = Prices.empty(len(panel.symbols))
    minds = [_Mind(desk, len(timeline.rows)) for desk in build_desks(config)]
    jump_pct_max = config.risk.price_jump_pct_max
    for at, row in [*((-1, row) for row in timeline.warm_up), *enumerate(timeline.rows)]:
        if at > 0 and row.opens_session:
            for action in costs.carrying.schedule.due.get(row.hours.session, ()):
                prices.rescale(panel.symbols.index(action.symbol), action.price_ratio)
                for mind in minds:
                    mind.rescale(action.symbol, action.price_ratio)
        shown = prices.update(costs.panel.row(row.index), row.closed_at, jump_pct_max)
        for mind in minds:
            mind.see(shown, row.closed_at, at)
    return tuple(mind.convictions() for mind in minds)


def prediction_figures(convictions: Convictions) -> PredictionFigures:
    """The figures of one strategy's convictions."""
    said = np.flatnonzero(convictions.spoke)
    begins, ends = said[:-1], said[1:]
    thought = convictions.standing[begins]
    moved = convictions.close[ends] / convictions.close[begins] - 1.0
    both = np.isfinite(thought) & np.isfinite(moved)
    coefficients = _rank_correlations(thought, moved, both)
    count = len(coefficients)
    deviation = float(np.std(coefficients, ddof=1)) if count > 1 else None
    mean = float(np.mean(coefficients)) if count else None
    directed = both & (thought != 0) & (moved != 0)
    right = np.sign(thought[directed]) == np.sign(moved[directed])
    return PredictionFigures(
        strategy=convictions.strategy,
        rows=count,
        information_coefficient=mean,
        ic_deviation=deviation,
        ic_t=mean / deviation * math.sqrt(count) if mean is not None and deviation and deviation > ROUNDING else None,
        directions=len(right),
        direction_right_pct=PERCENT * float(np.mean(right)) if len(right) else None,
    )


def _rank_correlations(thought: Floats, moved: Floats, both: npt.NDArray[np.bool_]) -> Floats:
    """Of every row that has one; the rows without are left out."""
    found = []
    for row in np.flatnonzero(both.sum(axis=1) >= NAMES_MIN).tolist():
        mine, theirs = _centred_ranks(thought[row, both[row]]), _centred_ranks(moved[row, both[row]])
        spread = math.sqrt(float(mine @ mine) * float(theirs @ theirs))
        if spread > 0:
            found.append(float(mine @ theirs) / spread)
    return np.array(found)


def _centred_ranks(values: Floats) -> Floats:
    """Ranks minus their mean; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[place] - (len(values) + 1) / 2.0)


class _Mind:
    """One strategy at its desk, and what it has said."""

    def __init__(self, desk: Desk, rows: int) -> None:
        self._desk = desk
        count = len(desk.symbols)
        self._now = np.full(count, np.nan)
        self._scale = np.ones(count)
        self._standing = np.full((rows, count), np.nan)
        self._close = np.full((rows, count), np.nan)
        self._spoke = np.zeros(rows, dtype=np.bool_)
        self._at = {symbol: place for place, symbol in enumerate(desk.symbols)}

    def rescale(self, symbol: str, ratio: float) -> None:
        if symbol in self._at:
            self._desk.rescale(symbol, ratio)
            self._scale[self._at[symbol]] *= ratio

    def see(self, row: BarRow, closed_at: datetime, at: int) -> None:
        """Take in one row of the whole universe; `at` is its number among the replayed ones, -1 while warming up."""
        signals = list(self._desk.on_row(row, closed_at))
        for signal in signals:
            self._now[self._at[signal.symbol]] = signal.conviction
        if at >= 0:
            close = self._desk.mine(row).close * self._scale
            self._standing[at], self._close[at], self._spoke[at] = self._now, close, bool(signals)

    def convictions(self) -> Convictions:
        return Convictions(
            strategy=self._desk.name,
            symbols=self._desk.symbols,
            standing=self._standing,
            spoke=self._spoke,
            close=self._close,
        )
