"""The driver of most indicators: instruments whose clocks agree go through a kernel side by side.

A kernel `step(p, s, x, lo, hi, t)` takes one print of the instruments `lo` to `hi`, all of which have printed
`t` times before: p parameters (k,), s state (rows, n) whose first rows are the outputs (NaN until warm), x inputs
(m, n). It needs no question about NaN, and as `t` is one number, warm-up and places in rings are the same for
all of them: its loops run on SIMD lanes. The driver cuts a row where somebody printed nothing, or has printed
another number of times. State lies in rows because a row is what a loop runs over.
"""
# ruff: noqa: PLR0917, PLR0913, ANN401 - a numba function takes no keywords, and its types are none that Python knows

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float64, int64, types, uint64, void
from numba.core import cgutils
from numba.extending import intrinsic

from shared.errors import InvariantViolated
from shared.indicators.indicator import FloatArray, Indicator, IntArray, kernel
from shared.indicators.spec import IndicatorSpec, Parameter, Params

Step = Any  # a numba dispatcher; numba has no type of it that mypy knows
Rows = Callable[[Params], int]
Place = tuple[int, int, int]
_ROWS = float64[:, ::1]
BLOCK = 1024  # instruments whose panels and states stay in the cache together
# Unsigned bounds: an index that might be negative would be asked in every turn of a loop, and no loop would be SIMD.
SIGNATURE = void(float64[::1], _ROWS, _ROWS, uint64, uint64, int64)


def _call_at(_typing: Any, _address: Any, _p: Any, _s: Any, _x: Any, _lo: Any, _hi: Any, _t: Any) -> Any:
    """Call the compiled step at `address`: one driver serves every kernel, and a plan calls many without Python."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        takes = [context.get_value_type(arg) for arg in SIGNATURE.args]
        gives = context.get_value_type(SIGNATURE.return_type)
        function = cgutils.ir.FunctionType(gives, takes)  # type: ignore[attr-defined]
        pointer = builder.inttoptr(values[0], function.as_pointer())
        context.call_function_pointer(builder, pointer, values[1:])
        return context.get_dummy_value()

    return types.void(types.int64, *SIGNATURE.args), generate


call_at: Any = intrinsic(_call_at)


@kernel
def advance(step: int, p: FloatArray, s: FloatArray, clock: IntArray, x: FloatArray, bounds: tuple[int, int]) -> None:
    """One row `x` (m, n) of the instruments within `bounds` through the step at an address.

    `clock` (n,) counts prints. A NaN among its inputs says that an instrument printed nothing.
    """
    lo, end = bounds
    while lo < end:
        hi = lo
        while hi < end and clock[hi] == clock[lo]:
            silent = 0
            for j in range(x.shape[0]):
                silent += np.isnan(x[j, hi])
            if silent:
                break
            hi += 1
        if hi > lo:
            t = clock[lo]
            call_at(step, p, s, x, lo, hi, t)
            for i in range(lo, hi):
                clock[i] = t + 1
        lo = max(hi, lo + 1)


@kernel
def run_together(
    step: int, p: FloatArray, s: FloatArray, x: FloatArray, panels: tuple[FloatArray, ...], out: FloatArray, at: Place
) -> int:
    """The rows up to the first in which one of the instruments printed nothing; returns its number, T if none is.

    `at`: the first instrument, the one behind the last, and how often all of them have printed before.
    """
    lo, hi, clock = np.uint64(at[0]), np.uint64(at[1]), at[2]
    for t in range(out.shape[1]):
        silent = 0
        for j in range(len(panels)):
            row = panels[j][t]
            for i in range(lo, hi):
                x[j, i] = row[i]
            for i in range(lo, hi):
                silent += x[j, i] != x[j, i]
        if silent:
            return t
        call_at(step, p, s, x, lo, hi, clock + t)
        for j in range(out.shape[0]):
            for i in range(lo, hi):
                out[j, t, i] = s[j, i]
    return int(out.shape[1])


@kernel
def run_apart(
    step: int, p: FloatArray, s: FloatArray, clock: IntArray, panels: tuple[FloatArray, ...], out: FloatArray, at: Place
) -> None:
    """`advance` over every row, of instruments that have not printed equally often."""
    x = np.empty((len(panels), clock.shape[0]))
    for t in range(out.shape[1]):
        for j in range(len(panels)):
            for i in range(at[0], at[1]):
                x[j, i] = panels[j][t, i]
        advance(step, p, s, clock, x, (at[0], at[1]))
        for j in range(out.shape[0]):
            for i in range(at[0], at[1]):
                out[j, t, i] = s[j, i]


@kernel
def arrange(panels: tuple[FloatArray, ...], first: int, last: int, done: int) -> tuple[IntArray, IntArray, IntArray]:
    """Of the instruments `first` to `last`: the rows of their prints from `done` on, their number, who has most."""
    width = last - first
    rows = np.empty((panels[0].shape[0], width), dtype=np.int64)
    count = np.zeros(width, dtype=np.int64)
    for t in range(done, rows.shape[0]):
        for i in range(width):
            silent = 0
            for j in range(len(panels)):
                silent += np.isnan(panels[j][t, first + i])
            if silent == 0:
                rows[count[i], i] = t
                count[i] += 1
    return rows, count, np.argsort(-count, kind="mergesort")


@kernel
def run_packed(
    step: int, p: FloatArray, s: FloatArray, panels: tuple[FloatArray, ...], out: FloatArray, at: Place, done: int
) -> IntArray:
    """The rows from `done` on where some print nothing now and then: the k-th prints side by side.

    In order of their prints, so that those who still print are the first; what a kernel does to one instrument
    does not depend on its neighbours. Returns the number of prints of each.
    """
    first, last, start = at
    rows, count, order = arrange(panels, first, last, done)
    width = last - first
    state = np.empty((s.shape[0], width))
    x = np.empty((len(panels), width))
    for k in range(s.shape[0]):
        for i in range(width):
            state[k, i] = s[k, first + order[i]]
    for k in range(out.shape[1] - done):
        while width > 0 and count[order[width - 1]] <= k:
            width -= 1
        if width == 0:
            break
        for i in range(width):
            for j in range(len(panels)):
                x[j, i] = panels[j][rows[k, order[i]], first + order[i]]
        call_at(step, p, state, x, 0, width, start + done + k)
        for j in range(out.shape[0]):
            for i in range(width):
                out[j, rows[k, order[i]], first + order[i]] = state[j, i]
    carry(s, out, rows, count, (first, done))
    for k in range(s.shape[0]):
        for i in range(last - first):
            s[k, first + order[i]] = state[k, i]
    return count


@kernel
def run(
    step: int, p: FloatArray, s: FloatArray, clock: IntArray, panels: tuple[FloatArray, ...], out: FloatArray
) -> None:
    """Every row of the inputs, m panels (T, n), into `out` (q, T, n), a block of instruments after the other."""
    n = clock.shape[0]
    x = np.empty((len(panels), n))
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        start = clock[first]
        apart = 0
        for i in range(first, last):
            apart += clock[i] != start
        if apart:
            run_apart(step, p, s, clock, panels, out, (first, last, start))
            continue
        done = run_together(step, p, s, x, panels, out, (first, last, start))
        for i in range(first, last):
            clock[i] = start + done
        if done < out.shape[1]:
            count = run_packed(step, p, s, panels, out, (first, last, start), done)
            for i in range(first, last):
                clock[i] += count[i - first]


@kernel
def carry(s: FloatArray, out: FloatArray, rows: IntArray, count: IntArray, corner: tuple[int, int]) -> None:
    """Fill the rows without a print with the value of the print before, or with that of the state `s`."""
    first, done = corner
    for i in range(count.shape[0]):
        for j in range(out.shape[0]):
            held, k = s[j, first + i], 0
            for t in range(done, out.shape[1]):
                if k < count[i] and rows[k, i] == t:
                    held = out[j, t, first + i]
                    k += 1
                out[j, t, first + i] = held


@kernel
def sweep(table: IntArray, params: FloatArray, states: FloatArray, clocks: IntArray, bar: FloatArray) -> None:
    """One bar (5, n) through every step of a plan.

    `table` (k, 10): address, first row and number of rows of state, first and number of parameters, prints where
    all instruments agree (else -1), number of inputs, first input, and whether they lie side by side in the bar.
    """
    n = bar.shape[1]
    silent = 0
    for j in range(bar.shape[0]):
        for i in range(n):
            silent += bar[j, i] != bar[j, i]
    for k in range(table.shape[0]):
        row = table[k]
        s = states[row[1] : row[1] + row[2]]
        p = params[row[3] : row[3] + row[4]]
        x = bar[row[7] : row[7] + row[6]]
        if row[8] == 0:
            # The only inputs that are not neighbours are open and close.
            x = np.empty((2, n))
            for i in range(n):
                x[0, i], x[1, i] = bar[0, i], bar[3, i]
        if silent == 0 and row[5] >= 0:
            call_at(row[0], p, s, x, 0, n, row[5])
            row[5] += 1
            continue
        if row[5] >= 0:
            for i in range(n):
                clocks[k, i] = row[5]
        advance(row[0], p, s, clocks[k], x, (0, n))
        row[5] = clocks[k, 0] if n else 0
        for i in range(n):
            if clocks[k, i] != clocks[k, 0]:
                row[5] = -1


@cache
def address_of(place: str) -> int:
    """The address of the compiled step named `module:function`; compiled, or loaded from the cache, when first used."""
    module, name = place.split(":")
    step = getattr(import_module(module), name)
    step.compile(SIGNATURE)
    compiled = step.get_compile_result(SIGNATURE)
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))


class Lockstep(Indicator):
    """An indicator whose kernel is driven by this file; made by `IndicatorSpec.make`."""

    def __init__(self, n: int, step: str, params: FloatArray, *, shape: tuple[int, int, int]) -> None:
        """`step` is `module:function`; `shape` counts inputs, outputs and rows of state."""
        self.inputs, self.outputs, rows = shape
        assert rows >= self.outputs > 0, f"{step}: {rows} rows of state for {self.outputs} outputs"
        self.step = step
        self._params = params
        self._state: FloatArray = np.zeros((rows, n))
        self._state[: self.outputs] = np.nan
        self._clock: IntArray = np.zeros(n, dtype=np.int64)

    @property
    def value(self) -> FloatArray:
        """A copy of the current values, (n,) or (q, n), NaN where not warm."""
        values = self._state[: self.outputs].copy()
        return values[0] if self.outputs == 1 else values

    def update(self, *rows: npt.ArrayLike) -> FloatArray:
        """Values (n,) or (q, n) after one more row (n,) of each input."""
        self._count(rows)
        x = np.empty((self.inputs, len(self._clock)))
        for j, row in enumerate(rows):
            if np.shape(row) != x.shape[1:]:
                raise InvariantViolated(f"{self.step}: row of shape {np.shape(row)}, allowed: {x.shape[1:]}")
            x[j] = row
        advance(address_of(self.step), self._params, self._state, self._clock, x, (0, len(self._clock)))
        return self.value

    def update_many(self, *panels: npt.ArrayLike) -> FloatArray:
        """Values (T, n) or (q, T, n) after each of T more rows; panels (T, n) in the order of the inputs."""
        self._count(panels)
        laid = tuple(np.require(panel, dtype=np.float64, requirements=["C", "W"]) for panel in panels)
        shapes = {panel.shape for panel in laid}
        if len(shapes) != 1 or laid[0].ndim != 2 or laid[0].shape[1] != len(self._clock):  # noqa: PLR2004
            raise InvariantViolated(
                f"{self.step}: panels of shape {', '.join(map(str, sorted(shapes)))},"
                f" allowed: (T, {len(self._clock)}), all alike"
            )
        out = np.empty((self.outputs, *laid[0].shape))
        run(address_of(self.step), self._params, self._state, self._clock, laid, out)
        return out[0] if self.outputs == 1 else out

    def _count(self, given: tuple[npt.ArrayLike, ...]) -> None:
        if len(given) != self.inputs:
            raise InvariantViolated(f"{self.step}: {len(given)} inputs, allowed: {self.inputs}")


def lockstep(step: Step, rows: Rows) -> Callable[[IndicatorSpec, int, Params], Indicator]:
    """The `build` of a spec whose kernel is `step`; `rows` says how many rows of state it needs, outputs included."""

    def build(spec: IndicatorSpec, n: int, params: Params) -> Indicator:
        told = np.array([params[parameter.name] for parameter in spec.parameters], dtype=np.float64)
        shape = (len(spec.inputs), len(spec.outputs), rows(params))
        return Lockstep(n, f"{step.__module__}:{step.__name__}", told, shape=shape)

    return build


def spec(
    step: Step,
    group: str,
    flow: str,
    parameters: tuple[Parameter, ...] = (),
    *,
    rows: Rows,
    warm_up: Callable[[Params], int],
    formula: str,
    source: str,
    name: str = "",
) -> IndicatorSpec:
    """A row of the registry, named as its kernel; `flow` reads `high low -> upper lower`, inputs and outputs."""
    inputs, outputs = (tuple(side.split()) for side in flow.split("->"))
    return IndicatorSpec(
        name=name or step.__name__,
        group=group,
        inputs=inputs,
        outputs=outputs,
        parameters=parameters,
        warm_up=warm_up,
        formula=formula,
        source=source,
        build=lockstep(step, rows),
    )
