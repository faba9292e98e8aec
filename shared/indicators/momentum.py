"""Rows of the registry: how far and how fast the price has come."""

from __future__ import annotations

from shared.indicators import changes, exponential, extremes, price_rows, weighted_windows, wilder
from shared.indicators.lockstep import Base, spec
from shared.indicators.spec import Params, whole


def _period(p: Params) -> int:
    return int(p["period"])


def _after(p: Params) -> int:
    return _period(p) + 1


def _slower(p: Params) -> int:
    return int(max(p["fast"], p["slow"]))


def _reach(period: float) -> int:
    return 5 + 2 * int(period)


_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
GAINS = Base(wilder.gains, ("period",), lambda _: 4)

CHANGES = (
    spec(
        changes.mom,
        "momentum",
        "close -> mom",
        (whole("period", 10),),
        rows=lambda p: 2 + _period(p),
        warm_up=_after,
        formula="close - close[period]",
        source="TA-Lib MOM",
    ),
    spec(
        changes.roc,
        "momentum",
        "close -> roc",
        (whole("period", 10),),
        rows=lambda p: 2 + _period(p),
        warm_up=_after,
        formula="100 (close / close[period] - 1); 0 after a price of 0",
        source="TA-Lib ROC",
    ),
    spec(
        changes.rocp,
        "momentum",
        "close -> rocp",
        (whole("period", 10),),
        rows=lambda p: 2 + _period(p),
        warm_up=_after,
        formula="(close - close[period]) / close[period]",
        source="TA-Lib ROCP",
    ),
    spec(
        changes.rocr,
        "momentum",
        "close -> rocr",
        (whole("period", 10),),
        rows=lambda p: 2 + _period(p),
        warm_up=_after,
        formula="close / close[period]",
        source="TA-Lib ROCR",
    ),
    spec(
        changes.rocr100,
        "momentum",
        "close -> rocr100",
        (whole("period", 10),),
        rows=lambda p: 2 + _period(p),
        warm_up=_after,
        formula="100 close / close[period]",
        source="TA-Lib ROCR100",
    ),
    spec(
        weighted_windows.efficiency_ratio,
        "momentum",
        "close -> efficiency_ratio",
        (whole("period", 10),),
        rows=lambda p: 5 + 2 * _period(p),
        warm_up=_after,
        formula="|close - close[period]| / sum |step|; 1 where nothing moved",
        source="Kaufman 1995; TA-Lib ER",
    ),
    spec(
        price_rows.bop,
        "momentum",
        "open high low close -> bop",
        rows=lambda _: 1,
        warm_up=lambda _: 1,
        formula="(close - open) / (high - low); 0 without a range",
        source="Livshin 2001; TA-Lib BOP",
    ),
    spec(
        changes.imi,
        "momentum",
        "open close -> imi",
        (whole("period", 14),),
        rows=lambda p: 7 + 2 * _period(p),
        warm_up=_period,
        formula="100 sum of rises in the bar / sum of rises and falls",
        source="Chande; TA-Lib IMI",
    ),
    spec(
        weighted_windows.qstick,
        "momentum",
        "open close -> qstick",
        (whole("period", 10),),
        rows=lambda p: 4 + _period(p),
        warm_up=_period,
        formula="sma(close - open)",
        source="Chande; TA-Lib QSTICK",
    ),
    spec(
        changes.dpo,
        "momentum",
        "close -> dpo",
        (whole("period", 20),),
        rows=lambda p: 1 + max(_period(p), _period(p) // 2 + 2),
        warm_up=lambda p: max(_period(p), _period(p) // 2 + 2),
        formula="close[period // 2 + 1] - sma(close), not shifted back: known when it is told",
        source="TA-Lib DPO",
    ),
)

SMOOTHED = (
    spec(
        exponential.macd,
        "momentum",
        "close -> macd signal histogram",
        (whole("fast", 12, 2), whole("slow", 26, 2), whole("signal", 9)),
        rows=lambda _: 10,
        warm_up=lambda p: _slower(p) + int(p["signal"]) - 1,
        formula="ema(fast) - ema(slow), both seeded by the same last print; its ema; their difference",
        source="Appel 1979; TA-Lib MACD",
    ),
    spec(
        exponential.macdfix,
        "momentum",
        "close -> macd signal histogram",
        (whole("signal", 9),),
        rows=lambda _: 10,
        warm_up=lambda p: 25 + int(p["signal"]),
        formula="as macd over 12 and 26 with the weights 0.15 and 0.075",
        source="TA-Lib MACDFIX",
    ),
    spec(
        exponential.apo,
        "momentum",
        "close -> apo",
        (whole("fast", 12, 2), whole("slow", 26, 2)),
        rows=lambda _: 5,
        warm_up=_slower,
        formula="ema(fast) - ema(slow)",
        source="TA-Lib APO, matype 1",
    ),
    spec(
        exponential.ppo,
        "momentum",
        "close -> ppo",
        (whole("fast", 12, 2), whole("slow", 26, 2)),
        rows=lambda _: 5,
        warm_up=_slower,
        formula="100 (ema(fast) - ema(slow)) / ema(slow)",
        source="TA-Lib PPO, matype 1",
    ),
    spec(
        exponential.trix,
        "momentum",
        "close -> trix",
        (whole("period", 30),),
        rows=lambda _: 8,
        warm_up=lambda p: 3 * _period(p) - 1,
        formula="100 times the relative change of ema(ema(ema(close)))",
        source="Hutson 1983; TA-Lib TRIX",
    ),
    spec(
        exponential.tsi,
        "momentum",
        "close -> tsi",
        (whole("first", 25), whole("second", 13)),
        rows=lambda _: 12,
        warm_up=lambda p: int(p["first"] + p["second"]),
        formula="100 ema(ema(change, first), second) / ema(ema(|change|, first), second)",
        source="Blau, True Strength Index, 1991; TA-Lib TSI",
    ),
    spec(
        wilder.rsi,
        "momentum",
        "close -> rsi",
        (whole("period", 14, 2),),
        rows=lambda _: 1,
        base=GAINS,
        warm_up=_after,
        formula="100 gain / (gain + loss), Wilder's means; 0 where nothing moved",
        source=f"{_WILDER}; TA-Lib RSI",
    ),
    spec(
        wilder.cmo,
        "momentum",
        "close -> cmo",
        (whole("period", 14, 2),),
        rows=lambda _: 1,
        base=GAINS,
        warm_up=_after,
        formula="100 (gain - loss) / (gain + loss), Wilder's means",
        source="Chande 1994; TA-Lib CMO",
    ),
    spec(
        weighted_windows.awesome,
        "momentum",
        "high low -> awesome",
        (whole("fast", 5, 2), whole("slow", 34, 2)),
        rows=lambda p: 8 + int(p["fast"] + p["slow"]),
        warm_up=_slower,
        formula="sma(medprice, fast) - sma(medprice, slow)",
        source="Williams, New Trading Dimensions, 1998; TA-Lib AO",
    ),
    spec(
        weighted_windows.cci,
        "momentum",
        "high low close -> cci",
        (whole("period", 14, 2),),
        rows=lambda p: 5 + _period(p),
        warm_up=_period,
        formula="(typprice - sma) / (0.015 mean |typprice - sma|)",
        source="Lambert 1980; TA-Lib CCI",
    ),
    spec(
        changes.mfi,
        "momentum",
        "high low close volume -> mfi",
        (whole("period", 14, 2),),
        rows=lambda p: 8 + 2 * _period(p),
        warm_up=_after,
        formula="100 inflow / (inflow + outflow) of typprice * volume; 0 below one dollar of flow",
        source="Quong and Soudack 1989; TA-Lib MFI",
    ),
)

RANGES = (
    spec(
        extremes.willr,
        "momentum",
        "high low close -> willr",
        (whole("period", 14, 2),),
        rows=lambda _: 1,
        base=Base(extremes.reach, ("period",), _reach),
        warm_up=_period,
        formula="-100 (highest - close) / (highest - lowest)",
        source="Williams 1973; TA-Lib WILLR",
    ),
    spec(
        extremes.stoch,
        "momentum",
        "high low close -> slow_k slow_d",
        (whole("fast_k", 5), whole("slow_k", 3), whole("slow_d", 3)),
        rows=lambda p: 5 + int(p["slow_k"] + p["slow_d"]),
        base=Base(extremes.reach, ("fast_k",), _reach),
        warm_up=lambda p: int(p["fast_k"] + p["slow_k"] + p["slow_d"]) - 2,
        formula="slow_k = sma(100 (close - lowest) / (highest - lowest)), slow_d = sma(slow_k)",
        source="Lane; TA-Lib STOCH",
    ),
    spec(
        extremes.stochf,
        "momentum",
        "high low close -> fast_k fast_d",
        (whole("fast_k", 5), whole("fast_d", 3)),
        rows=lambda p: 4 + int(p["fast_d"]),
        base=Base(extremes.reach, ("fast_k",), _reach),
        warm_up=lambda p: int(p["fast_k"] + p["fast_d"]) - 1,
        formula="fast_k = 100 (close - lowest) / (highest - lowest), fast_d = sma(fast_k)",
        source="TA-Lib STOCHF",
    ),
    spec(
        extremes.stochrsi,
        "momentum",
        "close -> fast_k fast_d",
        (whole("period", 14, 2), whole("fast_k", 5), whole("fast_d", 3)),
        rows=lambda p: 8 + int(2 * p["fast_k"] + p["fast_d"]),
        base=GAINS,
        warm_up=lambda p: int(p["period"] + p["fast_k"] + p["fast_d"]) - 1,
        formula="stochf of rsi(close, period)",
        source="Chande and Kroll 1994; TA-Lib STOCHRSI",
    ),
    spec(
        changes.ultosc,
        "momentum",
        "high low close -> ultosc",
        (whole("short", 7), whole("middle", 14), whole("long", 28)),
        rows=lambda p: 16 + 2 * int(p["short"] + p["middle"] + p["long"]),
        warm_up=lambda p: int(max(p["short"], p["middle"], p["long"])) + 1,
        formula="100 (4 a + 2 b + c) / 7, each = sum(close - min(low, last close)) / sum(true range)",
        source="Williams 1985; TA-Lib ULTOSC",
    ),
    spec(
        extremes.fisher,
        "momentum",
        "high low -> fisher signal",
        (whole("period", 10, 2),),
        rows=lambda p: 8 + 2 * _period(p),
        warm_up=_period,
        formula="fisher = ln((1 + v) / (1 - v)) / 2 + fisher[1] / 2, v = 0.66 (place - 0.5) + 0.67 v[1] in +-0.999",
        source="Ehlers, Using the Fisher Transform, Stocks and Commodities, 2002",
    ),
)

SPECS = CHANGES + SMOOTHED + RANGES
