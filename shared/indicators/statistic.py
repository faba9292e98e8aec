"""Rows of the registry: where the last print stands, and what kind of walk the window is."""

from __future__ import annotations

from shared.indicators import order_statistics as order
from shared.indicators import persistence as walk
from shared.indicators.lockstep import spec
from shared.indicators.spec import Params, real, whole

_CLOSE = "close -> value"


def _period(p: Params) -> int:
    return int(p["period"])


def _after(p: Params) -> int:
    return _period(p) + 1


def _extreme(p: Params) -> int:
    return 3 + _period(p)


def _sorted(p: Params) -> int:
    return 1 + 2 * _period(p)


EXTREMES = tuple(
    spec(
        step,
        "statistic",
        _CLOSE,
        (whole("period", period, low=2),),
        name=name,
        rows=_extreme,
        warm_up=_period,
        formula=formula,
        source=source,
    )
    for step, name, period, formula, source in (
        (order.highest_close, "max", 30, "highest close of the window", "TA-Lib, MAX"),
        (order.lowest_close, "min", 30, "lowest close of the window", "TA-Lib, MIN"),
        (order.maxindex, "maxindex", 30, "number of the print with the highest close", "TA-Lib, MAXINDEX"),
        (order.minindex, "minindex", 30, "number of the print with the lowest close", "TA-Lib, MININDEX"),
        (order.since_high, "since_high", 252, "prints since the highest close", "age of MAXINDEX"),
        (order.since_low, "since_low", 252, "prints since the lowest close", "age of MININDEX"),
        (order.drawdown, "drawdown", 252, "close / highest close of the window - 1", "drawdown from a rolling high"),
    )
)
SPECS = (
    *EXTREMES,
    spec(
        order.minmax,
        "statistic",
        "close -> min max",
        (whole("period", 30, low=2),),
        warm_up=_period,
        rows=lambda p: 6 + 2 * _period(p),
        formula="lowest and highest close of the window",
        source="TA-Lib, MINMAX",
    ),
    spec(
        order.percent_rank,
        "statistic",
        _CLOSE,
        (whole("period", 100),),
        rows=_after,
        warm_up=_after,
        formula="percent of the period closes before that are lower",
        source="TA-Lib, PERCENTRANK",
    ),
    spec(
        order.rolling_rank,
        "statistic",
        _CLOSE,
        (whole("period", 60, low=2),),
        rows=_after,
        warm_up=_period,
        formula="rank in the window / period, ties averaged",
        source="pandas, rolling.rank(pct=True)",
    ),
    spec(
        order.percentile,
        "statistic",
        _CLOSE,
        (whole("period", 30, low=2), real("percent", 50.0, 0.0, 100.0)),
        rows=_sorted,
        warm_up=_period,
        formula="nearest-rank percentile of the window",
        source="TA-Lib, PERCENTILE",
    ),
    spec(
        order.quantile,
        "statistic",
        _CLOSE,
        (whole("period", 60, low=2), real("share", 0.5, 0.0, 1.0)),
        rows=_sorted,
        warm_up=_period,
        formula="quantile of the window, interpolated; the median at 0.5",
        source="pandas, rolling.quantile",
    ),
    spec(
        order.median_deviation,
        "statistic",
        _CLOSE,
        (whole("period", 20, low=2),),
        rows=_sorted,
        warm_up=_period,
        formula="close - median of the window",
        source="pandas, rolling.median",
    ),
    spec(
        walk.hurst,
        "statistic",
        _CLOSE,
        (whole("period", 100, low=8),),
        rows=lambda p: 13 + 3 * _period(p),
        warm_up=_after,
        formula="ln(R / S) / ln(period / 2) of the last period log returns; 0.5 where nothing moves",
        source="Hurst, Transactions of the ASCE 116, 1951",
    ),
    spec(
        walk.variance_ratio,
        "statistic",
        _CLOSE,
        (whole("period", 100, low=8), whole("q", 5, low=2, high=2000)),
        rows=lambda p: 7 + _period(p),
        warm_up=_after,
        formula="variance of q-print log returns / q times that of one; 1 where nothing moves",
        source="Lo and MacKinlay, Review of Financial Studies 1, 1988 (overlapping, unbiased)",
    ),
    spec(
        walk.entropy,
        "statistic",
        _CLOSE,
        (whole("period", 10, low=2),),
        rows=lambda p: 3 + 2 * _period(p),
        warm_up=_period,
        formula="- sum of q log2 q, q = close / sum of closes of the window",
        source="Shannon, Bell System Technical Journal 27, 1948",
    ),
)
