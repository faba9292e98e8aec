"""The audit replay: journalled events into a fresh engine give the journalled commands, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from shared.commands import Command
from shared.config import Config
from shared.errors import DataError, InvariantViolated
from shared.events import Event
from shared.io.journal import JournalReader, Record, Run
from shared.messages import decode_command, decode_event, encode


class AuditedEngine(Protocol):
    """What the audit asks of an engine; daemon.engine.assembly builds the real one."""

    def handle(self, event: Event) -> list[Command]:
        """What to do about the event."""

    def restore(self, data: bytes) -> None:
        """Take over the state of a snapshot."""


class Difference(Struct, frozen=True, kw_only=True):
    """The first command that is not what the journal says; `position` counts within the event from 0."""

    seq: int
    event: str
    position: int
    expected: str
    got: str

    def __str__(self) -> str:
        return (
            f"event {self.seq} ({self.event}), command {self.position}: "
            f"the journal has {self.expected}, the engine gives {self.got}"
        )


class Comparison(Struct, frozen=True, kw_only=True):
    """How far a stretch of events was fed and whether all commands agreed."""

    events: int
    commands: int
    difference: Difference | None = None


class RunAudit(Struct, frozen=True, kw_only=True):
    """The verdict on one run."""

    run: str
    identical: bool
    events: int
    commands: int
    first_difference: str | None = None


def compare(engine: AuditedEngine, records: Iterable[Record]) -> Comparison:
    """Feed the records' events to the engine, up to the first whose commands are not the journal's."""
    events = commands = 0
    for record in records:
        try:
            given = tuple(encode(command) for command in engine.handle(decode_event(record.payload)))
        except (msgspec.MsgspecError, InvariantViolated) as error:
            found = Difference(
                seq=record.seq,
                event=record.kind,
                position=0,
                expected=f"{len(record.commands)} commands",
                got=f"{type(error).__name__}: {error}",
            )
            return Comparison(events=events, commands=commands, difference=found)
        events += 1
        commands += len(given)
        if given != record.commands:
            return Comparison(events=events, commands=commands, difference=_difference(record, given))
    return Comparison(events=events, commands=commands)


def config_of(run: Run) -> Config:
    """The configuration a run was started with."""
    return Config.model_validate_json(run.config_json).based_at(Path(run.base_dir))


def audit_run(
    journal: JournalReader, run: Run, build_engine: Callable[[Config], AuditedEngine], *, until_seq: int | None = None
) -> RunAudit:
    """Replay one run from the snapshot it started with, up to event `until_seq` (to its end if None).

    Raises:
        InvariantViolated: the run has no start snapshot, which `Journal.start_run` never leaves out.
    """
    start = journal.start_snapshot(run.id)
    if start is None:
        raise InvariantViolated(f"{journal.place}: run {run.id} has no start snapshot")
    engine = build_engine(config_of(run))
    try:
        engine.restore(start.payload)
    except DataError as error:  # other code kept a strategy's memory: the other runs of the journal are still judged
        told = f"the state it starts from: {error}"
        return RunAudit(run=run.id, identical=False, events=0, commands=0, first_difference=told)
    records = journal.records(after_seq=start.seq, run_id=run.id)
    result = compare(engine, takewhile(lambda record: until_seq is None or record.seq <= until_seq, records))
    return RunAudit(
        run=run.id,
        identical=result.difference is None,
        events=result.events,
        commands=result.commands,
        first_difference=str(result.difference) if result.difference else None,
    )


def _difference(record: Record, given: tuple[bytes, ...]) -> Difference:
    for position, (expected, got) in enumerate(zip_longest(record.commands, given)):
        if expected != got:
            return Difference(
                seq=record.seq,
                event=record.kind,
                position=position,
                expected=_shown(expected),
                got=_shown(got),
            )
    raise InvariantViolated(f"event {record.seq}: commands differ and yet they do not")


def _shown(command: bytes | None) -> str:
    if command is None:
        return "nothing"
    try:
        return str(decode_command(command))
    except msgspec.MsgspecError:
        return f"unreadable bytes {command[:60].hex()}"
