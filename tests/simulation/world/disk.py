"""The disk under the journal: it can be full, broken or slow, and the process can be killed around each durable write.

The journal is the real one on a real file; what stands here is between it and SQLite's transactions. Killed, a process
leaves the file as the kernel has it: the next one gets a copy, because the dead one's connection and lock are still in
this interpreter.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from shared.commands import CancelOrder, Command, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import BarsClosed, Event
from shared.io.journal import Journal
from shared.io.journal_database import JournalError
from shared.io.journal_sqlite import SqliteWriter
from shared.orders import Order, OrderType
from tests.simulation.history import Journalled, Ordered
from tests.simulation.world.loop import VirtualLoop
from tests.simulation.world.process import OWNER, Killed, Process
from tests.simulation.world.recorder import Recorder

JOURNAL = "journal.sqlite"
_NOT_KEPT = ("*-shm", "*.sock")
_SAID = {"full": "database or disk is full", "broken": "disk I/O error"}


class Disk:
    """What the world does to it; `fault` is empty, full or broken, `slow_s` what a durable write takes."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.fault = ""
        self.slow_s = 0.0
        self.writes = 0
        self.on_write: Callable[[str], None] = lambda _: None
        """Hears `before_commit` and `after_commit`; it may kill the process."""
        self._loop = loop

    @contextmanager
    def transaction(self, place: str) -> Iterator[None]:
        """Around one of the database's: the faults of this disk, and the places at which a process can die."""
        process = OWNER.get()
        _stop_if_dead(process)
        self.on_write("before_commit")
        _stop_if_dead(process)
        if self.fault:
            raise JournalError(f"{place}: cannot be written ({_SAID[self.fault]})")
        yield
        self.writes += 1
        self._loop.now_s += self.slow_s
        self.on_write("after_commit")
        _stop_if_dead(process, is_durable=True)


def _stop_if_dead(process: Process | None, *, is_durable: bool = False) -> None:
    if process is not None and not process.is_alive:
        killed = Killed()
        killed.is_durable = is_durable
        raise killed


class SimulatedDatabase(SqliteWriter):
    """SQLite on that disk."""

    disk: Disk

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.disk.transaction(self.place), super().transaction():
            yield

    def sync(self) -> None:
        _stop_if_dead(OWNER.get())
        self.disk.on_write("sync")
        _stop_if_dead(OWNER.get())
        if self.disk.fault:
            raise JournalError(f"{self.place}: cannot be written ({_SAID[self.disk.fault]})")
        super().sync()


class SimulatedJournal(Journal):
    """The journal on that disk; the history hears of what has become durable."""

    recorder: Recorder

    def append_all(self, records: Sequence[tuple[Event, Sequence[Command]]]) -> int:
        first = self._seq + 1
        try:
            last = super().append_all(records)
        except Killed as killed:
            if killed.is_durable:
                self._tell(records, first)
            raise
        self._tell(records, first)
        return last

    def _tell(self, records: Sequence[tuple[Event, Sequence[Command]]], first: int) -> None:
        for sequence, (event, commands) in enumerate(records, start=first):
            self.recorder.add(_journalled(self.recorder, sequence, event, commands))


def open_journal(path: Path, mode: str, disk: Disk, recorder: Recorder) -> SimulatedJournal:
    """The journal at `path`, on that disk. Raises what Journal.create raises."""
    database = SimulatedDatabase.create(path)
    database.disk = disk
    journal = SimulatedJournal(database)
    journal.recorder = recorder
    return journal


def hand_over(base: Path, number: int) -> None:
    """Leave the files of the killed process to it, and put in their place what the kernel has of them: a copy."""
    grave = base.with_name(f"{base.name}-dead-{number}")
    base.rename(grave)
    kept_copy(grave, base)


def kept_copy(base: Path, to: Path) -> None:
    """What a killed process has left in its folder, in another place."""
    shutil.copytree(base, to, ignore=shutil.ignore_patterns(*_NOT_KEPT))


def _journalled(recorder: Recorder, sequence: int, event: Event, commands: Sequence[Command]) -> Journalled:
    if isinstance(event, BarsClosed):
        name, plain = "BarsClosed", _row(event)
    else:
        plain = msgspec.to_builtins(event, builtin_types=())
        name = str(plain.pop("type"))
    return Journalled(
        at=recorder.now(),
        process=recorder.process,
        sequence=sequence,
        name=name,
        event=plain,
        commands=tuple(type(command).__name__ for command in commands),
        orders=tuple(_ordered(order) for command in commands for order in _orders_of(command)),
        cancels=tuple(command.ref for command in commands if isinstance(command, CancelOrder)),
        notices=tuple(command.code for command in commands if isinstance(command, Notify)),
    )


def _row(event: BarsClosed) -> dict[str, Any]:
    """What the judge needs of a row: its time, and the figures that entries are decided on."""
    quotes = event.quotes
    return {
        "received_at": event.received_at.isoformat(),
        "closed_at": event.closed_at.isoformat(),
        "warm_up": event.warm_up,
        "close": _numbers(event.row.close),
        "bid": None if quotes is None else _numbers(quotes.bid),
        "ask": None if quotes is None else _numbers(quotes.ask),
    }


def _numbers(row: Iterable[float]) -> list[float | None]:
    """None for what is no number, or is not streamed."""
    return [float(value) if math.isfinite(value) else None for value in row]


def _orders_of(command: Command) -> list[Order]:
    match command:
        case PlaceBracket(bracket=bracket):
            return [one for one in (bracket.entry, bracket.stop_loss, bracket.take_profit) if one is not None]
        case ReplaceStop(order=order) | Flatten(order=order):
            return [order]
        case _:
            return []


def _ordered(order: Order) -> Ordered:
    return Ordered(
        ref=order.ref,
        symbol=order.symbol,
        side=order.side.value,
        quantity=order.quantity,
        order_type=OrderType(order.order_type).value,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        oca_group=order.oca_group,
        tif=order.tif,
    )
