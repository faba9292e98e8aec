"""systemd's watchdog is fed only if loop, broker probe and journal have all moved since the last beat."""

import pytest
from msgspec.structs import replace

from daemon.runtime.watchdog import SYNCHRONISING_BEATS_MAX, Pulse, Watchdog

FIRST = Pulse(handled=10, loop_age_s=0.0, probes_asked=1, is_up=True, journal_syncs=1)
MOVED = {"handled": 12, "probes_asked": 2, "journal_syncs": 2}


def second(**changes):
    watchdog = Watchdog()
    watchdog.may_feed(FIRST)
    return watchdog.may_feed(replace(FIRST, **{**MOVED, **changes}))


def test_it_is_fed_when_all_three_have_moved():
    assert second()


def test_an_idle_loop_has_moved():
    assert second(handled=10, loop_age_s=0.0)


@pytest.mark.parametrize(
    "stuck", [{"handled": 10, "loop_age_s": 5.0}, {"probes_asked": 1}, {"journal_syncs": 1}], ids=str
)
def test_it_is_not_fed_when_one_of_them_stands(stuck):
    assert not second(**stuck)


def test_a_broker_that_is_not_there_is_no_reason_to_be_killed():
    assert second(probes_asked=1, is_up=False)


def test_a_fresh_connection_may_ask_for_everything_before_its_first_probe_but_not_for_ever():
    watchdog = Watchdog()
    pulses = [Pulse(handled=0, loop_age_s=0, probes_asked=0, is_up=True, journal_syncs=n) for n in range(1, 15)]
    fed = [watchdog.may_feed(pulse) for pulse in pulses]
    assert fed == [True] * SYNCHRONISING_BEATS_MAX + [False] * 2
