"""What the runtime asks of the engine; daemon.engine.assembly builds the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from daemon.engine.book import Book
from shared.commands import Command
from shared.config import Config
from shared.events import Event


class Engine(Protocol):
    """The pure core: same events in, same commands out."""

    @property
    def book(self) -> Book:
        """What it believes; read only."""

    def handle(self, event: Event) -> list[Command]:
        """What to do about the event."""

    def snapshot(self) -> bytes:
        """The whole state as bytes."""

    def restore(self, data: bytes) -> None:
        """Take over the state of a snapshot."""

    def restore_what_fits(self, data: bytes) -> dict[str, str]:
        """The same, without the memories of strategies that are not theirs: why, by strategy."""


BuildEngine = Callable[[Config], Engine]
