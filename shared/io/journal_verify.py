"""Whether a journal is whole: its files sound, no event missing, no row changed, every payload readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from shared.errors import Refused
from shared.io.journal import JournalReader
from shared.io.journal_rows import Record, Run, Snapshot, link, run_digest, snapshot_digest
from shared.messages import decode_command, decode_event, kind_of

SnapshotFault = Callable[[Run, Snapshot], str | None]
_FINDINGS_MAX = 20


class Verdict(Struct, frozen=True, kw_only=True):
    """What was looked at and what is wrong with it, at most 20 lines; `findings` empty = the journal is whole.

    Rows cut off at the end show only if a snapshot is younger than what is left.
    """

    journal: str
    runs: int
    events: int
    commands: int
    snapshots: int
    last_seq: int
    findings: tuple[str, ...]


def verify(journal: JournalReader, snapshot_fault: SnapshotFault) -> Verdict:
    """Read the whole journal once; `snapshot_fault` says what is wrong with an engine's state, None if nothing.

    Raises:
        Refused: the journal is of version 1, which had no chain, or cannot be read at all.
    """
    if journal.version < 2:  # noqa: PLR2004 - the version that brought the chain
        raise Refused(f"{journal.place}: journal version 1 has no chain; `openbell run` brings it up to date")
    return _Verification(journal, snapshot_fault).verdict()


class _Verification:
    def __init__(self, journal: JournalReader, snapshot_fault: SnapshotFault) -> None:
        self._journal = journal
        self._snapshot_fault = snapshot_fault
        self._runs = {run.id: run for run in journal.runs()}
        self._events = self._commands = self._snapshots = self._last_seq = 0

    def verdict(self) -> Verdict:
        findings = [*self._journal.storage_faults(), *self._of_runs(), *self._of_events(), *self._of_snapshots()]
        rest = len(findings) - _FINDINGS_MAX
        return Verdict(
            journal=self._journal.place,
            runs=len(self._runs),
            events=self._events,
            commands=self._commands,
            snapshots=self._snapshots,
            last_seq=self._last_seq,
            findings=(*findings[:_FINDINGS_MAX], *([f"and {rest} more"] if rest > 0 else [])),
        )

    def _of_runs(self) -> Iterator[str]:
        written = self._journal.run_digests()
        for run in self._runs.values():
            if run_digest(run) != written[run.id]:
                yield f"run {run.id}: was changed after it was written"
            if self._journal.start_snapshot(run.id) is None:
                yield f"run {run.id}: its start snapshot is missing"

    def _of_events(self) -> Iterator[str]:
        chain = b""
        for record in self._journal.records():
            if record.seq != self._last_seq + 1:
                yield _missing(self._last_seq + 1, record.seq - 1)
            elif link(chain, record) != record.chain:
                yield f"event {record.seq} ({record.kind}): it or its commands were changed after they were written"
            if record.run_id not in self._runs:
                yield f"event {record.seq}: belongs to run {record.run_id}, which is missing"
            yield from _unreadable(record)
            chain, self._last_seq = record.chain, record.seq
            self._events += 1
            self._commands += len(record.commands)

    def _of_snapshots(self) -> Iterator[str]:
        for snapshot, written in self._journal.snapshots():
            self._snapshots += 1
            name = f"snapshot {self._snapshots} (after event {snapshot.seq})"
            run = self._runs.get(snapshot.run_id)
            if snapshot_digest(snapshot) != written:
                yield f"{name}: was changed after it was written"
            elif run is None:
                yield f"{name}: belongs to run {snapshot.run_id}, which is missing"
            elif (fault := self._snapshot_fault(run, snapshot)) is not None:
                yield f"{name}: cannot be used ({fault})"
            if snapshot.seq > self._last_seq:
                yield f"{name}: {_missing(self._last_seq + 1, snapshot.seq)}"


def _missing(first: int, last: int) -> str:
    return f"event {first} is missing" if first == last else f"events {first} to {last} are missing"


def _unreadable(record: Record) -> Iterator[str]:
    try:
        kind = kind_of(decode_event(record.payload))
    except msgspec.MsgspecError as error:
        yield f"event {record.seq} ({record.kind}): cannot be read ({error})"
    else:
        if kind != record.kind:
            yield f"event {record.seq}: is called {record.kind}, but is {kind}"
    for position, command in enumerate(record.commands):
        try:
            decode_command(command)
        except msgspec.MsgspecError as error:
            yield f"event {record.seq}, command {position}: cannot be read ({error})"
