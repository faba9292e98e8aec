"""When a stream is taken for dead and asked for again; every instant by hand."""

from datetime import datetime, timedelta

import pytest

from brokers.ib.stream_care import STALE, StreamCare
from tests.brokers.ib.feeds import OPEN_AT


def at(seconds: float) -> datetime:
    return OPEN_AT + timedelta(seconds=seconds)


def care_with(*symbols: str, opened_at: datetime | None = OPEN_AT) -> StreamCare:
    care = StreamCare(lambda _now: opened_at)
    for symbol in symbols:
        care.asked(symbol, OPEN_AT)
    return care


def test_three_bars_that_are_missing_are_silence():
    care = care_with("SPY", "IBM")
    care.heard("IBM", at(5))
    assert care.fallen_silent(at(15)) == []
    assert care.fallen_silent(at(16)) == ["SPY"]
    assert care.fallen_silent(at(17)) == []  # said once
    assert care.fallen_silent(at(21)) == ["IBM"]


def test_while_the_exchange_is_closed_nothing_is_missed():
    assert care_with("SPY", opened_at=None).fallen_silent(at(9_999)) == []


def test_no_look_while_the_exchange_is_closed_is_so_far_from_the_next_that_the_opening_is_missed():
    closed, opened = care_with("SPY", opened_at=None), care_with("SPY")
    assert opened.look_again_s(at(10)) < closed.look_again_s(at(10)) < STALE.total_seconds()


def test_after_the_opening_the_first_bars_have_their_time():
    care = care_with("SPY", opened_at=at(3600))
    assert care.fallen_silent(at(3614)) == []
    assert care.fallen_silent(at(3616)) == ["SPY"]


def test_a_silent_stream_is_asked_for_at_once_and_then_ever_later():
    care = care_with("SPY")
    asked = []
    care.fallen_silent(at(16))
    for second in range(16, 200):
        if care.due(at(second)):
            asked.append(second)
            care.asked("SPY", at(second))
    assert asked == [16, 31, 61, 121]


def test_a_refused_stream_waits_because_the_same_question_would_be_refused():
    care = care_with("SPY")
    care.refused("SPY", at(1))
    assert care.due(at(14)) == []
    assert care.due(at(15)) == ["SPY"]


def test_a_bar_ends_the_silence_and_the_waiting():
    care = care_with("SPY")
    care.fallen_silent(at(16))
    assert care.heard("SPY", at(17)) is True
    assert care.heard("SPY", at(18)) is False
    assert care.due(at(18)) == []


@pytest.mark.parametrize(("now_s", "silent"), [(614, []), (616, ["SPY"])])
def test_after_an_outage_streams_have_fifteen_seconds_to_show_that_they_live(now_s, silent):
    care = care_with("SPY")
    care.heard("SPY", at(5))
    care.wait_anew(at(600))
    assert care.fallen_silent(at(now_s)) == silent
