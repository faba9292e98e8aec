"""The fast way from values to texts: a table flattened once per version into runs of plain fields.

`Layout.encode` walks the entries and is the reference; the tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from brokers.simulated.gateway.protocol.entries import Entry, When, at_version, named
from brokers.simulated.gateway.protocol.wire import Value, integer_of, text_of

Run: TypeAlias = tuple[tuple[str, str], ...]
"""Names and defaults of plain fields that stand side by side."""


class If(Struct, frozen=True):
    """Steps that are taken if the test holds for a field written before."""

    name: str
    default: str
    test: Callable[[str], bool]
    steps: tuple[Step, ...]


class Repeat(Struct, frozen=True):
    """Steps that are taken as often as a field written before says."""

    count: str
    default: str
    steps: tuple[Step, ...]


Step: TypeAlias = Run | If | Repeat
_ABSENT = object()


def steps_of(entries: tuple[Entry, ...], version: int) -> tuple[Step, ...]:
    return _steps(entries, version, {})


def _steps(entries: tuple[Entry, ...], version: int, defaults: dict[str, str]) -> tuple[Step, ...]:
    steps: list[Step] = []
    run: list[tuple[str, str]] = []
    for entry in at_version(entries, version):
        if isinstance(entry, str):
            name, default = named(entry)
            defaults[name] = default
            run.append((name, default))
            continue
        steps.append(tuple(run))
        run = []
        inside = _steps(entry.fields, version, defaults)
        if isinstance(entry, When):
            steps.append(If(entry.name, defaults[entry.name], entry.test, inside))
        else:
            steps.append(Repeat(entry.count, defaults[entry.count], inside))
    steps.append(tuple(run))
    return tuple(step for step in steps if step)


def write(steps: tuple[Step, ...], values: Mapping[str, Value], texts: list[str], suffix: str = "") -> int:
    """Append the text of every field to `texts`; how many of `values` have found their place."""
    placed = 0
    for step in steps:
        if isinstance(step, tuple):
            placed += _write_run(step, values, texts, suffix)
        elif isinstance(step, If):
            if step.test(text_of(values.get(step.name + suffix, step.default))):
                placed += write(step.steps, values, texts, suffix)
        else:
            count = integer_of(step.count, text_of(values.get(step.count + suffix, step.default)))
            for index in range(count):
                placed += write(step.steps, values, texts, f"{suffix}.{index}")
    return placed


def _write_run(run: Run, values: Mapping[str, Value], texts: list[str], suffix: str) -> int:
    get, append, placed = values.get, texts.append, 0
    for name, default in run:
        value = get(name + suffix, _ABSENT)
        if value is _ABSENT:
            append(default)
        else:
            placed += 1
            append(value if type(value) is str else text_of(value))  # type: ignore[arg-type]
    return placed
