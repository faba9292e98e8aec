"""The door: one replay in figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.result import ReplayResult
from research.backtest.round_trips import trips_of_result
from research.measures.benchmark import BenchmarkFigures, BenchmarkReturns, benchmark_figures
from research.measures.bootstrap import BandOptions, Bands, bands_of
from research.measures.capacity import CapacityFigures, capacity_figures
from research.measures.costs import CostLine, IncomeLine, cost_figures, income_figures
from research.measures.drawdowns import DrawdownFigures, drawdown_figures
from research.measures.equity import daily_returns, sessions_of
from research.measures.ledger import TrialCount
from research.measures.predictions import Convictions, PredictionFigures, prediction_figures
from research.measures.series import ReturnFigures, known_days, return_figures
from research.measures.significance import Significance, significance
from research.measures.trading import SliceFigures, TradingFigures, by_instrument, by_strategy, trading_figures
from shared.errors import DataError
from shared.io.bar_store import BarPanel


class Measures(Struct, frozen=True, kw_only=True):
    """One replay in figures, ready for JSON. A figure that does not exist is None (docs/measures.md)."""

    first_session: date
    last_session: date
    sessions: int
    starting_cash: float
    final_equity: float
    returns: ReturnFigures
    drawdown: DrawdownFigures
    trading: TradingFigures
    costs: tuple[CostLine, ...]
    income: tuple[IncomeLine, ...]
    significance: Significance
    benchmark: BenchmarkFigures | None
    capacity: CapacityFigures | None
    predictions: tuple[PredictionFigures, ...]
    bands: Bands | None
    strategies: tuple[SliceFigures, ...]
    instruments: tuple[SliceFigures, ...]

    @property
    def sharpe(self) -> float | None:
        """Annualised, as the trial ledger keeps it."""
        return self.returns.sharpe


def measured(
    result: ReplayResult,
    *,
    benchmark: BenchmarkReturns | None = None,
    trials: TrialCount | None = None,
    panel: BarPanel | None = None,
    convictions: Sequence[Convictions] = (),
    bands: BandOptions | None = None,
) -> Measures:
    """All figures of `result`; those that need more than it holds are None or empty without that.

    `benchmark` is for alpha and beta, `trials` for the deflated Sharpe ratio, `panel` (the one that was replayed) for
    capacity, `convictions` for the information coefficient, `bands` for the bootstrap, the slowest part. DataError
    where no row has an equity.
    """
    curve = result.curve
    known = curve.net_liquidation[np.isfinite(curve.net_liquidation)]
    if len(known) == 0:
        raise DataError(f"replay: none of {result.rows} rows has an equity, allowed: a replay of at least one row")
    returns = daily_returns(curve, result.starting_cash)
    days = known_days(returns)
    drawdown = drawdown_figures(curve, result.starting_cash)
    trips = trips_of_result(result)
    sessions = sessions_of(curve)
    return Measures(
        first_session=sessions[0],
        last_session=sessions[-1],
        sessions=len(sessions),
        starting_cash=result.starting_cash,
        final_equity=float(known[-1]),
        returns=return_figures(returns, drawdown_pct_max=drawdown.depth_pct_max),
        drawdown=drawdown,
        trading=trading_figures(result, trips),
        costs=cost_figures(result),
        income=income_figures(result),
        significance=significance(
            days,
            trials=None if trials is None else trials.trials,
            sharpe_variance=None if trials is None else trials.sharpe_variance,
        ),
        benchmark=None if benchmark is None else benchmark_figures(benchmark.name, returns, benchmark.returns),
        capacity=None if panel is None else capacity_figures(result, panel),
        predictions=tuple(prediction_figures(each) for each in convictions),
        bands=None if bands is None else bands_of(days, bands),
        strategies=by_strategy(result, trips),
        instruments=by_instrument(result, trips),
    )
