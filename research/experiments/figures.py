"""What is kept of every replay of an experiment, by the names of docs/measures.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from research.experiments.job import Figure

if TYPE_CHECKING:
    from research.backtest.result import ReplayResult

MEASURES: dict[str, int] = {
    "sharpe": 1,
    "sortino": 1,
    "calmar": 1,
    "annual_return_pct": 1,
    "total_return_pct": 1,
    "win_rate_pct": 1,
    "drawdown_pct_max": -1,
    "volatility_pct": -1,
    "cvar_95_pct": -1,
}
"""By what a setting may be chosen; 1 where more is better, -1 where less is."""

_OF_RETURNS = (
    "sharpe",
    "annual_return_pct",
    "total_return_pct",
    "volatility_pct",
    "sortino",
    "calmar",
    "var_95_pct",
    "cvar_95_pct",
    "skew",
    "kurtosis",
    "days",
)
_OF_THE_REPLAY = (
    "drawdown_pct_max",
    "turnover",
    "commission",
    "slippage",
    "fills",
    "round_trips",
    "win_rate_pct",
    "exposure_pct",
    "time_in_market_pct",
    "final_equity",
)
FIGURES = (*_OF_RETURNS, *_OF_THE_REPLAY, "held_at_end")
"""Columns of the table; `held_at_end` is the market value of what is still held at the end, longs plus shorts."""


def figures_of(result: ReplayResult) -> dict[str, Figure]:
    """The figures of one replay; None where one does not exist."""
    from research.backtest.summary import summarise
    from research.measures.equity import daily_returns
    from research.measures.series import return_figures

    summary = summarise(result)
    series = return_figures(
        daily_returns(result.curve, result.starting_cash), drawdown_pct_max=summary.drawdown_pct_max
    )
    found: dict[str, Figure] = {name: getattr(series, name) for name in _OF_RETURNS}
    found |= {name: getattr(summary, name) for name in _OF_THE_REPLAY}
    found["held_at_end"] = float(result.curve.gross[-1])
    return {name: value if _exists(value) else None for name, value in found.items()}


def _exists(value: Figure) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
