"""The falls of an equity curve: how deep, how long, recovered or not."""

from __future__ import annotations

from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.result import EquityCurve
from research.measures.equity import drawdown_pct, session_numbers
from research.measures.series import PERCENT, ROUNDING

WORST = 5


class Drawdown(Struct, frozen=True, kw_only=True):
    """One fall from a highest equity until it is reached again.

    `sessions` counts from the peak to the recovery, or to the end of the run; `sessions_down` to the lowest point,
    `sessions_up` from there (None = not recovered). `peak` is the first session where the start is the peak.
    """

    depth_pct: float
    peak: date
    trough: date
    recovered: date | None
    sessions: int
    sessions_down: int
    sessions_up: int | None


class DrawdownFigures(Struct, frozen=True, kw_only=True):
    """The falls over all rows, starting cash included; `current_pct` is where the run ends.

    `sessions_max` is the longest time under water, which need not be the deepest fall's; `mean_pct` is the mean
    depth over all rows. `worst` holds the deepest, deepest first.
    """

    depth_pct_max: float
    sessions_max: int
    current_pct: float
    mean_pct: float
    count: int
    worst: tuple[Drawdown, ...]


def drawdown_figures(curve: EquityCurve, starting_cash: float, *, worst: int = WORST) -> DrawdownFigures:
    """Every fall of `curve`; rows whose equity is NaN are left out."""
    falls = drawdowns(curve, starting_cash)
    depth = drawdown_pct(curve.net_liquidation, starting_cash)
    known = depth[np.isfinite(depth)]
    return DrawdownFigures(
        depth_pct_max=max((fall.depth_pct for fall in falls), default=0.0),
        sessions_max=max((fall.sessions for fall in falls), default=0),
        current_pct=float(known[-1]) if len(known) else 0.0,
        mean_pct=float(np.mean(known)) if len(known) else 0.0,
        count=len(falls),
        worst=tuple(sorted(falls, key=lambda fall: -fall.depth_pct)[:worst]),
    )


def drawdowns(curve: EquityCurve, starting_cash: float) -> list[Drawdown]:
    """All falls in the order of their peaks."""
    rows = np.flatnonzero(np.isfinite(curve.net_liquidation))
    depth = drawdown_pct(curve.net_liquidation[rows], starting_cash)
    number = session_numbers(curve)[rows]
    under = np.concatenate(([False], depth > PERCENT * ROUNDING, [False]))
    starts, ends = np.flatnonzero(~under[:-1] & under[1:]), np.flatnonzero(under[:-1] & ~under[1:])
    falls = []
    for first, after in zip(starts.tolist(), ends.tolist(), strict=True):
        trough = first + int(np.argmax(depth[first:after]))
        peak, has_recovered = max(first - 1, 0), after < len(depth)
        end = after if has_recovered else after - 1
        falls.append(
            Drawdown(
                depth_pct=float(depth[trough]),
                peak=curve.sessions[rows[peak]],
                trough=curve.sessions[rows[trough]],
                recovered=curve.sessions[rows[end]] if has_recovered else None,
                sessions=int(number[end] - number[peak]),
                sessions_down=int(number[trough] - number[peak]),
                sessions_up=int(number[end] - number[trough]) if has_recovered else None,
            )
        )
    return falls
