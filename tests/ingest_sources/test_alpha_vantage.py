"""Alpha Vantage in the shapes it answers in, from a server on this machine."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from research.ingest.sources.alpha_vantage import AlphaVantage, by_end, months
from research.ingest.sources.source import SourceRefuses, SourceUnavailable, Throttled
from shared.errors import DataError
from shared.io.stored_actions import Action
from tests.ingest_sources.builders import MINUTE, a_client, wanted
from tests.ingest_sources.local_server import Answer, as_json

KEY = "alpha-key-4711"
SPLIT_DAY = date(2014, 6, 9)


def a_source(server, clock, *, tries=2, cache=None, max_age_s=0.0):
    client = a_client(server, clock, name="alphavantage", tries=tries, cache=cache)
    return AlphaVantage(client, KEY, clock, max_age_s=max_age_s)


def a_day(close, volume=1_000, dividend="0.0000", split="1.0"):
    return {
        "1. open": f"{close}", "2. high": f"{close + 1}", "3. low": f"{close - 1}", "4. close": f"{close}",
        "5. adjusted close": "1.0", "6. volume": f"{volume}",
        "7. dividend amount": dividend, "8. split coefficient": split,
    }  # fmt: skip


def daily(days):
    return as_json({"Meta Data": {"2. Symbol": "AAPL"}, "Time Series (Daily)": days})


def minutes(times):
    bar = {"1. open": "9.5", "2. high": "11.0", "3. low": "9.0", "4. close": "10.0", "5. volume": "300"}
    return as_json({"Meta Data": {}, "Time Series (1min)": dict.fromkeys(times, bar)})


def test_daily_bars_are_raw_and_splits_and_dividends_come_with_them(server, clock):
    server.answers["/query"] = [
        daily({
            "2014-06-10": a_day(94.25), "2014-06-09": a_day(93.70, split="7.0"),
            "2014-06-06": a_day(645.57, dividend="3.2900"), "2013-01-02": a_day(549.03),
        })
    ]  # fmt: skip
    (chunk,) = a_source(server, clock).chunks(wanted())
    assert chunk.bars.close.tolist() == [645.57, 93.70, 94.25]
    assert [str(np.datetime64(int(at), "ns")) for at in chunk.bars.opened_at[:1]] == ["2014-06-06T13:30:00.000000000"]
    assert chunk.actions == (
        Action(ex_date=date(2014, 6, 6), dividend=3.29, source="alphavantage"),
        Action(ex_date=SPLIT_DAY, split=7.0, source="alphavantage"),
    )
    assert server.asked[0].parameters["apikey"] == KEY
    assert server.asked[0].parameters["outputsize"] == "full"


@pytest.mark.parametrize(("is_doubted", "count"), [(False, 0), (True, 1)])
def test_a_doubted_answer_does_not_come_from_the_cache(server, clock, tmp_path, is_doubted, count):
    server.answers["/query"] = [daily({"2013-01-02": a_day(549.03)}), daily({"2014-06-10": a_day(94.25)})]
    source = a_source(server, clock, cache=tmp_path, max_age_s=60.0)
    assert [len(chunk.bars) for chunk in source.chunks(wanted())] == [0]
    assert [len(chunk.bars) for chunk in source.chunks(wanted(is_doubted=is_doubted))] == [count]


def test_a_share_class_is_written_with_a_dash(server, clock):
    server.answers["/query"] = [daily({"2014-06-10": a_day(94.25)})]
    list(a_source(server, clock).chunks(wanted("BRK.B")))
    assert server.asked[0].parameters["symbol"] == "BRK-B"


def test_the_latest_days_are_asked_for_in_a_compact_answer(server, clock):
    server.answers["/query"] = [daily({"2026-11-19": a_day(100.0)})]
    (chunk,) = a_source(server, clock).chunks(wanted(first=date(2026, 11, 16), last=date(2026, 11, 19)))
    assert [asked.parameters["outputsize"] for asked in server.asked] == ["compact"]
    assert len(chunk.bars) == 1


def test_a_compact_answer_that_does_not_reach_back_is_followed_by_the_full_one(server, clock):
    days = [f"2026-{month:02d}-{day:02d}" for month in (8, 9, 10, 11) for day in range(1, 29)][-102:-2]
    server.answers["/query"] = [
        daily(dict.fromkeys(days, a_day(100.0))), daily({"2026-07-28": a_day(90.0), "2026-11-19": a_day(100.0)})
    ]  # fmt: skip
    (chunk,) = a_source(server, clock).chunks(wanted(first=date(2026, 7, 28), last=date(2026, 11, 19)))
    assert [asked.parameters["outputsize"] for asked in server.asked] == ["compact", "full"]
    assert chunk.bars.close.tolist() == [90.0, 100.0]


@pytest.mark.parametrize(
    ("labels", "hours", "is_end"),
    [
        ([time(9, 30), time(15, 59)], "regular", False),
        ([time(9, 31), time(16, 0)], "regular", True),
        ([time(4, 0), time(16, 0), time(19, 59)], "extended", False),
        ([time(4, 1), time(16, 0), time(20, 0)], "extended", True),
        ([time(11, 0)], "regular", False),
    ],
)
def test_the_borders_of_the_day_tell_whether_bars_are_labelled_by_their_end(labels, hours, is_end):
    assert by_end(labels, hours, "test") is is_end


def test_both_borders_of_the_day_are_refused():
    with pytest.raises(DataError, match="bars of 09:30:00 and of 16:00:00, allowed: labelled by their start or"):
        by_end([time(9, 30), time(16, 0)], "regular", "AAPL")


@pytest.mark.parametrize(
    "times",
    [["2014-06-06 09:30:00", "2014-06-06 15:59:00"], ["2014-06-06 09:31:00", "2014-06-06 16:00:00"]],
    ids=["by start", "by end"],
)
def test_minutes_begin_where_they_begin_however_they_are_labelled(server, clock, times):
    server.answers["/query"] = [minutes(times)]
    (chunk,) = a_source(server, clock).chunks(wanted(interval_s=MINUTE))
    assert [datetime.fromtimestamp(at / 1e9, UTC) for at in chunk.bars.opened_at] == [
        datetime(2014, 6, 6, 13, 30, tzinfo=UTC), datetime(2014, 6, 6, 19, 59, tzinfo=UTC)
    ]  # fmt: skip
    assert server.asked[0].parameters | {"adjusted": "false", "month": "2014-06"} == server.asked[0].parameters


def test_minutes_are_asked_for_month_by_month():
    assert list(months(date(2014, 1, 30), date(2014, 3, 2))) == [
        (date(2014, 1, 30), date(2014, 1, 31)),
        (date(2014, 2, 1), date(2014, 2, 28)),
        (date(2014, 3, 1), date(2014, 3, 2)),
    ]


@pytest.mark.parametrize("key", ["Note", "Information"])
def test_a_note_in_place_of_data_is_throttling(server, clock, key):
    note = as_json({key: "Thank you for using Alpha Vantage! Our standard API call frequency is 75 calls per minute."})
    server.answers["/query"] = [note, daily({"2014-06-10": a_day(94.25)})]
    (chunk,) = a_source(server, clock).chunks(wanted())
    assert len(chunk.bars) == 1
    assert clock.slept[0] >= 60.0


def test_a_note_that_does_not_end_is_the_symbols_fault(server, clock):
    server.answers["/query"] = [as_json({"Note": "5 calls per minute"})]
    with pytest.raises(Throttled, match="alphavantage: AAPL: 5 calls per minute"):
        list(a_source(server, clock).chunks(wanted()))


@pytest.mark.parametrize(
    "facts",
    [
        {"Information": "Our standard API rate limit is 25 requests per day."},
        {"Information": "Thank you! This is a premium endpoint."},
        {"Error Message": "the parameter apikey is invalid or missing."},
    ],
    ids=["day's allowance", "premium", "key"],
)
def test_what_waiting_does_not_heal_stops_the_source(server, clock, facts):
    server.answers["/query"] = [as_json(facts)]
    with pytest.raises(SourceRefuses, match="alphavantage: AAPL"):
        list(a_source(server, clock).chunks(wanted()))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "line"),
    [
        (as_json({"Error Message": "Invalid API call."}), DataError, "alphavantage: AAPL: Invalid API call"),
        (as_json({"Meta Data": {}}), DataError, "keys Meta Data, allowed: one time series"),
        (daily({"2014-06-31": a_day(1.0)}), DataError, "date '2014-06-31', allowed: yyyy-mm-dd"),
        (daily({"2014-06-10": {"1. open": "1"}}), DataError, r"2014-06-10: missing 2\. high"),
        (daily({"2014-06-10": {**a_day(9.0), "4. close": "None"}}), DataError, r"4\. close 'None', allowed: a number"),
        (Answer(b'{"Time Series (Daily)": {"2014'), SourceUnavailable, "no JSON, or cut short"),
        (Answer(b"[]"), SourceUnavailable, "no object"),
    ],
)
def test_a_body_that_is_none_is_one_line(server, clock, answer, kind, line):
    server.answers["/query"] = [answer]
    with pytest.raises(kind, match=line) as fault:
        list(a_source(server, clock, tries=1).chunks(wanted()))
    assert "\n" not in str(fault.value)
    assert KEY not in str(fault.value)


@pytest.mark.parametrize("rest", [{"shows": "bid"}, {"interval_s": 7}])
def test_what_it_does_not_have_is_said_before_it_is_asked(server, clock, rest):
    assert "alphavantage has" in a_source(server, clock).refusal(wanted(**rest))
