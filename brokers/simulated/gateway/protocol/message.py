"""A message before it is bytes: what it says, not yet how a client's version writes it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, field

from brokers.simulated.gateway.protocol.layout import Layout
from brokers.simulated.gateway.protocol.wire import Value, renumbered

REMEMBERED_MAX = 4096


class Message(Struct, frozen=True):
    """A table and the values for it; what is not given stands as documented in the table."""

    layout: Layout
    values: Mapping[str, Value]

    @property
    def name(self) -> str:
        """The message's name in the protocol: `orderStatus`."""
        return self.layout.name

    def encode(self, version: int) -> bytes:
        """One frame as a client of this server version expects it."""
        return self.layout.frame(self.values, version)


class Repeated(Message, frozen=True):
    """One that every report tells again: its bytes are remembered."""

    frames: dict[int, bytes] = field(default_factory=dict)

    def encode(self, version: int) -> bytes:
        frame = self.frames.get(version)
        if frame is None:
            frame = self.frames[version] = self.layout.frame(self.values, version)
        return frame


class Numbered(Message, frozen=True):
    """A repeated one, told in answer to a question: the question's id stands in its first field."""

    told: Repeated
    req_id: int

    def encode(self, version: int) -> bytes:
        return renumbered(self.told.encode(version), self.req_id)


@lru_cache(maxsize=REMEMBERED_MAX)
def repeated(layout: Layout, values: tuple[tuple[str, Value], ...]) -> Repeated:
    """The same message for the same values."""
    return Repeated(layout, dict(values))


def message(layout: Layout, /, **values: Value) -> Message:
    """A message of `layout` with the given fields."""
    return Message(layout, values)
