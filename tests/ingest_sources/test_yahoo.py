"""Yahoo's adjusted prices made raw again, and the ways in which it does not answer; the library is behind one door."""

from datetime import date

import pandas as pd
import pytest

from research.ingest.sources.source import SourceRefuses, Throttled
from research.ingest.sources.token_bucket import TokenBucket
from research.ingest.sources.yahoo import Yahoo, ask_yfinance
from shared.errors import DataError
from shared.io.stored_actions import Action
from tests.ingest_sources.builders import a_retrying, wanted
from tests.ingest_sources.clocks import NOW

DAYS = ["2014-06-05", "2014-06-06", "2014-06-09", "2014-06-10", "2020-08-31"]
PRINTED = [647.35, 645.57, 93.70, 94.25, 129.04]


def a_table(**columns):
    """What yfinance gives: AAPL was split 7:1 on 2014-06-09 and 4:1 on 2020-08-31."""
    closes = [close / ratio for close, ratio in zip(PRINTED, [28, 28, 4, 4, 1], strict=True)]
    facts = {
        "Open": closes, "High": closes, "Low": closes, "Close": closes, "Adj Close": closes,
        "Volume": [28_000_000, 28_000_000, 4_000_000, 4_000_000, 1_000_000],
        "Dividends": [3.29 / 28, 0.0, 0.0, 0.0, 0.0], "Stock Splits": [0.0, 0.0, 7.0, 0.0, 4.0],
    }  # fmt: skip
    return pd.DataFrame(facts | columns, index=pd.DatetimeIndex(DAYS, tz="America/New_York"))


def a_source(clock, table):
    return Yahoo(table, bucket=TokenBucket(60.0, 1, clock), retrying=a_retrying(clock), clock=clock)


def test_prices_volumes_and_dividends_are_those_of_their_day(clock):
    (chunk,) = a_source(clock, lambda *_: a_table()).chunks(wanted())
    assert chunk.bars.close.tolist() == PRINTED[:4]
    assert chunk.bars.volume.tolist() == [1_000_000] * 4
    assert chunk.actions == (
        Action(ex_date=date(2014, 6, 5), dividend=3.29, source="yfinance"),
        Action(ex_date=date(2014, 6, 9), split=7.0, source="yfinance"),
    )


def test_it_is_asked_until_today_because_later_splits_change_earlier_prices(clock):
    asked = []

    def table(*words):
        asked.append(words)
        return a_table()

    list(a_source(clock, table).chunks(wanted("BRK.B")))
    assert asked == [("BRK-B", date(2014, 6, 2), date(NOW.year, NOW.month, NOW.day + 1))]


def test_a_day_without_prices_is_no_bar(clock):
    nothing = [float("nan")] * 2 + [23.0] * 3
    table = a_table(Open=nothing, High=nothing, Low=nothing, Close=nothing)
    (chunk,) = a_source(clock, lambda *_: table).chunks(wanted())
    assert len(chunk.bars) == 2


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (a_table().drop(columns="Stock Splits"), "missing column: Stock Splits; found: Open"),
        (a_table().iloc[[0, 0, 1]], "days twice or out of order"),
        (a_table().iloc[::-1], "days twice or out of order"),
        (pd.DataFrame(), r"found: \(none\)"),
    ],
)
def test_a_table_of_another_shape_is_one_line(clock, table, line):
    with pytest.raises(DataError, match=f"yfinance: AAPL: .*{line}"):
        list(a_source(clock, lambda *_: table).chunks(wanted()))


def test_being_throttled_is_waited_out(clock):
    answers = [Throttled("too many requests"), a_table()]

    def table(*_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    (chunk,) = a_source(clock, table).chunks(wanted())
    assert len(chunk.bars) == 4
    assert len(clock.slept) >= 1


@pytest.mark.parametrize("rest", [{"interval_s": 60}, {"shows": "bid"}, {"hours": "extended"}])
def test_only_daily_trades_are_asked_for(clock, rest):
    assert "daily trades" in a_source(clock, lambda *_: a_table()).refusal(wanted(**rest))


def test_without_the_library_the_line_says_how_to_get_it():
    pytest.importorskip("pandas")
    try:
        __import__("yfinance")
    except ImportError:
        with pytest.raises(SourceRefuses, match=r"pip install 'openbell\[yfinance\]'"):
            ask_yfinance("AAPL", date(2014, 6, 2), date(2014, 6, 3))
    else:
        pytest.skip("yfinance is installed here")
