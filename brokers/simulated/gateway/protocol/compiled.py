"""The fast ways from values to texts: a table is compiled once per version.

A table of plain fields becomes a form that is filled in; one with groups becomes runs of plain fields between tests
and repetitions. `Layout.encode` walks the entries and is the reference; the tests hold the ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from brokers.simulated.gateway.protocol.entries import Entry, When, at_version, named
from brokers.simulated.gateway.protocol.wire import TEXT_BY_TYPE, Value, integer_of, text_of

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


class Form(Struct, frozen=True):
    """A whole message with its defaults, the id first and an empty text last, and where each field stands."""

    texts: list[str]
    places: dict[str, int]


def compiled(kind: int, entries: tuple[Entry, ...], version: int) -> Form | tuple[Step, ...]:
    """A form, or the steps where the fields depend on values."""
    steps = _steps((f"={kind}", *entries), version, {})
    if len(steps) > 1 or not isinstance(steps[0], tuple):
        return steps
    names = [name for name, _ in steps[0]]
    return Form([default for _, default in steps[0]] + [""], {name: at for at, name in enumerate(names)})


def texts_of(table: Form | tuple[Step, ...], values: Mapping[str, Value]) -> list[str] | None:
    """All fields, the id first and an empty text last; None if a value has no place or no common type."""
    try:
        if isinstance(table, Form):
            return _fill(table, values)
        texts: list[str] = []
        placed = _write(table, values, texts)
    except KeyError:
        return None
    texts.append("")
    return texts if placed == len(values) else None


def _fill(form: Form, values: Mapping[str, Value]) -> list[str]:
    texts, places = form.texts.copy(), form.places
    for name, value in values.items():
        texts[places[name]] = TEXT_BY_TYPE[type(value)](value)
    return texts


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


def _write(steps: tuple[Step, ...], values: Mapping[str, Value], texts: list[str], suffix: str = "") -> int:
    placed = 0
    for step in steps:
        if isinstance(step, tuple):
            placed += _write_run(step, values, texts, suffix)
        elif isinstance(step, If):
            if step.test(text_of(values.get(step.name + suffix, step.default))):
                placed += _write(step.steps, values, texts, suffix)
        else:
            count = integer_of(step.count, text_of(values.get(step.count + suffix, step.default)))
            for index in range(count):
                placed += _write(step.steps, values, texts, f"{suffix}.{index}")
    return placed


def _write_run(run: Run, values: Mapping[str, Value], texts: list[str], suffix: str) -> int:
    get, append, placed = values.get, texts.append, 0
    for name, default in run:
        value = get(name + suffix, _ABSENT)
        if value is _ABSENT:
            append(default)
        else:
            placed += 1
            append(TEXT_BY_TYPE[type(value)](value))
    return placed
