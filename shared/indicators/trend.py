"""Rows of the registry: whether there is a trend, which way, and where it would end."""

from __future__ import annotations

from shared.indicators import changes, exponential, extremes, wilder
from shared.indicators.lockstep import Base, spec
from shared.indicators.spec import Params, real, whole


def _period(p: Params) -> int:
    return int(p["period"])


def _after(p: Params) -> int:
    return _period(p) + 1


_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
DIRECTIONS = Base(wilder.directions, ("period",), lambda _: 6)

DIRECTION = (
    spec(
        wilder.plus_di,
        "trend",
        "high low close -> plus_di",
        (whole("period", 14, 2),),
        rows=lambda _: 1,
        base=DIRECTIONS,
        warm_up=_after,
        formula="100 plus movement / true range, Wilder's sums",
        source=f"{_WILDER}; TA-Lib PLUS_DI",
    ),
    spec(
        wilder.minus_di,
        "trend",
        "high low close -> minus_di",
        (whole("period", 14, 2),),
        rows=lambda _: 1,
        base=DIRECTIONS,
        warm_up=_after,
        formula="100 minus movement / true range, Wilder's sums",
        source=f"{_WILDER}; TA-Lib MINUS_DI",
    ),
    spec(
        wilder.plus_dm,
        "trend",
        "high low -> plus_dm",
        (whole("period", 14, 2),),
        rows=lambda _: 4,
        warm_up=_period,
        formula="Wilder's sum of high - last high where it is above 0 and above last low - low",
        source=f"{_WILDER}; TA-Lib PLUS_DM",
    ),
    spec(
        wilder.minus_dm,
        "trend",
        "high low -> minus_dm",
        (whole("period", 14, 2),),
        rows=lambda _: 4,
        warm_up=_period,
        formula="Wilder's sum of last low - low where it is above 0 and above high - last high",
        source=f"{_WILDER}; TA-Lib MINUS_DM",
    ),
    spec(
        wilder.dx,
        "trend",
        "high low close -> dx",
        (whole("period", 14, 2),),
        rows=lambda _: 2,
        base=DIRECTIONS,
        warm_up=_after,
        formula="100 |plus - minus| / (plus + minus)",
        source=f"{_WILDER}; TA-Lib DX",
    ),
    spec(
        wilder.adx,
        "trend",
        "high low close -> adx",
        (whole("period", 14, 2),),
        rows=lambda _: 3,
        base=DIRECTIONS,
        warm_up=lambda p: 2 * _period(p),
        formula="Wilder's mean of dx, from the mean of the first period",
        source=f"{_WILDER}; TA-Lib ADX",
    ),
    spec(
        wilder.adxr,
        "trend",
        "high low close -> adxr",
        (whole("period", 14, 2),),
        rows=lambda p: 3 + _period(p),
        base=DIRECTIONS,
        warm_up=lambda p: 3 * _period(p) - 1,
        formula="(adx + adx[period - 1]) / 2",
        source=f"{_WILDER}; TA-Lib ADXR",
    ),
    spec(
        wilder.atr,
        "volatility",
        "high low close -> atr",
        (whole("period", 14),),
        rows=lambda _: 3,
        warm_up=_after,
        formula="Wilder's mean of the true range",
        source=f"{_WILDER}; TA-Lib ATR",
    ),
    spec(
        changes.vortex,
        "trend",
        "high low close -> plus minus",
        (whole("period", 14),),
        rows=lambda p: 14 + 3 * _period(p),
        warm_up=_after,
        formula="sum |high - last low| and sum |low - last high|, each / sum of true ranges",
        source="Botes and Siepman, The Vortex Indicator, 2010; TA-Lib VORTEX",
    ),
    spec(
        changes.choppiness,
        "trend",
        "high low close -> choppiness",
        (whole("period", 14, 2),),
        rows=lambda p: 7 + 3 * _period(p),
        warm_up=_after,
        formula="100 ln(sum of true ranges / (highest - lowest)) / ln(period); 100 without a range",
        source="Dreiss; as TradingView writes it",
    ),
    spec(
        exponential.mass_index,
        "trend",
        "high low -> mass_index",
        (whole("period", 9), whole("window", 25)),
        rows=lambda p: 6 + int(p["window"]),
        warm_up=lambda p: 2 * _period(p) + int(p["window"]) - 2,
        formula="sum over window of ema(high - low) / ema(ema(high - low)); 1 where nothing moves",
        source="Dorsey, The Mass Index, 1992; TA-Lib MASSI",
    ),
    spec(
        exponential.elder_ray,
        "trend",
        "high low close -> bull bear",
        (whole("period", 13),),
        rows=lambda _: 4,
        warm_up=_period,
        formula="high - ema(close), low - ema(close)",
        source="Elder, Trading for a Living, 1993; TA-Lib ERI",
    ),
)

EXTREMES = (
    spec(
        extremes.aroon,
        "trend",
        "high low -> down up",
        (whole("period", 14, 2),),
        rows=lambda p: 12 + 4 * _period(p),
        warm_up=_after,
        formula="100 (period - prints since the lowest low, highest high of period + 1) / period",
        source="Chande 1995; TA-Lib AROON",
    ),
    spec(
        extremes.aroonosc,
        "trend",
        "high low -> aroonosc",
        (whole("period", 14, 2),),
        rows=lambda p: 11 + 4 * _period(p),
        warm_up=_after,
        formula="aroon up - aroon down",
        source="TA-Lib AROONOSC",
    ),
    spec(
        extremes.ichimoku,
        "trend",
        "high low -> conversion base span_a span_b",
        (whole("short", 9), whole("middle", 26), whole("long", 52)),
        rows=lambda p: 16 + int(2 * p["short"] + 4 * p["middle"] + 2 * p["long"]),
        warm_up=lambda p: int(max(p["short"], p["middle"], p["long"]) + p["middle"]) - 1,
        formula="middles of the extremes over short and middle; spans as drawn under this bar, told middle - 1 ago",
        source="Hosoda 1969; the lagging span needs the future and is left out",
    ),
    spec(
        wilder.supertrend,
        "trend",
        "high low close -> supertrend direction",
        (whole("period", 10), real("multiplier", 3.0, 0.01, 100.0)),
        rows=lambda _: 7,
        warm_up=_after,
        formula="medprice -+ multiplier * atr, held while the trend lasts",
        source="Seban; TA-Lib SUPERTREND",
    ),
)

SPECS = DIRECTION + EXTREMES
