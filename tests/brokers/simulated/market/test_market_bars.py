"""Bars and ticks out of five-second steps, by hand."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from brokers.simulated.market.bars import (
    BAR_SIZES_S,
    DAY_S,
    MONTH_S,
    SHOWN,
    WEEK_S,
    SymbolDay,
    bars_of,
    derived_quote_ticks,
    derived_ticks,
)
from brokers.simulated.market.synthetic import SyntheticMarket
from brokers.simulated.market.trading_days import epoch_s
from shared.errors import DataError

SESSION = dt.date(2026, 11, 20)
MIDNIGHT_AT, OPENS_AT = epoch_s(SESSION, dt.time(0)), epoch_s(SESSION, dt.time(9, 30))
NAN = math.nan
SILENT = (NAN, NAN, NAN, NAN, NAN)


def a_day(*steps, bids=None, asks=None):
    """Steps of (open, high, low, close, volume) from 09:30 on, with 200 shares bid and 300 offered."""
    count = len(steps)
    quotes = (bids or [9.99] * count, asks or [10.01] * count, [200.0] * count, [300.0] * count)
    starts_at = OPENS_AT + 5.0 * np.arange(count, dtype=np.float64)
    return SymbolDay(starts_at, *np.array(steps, dtype=float).T, *(np.array(side) for side in quotes))


def bars(day, bar_s, what="TRADES", ended_by=math.inf):
    return bars_of(day, bar_s, what, midnight_at=MIDNIGHT_AT, ended_by=ended_by)


def rows(history):
    """Each bar as (seconds after the open, open, high, low, close, volume)."""
    columns = (history.open, history.high, history.low, history.close, history.volume)
    return list(zip((history.starts_at - OPENS_AT).tolist(), *(column.tolist() for column in columns), strict=True))


FLAT = (10.0, 10.0, 10.0, 10.0, 100.0)


def test_larger_bars_pass_over_what_did_not_trade():
    day = a_day(SILENT, (10.0, 12.0, 9.0, 11.0, 100.0), (11.0, 11.0, 11.0, 11.0, 50.0), SILENT, SILENT)
    assert rows(bars(day, 15)) == [(0.0, 10.0, 12.0, 9.0, 11.0, 150.0)]


def test_the_first_hour_of_a_session_ends_at_ten():
    day = a_day(*[FLAT] * 720)
    assert rows(bars(day, 3600)) == [
        (0.0, 10.0, 10.0, 10.0, 10.0, 36_000.0),
        (1800.0, 10.0, 10.0, 10.0, 10.0, 36_000.0),
    ]


def test_a_bar_that_has_not_ended_is_not_shown_and_the_last_ends_with_the_session():
    day = a_day(*[FLAT] * 30)
    assert [row[0] for row in rows(bars(day, 60, ended_by=OPENS_AT + 119.9))] == [0.0]
    assert [row[0] for row in rows(bars(day, 60, ended_by=OPENS_AT + 149.9))] == [0.0, 60.0]
    assert [row[0] for row in rows(bars(day, 60, ended_by=OPENS_AT + 150))] == [0.0, 60.0, 120.0]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        # The first step has no quote before it; each later one begins with the quote before.
        ("BID", [(0.0, 9.0, 9.2, 9.0, 9.2, -1.0), (10.0, 9.2, 9.2, 8.8, 8.8, -1.0)]),
        ("ASK", [(0.0, 9.4, 9.6, 9.4, 9.6, -1.0), (10.0, 9.6, 9.6, 9.0, 9.0, -1.0)]),
        ("MIDPOINT", [(0.0, 9.2, 9.4, 9.2, 9.4, -1.0), (10.0, 9.4, 9.4, 8.9, 8.9, -1.0)]),
        # Average bid, highest ask, lowest bid, average ask.
        ("BID_ASK", [(0.0, 9.1, 9.6, 9.0, 9.5, -1.0), (10.0, 8.8, 9.6, 8.8, 9.0, -1.0)]),
    ],
)
def test_bars_of_quotes_follow_what_stood_at_the_ends_of_the_steps(what, expected):
    day = a_day(FLAT, FLAT, FLAT, bids=[9.0, 9.2, 8.8], asks=[9.4, 9.6, 9.0])
    assert np.array(rows(bars(day, 10, what))) == pytest.approx(np.array(expected))


def test_a_step_without_a_quote_is_passed_over():
    day = a_day(FLAT, FLAT, bids=[NAN, 9.2], asks=[9.4, 9.6])
    assert rows(bars(day, 5, "BID")) == [(5.0, 9.2, 9.2, 9.2, 9.2, -1.0)]
    assert rows(bars(day, 5, "MIDPOINT")) == [(5.0, 9.4, 9.4, 9.4, 9.4, -1.0)]
    assert len(rows(bars(day, 5, "ASK"))) == 2


def test_ticks_are_the_four_points_of_each_step_that_traded():
    ticks = derived_ticks(a_day((10.0, 12.0, 9.0, 11.0, 402.0), SILENT, (11.0, 12.0, 9.0, 9.5, 400.0)))
    assert (ticks.at - OPENS_AT).tolist() == [0.0, 1.25, 2.5, 3.75, 10.0, 11.25, 12.5, 13.75]
    assert ticks.price.tolist() == [10.0, 9.0, 12.0, 11.0, 11.0, 12.0, 9.0, 9.5]
    assert ticks.size.tolist() == [100.0, 100.0, 100.0, 102.0, 100.0, 100.0, 100.0, 100.0]


def test_quote_ticks_come_at_the_end_of_each_step_that_has_a_quote():
    ticks = derived_quote_ticks(a_day(FLAT, SILENT, FLAT, bids=[9.9, NAN, NAN], asks=[10.1, NAN, 10.2]))
    assert (ticks.at - OPENS_AT).tolist() == [5.0, 15.0]
    assert ticks.ask.tolist() == [10.1, 10.2]
    assert np.isnan(ticks.bid).tolist() == [False, True]


# ---- through a whole market


@pytest.fixture(scope="module")
def market():
    return SyntheticMarket(seed=7, symbols=("SPY", "DIA"))


def history(market, symbol="SPY", **question):
    defaults = {"end_at": market.closes_at, "duration_s": DAY_S, "bar_s": 60}
    return market.history(symbol, **(defaults | question))


@pytest.mark.parametrize("bar_s", [size for size in BAR_SIZES_S if size < DAY_S])
def test_bars_of_every_size_hold_the_whole_day(market, bar_s):
    day, whole = history(market, bar_s=bar_s), history(market, bar_s=DAY_S)
    assert day.volume.sum() == whole.volume[0]
    assert (day.open[0], day.high.max(), day.low.min(), day.close[-1]) == (
        *(whole.open[0], whole.high[0]),
        *(whole.low[0], whole.close[0]),
    )
    clock = (day.starts_at[1:] - MIDNIGHT_AT) % bar_s
    assert (clock == 0).all()


@pytest.mark.parametrize("what", SHOWN)
def test_every_kind_of_history_has_a_minute_for_each_minute(market, what):
    assert len(history(market, what=what).close) == 390


def test_a_bid_lies_below_the_midpoint_and_that_below_the_ask(market):
    bid, mid, ask = (
        history(market, bar_s=DAY_S, what=what, duration_s=5 * DAY_S) for what in ("BID", "MIDPOINT", "ASK")
    )
    assert len(bid.close) == 5
    assert (bid.close < mid.close).all()
    assert (mid.close < ask.close).all()


@pytest.mark.parametrize(("bar_s", "sessions", "rule"), [(WEEK_S, 20, "W-SUN"), (MONTH_S, 63, "ME")])
def test_weeks_and_months_are_made_of_whole_calendar_periods(bar_s, sessions, rule):
    market = SyntheticMarket(seed=7, symbols=("SPY",), session=dt.date(2026, 11, 19), history_sessions=120)
    ours = history(market, bar_s=bar_s, duration_s=sessions * DAY_S)
    days = history(market, bar_s=DAY_S, duration_s=100 * DAY_S)
    frame = pd.DataFrame(
        {"open": days.open, "high": days.high, "low": days.low, "close": days.close, "volume": days.volume},
        index=pd.to_datetime(days.starts_at, unit="s"),
    )
    periods = frame.resample(rule).agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    expected = periods.iloc[:-1].tail(len(ours.close))  # the running week and month have not ended
    assert len(ours.close) == sessions // (5 if bar_s == WEEK_S else 21)
    assert ours.open.tolist() == expected.open.tolist()
    assert ours.high.tolist() == expected.high.tolist()
    assert ours.low.tolist() == expected.low.tolist()
    assert ours.close.tolist() == expected.close.tolist()
    assert ours.volume.tolist() == expected.volume.tolist()


def test_a_week_ends_with_its_last_trading_day():
    friday = SyntheticMarket(seed=7, symbols=("SPY",))
    week = history(friday, bar_s=WEEK_S, duration_s=5 * DAY_S)
    assert week.close[0] == history(friday, bar_s=DAY_S).close[0]
    before = history(friday, bar_s=WEEK_S, duration_s=5 * DAY_S, end_at=friday.closes_at - 1)
    assert dt.datetime.fromtimestamp(before.starts_at[0], dt.UTC).date() == dt.date(2026, 11, 9)


def test_ticks_without_a_start_are_the_latest_before_the_end(market):
    ticks = market.ticks("SPY", start_at=None, end_at=market.opens_at + 10, count=6)
    assert (ticks.at - market.opens_at).tolist() == [2.5, 3.75, 5.0, 6.25, 7.5, 8.75]


def test_ticks_reach_back_into_earlier_sessions(market):
    ticks = market.ticks("SPY", start_at=None, end_at=market.opens_at + 5, count=8)
    assert (ticks.at < market.opens_at).sum() == 4
    assert len(ticks.at) == 8


def test_ticks_with_a_start_are_the_first_from_there_and_none_from_the_end_on(market):
    first = market.ticks("SPY", start_at=market.opens_at + 5, end_at=market.closes_at, count=3)
    assert (first.at - market.opens_at).tolist() == [5.0, 6.25, 7.5]
    few = market.quote_ticks("SPY", start_at=market.opens_at, end_at=market.opens_at + 20, count=1000)
    assert (few.at - market.opens_at).tolist() == [5.0, 10.0, 15.0]


def test_ticks_from_a_start_go_on_into_later_sessions(market):
    thursday_close = market.opens_at - 17.5 * 3600
    ticks = market.quote_ticks("SPY", start_at=thursday_close - 5, end_at=market.closes_at, count=4)
    assert (ticks.at - market.opens_at).tolist() == [-17.5 * 3600 - 5, -17.5 * 3600, 5.0, 10.0]


def test_the_head_is_the_first_open_that_history_knows(market):
    days = history(market, bar_s=DAY_S, duration_s=1000 * DAY_S)
    assert market.head_at("SPY") == days.starts_at[0]
    with pytest.raises(DataError, match="unknown symbol 'NOPE'"):
        market.head_at("NOPE")


def test_what_is_not_shown_is_refused_with_what_is(market):
    with pytest.raises(DataError, match=r"'FEE_RATE' is not known, allowed are TRADES, MIDPOINT"):
        history(market, what="FEE_RATE")
    with pytest.raises(DataError, match=r"bar size 7 s, allowed are \(5, 10, 15, 30, 60"):
        history(market, bar_s=7)
