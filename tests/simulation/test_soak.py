"""Many days in one process: what counts as growth, what each day brings, and one real day of it."""

import pytest
from msgspec.structs import replace

from tests.simulation.history import Checked
from tests.simulation.judge.judging import breaches_of
from tests.simulation.plan import NetworkFault
from tests.simulation.weather.soaking import LINES_A_DAY, soaking
from tests.simulation.world.soak import Evening, found_in, soaked

DAY_S = 86_400.0
WEEK = [200.0] * 5


def evenings(memories_mb, tasks=None, processes=None):
    tasks, processes = tasks or {}, processes or {}
    return [
        Evening(at=day * DAY_S, memory_mb=memory, tasks=tasks.get(day, 20), process=processes.get(day, 1), fills=day)
        for day, memory in enumerate(memories_mb)
    ]


def bad(found):
    return [(record.what, record.at / DAY_S) for record in found if not record.is_good]


def test_memory_may_grow_by_less_than_five_percent_once_a_week_is_over():
    assert bad(found_in(evenings([150.0, *WEEK, 209.9]))) == []
    assert bad(found_in(evenings([*WEEK, 205.0, 210.0]))) == [("memory", 6)]


def test_a_task_more_than_after_a_week_is_one_that_was_never_ended():
    assert bad(found_in(evenings([*WEEK, 200.0, 200.0], tasks={0: 30, 4: 20, 6: 21}))) == [("task", 6)]


def test_a_process_that_began_anew_has_soaked_nothing():
    assert bad(found_in(evenings([*WEEK, 200.0], processes={5: 2}))) == [("task", 5)]


def test_each_evening_is_told_with_its_figures():
    texts = [record.detail for record in found_in(evenings([*WEEK, 204.0])) if record.what == "memory"]
    assert texts[5] == "day 6: 204.0 MB (+2.0 % since day 5), 20 tasks (then 20), 5 executions so far, process 1"


def test_every_day_has_its_broken_lines():
    plan = soaking(5, 3)
    lines = [incident.at_s // DAY_S for incident in plan.incidents if isinstance(incident, NetworkFault)]
    assert plan.market.sessions == 5
    assert sorted(lines.count(day) for day in set(lines)) == [LINES_A_DAY] * 5


def test_the_same_seed_is_the_same_soak_and_another_another():
    assert soaking(5, 3) == soaking(5, 3) != soaking(5, 4)


@pytest.mark.parametrize("days", [0, 10_000])
def test_days_that_no_calendar_has_are_said_in_one_line(days):
    with pytest.raises(ValueError, match=f"^{days} days are not to be had, allowed: 1 to [0-9]+$"):
        soaking(days, 1)


def test_a_day_is_lived_through_and_counted_in_the_evening():
    plan = soaking(1, 2)
    quiet = replace(plan, incidents=plan.incidents[:1])
    outcome = soaked(quiet)
    figures = [record for record in outcome.history if isinstance(record, Checked) and record.what == "memory"]
    assert len(figures) == 1
    assert "process 1" in figures[0].detail
    assert " 0 executions" not in figures[0].detail
    assert breaches_of(outcome.history) == []
