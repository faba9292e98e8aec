"""How often a person is spoken to."""

from daemon.alerts.catalogue import Severity
from daemon.alerts.throttle import Throttle
from tests.alerts.builders import an_alarm

HOUR_S = 3600.0


def a_throttle(per_hour_max=20):
    return Throttle(repeat_after_s=HOUR_S, per_hour_max=per_hour_max)


def notices(throttle, count, now_s=0.0):
    alarms = [an_alarm(Severity.NOTICE, code="rejected", text=f"order {number}") for number in range(count)]
    return [throttle.admit(alarm, now_s) is not None for alarm in alarms]


def test_the_same_alarm_goes_out_once_until_its_time_is_over():
    throttle = a_throttle()
    assert throttle.admit(an_alarm(), 0.0).repeats == 0
    assert throttle.admit(an_alarm(), 3599.0) is None
    assert throttle.admit(an_alarm(), 3600.0).repeats == 1


def test_another_text_is_another_alarm_unless_the_code_alone_counts():
    throttle = a_throttle()
    throttle.admit(an_alarm(text="SPY has no stop"), 0.0)
    assert throttle.admit(an_alarm(text="IBM has no stop"), 0.0) is not None
    throttle.admit(an_alarm(code="connection_lost", text="reset by peer"), 0.0)
    assert throttle.admit(an_alarm(code="connection_lost", text="timed out"), 0.0) is None


def test_repeats_that_nothing_follows_are_told_when_their_time_is_over():
    throttle = a_throttle()
    assert [throttle.admit(an_alarm(), now_s) is None for now_s in (0.0, 1.0, 2.0)] == [False, True, True]
    assert throttle.due(3599.0) == []
    assert [(told.alarm.code, told.repeats) for told in throttle.due(3600.0)] == [("unprotectable", 2)]
    assert throttle.due(3600.0) == []


def test_beyond_the_cap_notices_are_merged_into_one_line():
    throttle = a_throttle(per_hour_max=3)
    assert notices(throttle, 5) == [True, True, True, False, False]
    assert throttle.due(3599.0) == []
    (merged,) = throttle.due(3600.0)
    assert merged.alarm.code == "alerts_merged"
    assert merged.alarm.text.endswith("per_hour_max = 3: rejected 2")


def test_a_page_is_never_capped_away():
    throttle = a_throttle(per_hour_max=1)
    notices(throttle, 5)
    pages = [throttle.admit(an_alarm(text=f"SPY {number}"), 0.0) for number in range(100)]
    assert None not in pages


def test_what_is_long_over_is_forgotten():
    throttle = a_throttle(per_hour_max=1_000_000)
    notices(throttle, 1_000)
    throttle.due(HOUR_S)
    assert throttle._told == {}
