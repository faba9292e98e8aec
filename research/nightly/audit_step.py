"""The journal's decisions made again: every run of the session must give the same commands, byte for byte."""

from __future__ import annotations

from daemon.engine.assembly import build_engine
from research.nightly.bars import journal_hash
from research.nightly.live_day import day_events
from research.nightly.night import Night
from research.nightly.step import Job, Outcome
from shared.errors import NotFound
from shared.io.fingerprints import DECIDING, packages_hash
from shared.io.journal_audit import audit_run
from shared.io.journal_place import read_journal


class AuditStep:
    """Audits each run from its start up to the session's last event."""

    name = "audit"
    needs = ()

    def inputs(self, job: Job) -> dict[str, str]:
        return {"journal": journal_state(job.night), "code": packages_hash(DECIDING)}

    def run(self, job: Job) -> Outcome:
        try:
            with read_journal(job.night.config) as journal:
                first, last = day_events(journal, job.night)
                runs = journal.runs_among(first, last)
                verdicts = [audit_run(journal, run, build_engine, until_seq=last) for run in runs]
        except NotFound as nothing:
            return Outcome(status="skipped", said=f"skipped, {nothing}")
        events = sum(verdict.events for verdict in verdicts)
        commands = sum(verdict.commands for verdict in verdicts)
        facts = {"runs": len(verdicts), "events": events, "commands": commands}
        for verdict in verdicts:
            if verdict.first_difference is not None:
                said = f"run {verdict.run} differs: {verdict.first_difference}"
                return Outcome(status="differs", said=said, facts={**facts, "identical": False})
        said = f"identical, {len(verdicts)} runs, {events:,} events, {commands:,} commands"
        return Outcome(said=said, facts={**facts, "identical": True})


def journal_state(night: Night) -> str:
    """What the journal holds up to the end of the session; `none` where there is no journal."""
    try:
        with read_journal(night.config) as journal:
            return journal_hash(journal, night)
    except NotFound:
        return "none"
