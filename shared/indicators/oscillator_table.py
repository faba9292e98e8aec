"""Rows of the registry: what oscillators.py computes."""

from __future__ import annotations

from shared.indicators import exponential
from shared.indicators import oscillators as of
from shared.indicators.lockstep import spec
from shared.indicators.spec import Params, whole

_HLC = "high low close ->"


def _period(p: Params) -> int:
    return int(p["period"])


def _after(p: Params) -> int:
    return _period(p) + 1


def _slower(p: Params) -> int:
    return int(max(p["fast"], p["slow"]))


SPECS = (
    spec(
        of.accelerator,
        "momentum",
        "high low -> accelerator",
        (whole("fast", 5, 2), whole("slow", 34, 2), whole("signal", 5)),
        rows=lambda p: 4 + _slower(p) + int(p["signal"]),
        warm_up=lambda p: _slower(p) + int(p["signal"]) - 1,
        formula="awesome - sma(awesome, signal)",
        source="Williams, New Trading Dimensions, 1998; TA-Lib AC",
    ),
    spec(
        of.cmou,
        "momentum",
        "close -> cmou",
        (whole("period", 14, 2),),
        rows=lambda p: 4 + 2 * _period(p),
        warm_up=_after,
        formula="100 (sum of rises - sum of falls) / (their sum); 0 where nothing moved",
        source="Chande 1994; TA-Lib CMOU",
    ),
    spec(
        of.fosc,
        "momentum",
        "close -> fosc",
        (whole("period", 5, 2),),
        rows=lambda p: 3 + _period(p),
        warm_up=_after,
        formula="100 (close - tsf one print ago) / close; 0 at a close of 0",
        source="Chande; TA-Lib FOSC",
    ),
    spec(
        of.fractal,
        "momentum",
        "high low -> swing_high swing_low",
        (whole("left", 2), whole("right", 2)),
        rows=lambda p: 4 + 2 * int(p["left"] + p["right"]),
        warm_up=lambda p: int(p["left"] + p["right"]) + 1,
        formula="100 where the bar of right prints ago was above (below) all left before and right after it, else 0",
        source="Williams, Trading Chaos, 1995; TA-Lib FRACTAL",
    ),
    spec(
        of.kdj,
        "momentum",
        f"{_HLC} k d j",
        (whole("fast_k", 9), whole("slow_k", 3), whole("slow_d", 3)),
        rows=lambda p: 10 + 2 * int(p["fast_k"]),
        warm_up=lambda p: int(p["fast_k"] + p["slow_k"] + p["slow_d"]) - 2,
        formula="k = rma(100 (close - lowest) / (highest - lowest)), d = rma(k), j = 3 k - 2 d",
        source="TA-Lib KDJ, matype 13",
    ),
    spec(
        of.smi,
        "momentum",
        f"{_HLC} smi signal",
        (whole("period", 13, 2), whole("fast", 2), whole("slow", 25), whole("signal", 9)),
        rows=lambda p: 17 + 2 * _period(p),
        warm_up=lambda p: int(p["period"] + p["fast"] + p["slow"] + p["signal"]) - 3,
        formula="200 ema(ema(close - middle, slow), fast) / ema(ema(highest - lowest, slow), fast); its ema",
        source="Blau, Momentum, Direction, and Divergence, 1995; TA-Lib SMI",
    ),
    spec(
        of.vhf,
        "momentum",
        "close -> vhf",
        (whole("period", 28, 2),),
        rows=lambda p: 5 + 2 * _period(p),
        warm_up=_after,
        formula="(highest - lowest of period closes) / sum of their period |steps|; 0 where nothing moved",
        source="White, Futures, 1991; TA-Lib VHF",
    ),
    spec(
        of.wad,
        "momentum",
        f"{_HLC} wad",
        rows=lambda _: 3,
        warm_up=lambda _: 1,
        formula="running total: rises add close - min(low, last close), falls close - max(high, last close)",
        source="Williams 1972; TA-Lib WAD",
    ),
    spec(
        of.rvi,
        "volatility",
        "close -> rvi",
        (whole("period", 14), whole("deviation", 10, 2)),
        rows=lambda p: 10 + int(p["deviation"]),
        warm_up=lambda p: int(p["period"] + p["deviation"]) - 1,
        formula="100 up / (up + down), Wilder's means of the deviation of the last closes, by rise or fall; 50 if none",
        source="Dorsey, Stocks and Commodities, 1993; TA-Lib RVI",
    ),
    spec(
        exponential.ppo,
        "volume",
        "volume -> pvo",
        (whole("fast", 12, 2), whole("slow", 26, 2)),
        name="pvo",
        rows=lambda _: 5,
        warm_up=_slower,
        formula="ppo of volume",
        source="TA-Lib PVO, matype 1",
    ),
    spec(
        of.accbands,
        "overlap",
        f"{_HLC} upper middle lower",
        (whole("period", 20, 2),),
        rows=lambda p: 6 + 3 * _period(p),
        warm_up=_period,
        formula="sma of high (1 + r), close and low (1 - r), r = 4 (high - low) / (high + low)",
        source="Headley, Big Trends in Trading, 2002; TA-Lib ACCBANDS",
    ),
    spec(
        of.avgdev,
        "statistic",
        "close -> avgdev",
        (whole("period", 14, 2),),
        rows=lambda p: 2 + _period(p),
        warm_up=_period,
        formula="mean of |close - mean|",
        source="TA-Lib AVGDEV",
    ),
)
