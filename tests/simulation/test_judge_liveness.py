"""I16, I18 and I22 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon


def a_calm_minute(**settings):
    """A long position, and 61 seconds after the weather has ended."""
    story = a_running_daemon(**settings)
    story.long()
    story.wait(600)
    story.calm()
    story.wait(61)
    return story


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_up": False}, "up: False"),
        ({"is_reconciled": False}, "reconciled: False"),
    ],
)
def test_a_minute_after_the_weather_everything_works_again(change, said):
    story = a_calm_minute()
    story.look(**change)
    assert [breach.invariant for breach in story.breaches()] == ["I16"]
    assert said in story.breaches()[0].text


@pytest.mark.parametrize(("lasts_s", "broken"), [(25, []), (35, ["I16"])])
def test_a_lock_without_a_cause_is_a_breach_once_the_reports_that_heal_it_could_have_come(lasts_s, broken):
    """storm 15494: both of a twin had gone a fifth of a second before the look."""
    story = a_calm_minute()
    story.look(locks=("SPY",))
    story.wait(lasts_s)
    story.look(locks=("SPY",))
    assert story.broken() == broken


@pytest.mark.parametrize(("lasts_s", "broken"), [(25, []), (35, ["I16"])])
def test_an_order_in_doubt_is_a_breach_once_its_answer_could_be_known(lasts_s, broken):
    """Found by simulation (brutal 42155): a look fell into the tenth of a second between a question and its answer."""
    story = a_calm_minute()
    story.look(unknown=(ref("S"),))
    story.wait(lasts_s)
    story.look(unknown=(ref("S"),))
    assert story.broken() == broken


def test_a_connection_that_is_down_cannot_become_deaf():
    """Found in its own judgement (brutal 54023): a line was reset, and went deaf in the same moment."""
    story = a_running_daemon()
    story.connect("down")
    story.connect("deaf")
    story.later(600)
    assert [breach.text for breach in story.breaches() if "deaf" in breach.text] == []


@pytest.mark.parametrize(("left_after_s", "broken"), [(70, []), (100, ["I16"])])
def test_a_connection_that_is_deaf_is_left(left_after_s, broken):
    """Two heartbeats of ten seconds and a minute."""
    story = a_running_daemon(rules={"heartbeat_every_s": 10.0})
    story.connect("deaf")
    story.wait(left_after_s)
    story.connect("down")
    assert [name for name in story.broken() if name == "I16"] == broken


def test_a_healthy_look_keeps_i16():
    story = a_calm_minute()
    story.look()
    story.later(600)
    assert story.broken() == []


def test_within_the_minute_it_may_still_heal():
    story = a_running_daemon()
    story.calm()
    story.wait(59)
    story.look(is_reconciled=False)
    assert story.broken() == []


def test_a_daemon_that_nobody_sees_again_breaks_i16():
    story = a_running_daemon()
    story.end()
    story.calm()
    story.later(121)
    assert story.broken() == ["I16"]


def test_a_lock_with_a_cause_is_no_breach():
    story = a_running_daemon()
    story.long()
    story.strange()
    story.say("foreign_position", "SPY: 50 shares are not ours")
    story.calm()
    story.wait(61)
    story.look(locks=("SPY",), positions={"SPY": 100.0})
    assert story.broken() == []


@pytest.mark.parametrize(("is_swallowed", "broken"), [(True, []), (False, ["I16"])])
def test_a_lock_stays_while_the_broker_keeps_both_of_a_twin(is_swallowed, broken):
    """Found by simulation (brutal 8236): two stops of one reference, PendingCancel for ever."""
    story = a_running_daemon()
    story.long()
    story.hold(story.order("S"), perm_id=99)
    story.cancel(ref("S"))
    if is_swallowed:
        story.fault(32, "cancel_unanswered")
    story.calm()
    for _ in range(2):
        story.wait(61)
        story.look(locks=("SPY",))
    assert [name for name in story.broken() if name == "I16"] == broken


def test_a_lock_does_not_outlive_the_twin():
    story = a_running_daemon()
    story.long()
    story.hold(story.order("S"), perm_id=99)
    story.cancel(ref("S"))
    story.fault(32, "cancel_unanswered")
    story.broker("ended", perm_id=99, order_ref=ref("S"), status="Cancelled", client_id=7)
    story.calm()
    for _ in range(2):
        story.wait(61)
        story.look(locks=("SPY",))
    assert story.broken() == ["I16"]


@pytest.mark.parametrize(
    ("source", "number", "broken"), [("disk", 0, []), ("gateway", 12, []), ("gateway", 13, ["I16"])]
)
def test_a_process_that_ends_by_itself_needs_a_reason(source, number, broken):
    story = a_running_daemon()
    story.fault(number, "full", source=source)
    story.end("died", "InvariantViolated: something")
    assert story.broken() == broken


def test_an_entry_that_outlives_its_time_breaks_i16():
    story = a_running_daemon()
    story.bracket()
    story.later(149)
    early = story.broken()
    story.later(2)
    assert (early, story.broken()) == ([], ["I16"])


def test_an_entry_whose_cancel_was_sent_keeps_i16():
    story = a_running_daemon()
    story.bracket()
    story.wait(121)
    story.cancel(ref("E"))
    story.later(600)
    assert story.broken() == []


@pytest.mark.parametrize(("tasks", "broken"), [(30, []), (31, ["I22"])])
def test_tasks_that_pile_up_break_i22(tasks, broken):
    story = a_running_daemon()
    story.look(tasks=10)
    story.look(tasks=tasks)
    assert story.broken() == broken


def test_a_critical_notice_that_nobody_receives_breaks_i18():
    story = a_running_daemon()
    story.notice("stop_unconfirmed", "QQQ")
    story.later(5.9)
    early = story.broken()
    story.later(0.2)
    assert (early, story.broken()) == ([], ["I18"])


def test_an_alert_in_time_keeps_i18():
    story = a_running_daemon()
    story.notice("stop_unconfirmed", "QQQ")
    story.wait(5)
    story.alert("stop_unconfirmed", "QQQ")
    story.later(60)
    assert story.broken() == []


def test_the_same_alarm_again_within_the_hour_need_not_go_out():
    story = a_running_daemon()
    story.say("stop_unconfirmed", "QQQ")
    story.wait(600)
    story.notice("stop_unconfirmed", "QQQ")
    story.later(60)
    within = story.broken()
    story.wait(3600)
    story.notice("stop_unconfirmed", "QQQ")
    story.later(60)
    assert (within, story.broken()) == ([], ["I18"])


def test_a_channel_that_is_down_is_waited_for_and_no_longer():
    story = a_running_daemon()
    story.fault(name="channel_down", source="mqtt", phase="began")
    story.notice("stop_unconfirmed", "QQQ")
    story.wait(600)
    story.fault(name="channel_down", source="mqtt", phase="ended")
    story.later(65)
    early = story.broken()
    story.later(2)
    assert (early, story.broken()) == ([], ["I18"])


def test_what_is_only_a_warning_needs_no_alert():
    story = a_running_daemon()
    story.notice("rejected", "QQQ", level="warning")
    story.later(60)
    assert story.broken() == []


def test_a_living_process_without_a_heartbeat_breaks_i18():
    story = a_running_daemon()
    story.beat()
    story.later(31)
    early = story.broken()
    story.later(1)
    assert (early, story.broken()) == ([], ["I18"])


def test_a_dead_process_needs_no_heartbeat():
    story = a_running_daemon()
    story.beat()
    story.end()
    story.later(600)
    assert story.broken() == []
