"""The figures of a replay. Money in the account's currency, daily returns from session closes."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.result import EquityCurve, Floats, ReplayResult
from research.backtest.round_trips import round_trips

SESSIONS_PER_YEAR = 252
PERCENT = 100.0


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
    turnover: float
    commission: float
    slippage: float
    fills: int
    round_trips: int
    win_rate_pct: float | None
    exposure_pct: float
    time_in_market_pct: float


def summarise(result: ReplayResult) -> Summary:
    """All figures of `result`."""
    curve = result.curve
    equity = curve.net_liquidation
    trips = round_trips(result.fills)
    won = sum(trip.gross_profit - trip.commission > 0 for trip in trips)
    return Summary(
        first_session=curve.sessions[0],
        last_session=curve.sessions[-1],
        sessions=len(session_closes(curve)),
        rows=result.rows,
        symbols=len(result.symbols),
        starting_cash=result.starting_cash,
        final_equity=float(equity[-1]),
        total_return_pct=PERCENT * (float(equity[-1]) / result.starting_cash - 1),
        sharpe=sharpe(daily_returns(curve, result.starting_cash)),
        drawdown_pct_max=float(drawdown_pct(equity, result.starting_cash).max()),
        turnover=sum(entry.fill.quantity * entry.fill.price for entry in result.fills) / float(equity.mean()),
        commission=math.fsum(entry.commission for entry in result.fills),
        slippage=math.fsum(entry.slippage for entry in result.fills),
        fills=len(result.fills),
        round_trips=len(trips),
        win_rate_pct=PERCENT * won / len(trips) if trips else None,
        exposure_pct=PERCENT * float(np.mean(curve.gross / equity)),
        time_in_market_pct=PERCENT * float(np.mean(curve.gross > 0)),
    )


def session_closes(curve: EquityCurve) -> Floats:
    """Equity at the last row of each session, shape (sessions,)."""
    ends = [at for at, session in enumerate(curve.sessions) if curve.sessions[at + 1 : at + 2] != (session,)]
    return curve.net_liquidation[ends]


def daily_returns(curve: EquityCurve, starting_cash: float) -> Floats:
    """Simple returns from close to close, the first against `starting_cash`; shape (sessions,)."""
    closes = np.concatenate(([starting_cash], session_closes(curve)))
    return closes[1:] / closes[:-1] - 1.0


def sharpe(returns: Floats) -> float | None:
    """Annualised Sharpe ratio: sqrt(252) * mean(r) / std(r, ddof=1), risk-free rate 0.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), the ex post form. None for
    fewer than two returns or for returns that never differ.
    """
    if len(returns) < 2:  # noqa: PLR2004 - a sample deviation needs two
        return None
    deviation = float(np.std(returns, ddof=1))
    return math.sqrt(SESSIONS_PER_YEAR) * float(np.mean(returns)) / deviation if deviation > 0 else None


def drawdown_pct(equity: Floats, starting_cash: float) -> Floats:
    """Percent below the highest equity so far, `starting_cash` included; >= 0, shape of `equity`."""
    peak = np.maximum(np.maximum.accumulate(equity), starting_cash)
    return PERCENT * (1.0 - equity / peak)
