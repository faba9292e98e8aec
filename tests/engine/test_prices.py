"""Which prints are believed; nothing else ever becomes an order's price."""

import math
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.engine.prices import Prices
from shared.commands import PlaceBracket
from shared.events import (
    AccountReported,
    BarsClosed,
    BrokerReported,
    ConnectionRestored,
    OrderRejected,
    SessionScheduled,
)
from shared.orders import Side
from tests.engine.builders import (
    ACCOUNT,
    a_desk,
    a_row,
    a_row_of,
    a_started,
    a_universe,
    an_account,
    an_engine,
    at,
    bars,
    handle_all,
    of_kind,
    says,
    some_settings,
)

RECORDED = Path(__file__).resolve().parents[3] / "shared/data/intraday/minute_trades_lean.parquet"
JUMP_PCT = 10.0


def prices_after(*rows):
    """SPY is in column 0; one row a minute."""
    prices = Prices.empty(2)
    for minute, row in enumerate(rows, start=1):
        prices.update(a_row(SPY=row), at(60 * minute), JUMP_PCT)
    return prices


def belief(prices):
    return prices.price(0), prices.good_price(0), prices.is_suspect(0)


def test_before_the_first_print_there_is_no_price():
    prices = prices_after()
    assert (*belief(prices), prices.priced_at(0)) == (None, None, True, None)


def test_the_first_print_is_believed():
    assert belief(prices_after(100.0)) == (100.0, 100.0, False)


def test_a_price_is_as_old_as_its_row():
    assert prices_after(100.0, None).priced_at(0) == at(60)


def test_a_move_as_large_as_allowed_is_believed():
    assert belief(prices_after(100.0, 110.0)) == (110.0, 110.0, False)


def test_a_larger_move_is_suspect_until_three_bars_agree():
    assert belief(prices_after(100.0, 50.0)) == (50.0, 100.0, True)
    assert belief(prices_after(100.0, 50.0, 50.5)) == (50.5, 100.0, True)
    assert belief(prices_after(100.0, 50.0, 50.5, 50.4)) == (50.4, 50.4, False)


def test_bars_that_do_not_agree_with_each_other_confirm_nothing():
    assert belief(prices_after(100.0, 50.0, 200.0, 50.0, 200.0)) == (200.0, 100.0, True)


def test_a_row_without_a_print_neither_confirms_nor_contradicts():
    assert belief(prices_after(100.0, 50.0, None, 50.5, 50.4)) == (50.4, 50.4, False)


def test_a_spike_of_a_thousand_times_is_over_with_the_next_bar():
    assert belief(prices_after(100.0, 100_000.0)) == (100_000.0, 100.0, True)
    assert belief(prices_after(100.0, 100_000.0, 100.1)) == (100.1, 100.1, False)


IMPOSSIBLE = {
    "NaN close": (100.0, 101.0, 99.0, math.nan),
    "NaN high": (100.0, math.nan, 99.0, 100.0),
    "NaN low": (100.0, 101.0, math.nan, 100.0),
    "infinite": (math.inf, math.inf, math.inf, math.inf),
    "zero": (0.0, 0.0, 0.0, 0.0),
    "negative": (-1.0, -1.0, -1.0, -1.0),
    "low of zero": (100.0, 101.0, 0.0, 100.0),
    "high below low": (100.0, 99.0, 101.0, 100.0),
    "close above high": (100.0, 101.0, 99.0, 101.5),
    "close below low": (100.0, 101.0, 99.0, 98.5),
}


@pytest.mark.parametrize("bar", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_an_impossible_bar_is_no_print(bar):
    prices = prices_after(99.5, bar)
    assert (*belief(prices), prices.priced_at(0)) == (99.5, 99.5, False, at(60))


@pytest.mark.parametrize("bar", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_an_impossible_bar_leads_to_no_entry(bar):
    engine = a_started()
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(60, SPY=bar)), PlaceBracket) == []


def test_a_move_too_large_to_be_a_number_is_suspect_and_nothing_else():
    assert belief(prices_after(1e-200, 1e180)) == (1e180, 1e-200, True)


any_bar = st.none() | st.tuples(*[st.floats() | st.sampled_from([0.0, 100.0, 101.0, 1e5])] * 4)


@given(st.lists(any_bar, max_size=12))
@settings(max_examples=150, deadline=None)
def test_no_row_whatsoever_makes_a_price_that_is_not_a_positive_number(rows):
    prices = prices_after(*rows)
    found = [price for price in (prices.price(0), prices.good_price(0)) if price is not None]
    assert [price for price in found if not 0 < price < math.inf] == []


@given(st.lists(any_bar, max_size=12))
@settings(max_examples=150, deadline=None)
def test_the_good_price_never_jumps_without_three_bars_at_the_new_place(rows):
    prices, jumps = Prices.empty(2), []
    for minute, row in enumerate(rows, start=1):
        was = prices.good_price(0)
        prices.update(a_row(SPY=row), at(60 * minute), JUMP_PCT)
        now = prices.good_price(0)
        if was is not None and now is not None and abs(now / was - 1) > JUMP_PCT / 100 + 1e-6:
            jumps.append(prices.agreeing[0])
    assert all(agreed >= 3 for agreed in jumps)


# --- through the whole engine -----------------------------------------------------------------------------------


def test_no_entry_while_the_price_is_suspect_and_none_at_the_spike_afterwards():
    engine = a_started()
    engine.handle(bars(60, SPY=100.0))
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(120, SPY=100_000.0)), PlaceBracket) == []
    placed = of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)
    assert all((p.bracket.entry.quantity, p.bracket.stop_loss.stop_price) == (500, 99.0) for p in placed)


def the_split_of_aapl():
    """AAPL's real minutes around its 7:1 split: 645.57 on Friday, 92.42 on Monday, 2014-06-09."""
    frame = pd.read_parquet(RECORDED)
    frame = frame[(frame.symbol == "AAPL") & (frame.ts >= "2014-06-06 19:00") & (frame.ts <= "2014-06-09 15:00")]
    return list(frame[["ts", "open", "high", "low", "close"]].itertuples(index=False, name=None))


def scheduled_for(instant):
    opens_at = instant.replace(hour=13, minute=30, second=0)
    return SessionScheduled(
        received_at=instant, session=instant.date(), opens_at=opens_at, closes_at=instant.replace(hour=20, minute=0)
    )


def an_engine_of_aapl(entry):
    universe = a_universe("AAPL")
    settings_ = some_settings(entry=entry, entry_before_close_s=0.0, flatten_before_close_s=0.0)
    engine = an_engine(universe=universe, desks=[a_desk(universe)], settings=settings_)
    start = at(0).replace(year=2014, month=6, day=6, hour=19)
    report = BrokerReported(
        received_at=start,
        asked_at=start,
        positions=(),
        open_orders=(),
        completed_orders=(),
        fills=(),
        account=an_account(),
    )
    handle_all(engine, [scheduled_for(start), ConnectionRestored(received_at=start, account_id=ACCOUNT), report])
    return engine


def a_bar_of_aapl(line):
    ts, *prices = line
    closed_at = ts.to_pydatetime() + timedelta(minutes=1)
    row = a_row_of(("AAPL",), AAPL=tuple(prices))
    return BarsClosed(received_at=closed_at, closed_at=closed_at, interval_s=60, row=row)


def entries_at_every_bar(engine):
    """The engine is told long and short in turns; the broker refuses every order, so that each bar is a chance.

    Returns per bar (closed_at, last good price, is suspect, bracket or None).
    """
    found = []
    for number, line in enumerate(the_split_of_aapl()):
        event = a_bar_of_aapl(line)
        says(engine, AAPL=1.0 if number % 2 else -1.0)
        if engine.book.hours.session != event.closed_at.date():
            engine.handle(scheduled_for(event.closed_at))
            engine.handle(AccountReported(received_at=event.received_at, account=an_account()))
        placed = of_kind(engine.handle(event), PlaceBracket)
        prices = engine.book.prices
        found += [(event.closed_at, prices.good_price(0), prices.is_suspect(0), p.bracket) for p in placed] or [
            (event.closed_at, prices.good_price(0), prices.is_suspect(0), None)
        ]
        for ref in list(engine.book.orders):
            engine.handle(OrderRejected(received_at=event.received_at, ref=ref, code=201, text="no"))
    return found


recorded = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded data ../shared/data is not here"),
]


def real(test):
    for mark in recorded:
        test = mark(test)
    return test


@real
def test_the_recorded_print_after_the_split_is_the_one_we_know():
    closes = [line[-1] for line in the_split_of_aapl()]
    (fall,) = [pair for pair in pairwise(closes) if pair[1] < pair[0] / 2]
    assert fall[0] == pytest.approx(645.57, abs=0.5)
    assert fall[1] == pytest.approx(92.42, abs=0.5)


@real
@pytest.mark.parametrize("entry", ["market", "limit"])
def test_around_the_split_of_aapl_no_entry_is_sent_on_a_suspect_price(entry):
    found = entries_at_every_bar(an_engine_of_aapl(entry))
    assert sum(suspect for _, _, suspect, _ in found) >= 2
    assert [bracket for _, _, suspect, bracket in found if suspect and bracket is not None] == []


@real
def test_around_the_split_of_aapl_every_entry_pays_inside_the_collar_of_the_last_good_price():
    found = entries_at_every_bar(an_engine_of_aapl("limit"))
    paid = [(bracket.entry.limit_price, good) for _, good, _, bracket in found if bracket is not None]
    assert len(paid) > 20
    assert all(abs(limit / good - 1) <= 0.03 for limit, good in paid)
    assert {round(good, -2) for _, good in paid} == {600.0, 100.0}  # before the split and after it


@real
def test_around_the_split_of_aapl_every_stop_is_on_the_losing_side_and_near():
    found = entries_at_every_bar(an_engine_of_aapl("limit"))
    brackets = [(bracket, good) for _, good, _, bracket in found if bracket is not None]
    signs = [(b.entry.side.sign * (good - b.stop_loss.stop_price) / good) for b, good in brackets]
    assert {b.entry.side for b, _ in brackets} == {Side.BUY, Side.SELL}
    assert np.all((np.array(signs) > 0) & (np.array(signs) < 0.015))
