"""An engine that follows a script and remembers how many events it saw."""

from collections.abc import Callable

from daemon.engine.book import Book
from shared.commands import Command
from shared.events import Event
from shared.market import Instrument, Universe

Script = Callable[[int, Event], list[Command]]


class ScriptedEngine:
    """`script(number, event)` gives the commands; number counts from 1 over snapshots and restores."""

    def __init__(self, script: Script = lambda _number, _event: []) -> None:
        self.script = script
        self.book = Book.empty(Universe((Instrument(symbol="SPY"),)))
        self.count = 0
        self.events: list[Event] = []

    def handle(self, event: Event) -> list[Command]:
        self.count += 1
        self.events.append(event)
        return self.script(self.count, event)

    def snapshot(self) -> bytes:
        return str(self.count).encode()

    def restore(self, data: bytes) -> None:
        self.count = int(data)

    def restore_what_fits(self, data: bytes) -> dict[str, str]:
        self.restore(data)
        return {}
