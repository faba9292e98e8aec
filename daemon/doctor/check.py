"""What a check is: a name, a judgement of the facts, and the remedy if all is not well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

Facts = TypeVar("Facts")


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(Struct, frozen=True):
    """A judgement: how bad, and what was found."""

    level: Level
    text: str


class Line(Struct, frozen=True, kw_only=True):
    """One line of the doctor; `remedy` is empty where nothing has to be done."""

    name: str
    level: Level
    text: str
    remedy: str = ""


class Check(Struct, Generic[Facts], frozen=True, kw_only=True):
    """One row of a table of checks."""

    name: str
    judge: Callable[[Facts], Finding]
    remedy: str


def judged(checks: Iterable[Check[Facts]], facts: Facts) -> list[Line]:
    """One line for each check, in the order of the table."""
    return [_line(check, check.judge(facts)) for check in checks]


def _line(check: Check[Facts], found: Finding) -> Line:
    is_well = found.level in {Level.OK, Level.SKIP}
    return Line(name=check.name, level=found.level, text=found.text, remedy="" if is_well else check.remedy)


def ok(text: str) -> Finding:
    return Finding(Level.OK, text)


def warn(text: str) -> Finding:
    return Finding(Level.WARN, text)


def fail(text: str) -> Finding:
    return Finding(Level.FAIL, text)


def skip(text: str) -> Finding:
    return Finding(Level.SKIP, text)
