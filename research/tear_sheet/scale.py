"""Value scales: where a value stands between bottom and top, and at which round values lines are drawn."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LOG_STEPS = (1.0, 2.0, 5.0)
LINES = 5
LOG_LINES_MIN = 3
FLAT = 1e-9
"""What differs by less, relatively or at all, does not differ."""


class Scale(Struct, frozen=True, kw_only=True):
    """Values from `low` (bottom) to `high` (top), `ticks` between them; `log` spaces by ratio, values > 0 then."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, values: Floats) -> Floats:
        """Share of the height from the bottom, 0 to 1, shape of `values`; NaN stays NaN."""
        if self.log:
            return (np.log(values) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (values - self.low) / (self.high - self.low)

    def share(self, value: float) -> float:
        """The same for one value."""
        return float(self.place(np.array([value]))[0])


def scale_of(*series: Floats, include: tuple[float, ...] = (), log: bool = False) -> Scale:
    """A scale that holds every finite value of `series` and the values of `include`; ends on round values."""
    finite = [values[np.isfinite(values)] for values in series]
    held = np.concatenate([*finite, np.array(include, dtype=np.float64)])
    low, high = (float(held.min()), float(held.max())) if len(held) else (0.0, 1.0)
    return _log_scale(low, high) if log else _linear_scale(low, high)


def _linear_scale(low: float, high: float) -> Scale:
    if high - low <= FLAT * max(abs(low), abs(high), 1.0):
        spare = 0.01 * abs(low) if abs(low) > FLAT else 1.0
        low, high = low - spare, high + spare
    step = _step((high - low) / LINES)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(at * step, 12) for at in range(first, last + 1))
    return Scale(low=ticks[0], high=ticks[-1], ticks=ticks)


def _log_scale(low: float, high: float) -> Scale:
    """1, 2, 5 times powers of ten where at least three of them lie inside, else the ticks of a linear scale."""
    held, spare = low, (high / low) ** 0.03 if high > low * (1.0 + FLAT) else 1.01
    low, high = low / spare, high * spare
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**power for power in decades for factor in LOG_STEPS]
    inside = tuple(tick for tick in ticks if low <= tick <= high)
    if len(inside) < LOG_LINES_MIN:
        inside = tuple(tick for tick in _linear_scale(low, high).ticks if low <= tick <= high)
    return Scale(low=low, high=high, ticks=inside or (held,), log=True)


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in STEPS if factor * power >= rough * (1 - 1e-9))
