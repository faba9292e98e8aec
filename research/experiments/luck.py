"""How much of a sweep's result is luck: what its settings came to in markets drawn from the same bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from research.experiments.axes import Value
from research.experiments.figures import MEASURES
from research.experiments.ranking import Standing
from research.experiments.table import Row

_OUTER_PCT = 5.0
Drawn = Mapping[int, Sequence[Row]]
"""The rows of each setting over the drawn markets, by the setting's number, in the order of the markets."""


class Spread(Struct, frozen=True, kw_only=True):
    """One setting: its measure on the real bars, and in the drawn markets the middle 90 % of it and its median.

    `markets` is in how many it has the measure at all; None where it has none. `lost` is the share of the markets in
    which its total return was negative.
    """

    number: int
    parameters: dict[str, Value]
    real: float
    markets: int
    low: float | None
    median: float | None
    high: float | None
    lost: float | None


class Luck(Struct, frozen=True, kw_only=True):
    """The spread of the best settings, and of the whole search: the best of each market as a search there had it.

    `as_good` is the share of markets, the real one counted in, whose best was at least as good as the real best.
    """

    markets: int
    block_sessions: float
    measure: str
    spreads: tuple[Spread, ...]
    best: float | None
    best_low: float | None
    best_median: float | None
    best_high: float | None
    as_good: float | None


def luck_of(best: Sequence[Standing], drawn: Drawn, measure: str, block_sessions: float) -> Luck:
    """`best` are the standings on the real bars, the best first."""
    sign = MEASURES[measure]
    count = max((len(rows) for rows in drawn.values()), default=0)
    found = [_best_of(market, measure, sign) for market in zip(*drawn.values(), strict=True)]
    bests = [value for value in found if value is not None]
    real = best[0].value if best else None
    low, median, high = _quantiles(bests)
    as_good = None
    if real is not None and bests:
        as_good = (1 + sum(sign * value >= sign * real for value in bests)) / (1 + len(bests))
    return Luck(
        markets=count,
        block_sessions=block_sessions,
        measure=measure,
        spreads=tuple(_spread(standing, drawn[standing.typical.number], measure) for standing in best),
        best=real,
        best_low=low,
        best_median=median,
        best_high=high,
        as_good=as_good,
    )


def _spread(standing: Standing, rows: Sequence[Row], measure: str) -> Spread:
    known, returns = _known(rows, measure), _known(rows, "total_return_pct")
    low, median, high = _quantiles(known)
    return Spread(
        number=standing.typical.number,
        parameters=standing.parameters,
        real=standing.value,
        markets=len(known),
        low=low,
        median=median,
        high=high,
        lost=sum(value < 0 for value in returns) / len(returns) if returns else None,
    )


def _best_of(rows: Sequence[Row], measure: str, sign: int) -> float | None:
    known = _known(rows, measure)
    return max(known, key=lambda value: sign * value) if known else None


def _known(rows: Sequence[Row], name: str) -> list[float]:
    return [float(value) for row in rows if isinstance(value := row.figure(name), int | float)]


def _quantiles(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    if not values:
        return None, None, None
    low, median, high = np.percentile(values, [_OUTER_PCT, 50.0, 100.0 - _OUTER_PCT])
    return float(low), float(median), float(high)


def words_of(luck: Luck) -> str:
    """Two sentences for a person."""
    if luck.as_good is None or luck.best is None:
        return "No setting has the measure in the drawn markets: nothing to compare."
    memory = "without memory" if luck.block_sessions == 1 else f"in blocks of {luck.block_sessions:g} sessions"
    return (
        f"{luck.markets:,} markets drawn from these sessions {memory}: the best setting of each has {luck.measure} "
        f"{luck.best_low:.2f} to {luck.best_high:.2f} (middle 90 %, median {luck.best_median:.2f}), the real best "
        f"{luck.best:.2f}; at least as good in {luck.as_good:.0%} of them."
    )
