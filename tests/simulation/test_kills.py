import pytest

from tests.simulation.kills.day import busy_day
from tests.simulation.kills.enumeration import MOMENTS, Enumerator

EVERY = {"step": 300, "before_commit": 12, "after_commit": 12, "sync": 6, "sending": 4}


@pytest.fixture(scope="module")
def counts():
    """Some of the moments of five minutes; `python -m bench moments` has thousands."""
    return Enumerator(EVERY, jobs=2).run(busy_day(300))


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_moments_of_every_kind_the_daemon_comes_back_and_breaks_nothing(counts, moment):
    assert counts.killed[moment] >= 3
    assert [found.text for found in counts.found if found.moment == moment] == []


def test_every_moment_is_counted_whether_it_was_tried_or_not(counts):
    assert all(counts.seen[moment] >= counts.killed[moment] * EVERY[moment] for moment in MOMENTS)
