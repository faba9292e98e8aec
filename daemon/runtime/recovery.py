"""The only way to start: last snapshot + journal tail -> engine.

The tail's events are handled again under the configuration of the run that wrote them, and the commands that
come out are compared with the journalled ones instead of being carried out. A difference under the same code
means that either the journal or the engine cannot be trusted: start refused. Under other code it is said and
passed over, because an upgrade may decide otherwise; what is true at the broker is settled by the
reconciliation that follows. A strategy whose memory was kept by other code or parameters does not stop the start
either: positions want to be watched. It begins anew (memory.py).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from daemon.runtime.engine_port import BuildEngine, Engine
from daemon.runtime.memory import Anew, Past, go_on
from daemon.runtime.notices import Notices
from shared.commands import Notify
from shared.config import Config
from shared.errors import InvariantViolated, Refused
from shared.io.journal import JournalReader, Run, Snapshot
from shared.io.journal_audit import compare, config_of

_log = structlog.get_logger(__name__)


def recover(
    journal: JournalReader,
    config: Config,
    build_engine: BuildEngine,
    code_version: str,
    tell: Callable[[Notify], None] | None = None,
) -> Engine:
    """An engine that knows all the journal knows; a fresh one if the journal is new.

    `tell` hears of every strategy that begins anew, the log if there is none.

    Raises:
        InvariantViolated: the tail's events give other commands than the journal holds, under the same code.
        Refused: the journal was written for another universe or interval.
    """
    engine = build_engine(config)
    snapshot = journal.last_snapshot()
    if snapshot is not None:
        _refuse_other_rows(config, config_of(journal.run(snapshot.run_id)))
        state, misfits = _state_at_end(journal, snapshot, build_engine, code_version)
        past = Past(journal=journal, seq=journal.last_seq(), config=config, build_engine=build_engine)
        for anew in [*misfits, *go_on(engine, state, past)]:
            (tell or Notices().tell)(_notice_of(anew))
    return engine


def _state_at_end(
    journal: JournalReader, snapshot: Snapshot, build_engine: BuildEngine, code_version: str
) -> tuple[bytes, list[Anew]]:
    if snapshot.seq == journal.last_seq():
        return snapshot.payload, []
    run = journal.run(snapshot.run_id)
    before = config_of(run)
    engine = build_engine(before)
    past = Past(journal=journal, seq=snapshot.seq, config=before, build_engine=build_engine)
    begun_anew = go_on(engine, snapshot.payload, past)
    tail = list(journal.records(after_seq=snapshot.seq))
    result = compare(engine, tail)
    if result.difference is not None:
        _refuse_or_tell(run, code_version, str(result.difference))
        for record in tail[result.events :]:
            compare(engine, [record])
    _log.info("recovered", run=run.id, snapshot_seq=snapshot.seq, events=len(tail))
    return engine.snapshot(), begun_anew


def _refuse_other_rows(config: Config, before: Config) -> None:
    """What is remembered per column of a row means nothing under other columns or another interval."""
    symbols, were = config.universe.symbols, before.universe.symbols
    if symbols != were:
        raise Refused(
            f"universe.symbols: {', '.join(symbols)}, but the journal was written for {', '.join(were)}; "
            "be flat and use another state_dir"
        )
    if config.bars.interval_s != before.bars.interval_s:
        raise Refused(
            f"bars.interval_s: {config.bars.interval_s}, but the journal was written for "
            f"{before.bars.interval_s}; be flat and use another state_dir"
        )


def _refuse_or_tell(run: Run, code_version: str, difference: str) -> None:
    if run.code_version == code_version:
        raise InvariantViolated(f"recovery of run {run.id}: {difference}")
    _log.warning("recovered_under_other_code", run=run.id, was=run.code_version, difference=difference)


def _notice_of(anew: Anew) -> Notify:
    text = f"{anew.reason}; begins anew on the journal's last {anew.rows} rows, all that is held stays watched"
    return Notify(level="warning", code="memory_began_anew", text=text)
