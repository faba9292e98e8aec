"""Alpaca in the shapes it answers in, from a server on this machine."""

from datetime import UTC, date, datetime

import pytest

from research.ingest.sources.alpaca import Alpaca
from shared.errors import DataError
from shared.io.stored_actions import Action
from tests.ingest_sources.builders import MINUTE, a_client, wanted
from tests.ingest_sources.local_server import Answer, as_json

BARS, ACTIONS = "/v2/stocks/bars", "/v1/corporate-actions"
NO_ACTIONS = as_json({"corporate_actions": {}, "next_page_token": None})


def a_source(server, clock, *, cache=None, max_age_s=0.0):
    client = a_client(server, clock, name="alpaca", headers={"APCA-API-KEY-ID": "key-id-1234"}, tries=2, cache=cache)
    return Alpaca(client, "iex", clock, max_age_s=max_age_s)


def a_bar(at, close):
    return {"t": at, "o": close, "h": close + 1, "l": close - 1, "c": close, "v": 1_000, "n": 7, "vw": close}


def a_page(bars, token=None, symbol="AAPL"):
    return as_json({"bars": {symbol: bars}, "next_page_token": token})


def test_pages_are_read_to_their_end_and_days_are_new_yorks(server, clock):
    server.answers[BARS] = [
        a_page([a_bar("2014-06-05T04:00:00Z", 647.35)], "page2"), a_page([a_bar("2014-06-06T04:00:00Z", 645.57)])
    ]  # fmt: skip
    server.answers[ACTIONS] = [NO_ACTIONS]
    (chunk,) = a_source(server, clock).chunks(wanted())
    assert chunk.bars.close.tolist() == [647.35, 645.57]
    assert [datetime.fromtimestamp(at / 1e9, UTC) for at in chunk.bars.opened_at] == [
        datetime(2014, 6, 5, 13, 30, tzinfo=UTC), datetime(2014, 6, 6, 13, 30, tzinfo=UTC)
    ]  # fmt: skip
    first, second = (asked for asked in server.asked if asked.path == BARS)
    assert first.parameters | {"adjustment": "raw", "feed": "iex", "start": "2014-06-02T04:00:00Z"} == first.parameters
    assert second.parameters["page_token"] == "page2"
    assert first.headers["APCA-API-KEY-ID"] == "key-id-1234"


def test_dividends_and_splits_of_one_day_are_one_action(server, clock):
    server.answers[BARS] = [a_page([])]
    server.answers[ACTIONS] = [
        as_json({
            "corporate_actions": {
                "forward_splits": [{"symbol": "AAPL", "new_rate": 7, "old_rate": 1, "ex_date": "2014-06-09"}],
                "cash_dividends": [{"symbol": "AAPL", "rate": 0.47, "ex_date": "2014-06-09"}],
                "reverse_splits": [{"symbol": "AAPL", "new_rate": 1, "old_rate": 8, "ex_date": "2014-06-04"}],
            },
            "next_page_token": None,
        })
    ]  # fmt: skip
    (chunk,) = a_source(server, clock).chunks(wanted())
    assert chunk.actions == (
        Action(ex_date=date(2014, 6, 4), split=0.125, source="alpaca"),
        Action(ex_date=date(2014, 6, 9), dividend=0.47, split=7.0, source="alpaca"),
    )


@pytest.mark.parametrize(("hours", "count"), [("regular", 2), ("extended", 4)])
def test_regular_hours_leave_out_what_traded_before_and_after(server, clock, hours, count):
    times = ["2014-06-06T12:00:00Z", "2014-06-06T13:30:00Z", "2014-06-06T19:59:00Z", "2014-06-06T20:00:00Z"]
    server.answers[BARS] = [a_page([a_bar(at, 645.0) for at in times])]
    (chunk,) = a_source(server, clock).chunks(wanted(interval_s=MINUTE, hours=hours))
    assert len(chunk.bars) == count


def test_a_symbol_that_is_not_in_the_answer_has_no_bars(server, clock):
    server.answers[BARS] = [as_json({"bars": {}, "next_page_token": None})]
    server.answers[ACTIONS] = [NO_ACTIONS]
    (chunk,) = a_source(server, clock).chunks(wanted("NA"))
    assert len(chunk.bars) == 0


@pytest.mark.parametrize(("is_doubted", "count"), [(False, 0), (True, 1)])
def test_a_doubted_answer_does_not_come_from_the_cache(server, clock, tmp_path, is_doubted, count):
    server.answers[BARS] = [a_page([]), a_page([a_bar("2014-06-05T04:00:00Z", 647.35)])]
    server.answers[ACTIONS] = [NO_ACTIONS, NO_ACTIONS]
    source = a_source(server, clock, cache=tmp_path, max_age_s=60.0)
    assert [len(chunk.bars) for chunk in source.chunks(wanted())] == [0]
    assert [len(chunk.bars) for chunk in source.chunks(wanted(is_doubted=is_doubted))] == [count]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (as_json({"message": "invalid symbol"}), "invalid symbol"),
        (Answer(b'{"bars": {'), "no JSON, or cut short"),
        (a_page([{"t": "2014-06-06T13:30:00Z", "o": 1}]), "allowed: t, o, h, l, c, v"),
        (a_page([a_bar("2014-06-06T13:30:00", 645.0)]), "time '2014-06-06T13:30:00', allowed: with its zone"),
        (a_page([a_bar("2014-06-06T04:00:00Z", 1.0), a_bar("2014-06-06T04:00:00Z", 2.0)]), "two different bars of"),
    ],
)
def test_a_body_that_is_none_is_one_line(server, clock, answer, line):
    server.answers[BARS] = [answer]
    with pytest.raises(DataError, match=line):
        list(a_source(server, clock).chunks(wanted()))


def test_the_same_page_for_ever_is_noticed(server, clock):
    server.answers[BARS] = [a_page([a_bar("2014-06-06T04:00:00Z", 645.0)], "again")]
    with pytest.raises(DataError, match=r"the same page twice \(again\)"):
        list(a_source(server, clock).chunks(wanted()))
