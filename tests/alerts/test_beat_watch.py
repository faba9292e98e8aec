"""What successive heartbeats give reason to say."""

from daemon.alerts.beat_watch import BeatWatch


def a_beat(verdict="ok", *causes, **changes):
    return {
        "verdict": verdict,
        "causes": list(causes),
        "session_open": True,
        "uptime_s": 0,
        "wall_step_s": 0.0,
        **changes,
    }


def codes(watch, *beats):
    return [[alarm.code for alarm in watch.judge(beat)] for beat in beats]


def test_a_critical_verdict_is_a_page_at_its_first_beat_and_no_more():
    gone = a_beat("critical", "broker has not told its time for 41 s")
    later = a_beat("critical", "broker has not told its time for 51 s")
    assert codes(BeatWatch(), gone, later, later) == [["verdict_critical"], [], []]


def test_a_new_cause_is_a_new_page():
    one = a_beat("critical", "broker not connected")
    two = a_beat("critical", "broker not connected", "positions without a whole stop: 1")
    assert codes(BeatWatch(), one, two, one, two) == [["verdict_critical"], ["verdict_critical"], [], []]


def test_the_all_clear_comes_after_three_good_beats_so_that_a_flapping_line_does_not_ring():
    bad, good = a_beat("critical", "broker not connected"), a_beat()
    flapping = codes(BeatWatch(), bad, good, bad, good, good, good, good)
    assert flapping == [["verdict_critical"], [], [], [], [], ["verdict_recovered"], []]


def test_a_degraded_verdict_is_told_once_it_has_lasted_a_quarter_of_an_hour_of_the_session():
    watch = BeatWatch()
    beats = [a_beat("degraded", "SPY locked: x", uptime_s=uptime_s) for uptime_s in (0, 899, 900, 910)]
    assert codes(watch, *beats) == [[], [], ["verdict_degraded"], []]


def test_a_degraded_verdict_outside_the_session_is_everyday():
    beats = [a_beat("degraded", "broker quiet", uptime_s=uptime_s, session_open=False) for uptime_s in (0, 9_000)]
    assert codes(BeatWatch(), *beats) == [[], []]


def test_a_step_of_the_wall_clock_is_told():
    (alarm,) = BeatWatch().judge(a_beat("degraded", "clock", wall_step_s=-3600.0))
    assert (alarm.code, alarm.severity) == ("clock_stepped", "notice")
    assert "by -3600.0 s" in alarm.text
