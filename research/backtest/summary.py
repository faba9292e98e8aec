"""The headline figures of a replay. Money in the account's currency, daily returns from session closes.

research/measures has all the others, and the formulas.
"""

from __future__ import annotations

import math
from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.result import ReplayResult
from research.backtest.round_trips import trips_of_result
from research.measures.drawdowns import drawdown_figures
from research.measures.equity import daily_returns, sessions_of
from research.measures.series import PERCENT, known_days, return_figures
from research.measures.trading import exposure_pct, trip_figures, turnover_of


class Summary(Struct, frozen=True, kw_only=True):
    """One replay in figures.

    None stands where a figure does not exist (no round trip, fewer than two daily returns).
    """

    first_session: date
    last_session: date
    sessions: int
    rows: int
    symbols: int
    starting_cash: float
    final_equity: float
    total_return_pct: float
    sharpe: float | None
    drawdown_pct_max: float
    turnover: float | None
    commission: float
    slippage: float
    fills: int
    round_trips: int
    win_rate_pct: float | None
    exposure_pct: float | None
    time_in_market_pct: float
    annual_return_pct: float | None
    volatility_pct: float | None
    sortino: float | None
    calmar: float | None
    drawdown_sessions_max: int
    profit_factor: float | None


def summarise(result: ReplayResult) -> Summary:
    """The headline figures of `result`."""
    curve = result.curve
    days = known_days(daily_returns(curve, result.starting_cash))
    drawdown = drawdown_figures(curve, result.starting_cash)
    figures = return_figures(days, drawdown_pct_max=drawdown.depth_pct_max)
    trips = trip_figures(trips_of_result(result))
    sessions = sessions_of(curve)
    return Summary(
        first_session=sessions[0],
        last_session=sessions[-1],
        sessions=len(sessions),
        rows=result.rows,
        symbols=len(result.symbols),
        starting_cash=result.starting_cash,
        final_equity=float(curve.net_liquidation[-1]),
        total_return_pct=PERCENT * (float(curve.net_liquidation[-1]) / result.starting_cash - 1),
        sharpe=figures.sharpe,
        drawdown_pct_max=drawdown.depth_pct_max,
        turnover=turnover_of(result),
        commission=math.fsum(entry.commission for entry in result.fills),
        slippage=math.fsum(entry.slippage for entry in result.fills),
        fills=len(result.fills),
        round_trips=trips.round_trips,
        win_rate_pct=trips.hit_rate_pct,
        exposure_pct=exposure_pct(result),
        time_in_market_pct=PERCENT * float(np.mean(curve.gross > 0)),
        annual_return_pct=figures.annual_return_pct,
        volatility_pct=figures.volatility_pct,
        sortino=figures.sortino,
        calmar=figures.calmar,
        drawdown_sessions_max=drawdown.sessions_max,
        profit_factor=trips.profit_factor,
    )
