"""Many indicators fed by the same bars: one compiled call takes a row, or whole panels, through all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, IntArray
from shared.indicators.lockstep import Lockstep, address_of
from shared.indicators.lockstep_drive import aligned, lanes_of, run, sweep, sweep_panels
from shared.indicators.registry import spec_of

FIELDS = ("open", "high", "low", "close", "volume")
_PRINTS = 5  # the column of the table that counts prints


class LivePlan:
    """Indicators of `n` instruments, each a name of the registry with its parameters, stepped together.

    Values are those of the single indicators, bit for bit: the same kernels run over the same rows. An
    indicator that is not driven in lockstep is refused: it has its own `update`.
    """

    def __init__(self, n: int, wanted: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        self.n = n
        parts = [_part_of(name, n, params) for name, params in wanted]
        fields, self._inputs = _laid([spec_of(name).inputs for name, _ in wanted])
        self._fields: IntArray = np.array(fields, dtype=np.int64)
        lanes = lanes_of(n)
        self._clocks: IntArray = np.zeros((len(parts), lanes), dtype=np.int64)
        self._states: FloatArray = aligned(sum(len(part._state) for part in parts), lanes)  # noqa: SLF001 - its driver
        self._params: FloatArray = np.concatenate([np.empty(0), *(part._params for part in parts)])  # noqa: SLF001 - its driver
        self._table: IntArray = np.zeros((len(parts), 9), dtype=np.int64)
        row = told = 0
        for part, entry, (first, count) in zip(parts, self._table, self._inputs, strict=True):
            rows, params = len(part._state), len(part._params)  # noqa: SLF001 - its driver
            entry[:] = (address_of(part.step), row, rows, told, params, 0, first, count, part.outputs)
            self._states[row : row + part.outputs] = np.nan
            row, told = row + rows, told + params

    def update(self, bar: npt.ArrayLike) -> None:
        """Take one bar (5, n): open, high, low, close, volume; NaN where nothing was printed."""
        row = np.ascontiguousarray(bar, dtype=np.float64)
        if row.shape != (len(FIELDS), self.n):
            raise InvariantViolated(f"LivePlan: bar of shape {row.shape}, allowed: {(len(FIELDS), self.n)}")
        sweep(self._table, self._params, self._states, self._clocks, self._fields, row)

    def update_many(self, *panels: npt.ArrayLike) -> list[FloatArray]:
        """Values (T, n) or (q, T, n) of every indicator after each of T more bars.

        Five panels (T, n): open, high, low, close, volume. The values lie in one array of all outputs: for a long
        history, ask for some hundred rows at a time.
        """
        laid = tuple(np.require(panel, dtype=np.float64, requirements=["C", "W"]) for panel in panels)
        shapes = [panel.shape for panel in laid]
        if len(laid) != len(FIELDS) or len(set(shapes)) != 1 or shapes[0][1:] != (self.n,):
            raise InvariantViolated(
                f"LivePlan: panels of shape {', '.join(map(str, shapes))}, allowed: five alike of (T, {self.n})"
            )
        out = np.empty((int(self._table[:, 8].sum()), *shapes[0]))
        done = 0
        if (self._table[:, _PRINTS] >= 0).all():
            done = sweep_panels(self._table, self._params, self._states, self._fields, laid, out)
        if done < len(laid[0]):
            self._run_apart(laid, out, done)
        ends = np.cumsum(self._table[:, 8])
        return [out[end - q : end] if q > 1 else out[end - 1] for end, q in zip(ends, self._table[:, 8], strict=True)]

    def value(self, k: int) -> FloatArray:
        """A copy of the values of the k-th indicator, (n,) or (q, n)."""
        first, outputs = int(self._table[k, 1]), int(self._table[k, 8])
        values = self._states[first : first + outputs, : self.n].copy()
        return values[0] if outputs == 1 else values

    def _run_apart(self, panels: tuple[FloatArray, ...], out: FloatArray, done: int) -> None:
        """The rows from `done` on, in which somebody prints nothing now and then, one indicator after the other."""
        told = 0
        for k, (address, row, rows, first, count, prints, _, _, outputs) in enumerate(self._table.tolist()):
            state, params = self._states[row : row + rows], self._params[first : first + count]
            if prints >= 0:
                self._clocks[k] = prints
            clock = self._clocks[k]
            begin, wide = self._inputs[k]
            taken = tuple(panels[field][done:] for field in self._fields[begin : begin + wide])
            values = np.empty((outputs, len(taken[0]), self.n))
            run(address, params, state, clock[: self.n], taken, values)
            out[told : told + outputs, done:] = values
            # Those that fill up the lanes stay copies of the first instrument.
            state[:, self.n : len(clock)] = state[:, :1]
            clock[self.n :] = clock[:1]
            self._table[k, _PRINTS] = clock[0] if (clock == clock[:1]).all() else -1
            told += outputs


def _laid(wanted: Sequence[tuple[str, ...]]) -> tuple[list[int], list[tuple[int, int]]]:
    """Which field lies in which row, and where each of `wanted` finds its inputs: first row, number of rows."""
    fields = [place for place, name in enumerate(FIELDS) if any(name in names for names in wanted)]
    found: list[tuple[int, int]] = []
    for names in wanted:
        places = [FIELDS.index(name) for name in names]
        starts = (at for at in range(len(fields)) if fields[at : at + len(places)] == places)
        at = next(starts, len(fields))
        if at == len(fields):
            fields.extend(places)
        found.append((at, len(places)))
    return fields, found


def _part_of(name: str, n: int, params: Mapping[str, object]) -> Lockstep:
    made = spec_of(name).make(n, **params)
    if not isinstance(made, Lockstep):
        raise ConfigError(f"LivePlan: {name} is not driven in lockstep, allowed: indicators that are")
    return made
