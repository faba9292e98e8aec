"""Folders of tables made by hand: CSV beside Parquet, tables known by their columns, quotes with scars."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from brokers.simulated.market.folder import Folder
from brokers.simulated.market.recorded import RecordedMarket
from brokers.simulated.market.source import AuctionPrinted, Dividend, Split
from shared.errors import DataError

DAY = dt.date(2020, 3, 2)
DAY_S = 86_400
FIELDS = ("open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size")


def stamps(*times, day="2020-03-02"):
    return pd.to_datetime([f"{day}T{time}Z" for time in times], format="ISO8601")


def bars(*times, day="2020-03-02", symbol="ABC"):
    """Bars that go up by ten cents each; 14:30 is the open in New York."""
    start = 10.0 + 0.1 * np.arange(len(times))
    prices = {"open": start, "high": start + 0.2, "low": start - 0.1, "close": start + 0.1}
    rounded = {name: np.round(values, 2) for name, values in prices.items()}
    return pd.DataFrame({"symbol": symbol, "ts": stamps(*times, day=day)} | rounded | {"volume": 1200})


def quotes(*times, bid=10.0, ask=10.02, bid_size=300, ask_size=500):
    sides = {"bid_close": bid, "bid_size": bid_size, "ask_close": ask, "ask_size": ask_size}
    return pd.DataFrame({"symbol": "ABC", "ts": stamps(*times)} | sides)


def a_folder(path, **tables):
    """One file per table; the part of the name after the last underscore is the suffix."""
    path.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        stem, _, suffix = name.rpartition("_")
        file = path / f"{stem}.{suffix}"
        frame.to_csv(file, index=False) if suffix == "csv" else frame.to_parquet(file)
    return path


def played(market, name):
    return np.array([getattr(step, name)[0] for step in market.steps()])


MINUTES = bars("14:30:00", "14:31:00", "14:33:00")


# ---- CSV and the names of files


def test_a_csv_plays_as_the_same_table_in_parquet(tmp_path):
    table = a_folder(tmp_path / "one", any_name_csv=MINUTES, q_csv=quotes("14:30:00", "14:31:00"))
    same = a_folder(tmp_path / "two", other_parquet=MINUTES, q_parquet=quotes("14:30:00", "14:31:00"))
    ours, theirs = RecordedMarket(table, DAY), RecordedMarket(same, DAY)
    assert ours.symbols == theirs.symbols == ("ABC",)
    assert all(np.array_equal(played(ours, n), played(theirs, n), equal_nan=True) for n in FIELDS)


def test_what_a_table_is_shows_in_its_columns_and_how_fine_in_its_times(tmp_path):
    hours = bars("14:30:00", "15:30:00", day="2020-02-28")
    folder = Folder(a_folder(tmp_path, x_csv=MINUTES, y_csv=bars("14:30:00", "14:30:01"), z_csv=hours))
    assert [table.path.name for table in folder.fine_bars] == ["y.csv"]
    assert [table.path.name for table in folder.minutes] == ["x.csv"]
    assert [table.path.name for table in folder.coarse_bars] == ["z.csv"]


def test_a_table_that_is_not_known_is_named_and_the_others_play(tmp_path):
    odd = pd.DataFrame({"name": ["ABC"], "sector": ["Energy"]})
    folder = Folder(a_folder(tmp_path, sectors_csv=odd, minutes_csv=MINUTES))
    assert folder.not_read == {"sectors.csv": "columns name, sector"}
    assert len(list(RecordedMarket(folder, DAY).steps())) == 4680


def test_five_second_bars_play_as_they_are(tmp_path):
    market = RecordedMarket(a_folder(tmp_path, fives_csv=bars("14:30:00", "14:30:05", "14:30:15")), DAY)
    assert played(market, "close")[:4] == pytest.approx([10.1, 10.2, math.nan, 10.3], nan_ok=True)


def test_coarse_tables_serve_the_daily_history_but_are_not_played(tmp_path):
    hours = bars("14:30:00", "15:30:00", day="2020-02-28")
    market = RecordedMarket(a_folder(tmp_path, hours_csv=hours, minutes_csv=MINUTES), DAY)
    day = market.history("ABC", end_at=market.opens_at, duration_s=DAY_S, bar_s=DAY_S)
    assert (day.open[0], day.high[0], day.close[0], day.volume[0]) == (10.0, 10.3, 10.2, 2400.0)
    with pytest.raises(DataError, match="no session 2020-02-28, there are: 2020-03-02"):
        RecordedMarket(tmp_path, dt.date(2020, 2, 28))


def test_a_daily_table_in_the_folder_is_read(tmp_path):
    daily = pd.DataFrame(
        {"symbol": "ABC", "date": ["2020-02-28"], "open": 9.0, "high": 9.5, "low": 8.5, "close": 9.2, "volume": 7}
    )
    market = RecordedMarket(a_folder(tmp_path, days_csv=daily, minutes_csv=MINUTES), DAY)
    assert market.history("ABC", end_at=market.opens_at, duration_s=DAY_S, bar_s=DAY_S).close.tolist() == [9.2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ABC,2020-03-02T14:30:00,1,1,1,1,1", "x.csv: not a readable CSV file: .*zone"),
        ("ABC,2020-03-02T14:30:00Z,one,1,1,1,1", "x.csv: not a readable CSV file: .*'one'"),
        ("ABC,2020-03-02T14:30:00Z,,1,1,1,1", "x.csv: row 0: a price or volume that is not a number"),
        ("ABC,2020-03-02T14:30:00Z,1,1", "x.csv: not a readable CSV file: .*Expected 7 columns, got 4"),
        ("ABC,,1,1,1,1,1", "x.csv: row 0: no time"),
    ],
)
def test_a_bad_line_of_a_csv_is_refused_with_file_and_reason(tmp_path, text, reason):
    (tmp_path / "x.csv").write_text(f"symbol,ts,open,high,low,close,volume\n{text}\n")
    with pytest.raises(DataError, match=reason) as refused:
        RecordedMarket(tmp_path, DAY)
    assert "\n" not in str(refused.value)


def test_a_symbol_that_is_called_na_is_a_symbol(tmp_path):
    table = bars("14:30:00", "14:31:00", symbol="NA")
    assert RecordedMarket(a_folder(tmp_path, minutes_csv=table), DAY).symbols == ("NA",)


# ---- quotes


def a_quoted_market(path, **sides):
    """Four steps of 14:30 with a quote in the first second of each of the first two."""
    prints = bars("14:30:00", "14:30:01", "14:30:06", "14:30:11")
    return RecordedMarket(a_folder(path, a_csv=prints, b_csv=quotes("14:30:00", "14:30:05", "14:30:06", **sides)), DAY)


def first_quotes(market):
    """Bid, ask and their sizes at the end of the second step."""
    step = list(market.steps())[1]
    return [float(side[0]) for side in (step.bid, step.ask, step.bid_size, step.ask_size)]


def test_a_quote_and_its_sizes_are_passed_on(tmp_path):
    assert first_quotes(a_quoted_market(tmp_path)) == [10.0, 10.02, 300.0, 500.0]


def test_a_one_sided_quote_is_passed_on_one_sided(tmp_path):
    quote = first_quotes(a_quoted_market(tmp_path, bid=[10.0, math.nan, math.nan]))
    assert quote == pytest.approx([math.nan, 10.02, 0.0, 500.0], nan_ok=True)


@pytest.mark.parametrize("ask", [9.9, 11.0], ids=["crossed", "too wide"])
def test_a_quote_that_is_not_believed_gives_way_to_one_tick_of_a_hundred_shares(tmp_path, ask):
    assert first_quotes(a_quoted_market(tmp_path, ask=ask)) == [
        10.29,
        10.3,
        100.0,
        100.0,
    ]  # the last print rose to 10.3


def test_quote_ticks_stand_where_there_are_no_quote_bars(tmp_path):
    ticks = pd.DataFrame(
        {
            "symbol": "ABC",
            "ts": stamps("14:30:00.5", "14:30:01", "14:30:06", "14:30:07"),
            "bid": [10.05, 0.0, 0.0, 10.06],
            "bid_size": [100, 0, 0, 400],
            "ask": [0.0, 10.11, 10.09, 0.0],
            "ask_size": [0, 200, 300, 0],
        }
    )
    market = RecordedMarket(a_folder(tmp_path, a_csv=MINUTES, ticks_csv=ticks), DAY)
    assert first_quotes(market) == [10.06, 10.09, 400.0, 300.0]
    told = market.quote_ticks("ABC", start_at=market.opens_at, end_at=market.closes_at, count=3)
    assert told.ask == pytest.approx([math.nan, 10.11, 10.09], nan_ok=True)
    assert (told.bid.tolist(), told.bid_size.tolist()) == ([10.05] * 3, [100.0] * 3)


# ---- sessions, auctions, corporate actions


def test_an_opening_that_comes_late_prints_where_it_came_and_the_close_in_the_last_step(tmp_path):
    steps = list(RecordedMarket(a_folder(tmp_path, a_csv=bars("14:30:11", "14:30:12", "14:31:00")), DAY).steps())
    assert steps[2].events == (AuctionPrinted(0, "open", 10.0, 2400.0),)
    assert steps[-1].events == (AuctionPrinted(0, "close", 10.3, 1200.0),)
    assert sum(len(step.events) for step in steps) == 2


def test_a_recorded_half_day_ends_at_one_oclock(tmp_path):
    table = bars("14:30:00", "14:31:00", "18:10:00", day="2019-11-29")
    market = RecordedMarket(a_folder(tmp_path, a_csv=table), dt.date(2019, 11, 29))
    assert market.is_early_close
    assert len(list(market.steps())) == 2520
    minutes = market.history("ABC", end_at=market.closes_at + DAY_S, duration_s=DAY_S, bar_s=60)
    assert len(minutes.close) == 2  # what printed after the close is not of the session


def days_from(market):
    """The days of the market's session and of those that follow."""
    while market is not None:
        yield market.session.isoformat()
        market = market.next_session()


def test_the_next_session_is_the_next_day_that_has_all_the_symbols(tmp_path):
    tables = {
        "a_csv": pd.concat([MINUTES, bars("14:30:00", "14:31:00", symbol="XYZ")]),
        "b_csv": bars("14:30:00", "14:31:00", day="2020-03-03"),
        "c_csv": pd.concat(
            [bars("14:30:00", "14:31:00", day="2020-03-04", symbol=symbol) for symbol in ("ABC", "XYZ")]
        ),
    }
    a_folder(tmp_path, **tables)
    assert list(days_from(RecordedMarket(tmp_path, DAY))) == ["2020-03-02", "2020-03-04"]
    assert list(days_from(RecordedMarket(tmp_path, DAY, ("ABC",)))) == ["2020-03-02", "2020-03-03", "2020-03-04"]


def with_actions(path, text):
    events = path / "events"
    events.mkdir(parents=True)
    (events / "actions.csv").write_text(f"symbol,ex_date,dividend_amount,split_coefficient\n{text}\n")
    tables = {"a_csv": bars("14:30:00", "14:31:00", day="2020-02-28"), "b_csv": MINUTES}
    return RecordedMarket(a_folder(path / "intraday", **tables).parent, DAY)


def test_corporate_actions_of_the_session_are_told_and_shown_in_the_past(tmp_path):
    market = with_actions(tmp_path, "ABC,2020-03-02,0.51,2.0\nABC,2020-03-03,9,9\nXYZ,2020-03-02,1,1")
    assert market.corporate_actions == (Split(0, 2.0), Dividend(0, 0.51))
    question = {"end_at": market.opens_at, "duration_s": DAY_S, "bar_s": DAY_S}
    assert market.history("ABC", **question).close[0] == 5.1  # 10.2 in old shares
    assert market.history("ABC", what="ADJUSTED_LAST", **question).close[0] == pytest.approx(5.1 * 0.95)


def test_a_bad_line_of_corporate_actions_is_refused_with_its_line(tmp_path):
    with pytest.raises(DataError, match=r"actions.csv: line 3: .*'two'"):
        with_actions(tmp_path, "ABC,2020-03-02,0,2.0\nABC,2020-03-02,0,two")
