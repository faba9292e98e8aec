"""A market that does exactly what a test wrote down: the shipped fake of MarketSource."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np

from brokers.simulated.market.source import HistoryBars, MarketStep
from shared.errors import DataError

OPENS_AT = dt.datetime(2013, 10, 8, 13, 30, tzinfo=dt.UTC).timestamp()
STEP_S = 5
NOTHING = (math.nan,) * 7


def a_bar(open_, high, low, close, volume=4000.0, *, spread=0.02):
    """One instrument's step with a quote around its close."""
    return (open_, high, low, close, volume, close - spread / 2, close + spread / 2)


def flat(price, volume=4000.0):
    """Five seconds in which the price stood still."""
    return a_bar(price, price, price, price, volume)


class ScriptedMarket:
    """SPY's steps are `script`; IBM stands still at 180, and prints only in even steps."""

    def __init__(self, script, *, lasts_s=None):
        self.symbols: tuple[str, ...] = ("SPY", "IBM")
        self.session = dt.date(2013, 10, 8)
        self.opens_at = OPENS_AT
        self.closes_at = OPENS_AT + (lasts_s or STEP_S * len(script))
        self.step_s = STEP_S
        self._script = script

    def steps(self) -> Iterator[MarketStep]:
        for number, spy in enumerate(self._script):
            ibm = (*NOTHING[:5], 179.98, 180.02) if number % 2 else flat(180.0, 400.0)
            columns = np.array([spy, ibm]).T
            yield MarketStep(OPENS_AT + number * STEP_S, *columns)

    def history(self, symbol, *, end_at, duration_s, bar_s) -> HistoryBars:
        """Ten bars of a quiet past, and of the running session what had ended by `end_at`."""
        if symbol not in self.symbols:
            raise DataError(f"history: unknown symbol {symbol!r}")
        if bar_s == 3600:
            return HistoryBars(*(np.array([]) for _ in range(6)))
        starts_at = OPENS_AT + bar_s * np.arange(-10.0, 100.0)
        starts_at = starts_at[starts_at + bar_s <= end_at]
        price = np.arange(100.0, 100.0 + len(starts_at), dtype=np.float64)
        return HistoryBars(starts_at, price, price + 1.5, price - 0.5, price + 1, np.full(len(starts_at), 1200.0))

    def min_tick(self, symbol):
        return 0.01

    def long_name(self, symbol):
        return {"SPY": "SPDR S&P 500 ETF TRUST", "IBM": "INTL BUSINESS MACHINES CORP"}[symbol]

    def exchange(self, symbol):
        return {"SPY": "ARCA", "IBM": "NYSE"}[symbol]

    def con_id(self, symbol):
        return {"SPY": 756733, "IBM": 8314}[symbol]
