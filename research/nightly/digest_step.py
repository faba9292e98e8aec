"""One line of the night to the people who get the digest."""

from __future__ import annotations

from collections.abc import Callable

from research.nightly.night import Night
from research.nightly.step import ENDED_WELL, Job, Outcome, Records
from shared.config import Config

Tell = Callable[[Config, str], str]
"""Send the line to whoever gets the digest and say to whom; OpenbellError where it did not get out."""
_TOLD = ("audit", "replay", "gap", "plan")


class DigestStep:
    """Sends the line once; a kill between the sending and the record of it may send it twice, never not at all."""

    name = "digest"
    needs = ("report",)

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def inputs(self, job: Job) -> dict[str, str]:
        return {"line": digest_line(job.night, job.records)}

    def run(self, job: Job) -> Outcome:
        return Outcome(said=self._tell(job.night.config, digest_line(job.night, job.records)))


def digest_line(night: Night, records: Records) -> str:
    """What matters of the night: faults first, then audit, backtest, gap and plan."""
    bad = [f"{each.step} {each.status}: {each.said}" for each in records.values() if each.status not in ENDED_WELL]
    good = [f"{name}: {records[name].said}" for name in _TOLD if name in records and records[name].status == "done"]
    return f"night after {night.session}: " + "; ".join([*bad, *good])
