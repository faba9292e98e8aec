"""Journals under the recorder: a day in two runs with a backup, an upgrade of version 1, a restart after a crash."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from daemon.engine.assembly import build_engine
from daemon.runtime.engine_port import Engine
from daemon.runtime.journal_files import back_up
from daemon.runtime.recovery import recover
from shared.commands import Command
from shared.config import Config
from shared.events import Event
from shared.io.journal import Journal
from shared.io.journal_database import Row
from shared.io.journal_rows import Run
from shared.io.journal_sqlite import Connect, SqliteWriter
from tests.runtime.builders import a_run
from tests.simulation.power.day import Day, day_config
from tests.simulation.power.operations import Content, Promise, Recording
from tests.simulation.power.recorder import Recorder, recording_connect
from tests.simulation.power.system_calls import recorded_calls

JOURNAL = "state/paper/journal.sqlite"
BACKUP = "backup.sqlite"
CODE = "test"
QUERIES = {
    "runs": f"SELECT {', '.join(Run.__struct_fields__)}, digest FROM runs ORDER BY after_seq, id",
    "events": "SELECT seq, run_id, received_at, kind, payload, chain FROM events ORDER BY seq",
    "commands": "SELECT seq, position, kind, payload FROM commands ORDER BY seq, position",
    "snapshots": "SELECT id, run_id, seq, payload, digest FROM snapshots ORDER BY id",
}
_OLD = Path(__file__).resolve().parents[2] / "shared" / "journal_v1.sql"
_EVENTS_PER_SNAPSHOT = 100
_MINUTES_PER_SYNC = 12


class Teller:
    """The journal as the daemon uses it; notes every content it may have and every promise it gives."""

    def __init__(self, recorder: Recorder, connect: Connect) -> None:
        self._recorder = recorder
        self._connect = connect
        self._path = recorder.root / JOURNAL
        self._snapshotted = 0
        self.journal: Journal
        self.is_open = False
        self.contents: list[Content] = []
        self.promises: list[Promise] = []
        self.engines: dict[int, bytes] = {}

    def open(self) -> None:
        """As `openbell run` begins."""
        self.journal = Journal(SqliteWriter.create(self._path, self._connect))
        self.is_open = True
        if not self.contents:
            found = {table: len(list(self.journal._database.rows(query))) for table, query in QUERIES.items()}
            self.contents.append(Content(**found))
            self._promise()

    def close(self) -> None:
        """As it ends, in order; harmless when done twice."""
        if self.is_open:
            self.journal.close()
            self.is_open = False

    def start_run(self, name: str, config: Config, engine: Engine) -> None:
        self.journal.start_run(a_run(config, name, CODE), engine.snapshot())
        self._add(runs=1, snapshots=1)
        self.saw(engine)

    def keep(self, handled: Sequence[tuple[Event, Sequence[Command]]]) -> None:
        self.journal.append_all(handled)
        self._add(events=len(handled), commands=sum(len(commands) for _, commands in handled))

    def saw(self, engine: Engine) -> None:
        """This engine has handled exactly the events so far."""
        self.engines[self.contents[-1].events] = digest_of(engine)

    def snapshot(self, engine: Engine) -> None:
        self.journal.write_snapshot(engine.snapshot())
        self._snapshotted = self.contents[-1].events
        self._add(snapshots=1)

    def snapshot_if_due(self, engine: Engine) -> None:
        if self.contents[-1].events - self._snapshotted >= _EVENTS_PER_SNAPSHOT:
            self.snapshot(engine)

    def back_up(self) -> None:
        back_up(self.journal, self._recorder.root / BACKUP)
        self._promise(has_backup=True)

    def _add(self, **more: int) -> None:
        last = self.contents[-1]
        counts = {name: getattr(last, name) + more.get(name, 0) for name in Content.__struct_fields__}
        self.contents.append(Content(**counts))
        self._promise()

    def _promise(self, *, has_backup: bool = False) -> None:
        kept = has_backup or (bool(self.promises) and self.promises[-1].has_backup)
        self.promises.append(Promise(len(self._recorder.operations), len(self.contents) - 1, kept))


def digest_of(engine: Engine) -> bytes:
    """Equal for engines of equal state."""
    return hashlib.blake2b(engine.snapshot(), digest_size=16).digest()


class Scene:
    """A folder, what stood in it before, and a journal in it under record."""

    def __init__(self, root: Path, before: Mapping[str, bytes], instead: Mapping[str, str] | None = None) -> None:
        self.root = root
        self._before = dict(before)
        self._instead = instead
        self.recorder = Recorder(root)
        self.teller: Teller
        for name, content in before.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)

    @contextmanager
    def recorded(self) -> Iterator[Teller]:
        """What happens to the journal within is written down."""
        with recording_connect(self.recorder, self._instead) as connect, recorded_calls(self.recorder):
            self.teller = Teller(self.recorder, connect)
            try:
                yield self.teller
            finally:
                self.teller.close()

    def recording(self, name: str, config: Config) -> Recording:
        return Recording(
            name=name,
            before=self._before,
            operations=self.recorder.operations,
            promises=self.teller.promises,
            contents=self.teller.contents,
            rows=_rows_in(self.root / JOURNAL),
            engines=self.teller.engines,
            config=config,
        )


def a_day(root: Path, *, minutes: int, seed: int, instead: Mapping[str, str] | None = None) -> Recording:
    """A new journal; a run of so many minutes with a backup in the middle; a second run of a sixth of that."""
    config = day_config()
    scene = Scene(root, {}, instead)
    with scene.recorded() as teller:
        teller.open()
        engine = recover(teller.journal, config, build_engine, CODE)
        day = Day(config, engine, lambda handled: _kept(teller, day, handled), seed)
        _run(teller, day, config, "r1", range(minutes))
        teller.close()
        teller.open()
        day.engine = recover(teller.journal, config, build_engine, CODE)
        _run(teller, day, config, "r2", range(minutes, minutes + max(minutes // 6, 1)))
        teller.close()
    return scene.recording("a day", config)


def _kept(teller: Teller, day: Day, handled: Sequence[tuple[Event, Sequence[Command]]]) -> None:
    teller.keep(handled)
    teller.saw(day.engine)
    teller.snapshot_if_due(day.engine)


def _run(teller: Teller, day: Day, config: Config, name: str, minutes: range) -> None:
    teller.start_run(name, config, day.engine)
    day.begin(name, minute=minutes.start)
    for minute in minutes:
        day.minute()
        if minute % _MINUTES_PER_SYNC == _MINUTES_PER_SYNC - 1:
            teller.journal.sync()
        if minute == minutes.start + len(minutes) // 2:
            day.cut_line()
            if minutes.start == 0:
                teller.back_up()
    teller.snapshot(day.engine)


def a_restart(root: Path, before: Mapping[str, bytes], *, minutes: int, seed: int) -> Recording:
    """What a crash left is opened and recovered, a new run begins and goes on for so many minutes."""
    config = day_config()
    scene = Scene(root, before)
    with scene.recorded() as teller:
        teller.open()
        engine = recover(teller.journal, config, build_engine, CODE)
        teller.saw(engine)
        day = Day(config, engine, lambda handled: _kept(teller, day, handled), seed)
        _run(teller, day, config, f"again{seed}", range(380, 380 + minutes))
    return scene.recording("a restart after a crash", config)


def an_upgrade(root: Path) -> Recording:
    """A journal of version 1 is brought up to date, and a run begins in it."""
    config = day_config()
    old = root / "old.sqlite"
    with sqlite3.connect(old) as file:
        file.executescript(_OLD.read_text(encoding="utf-8"))
        file.execute("PRAGMA journal_mode = WAL")
    file.close()
    before = {JOURNAL: old.read_bytes()}
    old.unlink()
    scene = Scene(root, before)
    with scene.recorded() as teller:
        teller.open()
        teller.start_run("r3", config, build_engine(config))
    teller.engines.clear()  # what version 1 holds was written by no engine
    return scene.recording("an upgrade from version 1", config)


def _rows_in(path: Path) -> dict[str, list[Row]]:
    connection = sqlite3.connect(path)
    try:
        return {table: connection.execute(query).fetchall() for table, query in QUERIES.items()}
    finally:
        connection.close()
