"""What a person is shown of a breach, and what a history needs to be judged."""

import pytest

from tests.simulation.history import lines_of, records_of
from tests.simulation.judge.explaining import explained
from tests.simulation.judge.judging import breaches_of
from tests.simulation.judge.story import Story, ref
from tests.simulation.judge_builders import a_running_daemon


def a_history_with_a_breach():
    story = a_running_daemon()
    story.long()
    story.wait(60)
    story.gone(ref("S"))
    story.later(6.5)
    return story.records


def test_a_breach_is_explained_by_seed_day_step_and_what_came_before():
    history = a_history_with_a_breach()
    (breach,) = breaches_of(history)
    lines = explained(history, breach, before=3).splitlines()
    assert lines[0].startswith("I1 seed 7 (calm), day 1970-01-12, step ")
    assert "100 shares of 100 without a stop" in lines[1]
    assert len(lines) == 2 + 3
    assert "broker" in lines[3]
    assert "ended" in lines[3]


def test_a_breach_at_the_beginning_is_explained_by_what_there_is():
    story = Story()
    story.begin()
    story.cancel("")
    history = story.records
    assert len(explained(history, breaches_of(history)[0]).splitlines()) == 2 + 3


def test_a_history_from_a_file_is_judged_the_same():
    history = a_history_with_a_breach()
    assert breaches_of(records_of(lines_of(history))) == breaches_of(history)


def test_a_history_without_settings_is_refused():
    with pytest.raises(ValueError, match="first record must be Settings"):
        breaches_of([])
