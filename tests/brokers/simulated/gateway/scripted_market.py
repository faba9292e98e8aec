"""A market that does exactly what a test wrote down: the shipped fake of MarketSource."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np

from brokers.simulated.market.source import CorporateAction, HistoryBars, MarketStep, QuoteTicks, TradeTicks
from shared.errors import DataError

OPENS_AT = dt.datetime(2013, 10, 8, 13, 30, tzinfo=dt.UTC).timestamp()
STEP_S = 5
SHOWN = 1000.0
NOTHING = (math.nan,) * 7
DAY_S = 86_400


def a_bar(open_, high, low, close, volume=4000.0, *, spread=0.02, shown=SHOWN):
    """One instrument's step with a quote around its close, `shown` shares on each side."""
    return (open_, high, low, close, volume, close - spread / 2, close + spread / 2, shown, shown)


def flat(price, volume=4000.0, **more):
    """Five seconds in which the price stood still."""
    return a_bar(price, price, price, price, volume, **more)


class ScriptedMarket:
    """SPY's steps are `script`; IBM stands still at 180, and prints only in even steps.

    `events` maps the number of a step to its MarketEvents; `following` is the next session.
    """

    def __init__(self, script, *, lasts_s=None, events=None, actions=(), following=None, opens_at=OPENS_AT):
        self.symbols: tuple[str, ...] = ("SPY", "IBM")
        self.session = dt.datetime.fromtimestamp(opens_at, dt.UTC).date()
        self.opens_at = opens_at
        self.closes_at = opens_at + (lasts_s or STEP_S * len(script))
        self.is_early_close = False
        self.step_s = STEP_S
        self.corporate_actions: tuple[CorporateAction, ...] = tuple(actions)
        self._script = script
        self._events = events or {}
        self._following = following

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:
        for number, spy in enumerate(self._script):
            ibm = (*NOTHING[:5], 179.98, 180.02, SHOWN, SHOWN) if number % 2 else flat(180.0, 400.0, spread=0.04)
            columns = np.array([spy, ibm]).T  # fields by symbols
            fields = dict(zip(MarketStep.__struct_fields__[1:10], columns, strict=True))
            yield MarketStep(starts_at=self.opens_at + number * STEP_S, **fields, events=self._events.get(number, ()))

    def next_session(self):
        return self._following

    def history(self, symbol, *, end_at, duration_s, bar_s, what="TRADES") -> HistoryBars:
        """Ten bars of a quiet past, and of the running session what had ended by `end_at`."""
        self._known(symbol)
        if bar_s == 3600:
            return HistoryBars(*(np.array([]) for _ in range(6)))
        starts_at = self.opens_at + bar_s * np.arange(-10.0, 100.0)
        starts_at = starts_at[starts_at + bar_s <= end_at]
        price = np.arange(100.0, 100.0 + len(starts_at), dtype=np.float64)
        return HistoryBars(starts_at, price, price + 1.5, price - 0.5, price + 1, np.full(len(starts_at), 1200.0))

    def head_at(self, symbol) -> float:
        self._known(symbol)
        return OPENS_AT - 10 * DAY_S

    def ticks(self, symbol, *, start_at, end_at, count) -> TradeTicks:
        """One print of 100 shares at 100.00 a second."""
        at = self._seconds(symbol, start_at, end_at, count)
        return TradeTicks(at, np.full(len(at), 100.0), np.full(len(at), 100.0))

    def quote_ticks(self, symbol, *, start_at, end_at, count) -> QuoteTicks:
        at = self._seconds(symbol, start_at, end_at, count)
        return QuoteTicks(at, *(np.full(len(at), value) for value in (99.99, 100.01, SHOWN, SHOWN)))

    def min_tick(self, symbol):
        return 0.01

    def long_name(self, symbol):
        return {"SPY": "SPDR S&P 500 ETF TRUST", "IBM": "INTL BUSINESS MACHINES CORP"}[symbol]

    def exchange(self, symbol):
        return {"SPY": "ARCA", "IBM": "NYSE"}[symbol]

    def con_id(self, symbol):
        return {"SPY": 756733, "IBM": 8314}[symbol]

    def _known(self, symbol):
        if symbol not in self.symbols:
            raise DataError(f"market: unknown symbol {symbol!r}")

    def _seconds(self, symbol, start_at, end_at, count):
        self._known(symbol)
        if start_at is not None:
            return np.arange(start_at, end_at)[:count]
        return np.arange(max(self.opens_at, end_at - count), end_at)
