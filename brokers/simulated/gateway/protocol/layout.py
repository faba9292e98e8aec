"""A message as a table: the documentation, the encoder and the decoder at once.

An entry is `name` or `name=default`; the default is what a real TWS was seen to send where this gateway has
nothing to say. Two kinds of entries vary: `When` fields are there if an earlier field says so, `Each` fields
repeat as often as an earlier count says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from brokers.simulated.gateway.protocol.wire import FieldReader, Value, integer_of, text_of


class When(Struct, frozen=True):
    """Fields that are present only if `test` holds for the text of the earlier field `name`."""

    name: str
    test: Callable[[str], bool]
    fields: tuple[Entry, ...]


class Each(Struct, frozen=True):
    """Fields that repeat as often as the earlier field `count` says; named `field.0`, `field.1` and so on."""

    count: str
    fields: tuple[str, ...]


Entry: TypeAlias = "str | When | Each"


class Layout(Struct, frozen=True):
    """One message: its name in the documentation, its id (the first field) and its fields."""

    name: str
    id: int
    entries: tuple[Entry, ...]

    def encode(self, values: Mapping[str, Value], version: int = 176) -> list[Value]:
        del version  # no table is gated yet
        """All fields in order; a value that has no place in the table is a fault of the caller."""
        placed: dict[str, Value] = {}
        for name, default in _walk(self.entries, lambda key: text_of(values.get(key, placed.get(key)))):
            placed[name] = values.get(name, default)
        assert values.keys() <= placed.keys(), f"{self.name}: no field {sorted(values.keys() - placed.keys())}"
        return [self.id, *placed.values()]

    def decode(self, fields: list[str]) -> tuple[dict[str, str], int]:
        """The fields by name, and how many were left over; `fields` begins with the message id."""
        found: dict[str, str] = {}
        reader = FieldReader(fields[1:])
        for name, _ in _walk(self.entries, lambda key: found[key]):
            found[name] = reader.text(name)
        return found, len(fields) - 1 - len(found)


def _walk(entries: tuple[Entry, ...], known: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if isinstance(entry, str):
            name, _, default = entry.partition("=")
            yield name, default
        elif isinstance(entry, When):
            if entry.test(known(entry.name)):
                yield from _walk(entry.fields, known)
        else:
            for index in range(integer_of(entry.count, known(entry.count))):
                for name, default in _walk(entry.fields, known):
                    yield f"{name}.{index}", default
