"""Many days in many processes: the same answer however they are dealt out, and nothing lost in silence."""

import os
import signal
import threading
import time

import pytest
from msgspec.structs import replace

from tests.simulation.campaign.carrying_out import Campaign, Watch, carried_out
from tests.simulation.campaign.forked import Course, Limits, forked
from tests.simulation.campaign.interruption import Interruption
from tests.simulation.campaign.summary import Asked, summary_of
from tests.simulation.cli_builders import a_plan, a_toolkit, limits, played

SEEDS = range(20)


def campaign(seeds=SEEDS, **changes):
    return Campaign(**{"seeds": seeds, "weather": "calm", "limits": limits()} | changes)


def facts(result, seeds=SEEDS):
    found = summary_of(Asked(kind="campaign", weather="calm", seeds=seeds), result)
    del found["timing"]
    return found


def unlike(ill, what):
    """A toolkit whose days of some seeds go another way."""

    def play(plan):
        if plan.seed in ill:
            what()
        return played(plan)

    return a_toolkit(play=play)


def killed_hard():
    os.kill(os.getpid(), signal.SIGKILL)


def told_wrong():
    raise ZeroDivisionError("no such thing")


def for_ever():
    time.sleep(600)


def course():
    return Course(Interruption())


ONE_BY_ONE = facts(carried_out(campaign(limits=limits(jobs=1, batch=1)), a_toolkit()))


@pytest.mark.parametrize(("jobs", "batch"), [(1, 20), (2, 1), (2, 7), (4, 3), (3, 100)])
def test_the_answer_does_not_depend_on_jobs_or_batches(jobs, batch):
    assert facts(carried_out(campaign(limits=limits(jobs=jobs, batch=batch)), a_toolkit())) == ONE_BY_ONE


def test_the_broken_days_are_those_of_the_world():
    assert [breach["seed"] for breach in ONE_BY_ONE["breaches"]] == [3, 10, 17]
    assert (ONE_BY_ONE["days"], ONE_BY_ONE["lost"], ONE_BY_ONE["held"]) == (20, [], False)


def test_another_history_of_one_day_gives_another_digest():
    def play(plan):
        return played(a_plan(seed=99)) if plan.seed == 7 else played(plan)

    assert facts(carried_out(campaign(), a_toolkit(play=play)))["digest"] != ONE_BY_ONE["digest"]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (killed_hard, "its process was ended by SIGKILL"),
        (told_wrong, "ZeroDivisionError: no such thing"),
        (lambda: os._exit(3), "its process left with 3"),
    ],
)
def test_a_day_that_ends_its_process_is_lost_by_name_and_the_rest_is_played(what, why):
    result = carried_out(campaign(), unlike({4, 5, 19}, what))
    lost = {day.seed: day.lost for day in result.days if day.lost}
    assert lost == {4: why, 5: why, 19: why}
    assert result.ended == "done"
    healthy = [day for day in result.days if not day.lost]
    assert [day.seed for day in healthy] == [seed for seed in SEEDS if seed not in lost]


def test_a_day_that_hangs_is_given_up_and_the_rest_is_played():
    result = carried_out(campaign(limits=limits(wall_s=5.0)), unlike({4}, for_ever))
    assert {day.seed: day.lost for day in result.days if day.lost} == {4: "no end within 5 s"}
    assert len(result.days) == 20


def test_the_limit_of_a_day_is_not_that_of_its_batch():
    slow = unlike(set(range(6)), lambda: time.sleep(0.6))
    result = carried_out(campaign(range(6), limits=limits(jobs=1, batch=6, wall_s=3.0)), slow)
    assert [day.lost for day in result.days] == [""] * 6


def test_a_lost_day_is_no_day_that_held():
    found = facts(carried_out(campaign(range(2)), unlike({1}, killed_hard)), range(2))
    assert (found["held"], found["days"], found["days_asked"]) == (False, 1, 2)
    assert found["lost"] == [
        {
            "seed": 1,
            "weather": "calm",
            "why": "its process was ended by SIGKILL",
            "replay": "openbell simulate --replay 1 --weather calm",
        }
    ]


def test_after_the_budget_no_day_begins_and_the_summary_says_so():
    result = carried_out(campaign(budget_s=0.3), unlike(set(SEEDS), lambda: time.sleep(0.1)))
    assert result.ended == "budget"
    assert 0 < len(result.days) < 20
    assert facts(result)["ended"] == "budget"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_what_is_done_when_somebody_ends_it_is_the_answer(sent):
    done: list[int] = []

    def hear(day):
        done.append(day.seed)
        if len(done) == 3:
            os.kill(os.getpid(), sent)

    result = carried_out(campaign(), a_toolkit(), Watch(day=hear))
    assert result.ended == "interrupted"
    assert [day.seed for day in result.days] == sorted(done)
    assert len(done) < 20


def test_ending_it_leaves_no_child_behind(tmp_path):
    def work(piece):
        (tmp_path / str(piece)).write_text(str(os.getpid()))
        time.sleep(600 if piece else 0)
        return b""

    answers = forked(range(3), work, Limits(jobs=3, batch=1, wall_s=600), course())
    assert next(answers) == (0, b"")
    wanted = [tmp_path / "1", tmp_path / "2"]
    while not all(path.exists() and path.read_text() for path in wanted):
        time.sleep(0.01)
    answers.close()
    for path in wanted:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)


def test_a_child_hears_no_ctrl_c_of_its_own():
    def work(piece):
        os.kill(os.getpid(), signal.SIGINT)
        return b"still here"

    assert [answer for _, answer in forked([1, 2], work, limits(), course())] == [b"still here", b"still here"]


def test_each_batch_begins_in_the_state_of_the_parent():
    seen = []

    def work(piece):
        seen.append(piece)
        return str(len(seen)).encode()

    answers = dict(forked(range(6), work, limits(jobs=1, batch=2), course()))
    assert [answers[piece] for piece in range(6)] == [b"1", b"2"] * 3
    assert seen == []


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    def killed_after_writing():
        (tmp_path / f"left-{os.getpid()}").write_text("rows")
        killed_hard()

    toolkit = replace(
        unlike({1, 2}, killed_after_writing), sweep=lambda pid: (tmp_path / f"left-{pid}").unlink(missing_ok=True)
    )
    assert [bool(day.lost) for day in carried_out(campaign(range(4)), toolkit).days] == [False, True, True, False]
    assert list(tmp_path.iterdir()) == []


def test_a_campaign_starts_no_thread():
    before = threading.active_count()
    found = []
    carried_out(campaign(range(4)), a_toolkit(), Watch(tick=lambda: found.append(threading.active_count())))
    assert set(found) == {before}
