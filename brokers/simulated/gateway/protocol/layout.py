"""A message as a table: the documentation, the encoder and the decoder at once.

An entry is `name` or `name=default`; the default is what a real TWS was seen to send where this gateway has
nothing to say. Four kinds of entries vary: `When` fields are there if an earlier field says so, `Each` fields
repeat as often as an earlier count says, `Since` and `Until` fields are there from or up to a server version.
Tables without `When` and `Each` are compiled once per version into one pass over names and defaults; the walk
over the entries is what the compiled form is held against in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from brokers.simulated.gateway.protocol.wire import FieldReader, Value, framed, integer_of, text_of

VERSION = 176
"""The newest server version of this gateway."""
TABLES_MAX = 1024


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


class Layout(Struct, frozen=True):
    """One message: its name in the documentation, its id (the first field) and its fields."""

    name: str
    id: int
    entries: tuple[Entry, ...]

    def encode(self, values: Mapping[str, Value], version: int = VERSION) -> list[Value]:
        """All fields in order; a value that has no place in any version's table is a fault of the caller."""
        placed: dict[str, Value] = {}
        for name, default in _walk(self.entries, version, lambda key: text_of(values.get(key, placed.get(key)))):
            placed[name] = values.get(name, default)
        unknown = {name.partition(".")[0] for name in values.keys() - placed.keys()}
        assert unknown <= _names(self.entries), f"{self.name}: no field {sorted(unknown)}"
        return [self.id, *placed.values()]

    def frame(self, values: Mapping[str, Value], version: int = VERSION) -> bytes:
        """One frame, ready to send; the same bytes as those of `encode`."""
        flat = _compiled(self, version)
        if flat is None:
            return framed("\0".join(map(text_of, self.encode(values, version))) + "\0")
        prefix, fields = flat
        get, placed, texts = values.get, 0, [prefix]
        for name, default in fields:
            value = get(name, fields)
            if value is fields:
                texts.append(default)
            else:
                placed += 1
                texts.append(value if type(value) is str else text_of(value))  # type: ignore[arg-type]
        if placed != len(values):
            self.encode(values, version)  # says which of them has no place, if one has none
        texts.append("")
        return framed("\0".join(texts))

    def decode(self, fields: list[str], version: int = VERSION) -> tuple[dict[str, str], int]:
        """The fields by name, and how many were left over; `fields` begins with the message id."""
        found: dict[str, str] = {}
        reader = FieldReader(fields[1:])
        for name, _ in _walk(self.entries, version, lambda key: found[key]):
            found[name] = reader.text(name)
        return found, len(fields) - 1 - len(found)


Flat: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


@lru_cache(maxsize=TABLES_MAX)
def _compiled(layout: Layout, version: int) -> Flat | None:
    """The id and the names with their defaults; None where the fields depend on values."""
    entries = tuple(_at_version(layout.entries, version))
    if any(isinstance(entry, When | Each) for entry in entries):
        return None
    return str(layout.id), tuple(_named(entry) for entry in entries if isinstance(entry, str))


@lru_cache(maxsize=TABLES_MAX)
def _names(entries: tuple[Entry, ...]) -> frozenset[str]:
    """Every plain name in the table, whatever the version."""
    found: set[str] = set()
    for entry in entries:
        found |= {_named(entry)[0]} if isinstance(entry, str) else _names(entry.fields)
    return frozenset(found)


def _named(entry: str) -> tuple[str, str]:
    name, _, default = entry.partition("=")
    return name, default


def _at_version(entries: tuple[Entry, ...], version: int) -> Iterator[str | When | Each]:
    """The entries without their gates."""
    for entry in entries:
        match entry:
            case Since(since, fields):
                if version >= since:
                    yield from _at_version(fields, version)
            case Until(until, fields):
                if version < until:
                    yield from _at_version(fields, version)
            case _:
                yield entry


def _walk(
    entries: tuple[Entry, ...], version: int, known: Callable[[str], str], suffix: str = ""
) -> Iterator[tuple[str, str]]:
    for entry in _at_version(entries, version):
        if isinstance(entry, str):
            name, default = _named(entry)
            yield name + suffix, default
        elif isinstance(entry, When):
            if entry.test(known(entry.name + suffix)):
                yield from _walk(entry.fields, version, known, suffix)
        else:
            for index in range(integer_of(entry.count, known(entry.count + suffix))):
                yield from _walk(entry.fields, version, known, f"{suffix}.{index}")
