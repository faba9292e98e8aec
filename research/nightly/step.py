"""One step of a night: what it needs, what it is made from, what it leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from research.nightly.night import Night

Status = Literal["running", "done", "skipped", "differs", "failed", "blocked"]
"""`differs`: carried out, and what it compared is not the same. `blocked`: a step that it needs has not ended well."""
ENDED_WELL = ("done", "skipped")
FINAL = ("done", "skipped", "differs")
Value = str | int | float | bool | None


class Outcome(Struct, frozen=True, kw_only=True):
    """What a step says of itself: one line, the files it wrote (relative to the night's folder), figures."""

    said: str
    status: Literal["done", "skipped", "differs"] = "done"
    files: tuple[str, ...] = ()
    facts: dict[str, Value] = {}


class StepRecord(Struct, frozen=True, kw_only=True):
    """What is kept of a step. `inputs` is what it was made from, `files` name -> SHA-256 of what it wrote."""

    step: str
    status: Status
    inputs: dict[str, str]
    begun_at: datetime
    ended_at: datetime | None = None
    said: str = ""
    files: dict[str, str] = {}
    facts: dict[str, Value] = {}


Records = dict[str, StepRecord]


class Job(Struct, frozen=True, kw_only=True):
    """What a step is given: the night, the records of the steps before it, when it was first begun with its inputs."""

    night: Night
    records: Records
    begun_at: datetime


class Step(Protocol):
    """A step may be killed at any moment and carried out again; with the same inputs it then leaves the same."""

    @property
    def name(self) -> str:
        """One word, the same for ever: records and `--step` go by it."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps that must have ended well before this one makes sense."""

    def inputs(self, job: Job) -> dict[str, str]:
        """What it would be made from now, as hashes or short texts; OpenbellError if that cannot be told."""

    def run(self, job: Job) -> Outcome:
        """Carry it out.

        Raises:
            OpenbellError: with the line that says what failed; OSError where something cannot be written.
        """
