"""One candlestick pattern of many instruments at once."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.errors import InvariantViolated
from shared.indicators.candles import AVERAGES, SHADOWS, SLOTS, Judged, Setting, step, table_of
from shared.indicators.indicator import FloatArray, Indicator, IntArray
from shared.indicators.spec import IndicatorSpec, Params, real

INPUTS = ("open", "high", "low", "close")
Judge = Any  # a numba kernel, judge(which, candles, penetration, value)
SOURCE = "TA-Lib, CDL{name} (Angelo Ciceri), after Nison, Japanese Candlestick Charting Techniques, 1991"


class Pattern(Struct, frozen=True):
    """A row in the table of a pattern file.

    `lookback` candles pass before the first is judged, `candles` are looked at, `averages` name the settings
    and the number of candles ago they are taken at.
    """

    name: str
    words: str
    lookback: int
    candles: int
    averages: tuple[tuple[Setting, int], ...]
    penetration: float | None = None  # the default, where the pattern asks for one: a share of a body
    sums_from: int | None = None


class CandlePattern(Indicator):
    """100 where the last print completes a bullish pattern, -100 a bearish one, 0 none; NaN before it is warm.

    Some patterns know 80 (weaker) or 200 (confirmed). A bar with a NaN among its four prices is no candle: the
    pattern spans it, and the value stays that of the last candle.
    """

    def __init__(self, n: int, pattern: Pattern, which: int, judge: Judge, *, penetration: float = 0.0) -> None:
        super().__init__(n, pattern.lookback + 1)
        self._which, self._judge, self._penetration = which, f"{judge.__module__}:{judge.__name__}", float(penetration)
        self._table, self._scale = table_of(pattern.lookback, pattern.averages, pattern.sums_from)
        self._ring: FloatArray = np.full((SLOTS, SHADOWS + 1, n), np.nan)
        self._sums: FloatArray = np.zeros((AVERAGES, n))
        self._averages: FloatArray = np.full((AVERAGES, n), np.nan)
        self._clock: IntArray = np.zeros(n, dtype=np.int64)
        self._judged = np.zeros(n, dtype=np.bool_)

    @property
    def kernels(self) -> tuple[str, ...]:
        """The rules of its file."""
        return (self._judge,)

    def update(self, *rows: npt.ArrayLike) -> FloatArray:
        """Values (n,) after one more row of open, high, low and close, each (n,)."""
        self._four(rows)
        self._take(np.stack([self._row(row) for row in rows]))
        return self.value

    def update_many(self, *panels: npt.ArrayLike) -> FloatArray:
        """Values (T, n) after each of T more rows of open, high, low and close, each (T, n)."""
        self._four(panels)
        laid = [self._panel(panel) for panel in panels]
        if len({len(panel) for panel in laid}) != 1:
            raise InvariantViolated(
                f"CandlePattern: panels of {', '.join(str(len(panel)) for panel in laid)} rows, allowed: equally many"
            )
        out, row = np.empty_like(laid[0]), np.empty((len(laid), len(self._value)))
        for t in range(len(out)):
            for field, panel in enumerate(laid):
                row[field] = panel[t]
            self._take(row)
            out[t] = self._value
        return out

    def _take(self, row: FloatArray) -> None:
        candles = Judged(self._ring, self._averages, self._clock, self._judged)
        step(candles, self._sums, self._table, self._scale, self.period - 1, row)
        _judge_at(self._judge)(self._which, candles, self._penetration, self._value)

    def _four(self, given: tuple[npt.ArrayLike, ...]) -> None:
        if len(given) != len(INPUTS):
            raise InvariantViolated(f"CandlePattern: {len(given)} inputs, allowed: {', '.join(INPUTS)}")


@cache
def _judge_at(place: str) -> Judge:
    module, name = place.split(":")
    return getattr(import_module(module), name)


def group_of(patterns: tuple[Pattern, ...], judge: Judge) -> tuple[IndicatorSpec, ...]:
    """The rows of the registry for a table of patterns whose rules `judge` knows by their place in it."""
    return tuple(_spec_of(pattern, which, judge) for which, pattern in enumerate(patterns))


def _spec_of(pattern: Pattern, which: int, judge: Judge) -> IndicatorSpec:
    def build(_spec: IndicatorSpec, n: int, params: Params) -> Indicator:
        return CandlePattern(n, pattern, which, judge, penetration=params.get("penetration", 0.0))

    def warm_up(_params: Params) -> int:
        return pattern.lookback + 1

    return IndicatorSpec(
        name=f"cdl_{pattern.name}",
        group="pattern",
        inputs=INPUTS,
        outputs=("verdict",),
        parameters=() if pattern.penetration is None else (real("penetration", pattern.penetration, 0.0, 10.0),),
        warm_up=warm_up,
        formula=pattern.words,
        source=SOURCE.format(name=pattern.name.upper()),
        build=build,
    )
