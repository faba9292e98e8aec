"""The recorded market against the very files it plays, read by pandas; and files made wrong by hand."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brokers.simulated.market.recorded import RecordedMarket
from brokers.simulated.market.source import AuctionPrinted, MarketSource, Split
from shared.errors import DataError

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
DAY_S = 86_400
SESSION = dt.date(2013, 10, 8)
NEW_YORK = "America/New_York"

recorded = [
    pytest.mark.recorded,
    pytest.mark.skipif(not (DATA / "intraday").is_dir(), reason="the recorded data ../shared/data is not here"),
]


def real(test):
    """Mark a test that plays the real files."""
    for mark in recorded:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def market():
    return RecordedMarket(DATA / "intraday", SESSION)


@pytest.fixture(scope="module")
def steps(market):
    return list(market.steps())


def rows_of(table, symbol, day, begin="09:30", end="15:59:59"):
    frame = pd.read_parquet(DATA / "intraday" / f"{table}.parquet")
    frame = frame[frame.symbol == symbol].set_index("ts").tz_convert(NEW_YORK)
    return frame.loc[f"{day} {begin}" : f"{day} {end}"]


def column(steps, name, index):
    return np.array([getattr(step, name)[index] for step in steps])


def sessions_from(market):
    """The market and those of the sessions that follow."""
    while market is not None:
        yield market
        market = market.next_session()


# ---- the real files


@real
def test_the_session_of_october_8_holds_ibm_and_spy_from_open_to_close(market, steps):
    source: MarketSource = market
    assert source.symbols == ("IBM", "SPY")
    assert source.opens_at == dt.datetime(2013, 10, 8, 13, 30, tzinfo=dt.UTC).timestamp()
    assert len(steps) == 4680


@real
@pytest.mark.parametrize("symbol", ["IBM", "SPY"])
def test_five_second_bars_are_the_gathered_seconds(market, steps, symbol):
    seconds = rows_of("second_trades_lean", symbol, SESSION).resample("5s")
    expected = seconds.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    expected = expected.dropna()
    index = market.symbols.index(symbol)
    traded = ~np.isnan(column(steps, "close", index))
    starts_at = np.array([step.starts_at for step in steps])[traded]
    assert starts_at.tolist() == [stamp.timestamp() for stamp in expected.index]
    for name in ("open", "high", "low", "close", "volume"):
        assert column(steps, name, index)[traded].tolist() == expected[name].tolist()


@real
def test_quotes_are_the_last_of_each_step_and_stand_until_the_next(market, steps):
    quotes = rows_of("second_quotes_lean", "SPY", SESSION, begin="04:00")
    grid = pd.date_range(f"{SESSION} 09:30:04", periods=4680, freq="5s", tz=NEW_YORK)
    standing = quotes[["bid_close", "ask_close"]].reindex(grid, method="ffill")
    index = market.symbols.index("SPY")
    assert column(steps, "bid", index).tolist() == standing.bid_close.tolist()
    assert column(steps, "ask", index).tolist() == standing.ask_close.tolist()


@real
def test_minutes_of_history_are_the_minute_table_of_the_day_before(market):
    bars = market.history("SPY", end_at=market.opens_at, duration_s=DAY_S, bar_s=60)
    expected = rows_of("minute_trades_lean", "SPY", "2013-10-07")
    assert bars.starts_at.tolist() == [stamp.timestamp() for stamp in expected.index]
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name).tolist() == expected[name].tolist()
    assert bars.volume.sum() == pytest.approx(expected.volume.sum(), rel=0.001)


@real
def test_where_there_are_only_minutes_the_steps_add_up_to_them():
    market = RecordedMarket(DATA, dt.date(2019, 2, 14), ("TSLA", "SPY"))
    minutes = market.history("TSLA", end_at=market.closes_at, duration_s=DAY_S, bar_s=60)
    expected = rows_of("minute_2019-02_alphavantage", "TSLA", "2019-02-14")
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(minutes, name).tolist() == expected[name].tolist()


@real
def test_without_quotes_a_one_tick_spread_stands_around_the_last_price():
    market = RecordedMarket(DATA, dt.date(2019, 2, 14), ("SPY",))
    steps = list(market.steps())
    bid, ask, close = (column(steps, name, 0) for name in ("bid", "ask", "close"))
    assert ask - bid == pytest.approx(np.full(len(steps), 0.01))
    traded = ~np.isnan(close)
    assert np.minimum(np.abs(bid - close), np.abs(ask - close))[traded].max() < 1e-6


@real
def test_a_minutes_spread_is_known_only_after_that_minute():
    market = RecordedMarket(DATA, dt.date(2014, 6, 6), ("AAPL",))
    steps = list(market.steps())
    quotes = rows_of("minute_quotes_lean", "AAPL", "2014-06-06")
    spread = (quotes.ask_close - quotes.bid_close).round(2).to_numpy()
    ours = (column(steps, "ask", 0) - column(steps, "bid", 0)).round(2)
    assert ours[12 * 10 : 12 * 11].tolist() == [spread[9]] * 12


@real
def test_daily_history_is_the_raw_daily_table_to_the_day_before(market):
    bars = market.history("IBM", end_at=market.opens_at, duration_s=20 * DAY_S, bar_s=DAY_S)
    table = pd.read_parquet(DATA / "daily/lean_daily_raw.parquet")
    expected = table[(table.symbol == "IBM") & (table.date < "2013-10-08")].tail(20)
    assert bars.close.tolist() == expected.close.tolist()
    assert bars.volume.tolist() == expected.volume.tolist()
    assert [dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat() for at in bars.starts_at] == list(expected.date)


@real
def test_days_without_a_daily_row_come_from_quarter_hours_and_minutes():
    market = RecordedMarket(DATA, dt.date(2019, 2, 15), ("SPY",))
    bars = market.history("SPY", end_at=market.closes_at, duration_s=30 * DAY_S, bar_s=DAY_S)
    days = [dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat() for at in bars.starts_at]
    assert days[-3:] == ["2019-02-13", "2019-02-14", "2019-02-15"]
    quarter_hours = rows_of("min15_2019_alphavantage", "SPY", "2019-01-10")
    january = days.index("2019-01-10")
    assert (bars.high[january], bars.low[january]) == (quarter_hours.high.max(), quarter_hours.low.min())


@real
def test_the_bad_print_before_the_split_day_opens_is_in_the_pre_market_only():
    market = RecordedMarket(DATA, dt.date(2014, 6, 9), ("AAPL",))
    early = [step for step in market.steps(include_premarket=True) if step.starts_at < market.opens_at]
    assert len(early) == 5.5 * 720
    assert np.nanmax(column(early, "high", 0)) == 645.57
    assert np.nanmax(column(list(market.steps()), "high", 0)) < 95.0


@real
def test_displayed_sizes_are_those_of_the_last_quote_of_each_step(market, steps):
    quotes = rows_of("second_quotes_lean", "SPY", SESSION, begin="04:00")
    grid = pd.date_range(f"{SESSION} 09:30:04", periods=4680, freq="5s", tz=NEW_YORK)
    standing = quotes[["bid_size", "ask_size"]].reindex(grid, method="ffill")
    index = market.symbols.index("SPY")
    assert column(steps, "bid_size", index).tolist() == standing.bid_size.tolist()
    assert column(steps, "ask_size", index).tolist() == standing.ask_size.tolist()


@real
def test_the_auctions_are_the_first_and_the_last_print_of_the_session(market, steps):
    opening, closing = (
        [event for event in step.events if isinstance(event, AuctionPrinted)] for step in (steps[0], steps[-1])
    )
    spy = market.symbols.index("SPY")
    seconds = rows_of("second_trades_lean", "SPY", SESSION)
    assert [(event.index, event.kind) for event in opening + closing] == [
        (0, "open"), (1, "open"), (0, "close"), (1, "close"),
    ]  # fmt: skip
    assert opening[spy].price == seconds.open.iloc[0]
    assert closing[spy].price == seconds.close.iloc[-1]
    assert opening[spy].size == steps[0].volume[spy]
    assert all(not step.events for step in steps[1:-1])


@real
def test_ticks_are_the_recorded_prints():
    market = RecordedMarket(DATA, dt.date(2013, 10, 7))
    ticks = market.ticks("SPY", start_at=market.opens_at, end_at=market.opens_at + 5, count=10_000)
    frame = rows_of("tick_trades_lean", "SPY", "2013-10-07", end="09:30:04.999999")
    frame = frame[frame.suspicious == 0]
    assert len(frame) > 100
    assert ticks.price.tolist() == frame.price.tolist()
    assert ticks.size.tolist() == frame["size"].tolist()
    assert ticks.at.tolist() == [stamp.timestamp() for stamp in frame.index]


@real
def test_a_recorded_quote_tick_fills_its_other_side_from_those_before():
    market = RecordedMarket(DATA, dt.date(2013, 10, 7))
    ticks = market.quote_ticks("IBM", start_at=market.opens_at, end_at=market.opens_at + 60, count=10_000)
    frame = rows_of("tick_quotes_lean", "IBM", "2013-10-07", begin="04:00", end="09:30:59.999999")
    frame = frame[frame.suspicious == 0]
    sides = frame[["bid", "ask"]].replace(0.0, math.nan).ffill()[frame.index >= f"2013-10-07 09:30:00{'-04:00'}"]
    assert len(sides) > 100
    assert ticks.bid.tolist() == sides.bid.tolist()
    assert ticks.ask.tolist() == sides.ask.tolist()


@real
def test_recorded_sessions_follow_one_another_until_there_are_no_more():
    found = list(sessions_from(RecordedMarket(DATA, SESSION)))
    assert [one.session.day for one in found] == [8, 9, 10]
    assert found[-1].symbols == ("IBM", "SPY")


@real
def test_the_past_of_apple_is_shown_after_its_split_of_2014():
    before, after = (RecordedMarket(DATA, dt.date(2014, 6, day), ("AAPL",)) for day in (6, 9))
    assert before.corporate_actions == ()
    assert after.corporate_actions == (Split(0, 7.0),)
    raw, shown = (
        market.history("AAPL", end_at=before.closes_at, duration_s=DAY_S, bar_s=60) for market in (before, after)
    )
    assert shown.close[-1] == round(raw.close[-1] / 7, 4)
    assert shown.volume.sum() == 7 * raw.volume.sum()
    day = after.history("AAPL", end_at=after.opens_at, duration_s=DAY_S, bar_s=DAY_S)
    assert day.close[0] == 92.2243  # 645.57 / 7


@real
def test_a_dividend_of_2013_is_taken_off_the_adjusted_past_of_apple():
    market = RecordedMarket(DATA, dt.date(2014, 6, 5), ("AAPL",))
    plain, adjusted = (
        market.history("AAPL", end_at=market.opens_at, duration_s=30 * DAY_S, bar_s=DAY_S, what=what)
        for what in ("TRADES", "ADJUSTED_LAST")
    )
    days = [dt.datetime.fromtimestamp(at, dt.UTC).date() for at in plain.starts_at]
    ex_date = days.index(dt.date(2014, 5, 8))  # 3.29 dollars, the close before 592.33
    assert plain.close[ex_date - 1] == 592.33
    assert adjusted.close[ex_date - 1] == pytest.approx(592.33 - 3.29)
    assert adjusted.close[ex_date:].tolist() == plain.close[ex_date:].tolist()


@real
def test_a_quote_that_lacks_its_bid_is_passed_on_without_it():
    market = RecordedMarket(DATA, dt.date(2014, 6, 9), ("TWX",))
    early = [step for step in market.steps(include_premarket=True) if step.starts_at < market.opens_at]
    minute = (6 - 4) * 60 + 12  # the quotes of 06:11 New York have no bid
    step = early[minute * 12]
    assert (math.isnan(step.bid[0]), step.bid_size[0], step.ask_size[0] > 0) == (True, 0.0, True)
    assert step.ask[0] > 0


@real
def test_head_and_first_daily_bar_agree(market):
    days = market.history("SPY", end_at=market.opens_at, duration_s=10_000 * DAY_S, bar_s=DAY_S)
    assert market.head_at("SPY") == days.starts_at[0]


@real
def test_an_index_without_volume_is_played_only_when_asked_for():
    assert "VIX" not in RecordedMarket(DATA, dt.date(2019, 2, 14)).symbols
    assert RecordedMarket(DATA, dt.date(2019, 2, 14), ("VIX",)).symbols == ("VIX",)


@real
def test_an_unknown_session_or_symbol_is_one_line_that_says_what_there_is():
    with pytest.raises(DataError, match=r"no session 2013-10-11, there are: 2013-10-04, .*2019-02-15$"):
        RecordedMarket(DATA, dt.date(2013, 10, 11))
    with pytest.raises(DataError, match=r"session 2013-10-08 has no AAPL, it has: IBM, SPY$"):
        RecordedMarket(DATA, SESSION, ("AAPL",))


# ---- files made by hand


def a_folder(tmp_path, name="minute_trades_lean", **changes):
    """Three minutes of one symbol on 2020-03-02; columns given replace those of the table."""
    frame = pd.DataFrame(
        {
            "symbol": ["ABC"] * 3,
            "ts": pd.to_datetime(["2020-03-02T14:30Z", "2020-03-02T14:31Z", "2020-03-02T14:33Z"]),
            "open": [10.0, 10.1, 10.2],
            "high": [10.2, 10.3, 10.4],
            "low": [9.9, 10.0, 10.1],
            "close": [10.1, 10.2, 10.3],
            "volume": [1200, 2400, 1200],
        }
    ).assign(**changes)
    frame.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_a_minute_that_is_left_out_is_twelve_steps_without_a_trade(tmp_path):
    market = RecordedMarket(a_folder(tmp_path), dt.date(2020, 3, 2))
    close = column(list(market.steps()), "close", 0)
    assert np.isnan(close[24:36]).all()
    assert not np.isnan(close[[23, 36, 47]]).any()
    assert (market.long_name("ABC"), market.exchange("ABC"), market.min_tick("ABC")) == ("ABC", "NYSE", 0.01)


def test_quotes_stand_where_nothing_trades(tmp_path):
    market = RecordedMarket(a_folder(tmp_path), dt.date(2020, 3, 2))
    steps = list(market.steps())
    # The last step of a rising minute falls from its high to its close, so the close was paid at the bid.
    assert column(steps, "bid", 0)[[30, 4679]].tolist() == [10.2, 10.3]
    assert column(steps, "ask", 0)[[30, 4679]].tolist() == [10.21, 10.31]


def test_ticks_are_gathered_into_steps_and_suspicious_ones_left_out(tmp_path):
    ticks = pd.DataFrame(
        {
            "symbol": ["ABC"] * 4,
            "ts": pd.to_datetime([f"2020-03-02T14:30:0{second}Z" for second in (0.5, 0.5, 3.0, 6.0)], format="ISO8601"),
            "price": [10.0, 10.2, 99.0, 10.1],
            "size": [100, 50, 1000, 30],
            "suspicious": [0, 0, 1, 0],
        }
    )
    ticks.to_parquet(tmp_path / "tick_trades_lean.parquet")
    first, second, *_ = RecordedMarket(tmp_path, dt.date(2020, 3, 2)).steps()
    bar = [float(part[0]) for part in (first.open, first.high, first.low, first.close, first.volume)]
    assert bar == [10.0, 10.2, 10.0, 10.2, 150.0]
    assert second.close[0] == 10.1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"high": [10.2, 9.0, 10.4]}, "row 1: high below low"),
        ({"low": [9.9, 10.0, -1.0]}, "row 2: a price that is not positive"),
        ({"volume": [1, -5, 1]}, "row 1: negative volume"),
        ({"ts": pd.to_datetime(["2020-03-02T14:31Z"] * 3)}, "row 1: ABC: time does not increase"),
    ],
)
def test_a_bad_row_is_refused_with_file_row_and_reason(tmp_path, changes, reason):
    with pytest.raises(DataError, match=f"minute_trades_lean.parquet: {reason}"):
        RecordedMarket(a_folder(tmp_path, **changes), dt.date(2020, 3, 2))


def test_a_file_that_is_no_table_is_named_and_one_that_cannot_be_read_refused(tmp_path):
    pd.DataFrame({"symbol": ["ABC"]}).to_parquet(tmp_path / "minute_trades_lean.parquet")
    with pytest.raises(DataError, match=r"there are: none; not read: minute_trades_lean.parquet \(columns symbol\)"):
        RecordedMarket(tmp_path, dt.date(2020, 3, 2))
    (tmp_path / "minute_trades_lean.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        RecordedMarket(tmp_path, dt.date(2020, 3, 2))


def test_a_folder_that_is_not_there_or_empty_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        RecordedMarket(tmp_path / "nothing", dt.date(2020, 3, 2))
    with pytest.raises(DataError, match="there are: none"):
        RecordedMarket(tmp_path, dt.date(2020, 3, 2))


def test_a_nan_price_is_refused_before_it_reaches_an_order(tmp_path):
    with pytest.raises(DataError, match="row 1: a price or volume that is not a number"):
        RecordedMarket(a_folder(tmp_path, close=[10.1, math.nan, 10.3]), dt.date(2020, 3, 2))
