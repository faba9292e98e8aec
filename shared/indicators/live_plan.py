"""Many indicators fed by the same bars: one compiled call takes a row through all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, IntArray
from shared.indicators.lockstep import Lockstep, address_of, sweep
from shared.indicators.registry import spec_of

FIELDS = ("open", "high", "low", "close", "volume")


class LivePlan:
    """Indicators of `n` instruments, each a name of the registry with its parameters, stepped together.

    Values are those of the single indicators, bit for bit: the same kernels run over the same rows. An
    indicator that is not driven in lockstep is refused: it has its own `update`.
    """

    def __init__(self, n: int, wanted: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        self.n = n
        parts = [_part_of(name, n, params) for name, params in wanted]
        self._outputs = [part.outputs for part in parts]
        self._states: FloatArray = np.vstack([part._state for part in parts]) if parts else np.empty((0, n))  # noqa: SLF001
        self._params: FloatArray = np.concatenate([part._params for part in parts]) if parts else np.empty(0)  # noqa: SLF001
        self._clocks: IntArray = np.zeros((len(parts), n), dtype=np.int64)
        self._table: IntArray = np.zeros((len(parts), 9), dtype=np.int64)
        row = told = 0
        for k, (part, (name, _)) in enumerate(zip(parts, wanted, strict=True)):
            places = [FIELDS.index(field) for field in spec_of(name).inputs]
            rows, params = len(part._state), len(part._params)  # noqa: SLF001 - a part of the same driver
            beside = places == list(range(places[0], places[0] + len(places)))
            assert beside or places == [0, 3], f"{name}: inputs {places}"
            self._table[k] = (address_of(part.step), row, rows, told, params, 0, len(places), places[0], beside)
            row, told = row + rows, told + params
        self._firsts = [int(first) for first in self._table[:, 1]]

    def update(self, bar: npt.ArrayLike) -> None:
        """Take one bar (5, n): open, high, low, close, volume; NaN where nothing was printed."""
        row = np.ascontiguousarray(bar, dtype=np.float64)
        if row.shape != (len(FIELDS), self.n):
            raise InvariantViolated(f"LivePlan: bar of shape {row.shape}, allowed: {(len(FIELDS), self.n)}")
        sweep(self._table, self._params, self._states, self._clocks, row)

    def value(self, k: int) -> FloatArray:
        """A copy of the values of the k-th indicator, (n,) or (q, n)."""
        first, outputs = self._firsts[k], self._outputs[k]
        values = self._states[first : first + outputs].copy()
        return values[0] if outputs == 1 else values


def _part_of(name: str, n: int, params: Mapping[str, object]) -> Lockstep:
    made = spec_of(name).make(n, **params)
    if not isinstance(made, Lockstep):
        raise ConfigError(f"LivePlan: {name} is not driven in lockstep, allowed: indicators that are")
    return made
