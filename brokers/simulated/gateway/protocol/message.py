"""A message before it is bytes: what it says, not yet how a client's version writes it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from brokers.simulated.gateway.protocol.layout import Layout
from brokers.simulated.gateway.protocol.wire import Value


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


def message(layout: Layout, /, **values: Value) -> Message:
    """A message of `layout` with the given fields."""
    return Message(layout, values)
