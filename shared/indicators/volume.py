"""Rows of the registry: volume."""

from __future__ import annotations

from shared.indicators import volume_flow as of
from shared.indicators.lockstep import Base, spec
from shared.indicators.spec import Params, real, whole


def _period(params: Params) -> int:
    return int(params["period"])


def _one(_params: Params) -> int:
    return 1


_HLCV, _CV = "high low close volume -> value", "close volume -> value"
FLOW = Base(of.flow, (), lambda: 3)
SPECS = (
    spec(
        of.ad,
        "volume",
        _HLCV,
        rows=lambda _: 1,
        base=FLOW,
        warm_up=_one,
        source="TA-Lib, AD",
        formula="running total of volume x (2 close - high - low) / (high - low)",
    ),
    spec(
        of.adosc,
        "volume",
        _HLCV,
        (whole("fast", 3, low=2), whole("slow", 10, low=2)),
        rows=lambda _: 3,
        base=FLOW,
        warm_up=lambda p: int(max(p["fast"], p["slow"])),
        source="TA-Lib, ADOSC",
        formula="fast minus slow exponential mean of AD, both begun with its first value",
    ),
    spec(
        of.cmf,
        "volume",
        _HLCV,
        (whole("period", 20),),
        rows=lambda p: 5 + 2 * _period(p),
        base=FLOW,
        warm_up=_period,
        formula="sum of the flow of AD / sum of volume; 0 without volume",
        source="TA-Lib, CMF (Chaikin)",
    ),
    spec(
        of.obv,
        "volume",
        _CV,
        rows=lambda _: 3,
        warm_up=_one,
        source="TA-Lib, OBV (Granville)",
        formula="running total of volume, signed as the close moved",
    ),
    spec(
        of.pvt,
        "volume",
        _CV,
        rows=lambda _: 3,
        warm_up=_one,
        source="TA-Lib, PVT",
        formula="running total of volume x relative change of close",
    ),
    spec(
        of.nvi,
        "volume",
        _CV,
        rows=lambda _: 4,
        warm_up=_one,
        source="TA-Lib, NVI (Fosback), from 1000",
        formula="follows the close on prints whose volume fell",
    ),
    spec(
        of.pvi,
        "volume",
        _CV,
        rows=lambda _: 4,
        warm_up=_one,
        source="TA-Lib, PVI (Fosback), from 1000",
        formula="follows the close on prints whose volume rose",
    ),
    spec(
        of.force,
        "volume",
        _CV,
        (whole("period", 13),),
        rows=lambda _: 5,
        warm_up=lambda p: _period(p) + 1,
        formula="exponential mean of (close - last close) x volume",
        source="TA-Lib, EFI (Elder)",
    ),
    spec(
        of.emv,
        "volume",
        "high low volume -> value",
        (whole("period", 14), real("scale", 1e8, 1.0, 1e15)),
        rows=lambda p: 5 + _period(p),
        warm_up=lambda p: _period(p) + 1,
        source="Arms, 1996 (ease of movement)",
        formula="mean of change of (high + low) / 2 x (high - low) / (volume / scale); 0 without volume",
    ),
    spec(
        of.kvo,
        "volume",
        "high low close volume -> oscillator signal",
        (whole("fast", 34, low=2), whole("slow", 55, low=2), whole("signal", 13, low=2)),
        rows=lambda _: 13,
        warm_up=lambda p: int(max(p["fast"], p["slow"]) + p["signal"]),
        formula="fast minus slow exponential mean of volume x |2 dm / cm - 1| x trend x 100, and its mean",
        source="Klinger, Stocks & Commodities 15, 1997, in the convention of Tulip Indicators",
    ),
    spec(
        of.vwap,
        "volume",
        _HLCV,
        rows=lambda _: 3,
        warm_up=_one,
        source="TA-Lib, VWAP",
        formula="volume-weighted typical price since the first print: of a session, if made anew for each",
    ),
    spec(
        of.vwap_rolling,
        "volume",
        _HLCV,
        (whole("period", 20),),
        rows=lambda p: 6 + 2 * _period(p),
        warm_up=_period,
        formula="volume-weighted typical price of the last period prints",
        source="as VWAP, over a window",
    ),
    spec(
        of.amihud,
        "volume",
        _CV,
        (whole("period", 20),),
        rows=lambda p: 8 + 2 * _period(p),
        warm_up=lambda p: _period(p) + 1,
        source="Amihud, Journal of Financial Markets 5, 2002",
        formula="mean of |relative change| / (close x volume) over prints with volume, x 10^6",
    ),
    spec(
        of.relative_volume,
        "volume",
        "volume -> value",
        (whole("period", 20),),
        rows=lambda p: 3 + _period(p),
        warm_up=lambda p: _period(p) + 1,
        formula="volume / mean of the period volumes before it",
        source="TA-Lib, RVOL",
    ),
    spec(
        of.turnover,
        "volume",
        _CV,
        (whole("period", 20),),
        rows=lambda p: 4 + _period(p),
        warm_up=_period,
        formula="mean of close x volume",
        source="mean dollar volume",
    ),
    spec(
        of.market_facilitation,
        "volume",
        "high low volume -> value",
        rows=lambda _: 1,
        warm_up=_one,
        formula="(high - low) / volume; 0 without volume",
        source="TA-Lib, MARKETFI (Williams)",
    ),
)
