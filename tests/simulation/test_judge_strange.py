"""I19 where the broker's reports lag behind or fail, on histories made by hand; the rest is in test_judge_world."""

import pytest

from tests.simulation.judge.story import Story


def a_running_daemon(**settings):
    story = Story(**settings)
    story.start()
    story.wait(60)
    return story


@pytest.mark.parametrize(("later_s", "broken"), [(34, []), (36, ["I19"])])
def test_a_change_that_the_reports_show_late_is_owed_from_then_on(later_s, broken):
    """Found by simulation (brutal 631): two reports lagged behind, the next one needed a second look."""
    story = a_running_daemon()
    story.strange(60.0)
    for _ in range(2):
        story.wait(60)
        story.report(positions={"SPY": 0.0})
    story.wait(60)
    story.report(positions={"SPY": 60.0})
    story.later(later_s)
    assert story.broken() == broken
