"""What splits and dividends do to the prices of the days before them.

TRADES, and quotes, are adjusted for splits only, ADJUSTED_LAST for dividends too (TWS.md 3.35). A dividend
takes its share of the close before it from every earlier price; a split divides earlier prices and multiplies
earlier volumes.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
import numpy as np

from brokers.simulated.market.source import HistoryBars

DECIMALS = 4  # an adjusted price is shown to a hundredth of a cent


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What a day's corporate actions do to the days before: prices times `kept` / `ratio`, volumes times `ratio`."""

    ex_date: dt.date
    ratio: float = 1.0  # new shares for an old one
    kept: float = 1.0  # 1 - dividend / close before it


def adjusted(bars: HistoryBars, day: dt.date, adjustments: Sequence[Adjustment], what: str) -> HistoryBars:
    """Bars of `day` as they are shown after the adjustments with a later ex-date."""
    later = [one for one in adjustments if one.ex_date > day]
    ratio = float(np.prod([one.ratio for one in later]))
    kept = float(np.prod([one.kept for one in later])) if what == "ADJUSTED_LAST" else 1.0
    if ratio == kept == 1.0:
        return bars
    before = (bars.open, bars.high, bars.low, bars.close)
    opened, high, low, close = (np.round(prices * kept / ratio, DECIMALS) for prices in before)
    volume = np.where(bars.volume < 0, bars.volume, np.round(bars.volume * ratio))
    return HistoryBars(bars.starts_at, opened, high, low, close, volume)
