"""Many indicators fed by the same bars: one compiled call takes a row, or whole panels, through all of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, IntArray
from shared.indicators.lockstep import Lockstep
from shared.indicators.lockstep_drive import (
    ON,
    ON_ROWS,
    PARAM,
    PARAMS,
    PRINTS,
    ROW,
    ROWS,
    STEP,
    aligned,
    lanes_of,
    run,
    sweep,
    sweep_panels,
)
from shared.indicators.registry import spec_of
from shared.indicators.spec import FIELDS


class LivePlan:
    """Indicators of `n` instruments, each a name of the registry with its parameters, stepped together.

    Values are those of the single indicators, bit for bit: the same kernels run over the same rows, and what several
    stand on runs once for all of them. An indicator that is not driven in lockstep is refused: it has its own `update`.
    """

    def __init__(self, n: int, wanted: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        self.n = n
        parts = [_part_of(name, n, params) for name, params in wanted]
        inputs = [spec_of(name).inputs for name, _ in wanted]
        # Those that stand on equal bases go together; the place is the key of one that stands on none.
        bases = [(part.base or place, names) for place, (part, names) in enumerate(zip(parts, inputs, strict=True))]
        together = _together(bases)
        fields, begun = _laid([inputs[places[0]] for places in together])
        tables, firsts = _Tables(), dict[int, int]()
        for places, rows in zip(together, begun, strict=True):
            firsts |= zip(places, tables.add([parts[place] for place in places], rows), strict=True)
        # Where the values of each of `wanted` begin among those of all, and how many it has.
        self._places = [(firsts[place], part.outputs) for place, part in enumerate(parts)]
        self._fields: IntArray = np.array(fields, dtype=np.int64)
        self._groups: IntArray = np.array(tables.groups, dtype=np.int64).reshape(-1, 7)
        self._steps: IntArray = np.array(tables.steps, dtype=np.int64).reshape(-1, 7)
        self._params: FloatArray = np.array(tables.params, dtype=np.float64)
        self._told: IntArray = np.array(tables.told, dtype=np.int64)
        lanes = lanes_of(n)
        self._clocks: IntArray = np.zeros((len(together), lanes), dtype=np.int64)
        self._states: FloatArray = aligned(tables.rows, lanes)
        self._states[self._told] = np.nan
        self._plan = (self._groups, self._steps, self._params, self._states)

    def update(self, bar: npt.ArrayLike) -> None:
        """Take one bar (5, n): open, high, low, close, volume; NaN where nothing was printed."""
        row = np.ascontiguousarray(bar, dtype=np.float64)
        if row.shape != (len(FIELDS), self.n):
            raise InvariantViolated(f"LivePlan: bar of shape {row.shape}, allowed: {(len(FIELDS), self.n)}")
        sweep(self._plan, self._clocks, self._fields, row)

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
        out = np.empty((len(self._told), *shapes[0]))
        done = 0
        if (self._groups[:, PRINTS] >= 0).all():
            done = sweep_panels(self._plan, self._told, self._fields, laid, out)
        if done < len(laid[0]):
            self._run_apart(laid, out, done)
        return [out[first : first + q] if q > 1 else out[first] for first, q in self._places]

    def value(self, k: int) -> FloatArray:
        """A copy of the values of the k-th indicator, (n,) or (q, n)."""
        first, outputs = self._places[k]
        values = self._states[self._told[first : first + outputs], : self.n]
        return values[0].copy() if outputs == 1 else values

    def _run_apart(self, panels: tuple[FloatArray, ...], out: FloatArray, done: int) -> None:
        """The rows from `done` on, in which somebody prints nothing now and then, one group after the other."""
        for entry, clock in zip(self._groups, self._clocks, strict=True):
            first, end, begin, wide, prints, told, told_end = entry.tolist()
            steps = self._steps[first:end].copy()
            row, end_row = int(steps[:, ROW].min()), int((steps[:, ROW] + steps[:, ROWS]).max())
            steps[:, ROW] -= row
            steps[steps[:, ON] >= 0, ON] -= row
            if prints >= 0:
                clock[:] = prints
            state = self._states[row:end_row]
            taken = tuple(panels[field][done:] for field in self._fields[begin : begin + wide])
            values = np.empty((told_end - told, len(taken[0]), self.n))
            run((steps, self._told[told:told_end] - row), self._params, state, clock[: self.n], taken, values)
            out[told:told_end, done:] = values
            # Those that fill up the lanes stay copies of the first instrument.
            state[:, self.n : len(clock)] = state[:, :1]
            clock[self.n :] = clock[:1]
            entry[PRINTS] = clock[0] if (clock == clock[:1]).all() else -1


class _Tables:
    """The tables of a plan in the making."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, ...]] = []
        self.steps: list[list[int]] = []
        self.params: list[float] = []
        self.told: list[int] = []  # the row of state in which each value stands
        self.rows = 0

    def add(self, parts: Sequence[Lockstep], inputs: tuple[int, int]) -> list[int]:
        """A group: each but the first leaves out the base that they share. Where the values of each begin."""
        begun, told, base = len(self.steps), len(self.told), -1
        places = []
        for part in parts:
            places.append(len(self.told))
            for step in part.steps[-1:] if base >= 0 else part.steps:
                self._add(step.tolist(), part, base)
                base = self.steps[begun][ROW]
            row = self.steps[-1][ROW]
            self.told.extend(range(row, row + part.outputs))
        self.groups.append((begun, len(self.steps), *inputs, 0, told, len(self.told)))
        return places

    def _add(self, step: list[int], part: Lockstep, base: int) -> None:
        first, count = step[PARAM], step[PARAMS]
        on = base if step[ON] >= 0 else -1
        self.steps.append([step[STEP], self.rows, step[ROWS], len(self.params), count, on, step[ON_ROWS]])
        self.params.extend(part._params[first : first + count].tolist())  # noqa: SLF001 - its driver
        self.rows += step[ROWS]


def _together(wanted: Iterable[Hashable]) -> list[list[int]]:
    """The places of equal ones, in the order in which the first of them comes."""
    found: dict[Hashable, list[int]] = {}
    for place, key in enumerate(wanted):
        found.setdefault(key, []).append(place)
    return list(found.values())


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
