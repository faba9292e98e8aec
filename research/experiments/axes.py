"""One parameter that is varied: where it stands in the configuration, and what values it takes."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shared.errors import OpenbellError

if TYPE_CHECKING:  # a worker needs no configuration, and pydantic takes long to load
    from shared.config import Config

Value = bool | int | float | str
Path = tuple[str | int, ...]

VALUES_MAX = 10_000
SECTIONS = ("session", "bars", "execution", "risk", "replay")
"""Sections of config.toml whose keys may be varied; what faces outside changes no replay."""

_OF_A_STRATEGY = ("params", "sizing", "exits")
_DRAW = re.compile(r"(int|uniform|loguniform)\(([^,()]+),([^,()]+)\)")
_WRITTEN = "a list 5,10,20, a range 5:50:5 (both ends in), or int(5,50), uniform(0.1,2), loguniform(1e-4,1)"


class WrongUsage(OpenbellError):  # noqa: N818 - as its neighbours in shared/errors.py
    """What was asked for makes no sense: one line for the operator; exit code 2."""


class Draw(Struct, frozen=True, kw_only=True):
    """Random values from `low` to `high`: whole numbers (both ends in), even, or even in the logarithm."""

    how: str
    low: float
    high: float

    @property
    def ends(self) -> tuple[Value, Value]:
        """The lowest and the highest value that may be drawn."""
        return (int(self.low), int(self.high)) if self.how == "int" else (self.low, self.high)

    def draw(self, chance: Random) -> Value:
        if self.how == "int":
            return chance.randint(int(self.low), int(self.high))
        if self.how == "uniform":
            return chance.uniform(self.low, self.high)
        return math.exp(chance.uniform(math.log(self.low), math.log(self.high)))


class Axis(Struct, frozen=True, kw_only=True):
    """`name` is the column of the table (`sma.fast`), `path` the place in the configuration's dump."""

    name: str
    path: Path
    values: tuple[Value, ...] | Draw


def axis_of(written_name: str, written: Any, config: Config) -> Axis:  # noqa: ANN401 - whatever TOML holds
    """The axis of `sma.fast`, `sma.exits.stop_pct`, `replay.slippage_bps`; WrongUsage if there is no such place."""
    path = _path_of(written_name, config)
    return Axis(name=_column(path, config), path=path, values=_values_of(written_name, written))


def strategy_of(axis: Axis) -> int | None:
    """Position of the strategy whose own parameter this is; None for sizing, exits, risk and the like."""
    match axis.path:
        case ("strategy", int(position), "params", _):
            return position
    return None


def _path_of(written: str, config: Config) -> Path:
    parts = written.removeprefix("strategy.").split(".")
    names = [strategy.name for strategy in config.strategies]
    if parts[0] in names and all(parts) and len(parts) > 1:
        head: Path = ("strategy", names.index(parts[0]))
        match parts[1:]:
            case ["allocation"]:
                return (*head, "allocation")
            case [key]:
                return (*head, "params", key)
            case [table, key] if table in _OF_A_STRATEGY:
                return (*head, table, key)
    elif len(parts) == 2 and parts[0] in SECTIONS and parts[1] and not written.startswith("strategy."):  # noqa: PLR2004
        return parts[0], parts[1]
    raise WrongUsage(
        f"{written}: no such parameter, allowed: STRATEGY.PARAMETER with a strategy of the configuration "
        f"({', '.join(names)}), STRATEGY.sizing|exits.KEY, STRATEGY.allocation, or SECTION.KEY of {', '.join(SECTIONS)}"
    )


def _column(path: Path, config: Config) -> str:
    match path:
        case ("strategy", int(position), "params", str(key)):
            return f"{config.strategies[position].name}.{key}"
        case ("strategy", int(position), *rest):
            return ".".join([config.strategies[position].name, *map(str, rest)])
    return ".".join(map(str, path))


def _values_of(name: str, written: Any) -> tuple[Value, ...] | Draw:  # noqa: ANN401 - whatever TOML holds
    if isinstance(written, str):
        return _from_text(name, written.strip())
    values = written if isinstance(written, list) else [written]
    if not values or not all(isinstance(value, bool | int | float | str) for value in values):
        raise WrongUsage(f"{name} = {written}: allowed: {_WRITTEN}")
    return _distinct(name, values)


def _from_text(name: str, text: str) -> tuple[Value, ...] | Draw:
    if drawn := _DRAW.fullmatch(text):
        return _draw(name, text, drawn)
    values: list[Value] = []
    for part in text.split(","):
        if not part.strip():
            raise WrongUsage(f"{name} = {text!r}: an empty value, allowed: {_WRITTEN}")
        values += _range(name, part.strip()) if part.count(":") == 2 else [scalar(part.strip())]  # noqa: PLR2004
    return _distinct(name, values)


def _draw(name: str, text: str, found: re.Match[str]) -> Draw:
    how, low, high = found[1], scalar(found[2].strip()), scalar(found[3].strip())
    whole = how == "int"
    are_numbers = all(type(end) in ({int} if whole else {int, float}) for end in (low, high))
    if not are_numbers or float(low) >= float(high) or (how == "loguniform" and float(low) <= 0):
        kind = "whole numbers" if whole else "numbers above 0" if how == "loguniform" else "numbers"
        raise WrongUsage(f"{name} = {text}: allowed: two {kind}, the lower one first")
    return Draw(how=how, low=float(low), high=float(high))


def _range(name: str, text: str) -> list[Value]:
    """Decimal steps, so that 0.1:0.3:0.1 is 0.1, 0.2, 0.3."""
    try:
        first, last, step = (Decimal(part) for part in text.split(":"))
        count = int((last - first) / step) + 1 if step > 0 else 0
    except (InvalidOperation, OverflowError, ValueError):
        count = 0
    if not 0 < count <= VALUES_MAX:
        raise WrongUsage(
            f"{name} = {text}: allowed: FIRST:LAST:STEP, rising, step above 0, at most {VALUES_MAX:,} values"
        )
    are_whole = "." not in text and "e" not in text.lower()
    return [int(first + at * step) if are_whole else float(first + at * step) for at in range(count)]


def scalar(text: str) -> Value:
    """A whole number, a number, true or false; anything else is a text."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text


def _distinct(name: str, values: list[Value]) -> tuple[Value, ...]:
    """As TOML tells them apart: 1 and true are two values, 1 and 1.0 too."""
    kept = {(type(value).__name__, value): value for value in values}
    if len(kept) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise WrongUsage(f"{name}: {twice} stands there twice, allowed: every value once")
    return tuple(kept.values())
