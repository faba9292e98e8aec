"""From an equity curve to session closes and daily returns."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

import numpy as np
import numpy.typing as npt

from research.backtest.result import EquityCurve
from research.measures.series import PERCENT, Floats

Integers = npt.NDArray[np.int64]
RUIN = 1e-9
"""Of the first close: whoever has less than that has nothing."""


def session_starts(curve: EquityCurve) -> Integers:
    """The first row of each session, shape (sessions,).

    Found in leaps, for a curve may have a million rows: most sessions are as long as the one before.
    """
    days, rows, starts, first, length = curve.sessions, len(curve.sessions), list[int](), 0, 1
    while first < rows:
        starts.append(first)
        day, after = days[first], first + length
        if not (after <= rows and days[after - 1] == day and (after == rows or days[after] != day)):
            leap = 1
            while first + leap < rows and days[first + leap] == day:
                leap *= 2
            after = bisect_right(days, day, first + leap // 2, min(first + leap, rows))
        first, length = after, after - first
    return np.array(starts, dtype=np.int64)


def session_numbers(curve: EquityCurve) -> Integers:
    """In which session of the curve each row lies, from 0; shape (rows,)."""
    starts = session_starts(curve)
    return np.repeat(np.arange(len(starts)), np.diff(starts, append=len(curve.sessions)))


def sessions_of(curve: EquityCurve) -> tuple[date, ...]:
    """The sessions of the curve, each once."""
    return tuple(curve.sessions[at] for at in session_starts(curve).tolist())


def session_closes(curve: EquityCurve) -> Floats:
    """Equity at the last row of each session, shape (sessions,)."""
    return np.asarray(curve.net_liquidation[np.append(session_starts(curve)[1:], len(curve.sessions)) - 1])


def daily_returns(curve: EquityCurve, starting_cash: float) -> Floats:
    """Simple returns from close to close, the first against `starting_cash`; shape (sessions,).

    NaN beside a close that is NaN, and after ruin, the first close that is not above a billionth of the starting cash:
    who has nothing left earns no returns.
    """
    return returns_of(np.concatenate(([starting_cash], session_closes(curve))))


def returns_of(closes: Floats) -> Floats:
    """Simple returns between neighbours, shape (len(closes) - 1,); NaN as in `daily_returns`."""
    lowest = np.fmin.accumulate(closes[:-1])
    before = np.where(lowest > RUIN * closes[0], closes[:-1], np.nan)
    return np.asarray(closes[1:] / before - 1.0)


def drawdown_pct(equity: Floats, starting_cash: float) -> Floats:
    """Percent below the highest equity so far, `starting_cash` included; >= 0, shape of `equity`."""
    peak = np.maximum(np.fmax.accumulate(equity), starting_cash)
    return PERCENT * (1.0 - equity / peak)
