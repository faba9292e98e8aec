"""The trial ledger: one row per distinct trial, appended and never changed, shared by all processes of a machine.

A SQLite file, because a trial that was counted twice or forgotten spoils every figure that rests on the count: its
unique key decides in one transaction whether a trial is new, its lock orders writers, and after a kill or a power cut
the rollback journal leaves the file as it was before the row. Lines of JSON would need all three by hand. One
connection per call: a ledger is only its path, so it may be copied into any process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import variance
from typing import Literal, Protocol

from msgspec import Struct

from research.measures.stamp import Stamp
from shared.errors import NotFound, Refused

LEDGER_FILE = "trials.sqlite"
"""Its name in the state_dir of the configuration."""

_APPLICATION_ID = 0x4F425452  # "OBTR"
_VERSION = 1
_WAIT_S = 60.0
_TABLES = """
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    trial TEXT NOT NULL UNIQUE,
    strategy TEXT NOT NULL,
    dataset TEXT NOT NULL,
    symbols INTEGER NOT NULL,
    interval_s INTEGER NOT NULL,
    config_hash TEXT NOT NULL,
    data_hash TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    seed INTEGER,
    first_session TEXT NOT NULL,
    last_session TEXT NOT NULL,
    sharpe REAL,
    command TEXT NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT;
CREATE INDEX trials_of ON trials (strategy, dataset);
CREATE TRIGGER trials_stay BEFORE DELETE ON trials BEGIN SELECT raise(ABORT, 'a trial is never forgotten'); END;
CREATE TRIGGER trials_hold BEFORE UPDATE ON trials BEGIN SELECT raise(ABORT, 'a trial is never changed'); END
"""


class Outcome(Protocol):
    """What the ledger keeps of a result; a Summary and Measures have it. `sharpe` is annualised."""

    @property
    def first_session(self) -> date: ...
    @property
    def last_session(self) -> date: ...
    @property
    def sharpe(self) -> float | None: ...


class Trial(Struct, frozen=True, kw_only=True):
    """One row, in the order of the table; `number` rises by one."""

    number: int
    trial: str
    strategy: str
    dataset: str
    symbols: int
    interval_s: int
    config_hash: str
    data_hash: str
    code_hash: str
    seed: int | None
    first_session: date
    last_session: date
    sharpe: float | None
    command: str
    recorded_at: datetime


class TrialCount(Struct, frozen=True, kw_only=True):
    """How many configurations of one strategy were tried on one data set, and how much their Sharpe ratios differ.

    `sharpe_variance` is the sample variance of the annualised Sharpe ratios, None for fewer than two of them.
    """

    strategy: str
    dataset: str
    trials: int
    sharpe_variance: float | None


class Recorded(Struct, frozen=True, kw_only=True):
    """What became of a trial: `is_new` is False where the ledger had it already, then with `sharpe` as it was."""

    is_new: bool
    sharpe: float | None
    count: TrialCount


class Ledger:
    """The trials in the file at `path`; made, with its folder, by the first `record`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, stamp: Stamp, outcome: Outcome, *, command: str, at: datetime | None = None) -> Recorded:
        """Append the trial unless it is there; durable when this returns. `at` None is now.

        Raises Refused where the file cannot be written or is no ledger.
        """
        row = _row(stamp, outcome, command, at or datetime.now(UTC))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(
                f"{self.path.parent}: cannot be made ({error.strerror}), allowed: a folder of yours"
            ) from error
        with self._opened("IMMEDIATE") as connection:
            if not _is_laid_out(connection, self.path):
                _lay_out(connection)
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            sql = f"INSERT INTO trials ({names}) VALUES ({marks}) ON CONFLICT (trial) DO NOTHING"  # noqa: S608 - names of ours
            is_new = connection.execute(sql, tuple(row.values())).rowcount == 1
            (sharpe,) = connection.execute("SELECT sharpe FROM trials WHERE trial = ?", (stamp.trial,)).fetchone()
            count = _count(connection, stamp.strategy, stamp.dataset)
        return Recorded(is_new=is_new, sharpe=sharpe, count=count)

    def count(self, stamp: Stamp) -> TrialCount:
        """The configurations of the stamp's strategy that were tried on its data set so far; 0 without a file.

        A configuration is a config, code and seed: more days of the same bars are no further attempt.
        """
        nothing = TrialCount(strategy=stamp.strategy, dataset=stamp.dataset, trials=0, sharpe_variance=None)
        if not self.path.exists():
            return nothing
        with self._opened("DEFERRED") as connection:
            return _count(connection, stamp.strategy, stamp.dataset) if _is_laid_out(connection, self.path) else nothing

    def counts(self) -> list[TrialCount]:
        """Per strategy and data set, in alphabetical order; NotFound without a file."""
        self._must_exist()
        with self._opened("DEFERRED") as connection:
            if not _is_laid_out(connection, self.path):
                return []
            groups = connection.execute("SELECT DISTINCT strategy, dataset FROM trials ORDER BY 1, 2").fetchall()
            return [_count(connection, strategy, dataset) for strategy, dataset in groups]

    def trials(self) -> list[Trial]:
        """Every trial, oldest first; NotFound without a file."""
        self._must_exist()
        with self._opened("DEFERRED") as connection:
            if not _is_laid_out(connection, self.path):
                return []
            names = ", ".join(Trial.__struct_fields__)
            rows = connection.execute(f"SELECT {names} FROM trials ORDER BY number").fetchall()  # noqa: S608 - names of ours
        return [_trial(dict(zip(Trial.__struct_fields__, row, strict=True))) for row in rows]

    def _must_exist(self) -> None:
        if not self.path.is_file():
            raise NotFound(f"{self.path}: no trial ledger here; `openbell replay` writes one")

    @contextmanager
    def _opened(self, lock: Literal["IMMEDIATE", "DEFERRED"]) -> Iterator[sqlite3.Connection]:
        """A transaction that is durable as a whole or not at all: closing takes back what was not committed."""
        try:
            with closing(sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(f"BEGIN {lock}")
                yield connection
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise Refused(f"{self.path}: cannot be used as a trial ledger ({error})") from error


def _is_laid_out(connection: sqlite3.Connection, path: Path) -> bool:
    """False for an empty file, which is what a kill may leave of a new one; Refused for a foreign one."""
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    _check(connection, path)
    return True


def _lay_out(connection: sqlite3.Connection) -> None:
    for statement in _statements():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")


def _statements() -> Iterator[str]:
    """One by one: `executescript` would commit the transaction first."""
    pending = ""
    for line in _TABLES.strip().splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    yield pending


def _check(connection: sqlite3.Connection, path: Path) -> None:
    application, found = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if application != _APPLICATION_ID:
        raise Refused(f"{path}: is not a trial ledger of Openbell, allowed: one, or no file")
    if found != _VERSION:
        raise Refused(f"{path}: trial ledger of version {found}, this release reads {_VERSION}")


def _row(stamp: Stamp, outcome: Outcome, command: str, at: datetime) -> dict[str, object]:
    return {
        "trial": stamp.trial,
        "strategy": stamp.strategy,
        "dataset": stamp.dataset,
        "symbols": stamp.symbols,
        "interval_s": stamp.interval_s,
        "config_hash": stamp.config_hash,
        "data_hash": stamp.data_hash,
        "code_hash": stamp.code_hash,
        "seed": stamp.seed,
        "first_session": outcome.first_session.isoformat(),
        "last_session": outcome.last_session.isoformat(),
        "sharpe": outcome.sharpe,
        "command": command,
        "recorded_at": at.astimezone(UTC).isoformat(),
    }


def _count(connection: sqlite3.Connection, strategy: str, dataset: str) -> TrialCount:
    # Beside max() SQLite gives the columns of the very row that holds the maximum: the latest days of each attempt.
    sql = (
        "SELECT max(number), sharpe FROM trials WHERE strategy = ? AND dataset = ? "
        "GROUP BY config_hash, code_hash, seed"
    )
    found = connection.execute(sql, (strategy, dataset)).fetchall()
    known = [sharpe for _, sharpe in found if sharpe is not None]
    spread = variance(known) if len(known) > 1 else None
    return TrialCount(strategy=strategy, dataset=dataset, trials=len(found), sharpe_variance=spread)


def _trial(row: dict[str, object]) -> Trial:
    return Trial(
        **{
            **row,
            "first_session": date.fromisoformat(str(row["first_session"])),
            "last_session": date.fromisoformat(str(row["last_session"])),
            "recorded_at": datetime.fromisoformat(str(row["recorded_at"])),
        }  # type: ignore[arg-type]  # read as written
    )
