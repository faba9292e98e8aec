"""When a fault happens and to whom: rules, read from plain values with every mistake named at once.

A rule begins at `at`, or as soon as it is armed. With `message` and `nth` it waits for the n-th message (or request)
of that kind from then on, with `probability` it is drawn at each. It ends after `for_s`, or when it has happened
`count` times.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, inspect

from brokers.simulated.gateway.faults.catalogue import BY_NAME, CATALOGUE, fault_of
from brokers.simulated.gateway.faults.fault import CLIENT, SYMBOL, Act, Fault, Meet, Parameters
from brokers.simulated.gateway.faults.messages import MESSAGES

DAYS_MAX = 10_000
_AFTER = re.compile(r"\+\d{1,9}(\.\d+)?")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
AT_ALLOWED = '"HH:MM:SS" in New York or "+SECONDS" after the start of the day'


class Timing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and to whom, for every fault. `at` is a time of day in New York or `+SECONDS` after the day's start.

    `client` is whom the fault is meant for, `whose` whose messages are counted; without it those of `client`.
    """

    day: Annotated[int, Meta(ge=1, le=DAYS_MAX)] = 1
    at: str = ""
    message: str = ""
    nth: Annotated[int, Meta(ge=1)] | None = None
    probability: Annotated[float, Meta(gt=0, le=1)] | None = None
    for_s: Annotated[float, Meta(gt=0, le=864_000)] | None = None
    count: Annotated[int, Meta(ge=1)] | None = None
    client: Annotated[int, Meta(ge=0)] | None = None
    whose: Annotated[int, Meta(ge=0)] | None = None
    symbol: str = ""


class Rule(Struct, frozen=True):
    """One fault that is to happen."""

    fault: Fault
    timing: Timing
    parameters: Parameters

    @property
    def lasts_s(self) -> float | None:
        """Market seconds from its beginning; None: until it is cleared."""
        if self.timing.for_s is not None or not isinstance(self.fault.way, Act):
            return self.timing.for_s
        return self.fault.way.lasts_s

    @property
    def count_max(self) -> int | None:
        """How often it happens: every time, unless it is told otherwise, waits for one message or meets requests."""
        timing = self.timing
        if timing.count is not None:
            return timing.count
        is_single = timing.nth is not None or isinstance(self.fault.way, Act | Meet)
        return 1 if is_single and timing.probability is None else None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The messages or requests it counts; empty: none, or all of them if the fault is a Touch."""
        return (self.timing.message,) if self.timing.message else self.fault.kinds

    @property
    def begins_at_once(self) -> bool:
        """Whether an Act waits for no message."""
        timing = self.timing
        return not timing.message and timing.nth is None and timing.probability is None

    def plain(self) -> dict[str, Any]:
        """What `rule_of` reads back: only what is not a default."""
        defaults = Timing()
        timing = {
            name: value
            for name in Timing.__struct_fields__
            if (value := getattr(self.timing, name)) != getattr(defaults, name)
        }
        return {"name": self.fault.name} | timing | msgspec.structs.asdict(self.parameters)


Mistake = tuple[str, str]
"""The key it stands at, and what is wrong with it and what is allowed."""


def rule_of(given: Mapping[str, Any]) -> tuple[Rule | None, list[Mistake]]:
    """The rule that plain values describe, or all that is wrong with them. `name` may be a number too."""
    named = given.get("name", given.get("number"))
    fault = fault_of(named)
    if fault is None:
        key = "name" if "name" in given or "number" not in given else "number"
        return None, [
            (key, f"{key}: {named!r}, allowed is 1 to {len(CATALOGUE)} or a name such as {_near(named, BY_NAME)}")
        ]
    rest = {key: _time_text(value) for key, value in given.items() if key not in {"name", "number"}}
    known = Timing.__struct_fields__
    timing, mistakes = _checked(Timing, {key: value for key, value in rest.items() if key in known})
    parameters, others = _checked(
        fault.parameters, {key: value for key, value in rest.items() if key not in known}, f"for {fault.name}, "
    )
    mistakes += others + _contradictions(fault, rest)
    return (None if mistakes else Rule(fault, timing, parameters)), mistakes


def _near(wanted: object, names: Iterable[str]) -> str:
    return ", ".join(difflib.get_close_matches(str(wanted), names, n=3, cutoff=0.0))


def _checked(shape: type[Any], given: Mapping[str, Any], whose: str = "") -> tuple[Any, list[Mistake]]:
    """An instance of `shape`, or one mistake per value that does not fit."""
    fields = {field.name: field for field in inspect.type_info(shape).fields}  # type: ignore[attr-defined]
    annotations = msgspec.structs.fields(shape)
    types = {field.name: field.type for field in annotations}
    mistakes: list[Mistake] = []
    values = {}
    for key, value in given.items():
        if key not in fields:
            mistakes.append(
                (key, f"{key}: unknown {whose}allowed are {', '.join((*Timing.__struct_fields__, *fields))}")
            )
            continue
        try:
            values[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError:
            mistakes.append((key, f"{key}: {value!r}, allowed is {_allowed(fields[key].type)}"))
    return (None if mistakes else shape(**values)), mistakes


def _allowed(kind: inspect.Type) -> str:
    """A type in words."""
    match kind:
        case inspect.LiteralType(values=values):
            return " or ".join(str(value) for value in values)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return f"{noun}{_range(kind)}"
        case inspect.StrType(pattern=pattern):
            return f"a text like {pattern}" if pattern else "a text"
        case inspect.UnionType(types=types):
            return _allowed(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case _:
            return str(kind)


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    lowest = f" from {kind.ge:g}" if kind.ge is not None else f" above {kind.gt:g}" if kind.gt is not None else ""
    highest = f" to {kind.le:g}" if kind.le is not None else f" below {kind.lt:g}" if kind.lt is not None else ""
    return f"{lowest}{highest}"


def _time_text(value: object) -> object:
    """TOML knows times of day; they may be written with or without quotes."""
    return value.isoformat(timespec="seconds") if isinstance(value, dt.time) else value


def _contradictions(fault: Fault, given: Mapping[str, Any]) -> list[Mistake]:
    """What does not go together, as far as each value has the right type."""
    mistakes: list[Mistake] = []
    at, said = given.get("at", ""), given.get("message", "")
    if isinstance(at, str) and at and not (_AFTER.fullmatch(at) or _HOUR.fullmatch(at)):
        mistakes.append(("at", f"at: {at!r}, allowed is {AT_ALLOWED}"))
    if isinstance(said, str) and said and said not in (fault.kinds or MESSAGES):
        allowed = f"{' or '.join(fault.kinds)} with {fault.name}" if fault.kinds else f"such as {_near(said, MESSAGES)}"
        mistakes.append(("message", f"message: {said!r}, allowed is {allowed}"))
    if isinstance(fault.way, Act):
        to_all = [key for key in (CLIENT, SYMBOL) if key in given and key not in fault.way.aims]
        mistakes += [(key, f"{key}: {fault.name} is the same for every {key}, leave it out") for key in to_all]
    if isinstance(fault.way, Act) and not said and "nth" in given:
        mistakes.append(("nth", f"nth: {fault.name} happens at an instant, name the message that is counted"))
    return mistakes
