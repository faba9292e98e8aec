"""The page of the night: nightly.txt and nightly.html, made from the records of the steps before."""

from __future__ import annotations

import hashlib

import msgspec

from research.nightly.gap_step import read_gap
from research.nightly.night import Night
from research.nightly.plan_step import FILE as PLAN_FILE
from research.nightly.step import Job, Outcome, Records
from shared.day_plan import DayPlan
from shared.errors import DataError
from shared.io.fingerprints import packages_hash
from shared.io.plan_file import read_plan
from shared.io.whole_file import write_whole

TEXT_FILE, HTML_FILE = "nightly.txt", "nightly.html"


class ReportStep:
    """Always made, also of a night in which steps have failed."""

    name = "report"
    needs = ()

    def inputs(self, job: Job) -> dict[str, str]:
        return {"steps": records_hash(job.records), "code": packages_hash(("research/nightly",))}

    def run(self, job: Job) -> Outcome:
        from research.nightly.page import sections_of, title_of
        from research.nightly.render import as_html, as_text

        gap = read_gap(job.night) if _is_done(job.records, "gap") else None
        plan = _plan(job.night) if _is_done(job.records, "plan") else None
        title, sections = title_of(job.night), sections_of(job.night, job.records, gap, plan)
        write_whole(job.night.folder / TEXT_FILE, as_text(title, sections), mode=0o600)
        write_whole(job.night.folder / HTML_FILE, as_html(title, sections), mode=0o600)
        return Outcome(said=f"{job.night.folder / HTML_FILE}", files=(TEXT_FILE, HTML_FILE))


def records_hash(records: Records) -> str:
    """What the steps said and left, without the times at which they did."""
    digest = hashlib.sha256()
    for record in records.values():
        digest.update(msgspec.json.encode([record.step, record.status, record.said, record.files], order="sorted"))
    return digest.hexdigest()


def _is_done(records: Records, step: str) -> bool:
    return step in records and records[step].status == "done"


def _plan(night: Night) -> DayPlan | None:
    try:
        return read_plan(night.folder / PLAN_FILE)
    except DataError:
        return None
