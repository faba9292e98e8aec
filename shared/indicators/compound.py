"""Rows of the registry: what is made of several others, and stops that follow the price."""

from __future__ import annotations

from shared.indicators import compositions, reversal_stops
from shared.indicators.lockstep import spec
from shared.indicators.spec import Params, real, whole


def _schaff_warm(p: Params) -> int:
    return int(max(p["fast"], p["slow"]) + 2 * p["period"]) - 2


def _kst_warm(p: Params) -> int:
    return max(int(p[f"roc_{k}"] + p[f"mean_{k}"]) for k in (1, 2, 3, 4)) + int(p["signal"]) - 1


def _kst_rows(p: Params) -> int:
    reach, ring = (max(int(p[f"{what}_{k}"]) for k in (1, 2, 3, 4)) for what in ("roc", "mean"))
    return 3 + reach + 4 * ring + int(p["signal"])


_PACE = (0.0, 10.0)

SPECS = (
    spec(
        reversal_stops.sar,
        "overlap",
        "high low -> sar",
        (real("acceleration", 0.02, *_PACE), real("maximum", 0.2, *_PACE)),
        rows=lambda _: 7,
        warm_up=lambda _: 2,
        formula="stop += pace * (extreme - stop), never within the last two bars; reverses when touched",
        source="Wilder 1978; TA-Lib SAR",
        name="psar",
    ),
    spec(
        reversal_stops.sarext,
        "overlap",
        "high low -> sarext",
        (
            real("start", 0.0, -1e12, 1e12),
            real("offset", 0.0, 0.0, 10.0),
            real("long_start", 0.02, *_PACE),
            real("long_step", 0.02, *_PACE),
            real("long_maximum", 0.2, *_PACE),
            real("short_start", 0.02, *_PACE),
            real("short_step", 0.02, *_PACE),
            real("short_maximum", 0.2, *_PACE),
        ),
        rows=lambda _: 7,
        warm_up=lambda _: 2,
        formula="as psar, with paces per side; negative while short",
        source="Wilder 1978; TA-Lib SAREXT",
    ),
    spec(
        compositions.coppock,
        "momentum",
        "close -> coppock",
        (whole("period", 10), whole("short", 11), whole("long", 14)),
        rows=lambda p: 2 + int(max(p["short"], p["long"]) + p["period"]),
        warm_up=lambda p: int(max(p["short"], p["long"]) + p["period"]),
        formula="wma(roc(short) + roc(long), period)",
        source="Coppock, Barron's, 1962; TA-Lib COPPOCK",
    ),
    spec(
        compositions.kst,
        "momentum",
        "close -> kst signal",
        (
            whole("roc_1", 10, 1, 400),
            whole("roc_2", 15, 1, 400),
            whole("roc_3", 20, 1, 400),
            whole("roc_4", 30, 1, 400),
            whole("mean_1", 10, 1, 400),
            whole("mean_2", 10, 1, 400),
            whole("mean_3", 10, 1, 400),
            whole("mean_4", 15, 1, 400),
            whole("signal", 9, 1, 400),
        ),
        rows=_kst_rows,
        warm_up=_kst_warm,
        formula="sum of k * sma(roc_k, mean_k) over 1 to 4; its sma",
        source="Pring, Stocks and Commodities, 1992",
    ),
    spec(
        compositions.connors_rsi,
        "momentum",
        "close -> connors_rsi",
        (whole("period", 3, 2), whole("streak", 2, 2), whole("rank", 100)),
        rows=lambda p: 9 + int(p["rank"]),
        warm_up=lambda p: int(max(p["period"], p["streak"], p["rank"] + 1)) + 1,
        formula="(rsi(close) + rsi(streak) + percent of the last rank changes below this one) / 3",
        source="Connors and Alvarez, An Introduction to ConnorsRSI, 2012",
    ),
    spec(
        compositions.schaff,
        "momentum",
        "close -> schaff",
        (whole("period", 10, 2), whole("fast", 23), whole("slow", 50), real("factor", 0.5, 0.01, 1.0)),
        rows=lambda p: 8 + 2 * int(p["period"]),
        warm_up=_schaff_warm,
        formula="stochastic, smoothed by factor, of the smoothed stochastic of macd(fast, slow)",
        source="Schaff 1999",
    ),
)
