from datetime import UTC, datetime, timedelta

import pytest

from daemon.runtime.clock import MarketClock

OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
TODAY = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


class Hands:
    """The two clocks a MarketClock reads, moved by hand."""

    def __init__(self):
        self.monotonic_s = 100.0
        self.wall_at = TODAY

    def pass_s(self, seconds):
        self.monotonic_s += seconds
        self.wall_at += timedelta(seconds=seconds)


@pytest.fixture
def hands():
    return Hands()


def a_clock(hands, *, may_follow=True):
    return MarketClock(may_follow=may_follow, monotonic=lambda: hands.monotonic_s, wall=lambda: hands.wall_at)


def seconds(count):
    return timedelta(seconds=count)


def test_without_a_simulated_gateway_it_is_the_walls_time(hands):
    clock = a_clock(hands)
    hands.pass_s(3)
    assert clock.now() == TODAY + seconds(3)


def test_a_backward_step_of_the_wall_never_turns_time_back(hands):
    clock = a_clock(hands)
    assert clock.now() == TODAY
    hands.wall_at -= seconds(60)
    assert clock.now() == TODAY


def test_after_a_backward_step_time_runs_at_half_speed_until_the_wall_has_caught_up(hands):
    """Ages and deadlines go on: an order of a minute ago is older than one of now."""
    clock = a_clock(hands)
    clock.now()
    hands.wall_at -= seconds(60)
    hands.pass_s(20)
    assert clock.now() == TODAY + seconds(10)
    hands.pass_s(100)
    assert clock.now() == TODAY + seconds(60)
    hands.pass_s(2)
    assert clock.now() == TODAY + seconds(62)


def test_a_step_of_the_wall_does_not_change_lengths_of_time(hands):
    clock = a_clock(hands)
    hands.wall_at += seconds(3600)
    hands.pass_s(2)
    assert clock.elapsed_s() == 2


def test_a_followed_market_runs_at_the_gateways_speed_in_its_own_past(hands):
    clock = a_clock(hands)
    assert clock.now() == TODAY
    clock.follow(OPEN, 120)
    hands.pass_s(0.1)
    assert clock.now() == OPEN + seconds(12)


def test_following_is_ignored_where_it_is_not_allowed(hands):
    clock = a_clock(hands, may_follow=False)
    clock.follow(OPEN, 120)
    clock.observe(OPEN + seconds(5))
    assert (clock.now(), clock.speed, clock.is_following) == (TODAY, 1.0, False)


def test_a_silent_gateway_stops_time_fifteen_market_seconds_after_the_last_observation(hands):
    clock = a_clock(hands)
    clock.follow(OPEN, 120)
    clock.observe(OPEN + seconds(60))
    hands.pass_s(30)
    assert clock.now() == OPEN + seconds(75)


def test_each_observation_lets_time_go_on_from_there(hands):
    clock = a_clock(hands)
    clock.follow(OPEN, 120)
    hands.pass_s(30)
    clock.observe(OPEN + seconds(300))
    hands.pass_s(0.05)
    assert clock.now() == OPEN + seconds(306)


def test_a_late_observation_does_not_turn_followed_time_back(hands):
    clock = a_clock(hands)
    clock.follow(OPEN, 120)
    hands.pass_s(0.1)
    assert clock.now() == OPEN + seconds(12)
    clock.observe(OPEN + seconds(5))
    assert clock.now() == OPEN + seconds(12)
    hands.pass_s(0.1)
    assert clock.now() == OPEN + seconds(17)


def test_a_stopwatch_runs_on_when_following_begins(hands):
    clock = a_clock(hands)
    hands.pass_s(4)
    clock.follow(OPEN, 60)
    hands.pass_s(0.1)
    assert clock.elapsed_s() == pytest.approx(10)


def test_it_never_tells_a_time_before_the_journals_last_event(hands):
    clock = a_clock(hands)
    clock.not_before(TODAY + seconds(9))
    assert clock.now() == TODAY + seconds(9)
    hands.pass_s(4)
    assert clock.now() == TODAY + seconds(11)


async def test_a_sleep_of_market_time_is_shorter_by_the_speed():
    import asyncio

    loop = asyncio.get_running_loop()
    clock = MarketClock(may_follow=True, monotonic=loop.time)
    clock.follow(OPEN, 3600)
    started = loop.time()
    await clock.sleep(10)
    assert loop.time() - started < 1
    assert clock.now() >= OPEN + seconds(10)
