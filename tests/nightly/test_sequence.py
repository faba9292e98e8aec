"""The steps of a night: each done once with the same inputs, faults named, what does not depend on them still done."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from research.nightly.cli import exit_code
from research.nightly.lock import the_only_one
from research.nightly.night import night_of, session_before
from research.nightly.optional_step import OptionalStep, Work
from research.nightly.record_files import read_records
from research.nightly.sequence import Way, carry_out
from research.nightly.step import Outcome
from shared.errors import DataError, NotFound, Refused
from tests.nightly.builders import BEFORE, SESSION
from tests.runtime.builders import CLOSE, a_config


class Scripted:
    """A step that writes a file of its name; `does` may raise or say something else."""

    def __init__(self, name, *, needs=(), inputs="1", does=None):
        self.name = name
        self.needs = needs
        self.made_from = inputs
        self.does = does
        self.jobs = []

    def inputs(self, _job):
        if self.made_from is None:
            raise DataError("the bars are rotten")
        return {"made_from": self.made_from}

    def run(self, job):
        self.jobs.append(job)
        if self.does is not None:
            return self.does(job)
        (job.night.folder / f"{self.name}.txt").write_text(self.made_from)
        return Outcome(said=f"{self.name} done", files=(f"{self.name}.txt",))


def fails(_job):
    raise DataError("the bars are rotten")


@pytest.fixture
def night(tmp_path):
    return night_of(a_config(tmp_path), SESSION, CLOSE + timedelta(hours=1), None)


class Runs:
    """Carries out steps again and again; what was said the last time."""

    def __init__(self, night):
        self.night = night
        self.said: list[str] = []
        self.now = datetime(2013, 10, 8, 22, 0, tzinfo=UTC)

    def __call__(self, *steps, **how):
        self.said = []
        self.now += timedelta(minutes=1)
        way = Way(now=lambda: self.now, say=self.said.append, **how)
        return carry_out(self.night, steps, way)


@pytest.fixture
def runs(night):
    return Runs(night)


def statuses(records):
    return {name: record.status for name, record in records.items()}


def test_every_step_is_done_in_its_order_and_kept(runs, night):
    first, second = Scripted("first"), Scripted("second", needs=("first",))
    assert statuses(runs(first, second)) == {"first": "done", "second": "done"}
    kept = read_records(night.folder)
    assert (kept["first"].said, kept["second"].inputs) == ("first done", {"made_from": "1"})
    assert list(second.jobs[0].records) == ["first"]


def test_a_step_that_is_done_is_not_done_again_with_the_same_inputs(runs):
    step = Scripted("first")
    runs(step)
    assert statuses(runs(step)) == {"first": "done"}
    assert len(step.jobs) == 1
    assert runs.said == ["nightly: first: first done (as before)"]


def test_other_inputs_are_another_step_to_do(runs):
    step = Scripted("first")
    runs(step)
    step.made_from = "2"
    runs(step)
    assert len(step.jobs) == 2


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("changed")])
def test_a_step_whose_file_is_gone_or_changed_is_done_again(runs, night, spoil):
    step = Scripted("first")
    runs(step)
    spoil(night.folder / "first.txt")
    runs(step)
    assert len(step.jobs) == 2
    assert (night.folder / "first.txt").read_text() == "1"


def test_force_does_again_what_is_done(runs):
    step = Scripted("first")
    runs(step)
    runs(step, force=True)
    assert len(step.jobs) == 2


def test_a_step_that_fails_names_itself_and_what_does_not_need_it_is_still_done(runs):
    records = runs(
        Scripted("first", does=fails), Scripted("second", needs=("first",)), Scripted("third"), Scripted("fourth")
    )
    assert statuses(records) == {"first": "failed", "second": "blocked", "third": "done", "fourth": "done"}
    assert records["first"].said == "the bars are rotten"
    assert records["second"].said == "not done, it needs: first"
    assert "nightly: first: FAILED: the bars are rotten" in runs.said


def test_a_step_that_failed_is_tried_again_and_those_that_waited_for_it_follow(runs):
    first, second = Scripted("first", does=fails), Scripted("second", needs=("first",))
    runs(first, second)
    first.does = None
    assert statuses(runs(first, second)) == {"first": "done", "second": "done"}


def test_a_fault_of_our_own_is_one_line_and_its_traceback_is_put_aside(runs, night):
    def divides(_job):
        return 1 / 0

    records = runs(Scripted("first", does=divides), Scripted("second"))
    assert statuses(records) == {"first": "failed", "second": "done"}
    assert "a fault of Openbell itself, ZeroDivisionError" in records["first"].said
    assert "divides" in (night.folder / "first_fault.txt").read_text()


def test_inputs_that_cannot_be_told_fail_the_step(runs):
    step = Scripted("first", inputs=None)
    assert statuses(runs(step)) == {"first": "failed"}
    assert step.jobs == []


def test_one_step_alone_is_done_and_the_records_of_the_others_are_kept(runs):
    first, second = Scripted("first"), Scripted("second", needs=("first",))
    runs(first, second)
    assert statuses(runs(first, second, only="second", force=True)) == {"first": "done", "second": "done"}
    assert (len(first.jobs), len(second.jobs)) == (1, 2)


def test_one_step_alone_is_not_done_before_what_it_needs(runs):
    first, second = Scripted("first"), Scripted("second", needs=("first",))
    assert statuses(runs(first, second, only="second")) == {"second": "blocked"}


def test_a_step_that_nobody_knows_is_named_with_those_that_exist(runs):
    with pytest.raises(NotFound, match="no step 'thrid', there are first, third"):
        runs(Scripted("first"), Scripted("third"), only="thrid")


def test_a_step_that_was_killed_is_done_again_and_counts_as_begun_when_it_first_was(runs, night):
    def dies(_job):
        raise SystemExit(9)

    step = Scripted("first", does=dies)
    with pytest.raises(SystemExit):
        runs(step)
    begun_at = read_records(night.folder)["first"].begun_at
    assert read_records(night.folder)["first"].status == "running"
    step.does = None
    record = runs(step)["first"]
    assert (record.status, record.begun_at) == ("done", begun_at)
    assert step.jobs[-1].begun_at == begun_at
    assert record.ended_at > begun_at


def test_a_damaged_record_counts_as_none(runs, night):
    step = Scripted("first")
    runs(step)
    (night.folder / "steps" / "first.json").write_text('{"step": "fir')
    assert statuses(runs(step)) == {"first": "done"}
    assert len(step.jobs) == 2


def test_without_a_source_the_step_is_skipped_and_says_so(runs):
    records = runs(OptionalStep("refresh", None, "no source of data is configured"))
    assert (records["refresh"].status, records["refresh"].said) == (
        "skipped",
        "skipped, no source of data is configured",
    )


def test_a_source_that_is_handed_in_is_asked_once_a_night(runs):
    asked = []

    def refresh(night):
        asked.append(night.session)
        return "two files"

    step = OptionalStep("refresh", Work(carry_out=refresh, made_from=lambda _night: {}), "nothing")
    assert runs(step)["refresh"].said == "two files"
    runs(step)
    assert asked == [SESSION]


# --- exit codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (("done", "skipped"), 0),
        (("done", "failed"), 1),
        (("done", "blocked"), 1),
        (("differs", "done"), 6),
        (("differs", "blocked", "failed"), 6),
        ((), 0),
    ],
)
def test_the_worst_of_the_steps_is_the_exit_code(runs, ended, code):
    record = runs(Scripted("first"))["first"]
    assert exit_code({f"{at}": replace(record, status=status) for at, status in enumerate(ended)}) == code


# --- which night --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "session"),
    [
        (CLOSE, SESSION),
        (CLOSE - timedelta(seconds=1), BEFORE),
        (CLOSE + timedelta(hours=15), SESSION),
        (datetime(2013, 10, 13, 12, 0, tzinfo=UTC), SESSION + timedelta(days=3)),
    ],
)
def test_the_night_is_that_of_the_last_session_that_has_closed(tmp_path, now, session):
    assert night_of(a_config(tmp_path), None, now, None).session == session


def test_the_plan_is_for_the_next_session_and_not_for_the_next_day(tmp_path):
    night = night_of(a_config(tmp_path), SESSION + timedelta(days=3), CLOSE + timedelta(days=9), None)
    assert (f"{night.session:%a}", f"{night.next_session:%a}") == ("Fri", "Mon")


def test_a_session_that_runs_is_no_night_yet(tmp_path):
    with pytest.raises(DataError, match="the session of 2013-10-08 closes at 2013-10-08 20:00 UTC, allowed: a closed"):
        night_of(a_config(tmp_path), SESSION, CLOSE - timedelta(hours=1), None)


def test_a_day_without_a_session_is_named(tmp_path):
    sunday = SESSION - timedelta(days=2)
    with pytest.raises(DataError, match="XNYS has no session on 2013-10-06, allowed: a day on which it trades"):
        night_of(a_config(tmp_path), sunday, CLOSE, None)


def test_paper_and_live_have_nights_of_their_own(tmp_path, night):
    assert night.folder == tmp_path / "state" / "paper" / "nightly" / "2013-10-08"


def test_sessions_are_counted_back_over_weekends(tmp_path):
    assert session_before("XNYS", SESSION, 2) == SESSION - timedelta(days=4)


# --- the lock -----------------------------------------------------------------------------------------------------

HOLDER = (
    "import sys\nfrom pathlib import Path\nfrom research.nightly.lock import the_only_one\n"
    "with the_only_one(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_two_nightly_runs_never_overlap_and_the_second_names_the_first(tmp_path, holder):
    with pytest.raises(Refused, match=f"another nightly run is at work .process {holder.pid}."), the_only_one(tmp_path):
        pass


def test_a_run_that_was_killed_leaves_no_lock(tmp_path, holder):
    holder.kill()
    holder.wait(10)
    with the_only_one(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_the_record_of_a_step_is_readable_json(runs, night):
    runs(Scripted("first"))
    facts = json.loads((night.folder / "steps" / "first.json").read_text())
    assert (facts["status"], list(facts["files"])) == ("done", ["first.txt"])
