"""What the registry knows about an indicator, and how one is made from that."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray, Indicator

Params = Mapping[str, float]
PERIOD_MAX = 10_000
FIELDS = ("open", "high", "low", "close", "volume")
"""What a bar has."""


class RowIndicator(Protocol):
    """What `IndicatorSpec.make` hands out: rows in the order of the spec's inputs, values in that of its outputs.

    With one output the values have the shape (n,) after a row and (T, n) after a panel; with q outputs (q, n)
    and (q, T, n).
    """

    @property
    def kernels(self) -> tuple[str, ...]: ...
    @property
    def value(self) -> FloatArray: ...
    def update(self, *rows: FloatArray) -> FloatArray: ...
    def update_many(self, *panels: FloatArray) -> FloatArray: ...


class Parameter(Struct, frozen=True):
    """One number an indicator is told: its default and what is allowed, both ends included."""

    name: str
    default: float
    low: float
    high: float
    whole: bool

    def fault_of(self, value: object) -> str | None:
        """What is wrong with `value`, None if nothing."""
        allowed = f"{'whole ' if self.whole else ''}numbers from {self.low:g} to {self.high:g}"
        fits = type(value) is int or (type(value) is float and not self.whole and math.isfinite(value))
        if fits and isinstance(value, int | float) and self.low <= value <= self.high:
            return None
        return f"{self.name} {value!r}, allowed: {allowed}"


class IndicatorSpec(Struct, frozen=True, kw_only=True):
    """One row of the registry.

    `inputs` are fields of a bar, or what the caller of `update` supplies beside them. `warm_up` gives the number of
    prints after which the first value is there. `source` is where the formula and its conventions come from.
    """

    name: str
    group: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    warm_up: Callable[[Params], int]
    formula: str
    source: str
    build: Callable[[IndicatorSpec, int, Params], Indicator]

    @property
    def beside(self) -> tuple[str, ...]:
        """The inputs that no bar has: who makes features of bars alone cannot supply them."""
        return tuple(name for name in self.inputs if name not in FIELDS)

    def filled(self, params: Mapping[str, object]) -> dict[str, float]:
        """`params` with the defaults of those that are missing; ConfigError names every wrong one."""
        known = {parameter.name: parameter for parameter in self.parameters}
        faults = [
            f"{self.name}: unknown parameter {name}, allowed: {', '.join(known) or 'none'}"
            for name in params
            if name not in known
        ]
        found: dict[str, float] = {}
        for parameter in self.parameters:
            value = params.get(parameter.name, parameter.default)
            fault = parameter.fault_of(value)
            if fault is None and isinstance(value, int | float):
                found[parameter.name] = value
            else:
                faults.append(f"{self.name}: {fault}")
        if faults:
            raise ConfigError(faults)
        return found

    def prints_until_warm(self, **params: object) -> int:
        """Number of prints after which the first value is there."""
        return self.warm_up(self.filled(params))

    def make(self, n: int, **params: object) -> RowIndicator:
        """A fresh indicator of `n` instruments."""
        made = self.build(self, n, self.filled(params))
        assert hasattr(made, "update"), f"{self.name}: without update"
        assert hasattr(made, "update_many"), f"{self.name}: without update_many"
        return made


def whole(name: str, default: int, low: int = 1, high: int = PERIOD_MAX) -> Parameter:
    """A whole number, usually a count of prints."""
    return Parameter(name, default, low, high, True)


def real(name: str, default: float, low: float, high: float) -> Parameter:
    """A number that need not be whole."""
    return Parameter(name, default, low, high, False)
