"""What is looked into when a run is over: the journal's own word, read by the product's own tools."""

from __future__ import annotations

from daemon.engine.assembly import build_engine
from daemon.runtime.recovery import recover
from daemon.runtime.version import code_version
from shared.config import Config
from shared.io.journal import JournalReader
from shared.io.journal_audit import audit_run
from tests.simulation.world.recorder import Recorder

AUDITED_SEEDS = 4
"""Of so many seeds one is audited: it costs as much as the engine's whole day."""


def look_into(journal: JournalReader, config: Config, recorder: Recorder, seed: int) -> None:
    """I15: recovered twice is as recovered once. I17, of some seeds: the journal's events give its commands again."""
    if not journal.runs():
        return
    once = recover(journal, config, build_engine, code_version()).snapshot()
    twice = recover(journal, config, build_engine, code_version()).snapshot()
    recorder.checked("recovery", "I15", once == twice, "recovered twice is not as recovered once")
    if seed % AUDITED_SEEDS:
        return
    for run in journal.runs():
        audit = audit_run(journal, run, build_engine)
        recorder.checked("audit", "I17", audit.identical, f"{run.id}: {audit.first_difference}")
