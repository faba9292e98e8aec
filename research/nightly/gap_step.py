"""Live against backtest for the session, kept as gap.json for the report."""

from __future__ import annotations

import msgspec

from research.nightly.audit_step import journal_state
from research.nightly.gap import GapReport, gap_report
from research.nightly.live_day import live_day
from research.nightly.night import Night
from research.nightly.step import Job, Outcome
from shared.errors import NotFound
from shared.io.fingerprints import REPLAYING, packages_hash
from shared.io.journal_place import read_journal
from shared.io.whole_file import write_whole

FILE = "gap.json"


class GapStep:
    """Replays what the journal saw under the configuration of the session's last run, and compares order by order."""

    name = "gap"
    needs = ()

    def inputs(self, job: Job) -> dict[str, str]:
        return {"journal": journal_state(job.night), "code": packages_hash((*REPLAYING, "research/nightly"))}

    def run(self, job: Job) -> Outcome:
        from research.nightly.replayed_day import replayed_day

        try:
            with read_journal(job.night.config) as journal:
                day = live_day(journal, job.night)
                replayed = replayed_day(journal, job.night, day.config, day.since)
        except NotFound as nothing:
            return Outcome(status="skipped", said=f"skipped, {nothing}")
        report = gap_report(day.orders, replayed, day.caveats)
        text = msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=2).decode()
        write_whole(job.night.folder / FILE, text + "\n", mode=0o600)
        return Outcome(said=gap_line(report), files=(FILE,), facts=_facts(report))


def read_gap(night: Night) -> GapReport | None:
    """The comparison that the step kept; None if it did not."""
    try:
        return msgspec.json.decode((night.folder / FILE).read_bytes(), type=GapReport)
    except (OSError, msgspec.MsgspecError):
        return None


def gap_line(report: GapReport) -> str:
    """The comparison in one line."""
    return (
        f"{report.filled_both} orders filled on both sides, {report.filled_live_only} only live, "
        f"{report.filled_replay_only} only in the backtest; slippage {report.live_slippage:+,.2f} against "
        f"{report.model_slippage:+,.2f} of the model, fills {report.gap:+,.2f} dearer than the backtest's"
    )


def _facts(report: GapReport) -> dict[str, str | int | float | bool | None]:
    names = [name for name in report.__struct_fields__ if name not in {"lines", "caveats"}]
    return {"orders": len(report.lines), **{name: getattr(report, name) for name in names}}
