"""Carries out the steps of a night in their order; what is done with the same inputs is not done again."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from research.nightly.night import Night
from research.nightly.record_files import clear_drafts, file_hash, is_intact, read_records, write_record
from research.nightly.step import ENDED_WELL, FINAL, Job, Outcome, Records, Step, StepRecord
from shared.errors import NotFound, OpenbellError
from shared.io.whole_file import write_whole


class Way(Struct, frozen=True, kw_only=True):
    """How a night is carried out: which one step alone (empty = all), anew or not, by whose clock, told to whom."""

    only: str = ""
    force: bool = False
    now: Callable[[], datetime]
    say: Callable[[str], None]


def carry_out(night: Night, steps: Sequence[Step], way: Way) -> Records:
    """The record of every step afterwards, in the order of the steps.

    Raises:
        NotFound: there is no step of the name `way.only`.
    """
    if way.only and way.only not in {step.name for step in steps}:
        raise NotFound(f"nightly: no step {way.only!r}, there are {', '.join(step.name for step in steps)}")
    clear_drafts(night.folder)
    kept = read_records(night.folder)
    records: Records = {}
    for step in steps:
        before = kept.get(step.name)
        if way.only in {"", step.name}:
            records[step.name] = _one(night, step, (records, before), way)
        elif before is not None:
            records[step.name] = before
    return records


def _one(night: Night, step: Step, known: tuple[Records, StepRecord | None], way: Way) -> StepRecord:
    records, before = known
    fresh = StepRecord(step=step.name, status="running", inputs={}, begun_at=way.now())
    missing = [name for name in step.needs if name not in records or records[name].status not in ENDED_WELL]
    if missing:
        return _keep(night, way, replace(fresh, status="blocked", said=f"not done, it needs: {', '.join(missing)}"))
    try:
        job = Job(night=night, records=dict(records), begun_at=fresh.begun_at)
        inputs = step.inputs(job)
        if before is not None and before.inputs == inputs and not way.force:
            if before.status in FINAL and is_intact(night.folder, before):
                way.say(f"nightly: {step.name}: {before.said} (as before)")
                return before
            fresh = replace(fresh, begun_at=before.begun_at)
        fresh = replace(fresh, inputs=inputs)
        write_record(night.folder, fresh)
        _fault_path(night, step).unlink(missing_ok=True)
        way.say(f"nightly: {step.name} ...")
        outcome = step.run(replace(job, begun_at=fresh.begun_at))
    except (OpenbellError, OSError) as error:
        return _keep(night, way, replace(fresh, status="failed", said=_line(error)))
    except Exception as error:  # noqa: BLE001 - a fault of ours ends its step, the others still run
        said = _put_aside(night, step, error)
        return _keep(night, way, replace(fresh, status="failed", said=said))
    return _keep(night, way, _ended(night, fresh, outcome))


def _ended(night: Night, fresh: StepRecord, outcome: Outcome) -> StepRecord:
    files = {name: file_hash(night.folder / name) for name in outcome.files}
    return replace(fresh, status=outcome.status, said=outcome.said, files=files, facts=outcome.facts)


def _keep(night: Night, way: Way, record: StepRecord) -> StepRecord:
    ended = replace(record, ended_at=way.now())
    mark = "" if ended.status in ENDED_WELL else f"{ended.status.upper()}: "
    way.say(f"nightly: {ended.step}: {mark}{ended.said}")
    write_record(night.folder, ended)
    return ended


def _line(error: Exception) -> str:
    """One line, whatever the error holds."""
    return "; ".join(str(error).splitlines()) or type(error).__name__


def _put_aside(night: Night, step: Step, error: Exception) -> str:
    """Keep where a fault of our own came from, for whoever mends it; the line that names it."""
    path = _fault_path(night, step)
    write_whole(path, "".join(traceback.format_exception(error)), mode=0o600)
    return f"a fault of Openbell itself, {type(error).__name__}: {_line(error)} (where: {path})"


def _fault_path(night: Night, step: Step) -> Path:
    return night.folder / f"{step.name}_fault.txt"
