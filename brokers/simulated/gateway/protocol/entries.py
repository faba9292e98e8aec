"""What a message table is made of: plain fields, and the four kinds of entries that vary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct


class When(Struct, frozen=True):
    """Fields that are present only if `test` holds for the text of the earlier field `name`."""

    name: str
    test: Callable[[str], bool]
    fields: tuple[Entry, ...]


class Each(Struct, frozen=True):
    """Fields that repeat as often as the earlier field `count` says; named `field.0`, `field.1` and so on.

    A count inside the group belongs to its repetition: `Each("n", ("m", Each("m", ("kind",))))` gives `m.0`,
    `kind.0.0`, `kind.0.1`, `m.1` and so on.
    """

    count: str
    fields: tuple[Entry, ...]


class Since(Struct, frozen=True):
    """Fields that a server writes from this version on."""

    version: int
    fields: tuple[Entry, ...]


class Until(Struct, frozen=True):
    """Fields that a server writes below this version."""

    version: int
    fields: tuple[Entry, ...]


Entry: TypeAlias = "str | When | Each | Since | Until"


def named(entry: str) -> tuple[str, str]:
    """The name and the default of a plain entry."""
    name, _, default = entry.partition("=")
    return name, default


def at_version(entries: tuple[Entry, ...], version: int) -> Iterator[str | When | Each]:
    """The entries without their gates."""
    for entry in entries:
        match entry:
            case Since(since, fields):
                if version >= since:
                    yield from at_version(fields, version)
            case Until(until, fields):
                if version < until:
                    yield from at_version(fields, version)
            case _:
                yield entry
