"""Averages chosen by a number, and what is made of two or three of them: MA, MACDEXT, bands around any average.

Every average is an indicator of its own, with the one kernel that it has: what is here only tells them when to begin.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import InvariantViolated
from shared.indicators import cycle, moments, overlap
from shared.indicators.indicator import FloatArray, Indicator, IntArray
from shared.indicators.lockstep import Lockstep
from shared.indicators.spec import IndicatorSpec, Params, real, whole

# Numbered as TA-Lib numbers them; the last one stands for no other.
TYPES = ("sma", "ema", "wma", "dema", "tema", "trima", "kama", "mama", "t3", "hma")
_ROWS = {row.name: row for row in (*overlap.SPECS, *cycle.SPECS, *moments.SPECS)}
_NAMES = ", ".join(f"{number} {name}" for number, name in enumerate(TYPES))


def _told(kind: float, period: float) -> tuple[IndicatorSpec, dict[str, float]]:
    """The row of an average and its parameters; MAMA is told no period."""
    row = _ROWS[TYPES[int(kind)]]
    return row, row.filled({} if row.name == "mama" else {"period": int(period)})


def prints_until(kind: float, period: float) -> int:
    """Prints after which the average of that number is there."""
    row, params = _told(kind, period)
    return row.warm_up(params)


def average_of(n: int, kind: float, period: float) -> Lockstep:
    """A fresh average of `n` instruments. Of MAMA's two lines the first."""
    row, params = _told(kind, period)
    made = row.build(row, n, params)
    assert isinstance(made, Lockstep), f"{row.name} is not driven in lockstep"
    if made.outputs == 1:
        return made
    shape = (made.inputs, 1, len(made._state))  # noqa: SLF001 - its driver
    return Lockstep(n, made.step, made._params, shape=shape)  # noqa: SLF001 - its driver


class Composed(Indicator):
    """An indicator of closes made of others; a row is a panel of one row, so that batch and stream are one."""

    def __init__(self, n: int, outputs: int) -> None:
        self._values: FloatArray = np.full((outputs, n), np.nan)

    @property
    def value(self) -> FloatArray:
        """A copy of the current values (q, n), NaN where not warm."""
        return self._values.copy()

    def update(self, close: npt.ArrayLike) -> FloatArray:
        """Values (q, n) after one more row (n,)."""
        row = np.asarray(close, dtype=np.float64)
        self.update_many(row[np.newaxis])
        return self.value

    def update_many(self, closes: npt.ArrayLike) -> FloatArray:
        """Values (q, T, n) after each of T more rows (T, n)."""
        panel = np.require(closes, dtype=np.float64, requirements=["C", "W"])
        width = self._values.shape[1]
        if panel.ndim != 2 or panel.shape[1] != width:  # noqa: PLR2004 - time and instrument
            raise InvariantViolated(f"{type(self).__name__}: panel of shape {panel.shape}, allowed: (T, {width})")
        out = self._after(panel)
        if len(panel):
            self._values = out[:, -1].copy()
        return out

    def _after(self, panel: FloatArray) -> FloatArray:
        raise NotImplementedError


class MacdOfAverages(Composed):
    """MACD of any averages. The quicker one begins so late that both are there with the same print, as in TA-Lib."""

    def __init__(self, n: int, params: Params) -> None:
        super().__init__(n, 3)
        lines = [(params[f"{line}_type"], params[line]) for line in ("fast", "slow")]
        lines.sort(key=lambda line: line[1])
        until = [prints_until(*line) for line in lines]
        self._waits = [max(until) - own for own in until]
        self._prints: IntArray = np.zeros(n, dtype=np.int64)
        self._fast, self._slow = (average_of(n, *line) for line in lines)
        self._signal = average_of(n, params["signal_type"], params["signal"])

    def _after(self, panel: FloatArray) -> FloatArray:
        silent = np.isnan(panel)
        printed = self._prints + np.cumsum(~silent, axis=0)
        if len(panel):
            self._prints = printed[-1].copy()
        fast, slow = (
            average.update_many(np.where(printed > wait, panel, np.nan))
            for average, wait in zip((self._fast, self._slow), self._waits, strict=True)
        )
        line = fast - slow
        signal = self._signal.update_many(np.where(silent, np.nan, line))
        return np.stack((np.where(np.isnan(signal), np.nan, line), signal, line - signal))


class BandsOfAverage(Composed):
    """Bollinger's bands around any average; the deviation is that around the plain mean, as in TA-Lib."""

    def __init__(self, n: int, params: Params) -> None:
        super().__init__(n, 3)
        self._reach = (params["up"], params["down"])
        self._middle = average_of(n, params["type"], params["period"])
        row = _ROWS["stddev"]
        deviation = row.build(row, n, row.filled({"period": int(params["period"])}))
        assert isinstance(deviation, Lockstep), "stddev is driven in lockstep"
        self._deviation = deviation

    def _after(self, panel: FloatArray) -> FloatArray:
        middle, deviation = self._middle.update_many(panel), self._deviation.update_many(panel)
        up, down = self._reach
        upper = middle + up * deviation
        return np.stack((upper, np.where(np.isnan(upper), np.nan, middle), middle - down * deviation))


def _macd_warm(p: Params) -> int:
    lines = (prints_until(p["fast_type"], p["fast"]), prints_until(p["slow_type"], p["slow"]))
    return max(lines) + prints_until(p["signal_type"], p["signal"]) - 1


def _type(name: str) -> tuple[str, int, int, int]:
    return name, 0, 0, len(TYPES) - 1


SPECS = (
    IndicatorSpec(
        name="ma",
        group="overlap",
        inputs=("close",),
        outputs=("ma",),
        parameters=(whole("period", 30, 2), whole(*_type("type"))),
        warm_up=lambda p: prints_until(p["type"], p["period"]),
        formula=f"the average of that number: {_NAMES}",
        source="TA-Lib MA",
        build=lambda _, n, params: average_of(n, params["type"], params["period"]),
    ),
    IndicatorSpec(
        name="macdext",
        group="momentum",
        inputs=("close",),
        outputs=("macd", "signal", "histogram"),
        parameters=(
            whole("fast", 12, 2),
            whole(*_type("fast_type")),
            whole("slow", 26, 2),
            whole(*_type("slow_type")),
            whole("signal", 9, 2),
            whole(*_type("signal_type")),
        ),
        warm_up=_macd_warm,
        formula="macd of the averages of these numbers, see ma",
        source="TA-Lib MACDEXT",
        build=lambda _, n, params: MacdOfAverages(n, params),
    ),
    IndicatorSpec(
        name="bbands_ma",
        group="overlap",
        inputs=("close",),
        outputs=("upper", "middle", "lower"),
        parameters=(
            whole("period", 20, 2),
            real("up", 2.0, 0.0, 100.0),
            real("down", 2.0, 0.0, 100.0),
            whole(*_type("type")),
        ),
        warm_up=lambda p: max(prints_until(p["type"], p["period"]), int(p["period"])),
        formula="the average of that number, see ma, +- deviations of the last closes",
        source="TA-Lib BBANDS with a matype",
        build=lambda _, n, params: BandsOfAverage(n, params),
    ),
)
