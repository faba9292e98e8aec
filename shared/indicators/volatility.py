"""Rows of the registry: volatility."""

from __future__ import annotations

from shared.indicators import volatility_estimators as of
from shared.indicators.lockstep import Base, spec
from shared.indicators.spec import Params, real, whole

_HLC, _OHLC = "high low close -> value", "open high low close -> value"
_YEAR = real("bars_per_year", 252.0, 1.0, 1e7)


def _period(p: Params) -> int:
    return int(p["period"])


def _after(p: Params) -> int:
    return _period(p) + 1


EXCURSIONS = Base(of.excursions, (), lambda: 6)
RANGES = (
    spec(
        of.trange,
        "volatility",
        _HLC,
        rows=lambda _: 3,
        warm_up=lambda _: 2,
        source="TA-Lib, TRANGE",
        formula="max(high, last close) - min(low, last close)",
    ),
    spec(
        of.natr,
        "volatility",
        _HLC,
        (whole("period", 14),),
        rows=lambda _: 4,
        warm_up=_after,
        source="TA-Lib, NATR",
        formula="100 x ATR / close",
    ),
    spec(
        of.adr,
        "volatility",
        "high low -> value",
        (whole("period", 14),),
        rows=lambda p: 4 + _period(p),
        warm_up=_period,
        formula="mean of high - low",
        source="TA-Lib, ADR",
    ),
    spec(
        of.chaikin_volatility,
        "volatility",
        "high low -> value",
        (whole("period", 10), whole("back", 10)),
        rows=lambda p: 4 + int(p["back"]),
        warm_up=lambda p: _period(p) + int(p["back"]),
        source="TA-Lib, CVI (Chaikin)",
        formula="change of the exponential mean of high - low over back prints, percent",
    ),
    spec(
        of.ulcer,
        "volatility",
        "close -> value",
        (whole("period", 14, low=2),),
        rows=lambda p: 6 + 2 * _period(p),
        warm_up=lambda p: 2 * _period(p) - 1,
        source="Martin and McCann, The Investor's Guide to Fidelity Funds, 1989",
        formula="root of the mean of squared percent drawdowns from the highest close of period prints",
    ),
)
ESTIMATORS = (
    spec(
        of.parkinson,
        "volatility",
        "high low -> value",
        (whole("period", 20), _YEAR),
        rows=lambda p: 4 + _period(p),
        warm_up=_period,
        source="Parkinson, Journal of Business 53, 1980",
        formula="root of bars_per_year x mean of ln(high / low)^2 / (4 ln 2)",
    ),
    spec(
        of.garman_klass,
        "volatility",
        _OHLC,
        (whole("period", 20), _YEAR),
        rows=lambda p: 5 + _period(p),
        warm_up=_period,
        source="Garman and Klass, Journal of Business 53, 1980",
        formula="root of bars_per_year x mean of ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2",
    ),
    spec(
        of.rogers_satchell,
        "volatility",
        _OHLC,
        (whole("period", 20), _YEAR),
        rows=lambda p: 3 + _period(p),
        base=EXCURSIONS,
        warm_up=_period,
        source="Rogers and Satchell, Annals of Applied Probability 1, 1991",
        formula="root of bars_per_year x mean of u (u - c) + d (d - c), u d c = ln of high, low, close over open",
    ),
    spec(
        of.yang_zhang,
        "volatility",
        _OHLC,
        (whole("period", 20, low=2), _YEAR),
        rows=lambda p: 18 + 5 * _period(p),
        base=EXCURSIONS,
        warm_up=_after,
        source="Yang and Zhang, Journal of Business 73, 2000",
        formula="root of bars_per_year x (overnight + k open-to-close + (1 - k) Rogers-Satchell variance)",
    ),
    spec(
        of.realised,
        "volatility",
        "close -> value",
        (whole("period", 20, low=2), _YEAR),
        rows=lambda p: 9 + 2 * _period(p),
        warm_up=_after,
        name="realised_volatility",
        source="close-to-close estimator, sample deviation (n - 1)",
        formula="root of bars_per_year x variance of ln(close / last close)",
    ),
    spec(
        of.downside,
        "volatility",
        "close -> value",
        (whole("period", 20), _YEAR),
        rows=lambda p: 5 + _period(p),
        warm_up=_after,
        name="downside_deviation",
        source="Sortino and van der Meer, 1991, target 0",
        formula="root of bars_per_year x mean of min(ln(close / last close), 0)^2",
    ),
    spec(
        of.ewma_volatility,
        "volatility",
        "close -> value",
        (real("decay", 0.94, 0.0, 0.999999), _YEAR),
        rows=lambda _: 4,
        warm_up=lambda _: 2,
        source="J. P. Morgan and Reuters, RiskMetrics Technical Document, 1996",
        formula="root of bars_per_year x v, v = decay v + (1 - decay) ln(close / last)^2, begun with the first square",
    ),
    spec(
        of.volatility_of_volatility,
        "volatility",
        "close -> value",
        (whole("period", 20, low=2), _YEAR),
        rows=lambda p: 16 + 4 * _period(p),
        warm_up=lambda p: 2 * _period(p),
        source="sample deviation of realised_volatility",
        formula="deviation of the last period values of realised_volatility",
    ),
)
SPECS = RANGES + ESTIMATORS
