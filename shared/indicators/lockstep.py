"""The driver of most indicators: instruments whose clocks agree go through a kernel side by side.

A kernel `step(p, s, x, lo, hi, t)` takes one print of the instruments `lo` to `hi`, all of which have printed
`t` times before: p parameters (k,), s state (rows, n) whose first rows are the outputs (NaN until warm), x inputs
(m, n). It needs no question about NaN, and as `t` is one number, warm-up and places in rings are the same for
all of them: its loops run on SIMD lanes. The driver cuts a row where somebody printed nothing, or has printed
another number of times (lockstep_drive.py). State lies in rows because a row is what a loop runs over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.errors import DataError, InvariantViolated
from shared.indicators.indicator import FloatArray, Indicator, IntArray
from shared.indicators.lockstep_drive import ON, SIGNATURE, advance, run
from shared.indicators.spec import IndicatorSpec, Parameter, Params

Step = Any  # a numba dispatcher; numba has no type of it that mypy knows
Rows = Callable[[Params], int]


class Base(Struct, frozen=True):
    """A step whose state others read instead of the inputs, as RSI and CMO read Wilder's mean gain and loss.

    Of their parameters it takes those named here, of which `rows` says how many rows it needs. A plan runs equal ones
    once for all who stand on them.
    """

    step: Step
    parameters: tuple[str, ...]
    rows: Callable[..., int]


class Layout(Struct, frozen=True):
    """What a step needs: its parameters by name, its rows of state, and what it stands on, whose rows lie behind."""

    parameters: tuple[str, ...]
    rows: Rows
    base: Base | None


# By `module:function`.
LAYOUTS: dict[str, Layout] = {}


@cache
def address_of(place: str) -> int:
    """The address of the compiled step named `module:function`; compiled, or loaded from the cache, when first used."""
    module, name = place.split(":")
    step = getattr(import_module(module), name)
    step.compile(SIGNATURE)
    compiled = step.get_compile_result(SIGNATURE)
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))


@cache
def steps_of(step: str, params: tuple[float, ...]) -> tuple[IntArray, int]:
    """A step, behind the one that it stands on, as lockstep_drive.py reads them; and how many rows both need."""
    layout = LAYOUTS[step]
    named = dict(zip(layout.parameters, params, strict=False))
    own, told = layout.rows(named), len(named)
    rows = own
    entries: list[tuple[int, ...]] = [(address_of(step), 0, own, 0, told, -1, 0)]
    if layout.base is not None:
        below = layout.base.rows(*params[told:])
        entries[0] = (*entries[0][:ON], own, below)
        entries.insert(0, (address_of(_place(layout.base.step)), own, below, told, len(params) - told, -1, 0))
        rows += below
    return np.array(entries, dtype=np.int64), rows


class Lockstep(Indicator):
    """An indicator whose kernel is driven by this file; made by `IndicatorSpec.make`."""

    def __init__(self, n: int, step: str, params: FloatArray, *, shape: tuple[int, int, int]) -> None:
        """`step` is `module:function`; `shape` counts inputs, outputs and rows of state.

        Parameters and rows of the base, if it stands on one, come behind its own.
        """
        self.inputs, self.outputs, rows = shape
        assert rows >= self.outputs > 0, f"{step}: {rows} rows of state for {self.outputs} outputs"
        self.step = step
        self._params = params
        self._state: FloatArray = np.zeros((rows, n))
        self._state[: self.outputs] = np.nan
        self._clock: IntArray = np.zeros(n, dtype=np.int64)

    @property
    def kernels(self) -> tuple[str, ...]:
        """Its step, and the one it stands on if it does, as `module:function`."""
        layout = LAYOUTS.get(self.step)
        return (self.step,) if layout is None or layout.base is None else (self.step, _place(layout.base.step))

    @property
    def base(self) -> tuple[str, ...]:
        """What it stands on, with parameters, () if on nothing: equal where a base may be shared."""
        told = self._params[len(LAYOUTS[self.step].parameters) :].tolist()
        return (*self.kernels[1:], *map(repr, told))

    @property
    def steps(self) -> IntArray:
        """These, the base first, as lockstep_drive.py reads them.

        Raises:
            DataError: the state is that of another version.
        """
        steps, needed = steps_of(self.step, tuple(self._params.tolist()))
        # A snapshot of another version may have other rows, and a compiled kernel asks nobody where its memory ends.
        if len(self._state) != needed:
            raise DataError(
                f"{self.step}: state of {len(self._state)} rows, allowed: {needed}; another version kept it, begin anew"
            )
        return steps

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
        advance(self.steps, self._params, self._state, self._clock, x, (0, len(self._clock)))
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
        run((self.steps, np.arange(self.outputs)), self._params, self._state, self._clock, laid, out)
        return out[0] if self.outputs == 1 else out

    def _count(self, given: tuple[npt.ArrayLike, ...]) -> None:
        if len(given) != self.inputs:
            raise InvariantViolated(f"{self.step}: {len(given)} inputs, allowed: {self.inputs}")


def lockstep(step: Step, rows: Rows, base: Base | None = None) -> Callable[[IndicatorSpec, int, Params], Indicator]:
    """The `build` of a spec whose kernel is `step`; `rows` says how many rows of state it needs, outputs included."""

    def build(spec: IndicatorSpec, n: int, params: Params) -> Indicator:
        told, needed = [params[parameter.name] for parameter in spec.parameters], rows(params)
        if base is not None:
            below = [params[name] for name in base.parameters]
            told, needed = told + below, needed + base.rows(*below)
        shape = (len(spec.inputs), len(spec.outputs), needed)
        return Lockstep(n, _place(step), np.array(told, dtype=np.float64), shape=shape)

    return build


def _place(step: Step) -> str:
    return f"{step.__module__}:{step.__name__}"


def spec(  # noqa: PLR0913 - a table: one argument per column
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
    base: Base | None = None,
) -> IndicatorSpec:
    """A row of the registry, named as its kernel; `flow` reads `high low -> upper lower`, inputs and outputs.

    `rows` are those of its own step, `base` the one it stands on.
    """
    inputs, outputs = (tuple(side.split()) for side in flow.split("->"))
    LAYOUTS[_place(step)] = Layout(tuple(parameter.name for parameter in parameters), rows, base)
    return IndicatorSpec(
        name=name or step.__name__,
        group=group,
        inputs=inputs,
        outputs=outputs,
        parameters=parameters,
        warm_up=warm_up,
        formula=formula,
        source=source,
        build=lockstep(step, rows, base),
    )
