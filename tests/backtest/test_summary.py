import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from research.backtest.result import CostedFill, EquityCurve, ReplayResult
from research.backtest.round_trips import round_trips
from research.backtest.summary import summarise
from research.measures.equity import daily_returns, drawdown_pct
from research.measures.series import sharpe
from shared.orders import Fill, Leg, Side
from tests.backtest.builders import MONDAY, OPENS


def a_fill(side, quantity, price, *, leg="E", minute=0, commission=0.0, slippage=0.0, strategy="sma", symbol="SPY"):
    fill = Fill(
        ref=f"OB1:{strategy}:20131007:{symbol}-1:{leg}",
        exec_id=f"bar.0.{minute:08d}.01",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        filled_at=OPENS + timedelta(minutes=minute),
    )
    return CostedFill(fill=fill, commission=commission, slippage=slippage)


def a_curve(*days):
    """Equity per row, one list per session; nothing held."""
    sessions = [MONDAY + timedelta(days=at) for at, values in enumerate(days) for _ in values]
    equity = np.array([value for values in days for value in values], dtype=np.float64)
    return EquityCurve(
        closed_at=tuple(OPENS + timedelta(minutes=at) for at in range(len(equity))),
        sessions=tuple(sessions),
        net_liquidation=equity,
        gross=np.zeros(len(equity)),
    )


def a_result(curve, fills=()):
    return ReplayResult(
        symbols=("SPY",), interval_s=60, starting_cash=100.0, decisions=(), fills=tuple(fills), curve=curve
    )


def test_a_bought_and_sold_position_is_one_round_trip():
    fills = [
        a_fill(Side.BUY, 100, 10.0, commission=1.0),
        a_fill(Side.SELL, 100, 11.0, leg="T", minute=5, commission=2.0),
    ]
    (trip,) = round_trips(fills)
    assert (trip.quantity, trip.entry_price, trip.exit_price) == (100, 10.0, 11.0)
    assert (trip.gross_profit, trip.commission, trip.exit_leg) == (100.0, 3.0, Leg.TAKE_PROFIT)
    assert trip.closed_at - trip.opened_at == timedelta(minutes=5)


def test_fills_in_parts_average_their_prices():
    fills = [
        a_fill(Side.SELL, 100, 10.0),
        a_fill(Side.SELL, 300, 12.0, minute=1),
        a_fill(Side.BUY, 200, 9.0, leg="S", minute=2),
        a_fill(Side.BUY, 200, 10.0, leg="X1", minute=3),
    ]
    (trip,) = round_trips(fills)
    assert (trip.quantity, trip.entry_price, trip.exit_price) == (-400, 11.5, 9.5)
    assert trip.gross_profit == pytest.approx(800.0)


def test_a_fill_through_zero_ends_one_round_trip_and_begins_the_next():
    fills = [
        a_fill(Side.BUY, 100, 10.0),
        a_fill(Side.SELL, 150, 12.0, minute=1, commission=3.0),
        a_fill(Side.BUY, 50, 11.0, minute=2),
    ]
    first, second = round_trips(fills)
    assert (first.quantity, first.gross_profit, first.commission) == (100, 200.0, 2.0)
    assert (second.quantity, second.gross_profit, second.commission) == (-50, 50.0, 1.0)


def test_strategies_do_not_share_round_trips_even_in_one_instrument():
    fills = [a_fill(Side.BUY, 100, 10.0, strategy="a"), a_fill(Side.SELL, 100, 11.0, strategy="b", minute=1)]
    assert round_trips(fills) == []


def test_sharpe_is_mean_over_sample_deviation_times_the_root_of_252():
    # mean 0.01, deviations -0.02, 0, 0.02: variance 0.0008 / 2, so the deviation is 0.02
    assert sharpe(np.array([-0.01, 0.01, 0.03])) == pytest.approx(math.sqrt(252) * 0.5)


def test_sharpe_of_one_return_or_of_equal_ones_does_not_exist():
    assert sharpe(np.array([0.01])) is None
    assert sharpe(np.array([0.0, 0.0])) is None


def test_drawdown_counts_from_the_highest_equity_and_from_the_starting_cash():
    assert drawdown_pct(np.array([90.0, 120.0, 60.0, 130.0]), 100.0).tolist() == [
        pytest.approx(10.0),
        0.0,
        50.0,
        0.0,
    ]


def test_daily_figures_agree_with_pandas():
    values = 100.0 * np.cumprod(1 + np.random.default_rng(7).normal(0.0003, 0.01, 60 * 5)).reshape(60, 5)
    curve = a_curve(*values)
    series = pd.Series(curve.net_liquidation, index=pd.to_datetime(curve.sessions))
    closes = pd.concat([pd.Series([100.0]), series.groupby(level=0).last()])
    returns = closes.pct_change().dropna()
    summary = summarise(a_result(curve))
    peak = pd.concat([pd.Series([100.0]), series]).cummax().iloc[1:].to_numpy()
    assert daily_returns(curve, 100.0) == pytest.approx(returns.to_numpy(), rel=1e-12)
    assert summary.sharpe == pytest.approx(returns.mean() / returns.std() * 252**0.5, rel=1e-12)
    assert summary.drawdown_pct_max == pytest.approx(100 * (1 - series / peak).max(), rel=1e-12)
    assert summary.total_return_pct == pytest.approx(100 * (series.iloc[-1] / 100 - 1), rel=1e-12)


def test_turnover_is_everything_bought_and_sold_over_the_mean_equity():
    fills = [a_fill(Side.BUY, 10, 10.0), a_fill(Side.SELL, 10, 12.0, minute=1)]
    assert summarise(a_result(a_curve([100.0, 120.0]), fills)).turnover == pytest.approx(220.0 / 110.0)


def test_costs_and_win_rate_count_every_fill():
    fills = [
        a_fill(Side.BUY, 10, 10.0, commission=1.0, slippage=0.5),
        a_fill(Side.SELL, 10, 10.1, minute=1, commission=1.0, slippage=0.25),
        a_fill(Side.BUY, 10, 10.0, minute=2),
        a_fill(Side.SELL, 10, 11.0, minute=3),
    ]
    summary = summarise(a_result(a_curve([100.0]), fills))
    assert (summary.commission, summary.slippage, summary.fills) == (2.0, 0.75, 4)
    # The first made 1.0 before commissions of 2.0: a loss.
    assert (summary.round_trips, summary.win_rate_pct) == (2, 50.0)


def test_figures_that_do_not_exist_are_none():
    summary = summarise(a_result(a_curve([100.0])))
    assert (summary.sharpe, summary.win_rate_pct) == (None, None)
