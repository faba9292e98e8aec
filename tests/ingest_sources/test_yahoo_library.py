"""The real yfinance against a local server that answers in Yahoo's shape, where the extra is installed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from research.ingest.sources.source import SourceUnavailable, Throttled
from research.ingest.sources.yahoo import as_printed, ask_yfinance
from shared.errors import DataError
from shared.io.stored_actions import Action
from tests.ingest_sources.builders import wanted
from tests.ingest_sources.local_server import Answer, as_json

yfinance = pytest.importorskip("yfinance", reason="the extra openbell[yfinance] is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # yfinance against a newer pandas: its own affair

FIRST, UNTIL = date(2014, 6, 5), date(2014, 6, 11)
DAYS = (date(2014, 6, 5), date(2014, 6, 6), date(2014, 6, 9), date(2014, 6, 10))
CLOSES = (647.35 / 7, 645.57 / 7, 93.70, 94.25)


def opens(day):
    return int(datetime(day.year, day.month, day.day, 9, 30, tzinfo=ZoneInfo("America/New_York")).timestamp())


def chart(days=DAYS, closes=CLOSES):
    """Yahoo's chart: AAPL split 7:1 on 2014-06-09, and a dividend that is told in today's shares."""
    quote = {name: list(closes) for name in ("open", "high", "low", "close")}
    return {
        "chart": {
            "result": [
                {
                    "meta": {
                        "currency": "USD", "symbol": "AAPL", "exchangeTimezoneName": "America/New_York",
                        "instrumentType": "EQUITY", "dataGranularity": "1d", "range": "", "priceHint": 2,
                        "gmtoffset": -14400, "timezone": "EDT", "regularMarketTime": opens(days[-1]),
                        "firstTradeDate": 345479400, "validRanges": ["1d", "max"],
                    },
                    "timestamp": [opens(day) for day in days],
                    "events": {
                        "dividends": {f"{opens(days[0])}": {"amount": 3.29 / 7, "date": opens(days[0])}},
                        "splits": {
                            f"{opens(days[2])}": {
                                "date": opens(days[2]), "numerator": 7.0, "denominator": 1.0, "splitRatio": "7:1"
                            }
                        },
                    },
                    "indicators": {
                        "quote": [{**quote, "volume": [7_000, 7_000, 1_000, 1_000]}],
                        "adjclose": [{"adjclose": list(closes)}],
                    },
                }
            ],
            "error": None,
        }
    }  # fmt: skip


@pytest.fixture
def asked(server, monkeypatch, tmp_path):
    """Ask the library, whose one way out leads to the server."""
    monkeypatch.setattr("yfinance.scrapers.history._BASE_URL_", server.url)
    monkeypatch.setattr("yfinance.base._BASE_URL_", server.url)
    monkeypatch.setattr("yfinance.data.YfData._get_cookie_and_crumb", lambda _data, _timeout=30: (None, "basic"))
    yfinance.set_tz_cache_location(str(tmp_path / "zones"))
    yfinance.cache.get_tz_cache().store("AAPL", "America/New_York")

    def ask(*answers):
        server.answers["/v8/finance/chart/AAPL"] = list(answers)
        return ask_yfinance("AAPL", FIRST, UNTIL)

    return ask


def test_what_yahoo_adjusted_is_as_it_was_printed_with_split_and_dividend(asked):
    chunk = as_printed(asked(as_json(chart())), wanted(first=FIRST, last=date(2014, 6, 10)))
    assert chunk.bars.close.tolist() == [647.35, 645.57, 93.70, 94.25]
    assert chunk.bars.volume.tolist() == [1_000.0] * 4
    assert chunk.actions == (
        Action(ex_date=date(2014, 6, 5), dividend=3.29, source="yfinance"),
        Action(ex_date=date(2014, 6, 9), split=7.0, source="yfinance"),
    )


def test_the_library_is_asked_for_the_days_that_are_wanted(asked, server):
    asked(as_json(chart()))
    (question,) = server.asked
    asked_for = question.parameters
    midnight = 34_200
    assert (asked_for["period1"], asked_for["period2"]) == (f"{opens(FIRST) - midnight}", f"{opens(UNTIL) - midnight}")
    assert asked_for["interval"] == "1d"


def test_too_many_requests_are_throttling(asked):
    with pytest.raises(Throttled, match="yfinance: AAPL: "):
        asked(Answer(status=429, body=b"Too Many Requests"))


def test_a_symbol_that_is_not_there_is_its_own_fault(asked):
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    with pytest.raises(DataError, match=r"yfinance: AAPL: .*(delisted|no price data)"):
        asked(as_json({"chart": {"result": None, "error": error}}, status=404))


def test_a_page_in_place_of_data_may_pass(asked):
    with pytest.raises(SourceUnavailable, match="yfinance: AAPL: "):
        asked(Answer(body=b"<html>Will be right back</html>"))


def test_an_error_of_many_lines_is_one(asked, monkeypatch):
    def history(*_, **__):
        raise ValueError("first\n  second")

    monkeypatch.setattr("yfinance.Ticker.history", history)
    with pytest.raises(SourceUnavailable, match=r"yfinance: AAPL: ValueError: first second$"):
        asked()
