from datetime import timedelta

import msgspec
import numpy as np
import pytest

from research.backtest.result import CashFlow, ShareSplit
from research.backtest.round_trips import trips_of_result
from research.tear_sheet.holdings import held_count, holdings_of
from research.tear_sheet.trips import trips_of
from shared.orders import OrderType, Side
from tests.measures.builders import MONDAY, a_daily_curve, a_daily_panel, a_fill, a_result, an_instant
from tests.tear_sheet.builders import a_decision, an_entry

DAYS = 6


def a_replay(fills, *, decisions=(), days=DAYS, **kwargs):
    curve = a_daily_curve(*[1_000.0] * days)
    result = a_result(curve, fills, starting_cash=1_000.0, **kwargs)
    return msgspec.structs.replace(result, decisions=tuple(map(a_decision, decisions)))


def a_panel(opens, highs, lows, closes):
    panel = a_daily_panel(closes)
    for column, values in (("open", opens), ("high", highs), ("low", lows)):
        getattr(panel, column)[:, 0] = values
    return panel


BARS = a_panel(
    opens=[100, 100, 102, 104, 103, 100],
    highs=[101, 105, 108, 109, 104, 100],
    lows=[99, 95, 101, 97, 90, 100],
    closes=[100, 102, 104, 103, 100, 100],
)


def long_trip(entry_price=100.0, exit_price=103.0, leg="X1"):
    """Entered in the bar of session 1, left in that of session 4."""
    return [
        a_fill(Side.BUY, 10, entry_price, session=1, commission=1.0, slippage=0.25),
        a_fill(Side.SELL, 10, exit_price, session=4, leg=leg, commission=1.0, slippage=0.5),
    ]


def test_a_market_entry_has_its_whole_bar_and_the_exit_bar_only_its_open():
    """Lows 95 (entry bar), 101, 97; the 90 of the exit bar came perhaps after the exit. Highs up to 109."""
    (trip,) = trips_of(a_replay(long_trip(), decisions=[an_entry("cross")]), BARS)
    assert trip.mae_pct == pytest.approx(-5.0)
    assert trip.mfe_pct == pytest.approx(9.0)


def test_of_the_bar_of_a_limit_entry_only_the_close_counts():
    fills = long_trip(entry_price=98.0)
    (trip,) = trips_of(a_replay(fills, decisions=[an_entry("cross", order_type=OrderType.LIMIT)]), BARS)
    assert trip.mae_pct == pytest.approx(100 * (97 / 98 - 1))


def test_the_fill_of_a_stop_is_part_of_its_excursion():
    (trip,) = trips_of(a_replay(long_trip(exit_price=92.0, leg="S"), decisions=[an_entry("cross")]), BARS)
    assert trip.mae_pct == pytest.approx(-8.0)
    assert trip.exit_leg == "stop"


def test_a_short_is_hurt_by_highs():
    fills = [a_fill(Side.SELL, 10, 100.0, session=1), a_fill(Side.BUY, 10, 103.0, session=4, leg="X1")]
    (trip,) = trips_of(a_replay(fills, decisions=[an_entry("cross")]), BARS)
    assert (trip.quantity, trip.mae_pct, trip.mfe_pct) == pytest.approx((-10, -9.0, 5.0))


def test_entered_and_stopped_in_one_bar_knows_only_its_two_prices():
    fills = [a_fill(Side.BUY, 10, 100.0, session=1), a_fill(Side.SELL, 10, 97.0, session=1, leg="S")]
    (trip,) = trips_of(a_replay(fills, decisions=[an_entry("cross")]), BARS)
    assert (trip.bars, trip.mae_pct, trip.mfe_pct) == pytest.approx((1, -3.0, 0.0))


def test_a_trip_says_why_it_began_what_it_cost_and_what_it_brought():
    (trip,) = trips_of(a_replay(long_trip(), decisions=[an_entry("fast above slow")]), BARS)
    assert trip.entry_reason == "fast above slow"
    assert (trip.commission, trip.slippage, trip.bars) == (2.0, 0.75, 4)
    assert (trip.profit, trip.return_pct) == pytest.approx((28.0, 2.8))


def a_split(session, new=2, old=1, symbol="SPY"):
    at = an_instant(session) - timedelta(hours=6)
    return ShareSplit(at=at, session=MONDAY + timedelta(days=session), symbol=symbol, new=new, old=old)


def test_a_trip_goes_on_across_a_split_in_shares_of_after_it():
    """10 at 100 are 20 at 50; sold at 55 they brought 100."""
    fills = [a_fill(Side.BUY, 10, 100.0, session=1), a_fill(Side.SELL, 20, 55.0, session=4, leg="X1")]
    (trip,) = trips_of_result(a_replay(fills, splits=(a_split(2),)))
    assert (trip.quantity, trip.entry_price, trip.exit_price, trip.gross_profit) == (20, 50.0, 55.0, 100.0)


def test_a_split_is_no_excursion():
    """Raw prices 100, then 50 after the split: the position was never under water."""
    flat = [100.0, 100.0, 50.0, 50.0, 55.0, 55.0]
    fills = [a_fill(Side.BUY, 10, 100.0, session=1), a_fill(Side.SELL, 20, 55.0, session=4, leg="X1")]
    (trip,) = trips_of(a_replay(fills, splits=(a_split(2),)), a_daily_panel(flat))
    assert (trip.mae_pct, trip.mfe_pct) == pytest.approx((0.0, 10.0))


def test_what_is_paid_for_half_a_share_counts_as_sold():
    """5 shares at 3 for 2 are 7 and a half at 60: 30 in cash, 7 sold at 60, entered for 500."""
    fills = [a_fill(Side.BUY, 5, 100.0, session=1), a_fill(Side.SELL, 7, 60.0, session=4, leg="X1")]
    split = a_split(2, new=3, old=2)
    paid = CashFlow(at=split.at, session=split.session, kind="cash_in_lieu", symbol="SPY", amount=30.0)
    (trip,) = trips_of_result(a_replay(fills, splits=(split,), cash_flows=(paid,)))
    assert trip.gross_profit == pytest.approx(7 * 60 + 30 - 500)


def test_a_reverse_split_that_leaves_no_share_ends_the_trip():
    split = a_split(2, new=1, old=10)
    paid = CashFlow(at=split.at, session=split.session, kind="cash_in_lieu", symbol="SPY", amount=450.0)
    result = a_replay([a_fill(Side.BUY, 5, 100.0, session=1)], splits=(split,), cash_flows=(paid,))
    (trip,) = trips_of(result, a_daily_panel([100.0] * DAYS))
    assert (trip.profit, trip.closed_at) == (-50.0, split.at)
    assert holdings_of(result)[0].last == 1


def test_the_split_of_another_symbol_or_before_the_entry_changes_nothing():
    splits = (a_split(0), a_split(2, symbol="IBM"))
    result = a_replay(long_trip(), splits=splits, symbols=("SPY", "IBM"))
    (trip,) = trips_of_result(result)
    assert (trip.quantity, trip.gross_profit) == (10, 30.0)


def test_a_symbol_is_held_from_the_close_of_its_entry_to_the_close_before_its_exit():
    (held,) = holdings_of(a_replay(long_trip()))
    assert (held.symbol, held.side, held.first, held.last) == ("SPY", 1, 1, 3)
    assert held_count((held,), DAYS).tolist() == [0, 1, 1, 1, 0, 0]


def test_a_short_and_a_long_are_stretches_of_their_own():
    fills = [
        a_fill(Side.SELL, 10, 100.0, session=0),
        a_fill(Side.BUY, 20, 100.0, session=2),
        a_fill(Side.SELL, 10, 100.0, session=4),
    ]
    assert [(one.side, one.first, one.last) for one in holdings_of(a_replay(fills))] == [(-1, 0, 1), (1, 2, 3)]


def test_out_and_in_again_within_a_row_is_one_stretch():
    fills = [*long_trip(), a_fill(Side.BUY, 10, 100.0, session=4, row=0)]
    (held,) = holdings_of(a_replay(fills))
    assert (held.first, held.last) == (1, DAYS - 1)


def test_a_split_leaves_nobody_held_who_was_sold():
    fills = [a_fill(Side.BUY, 10, 100.0, session=1), a_fill(Side.SELL, 20, 55.0, session=4, leg="X1")]
    assert np.sum(held_count(holdings_of(a_replay(fills, splits=(a_split(2),))), DAYS)) == 3
