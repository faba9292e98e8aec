"""The decoder loses nothing in silence: every message is a callback, or is told as unreadable."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.ib.decoder import MESSAGES, RawDecoder
from tests.brokers.ib.peers import commission, execution, open_order, order_status


class Taker:
    """Stands where the wrapper stands."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.unread: list[list[str]] = []

    def unreadable(self, fields, error) -> None:
        self.unread.append(fields)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.called.append(name)


class Keeper(Taker):
    """Keeps the values too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self.calls.append((name, values))


def taken(*messages: list[str]) -> Taker:
    taker = Taker()
    decoder = RawDecoder(taker, 176)
    for fields in messages:
        decoder.interpret(fields)
    return taker


def fields_of(message: str) -> list[str]:
    return message.split("|")[:-1]


WHOLE = [
    open_order("x"),
    order_status("Submitted"),
    execution("x", "a.b.c.01"),
    commission("a.b.c.01"),
    "4|2|-1|2104|text||",
    "61|3|DU1|1|SPY|STK||0.0|||ARCA|USD|SPY|SPY|10|680|",
    "50|3|9|1763649000|1|2|0.5|1.5|100|1.2|3|",
]
REPEATED = [open_order("x"), execution("x", "a.b.c.01"), commission("a.b.c.01")]
text = st.text(alphabet="0123456789.-abcXYZ|é ", max_size=8)


@pytest.mark.parametrize("message", WHOLE)
def test_a_whole_message_is_one_callback(message):
    taker = taken(fields_of(message))
    assert (len(taker.called), taker.unread) == (1, [])


@pytest.mark.parametrize("message", [message for message in WHOLE if not message.startswith("4|")])
def test_a_message_cut_short_is_told_and_the_next_one_is_read(message):
    taker = taken(fields_of(message)[:5], fields_of(message))
    assert (len(taker.called), len(taker.unread)) == (1, 1)


def read(decoder: RawDecoder, *messages: str) -> None:
    for message in messages:
        decoder.read(message.replace("|", "\0").encode())


@pytest.mark.parametrize("message", REPEATED)
def test_a_message_told_again_is_the_same_callback_again(message):
    taker = Keeper()
    read(RawDecoder(taker, 176), message, message)
    assert len(taker.calls) == 2
    assert taker.calls[0] == taker.calls[1]


@pytest.mark.parametrize("message", REPEATED)
def test_a_message_that_differs_in_its_last_field_is_read_anew(message):
    taker, fields = Keeper(), fields_of(message)
    read(RawDecoder(taker, 176), message, "|".join([*fields, ""]), "|".join([*fields, "9", ""]))
    assert len(taker.calls) == 3


def test_an_execution_told_again_goes_to_the_question_that_draws_it():
    fields = fields_of(execution("x", "a.b.c.01"))
    taker = Keeper()
    read(RawDecoder(taker, 176), *("|".join(["11", req_id, *fields[2:], ""]) for req_id in ("-1", "7", "8")))
    assert [values[0] for _, values in taker.calls] == [-1, 7, 8]
    assert len({values[1].exec_id for _, values in taker.calls}) == 1


def test_what_fails_in_a_callback_is_told_each_time_it_comes():
    def fail(_report):
        raise KeyError("missing")

    taker = Taker()
    taker.__dict__["commissionReport"] = fail
    read(RawDecoder(taker, 176), *[commission("a.b.c.01")] * 2)
    assert [fields[0] for fields in taker.unread] == ["59", "59"]


def test_messages_we_do_not_live_on_are_passed_over():
    taker = taken(["2", "6", "9", "0", "100"], ["8", "1", "10:00"])
    assert (taker.called, taker.unread) == ([], [])


def test_an_error_in_a_callback_is_told_as_well():
    def fail(_seconds):
        raise KeyError("missing")

    taker = Taker()
    taker.__dict__["currentTime"] = fail
    RawDecoder(taker, 176).interpret(["49", "1", "1763649000"])
    assert taker.unread == [["49", "1", "1763649000"]]


def test_what_a_session_has_no_method_for_is_passed_over():
    class OrdersOnly:
        def currentTime(self, _seconds) -> None:  # noqa: N802 - the protocol's name
            pass

        def unreadable(self, fields, error) -> None:
            raise AssertionError(fields) from error

    RawDecoder(OrdersOnly(), 176).interpret(["50", "3", "9", "not a bar"])


@given(st.sampled_from(sorted(MESSAGES)), st.lists(text, max_size=40))
def test_no_message_whatever_it_holds_stops_the_reading(number, fields):
    taker = taken([str(number), *fields], ["49", "1", "1763649000"])
    assert "currentTime" in taker.called


@given(st.lists(text, max_size=3))
def test_what_is_no_message_at_all_does_not_stop_the_reading(fields):
    assert "currentTime" in taken(fields, ["49", "1", "1763649000"]).called
