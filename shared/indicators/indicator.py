"""What the indicators share: how a kernel is compiled, what a row is, and which state they carry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from shared.errors import ConfigError, InvariantViolated

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# No fastmath: reassociated sums would differ between stream and batch. Division checks would stop SIMD. A
# kernel stands in one file with every kernel it calls: numba renews its cache by the time stamp of that
# file alone.
kernel = njit(cache=True, error_model="numpy")


class Indicator:
    """One indicator of `n` instruments at once, each with its own history.

    An instrument that printed nothing (NaN) leaves its state untouched: a period counts *prints*, not rows.
    The value out is that of its last print, NaN before the indicator is warm. All state lies in plain numpy
    arrays and numbers in `vars(self)`, which is what a snapshot carries; a user's own indicator derives
    from here.
    """

    def __init__(self, n: int, period: int) -> None:
        # A bool is an int to Python, but nobody means a period of True.
        if type(period) is not int or period < 1:
            raise ConfigError(f"{type(self).__name__}: period {period!r}, allowed: whole numbers from 1")
        self.period = period
        self._value: FloatArray = np.full(n, np.nan)

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels that its state tells it to call, as `module:function`: what they are its class does not say."""
        return ()

    @property
    def value(self) -> FloatArray:
        """A copy of the current values, shape (n,), NaN where not warm."""
        return self._value.copy()

    def _row(self, values: npt.ArrayLike) -> FloatArray:
        """A contiguous, writable copy of one row, so that every kernel is compiled for one signature only."""
        row = np.array(values, dtype=np.float64, order="C")
        if row.shape != self._value.shape:
            raise InvariantViolated(f"{type(self).__name__}: row of shape {row.shape}, allowed: {self._value.shape}")
        return row

    def _panel(self, values: npt.ArrayLike) -> FloatArray:
        """`values` (T, n), time-major, in the layout of the kernels; copied only where it differs."""
        panel = np.require(values, dtype=np.float64, requirements=["C", "W"])
        if panel.ndim != 2 or panel.shape[1:] != self._value.shape:  # noqa: PLR2004 - time and instrument
            raise InvariantViolated(
                f"{type(self).__name__}: panel of shape {panel.shape}, allowed: (T, {len(self._value)})"
            )
        return panel


def width_of(panel: npt.ArrayLike) -> int:
    """Number of instruments of a time-major panel (T, n)."""
    shape = np.shape(panel)
    if len(shape) != 2:  # noqa: PLR2004 - time and instrument
        raise InvariantViolated(f"indicators: panel of shape {shape}, allowed: (T, n)")
    return int(shape[1])
