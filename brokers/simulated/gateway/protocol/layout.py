"""A message as a table: the documentation, the encoder and the decoder at once.

An entry is `name` or `name=default`; the default is what a real TWS was seen to send where this gateway has
nothing to say. Four kinds of entries vary (entries.py): `When` fields are there if an earlier field says so, `Each`
fields repeat as often as an earlier count says, `Since` and `Until` fields are there from or up to a server version.
A table is compiled once per version (compiled.py); the walk over the entries is what that is held against in the
tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct

from brokers.simulated.gateway.protocol.compiled import Form, Step, compiled, texts_of
from brokers.simulated.gateway.protocol.entries import Entry, When, at_version, named
from brokers.simulated.gateway.protocol.wire import FieldReader, Value, frame, framed, integer_of, text_of

VERSION = 176
"""The newest server version of this gateway."""
FRACTIONS_SINCE = 163
"""Below this version sizes are written without their fractions (TWS.md 1); old clients read them as integers."""
TABLES_MAX = 1024


class Layout(Struct, frozen=True, eq=False):
    """One message: its name in the documentation, its id (the first field) and its fields; itself by identity.

    `sizes` names the fields that hold shares or counts of them.
    """

    name: str
    id: int
    entries: tuple[Entry, ...]
    sizes: tuple[str, ...] = ()

    def encode(self, values: Mapping[str, Value], version: int = VERSION) -> list[Value]:
        """All fields in order; a value that has no place in any version's table is a fault of the caller."""
        values = self._at(version, values)
        placed: dict[str, Value] = {}
        for name, default in _walk(self.entries, version, lambda key: text_of(values.get(key, placed.get(key)))):
            placed[name] = values.get(name, default)
        unknown = {name.partition(".")[0] for name in values.keys() - placed.keys()}
        assert unknown <= _names(self.entries), f"{self.name}: no field {sorted(unknown)}"
        return [self.id, *placed.values()]

    def frame(self, values: Mapping[str, Value], version: int = VERSION) -> bytes:
        """One frame, ready to send; the same bytes as those of `encode`."""
        values = self._at(version, values)
        texts = texts_of(_compiled(self, version), values)
        if texts is None:
            return frame(self.encode(values, version))  # which says what has no place, if that is why
        return framed("\0".join(texts))

    def decode(self, fields: list[str], version: int = VERSION) -> tuple[dict[str, str], int]:
        """The fields by name, and how many were left over; `fields` begins with the message id."""
        found: dict[str, str] = {}
        reader = FieldReader(fields[1:])
        for name, _ in _walk(self.entries, version, lambda key: found[key]):
            found[name] = reader.text(name)
        return found, len(fields) - 1 - len(found)

    def _at(self, version: int, values: Mapping[str, Value]) -> Mapping[str, Value]:
        if not self.sizes or version >= FRACTIONS_SINCE:
            return values
        return {
            name: _whole(value) if name.partition(".")[0] in self.sizes else value for name, value in values.items()
        }


def _whole(value: Value) -> Value:
    return math.trunc(value) if isinstance(value, float) and math.isfinite(value) else value


@lru_cache(maxsize=TABLES_MAX)
def _compiled(layout: Layout, version: int) -> Form | tuple[Step, ...]:
    return compiled(layout.id, layout.entries, version)


@lru_cache(maxsize=TABLES_MAX)
def _names(entries: tuple[Entry, ...]) -> frozenset[str]:
    """Every plain name in the table, whatever the version."""
    found: set[str] = set()
    for entry in entries:
        found |= {named(entry)[0]} if isinstance(entry, str) else _names(entry.fields)
    return frozenset(found)


def _walk(
    entries: tuple[Entry, ...], version: int, known: Callable[[str], str], suffix: str = ""
) -> Iterator[tuple[str, str]]:
    for entry in at_version(entries, version):
        if isinstance(entry, str):
            name, default = named(entry)
            yield name + suffix, default
        elif isinstance(entry, When):
            if entry.test(known(entry.name + suffix)):
                yield from _walk(entry.fields, version, known, suffix)
        else:
            for index in range(integer_of(entry.count, known(entry.count + suffix))):
                yield from _walk(entry.fields, version, known, f"{suffix}.{index}")
