"""I10 by the rows of the daemon: what history told at a start is a price too, as old as its bar."""

from datetime import UTC, datetime

import pytest

from tests.simulation.judge.story import Story


@pytest.mark.parametrize(("age_s", "broken"), [(60.0, []), (70.0, ["I10"])])
def test_a_row_of_history_is_a_price_as_old_as_its_bar(age_s, broken):
    """brutal 2796: dead for five minutes, a halt since the start; the last bar before it came by history."""
    story = Story()
    story.start()
    story.row()
    story.wait(400)
    closed_at = datetime.fromtimestamp(story.now - age_s, UTC).isoformat()
    story.journal("BarsClosed", warm_up=True, closed_at=closed_at, close=[100.0, 100.0], bid=None, ask=None)
    story.row(close=None)
    story.journal("TimerFired", story.order("E"), story.order("S"))
    story.send(story.order("E"))
    assert story.broken() == broken
