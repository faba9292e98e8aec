"""The channel that catches what a person would get."""

import pytest

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Alarm, Message, compose
from daemon.alerts.posting import DeliveryFailed
from tests.simulation.world.channel import CatchingChannel


def a_message(severity=Severity.PAGE):
    alarm = Alarm(severity=severity, code="run_ended", text="the daemon has ended: a test")
    return compose(alarm, sender="openbell paper", number=1, at="2026-11-20T15:00:00+00:00")


def test_what_is_sent_arrives_and_is_told():
    told: list[Message] = []
    pager = CatchingChannel(hear=told.append)
    pager.send(a_message())
    assert pager.arrived == told == [a_message()]


def test_a_service_that_is_away_says_so_and_has_nothing():
    pager = CatchingChannel()
    pager.is_down = True
    with pytest.raises(DeliveryFailed, match="away"):
        pager.send(a_message())
    assert (pager.arrived, pager.failed) == ([], 1)


def test_a_service_whose_answer_is_lost_has_the_message_all_the_same():
    pager = CatchingChannel()
    pager.loses_answers = True
    with pytest.raises(DeliveryFailed, match="no answer"):
        pager.send(a_message())
    assert pager.arrived == [a_message()]


def test_a_channel_for_pages_is_asked_for_nothing_less():
    (channel,) = CatchingChannel(level=Severity.PAGE).channels(None)  # type: ignore[arg-type]  # asks no client
    assert (channel.takes(a_message()), channel.takes(a_message(Severity.NOTICE))) == (True, False)
