"""The market of the latency benchmarks: it says nothing but what the measurement needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np

from brokers.simulated.market.source import CorporateAction, HistoryBars, MarketStep, QuoteTicks, TradeTicks

SYMBOL = "SPY"
PRICE, SPREAD = 100.0, 0.02
STEP_S = 5
SESSION = date(2013, 10, 8)
OPENS_AT = datetime(2013, 10, 8, 13, 30, tzinfo=UTC).timestamp()
CLOSES_AT = datetime(2013, 10, 8, 20, 0, tzinfo=UTC).timestamp()


class FlatMarket:
    """Symbols whose prices stand still, so that a market order fills at once and no stop is touched."""

    session = SESSION
    opens_at = OPENS_AT
    closes_at = CLOSES_AT
    is_early_close = False
    step_s = STEP_S
    corporate_actions: tuple[CorporateAction, ...] = ()

    def __init__(self, symbols: tuple[str, ...] = (SYMBOL,)) -> None:
        self.symbols = symbols

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:  # noqa: ARG002 - the market's protocol
        return iter(())

    def next_session(self) -> None:
        return None

    def step(self, starts_at: float) -> MarketStep:
        """Five seconds at PRICE."""
        count = len(self.symbols)
        at, volume = np.full(count, PRICE), np.full(count, 1e6)
        bid, ask = np.full(count, PRICE - SPREAD / 2), np.full(count, PRICE + SPREAD / 2)
        return MarketStep(starts_at, at, at, at, at, volume, bid, ask, volume, volume)

    def history(
        self,
        symbol: str,  # noqa: ARG002 - the market's protocol
        *,
        end_at: float,  # noqa: ARG002 - the market's protocol
        duration_s: float,  # noqa: ARG002 - the market's protocol
        bar_s: int,  # noqa: ARG002 - the market's protocol
        what: str = "TRADES",  # noqa: ARG002 - the market's protocol
    ) -> HistoryBars:
        return HistoryBars(*[np.empty(0)] * 6)

    def head_at(self, symbol: str) -> float:  # noqa: ARG002 - the market's protocol
        return OPENS_AT

    def ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> TradeTicks:  # noqa: ARG002 - the market's protocol
        return TradeTicks(*[np.empty(0)] * 3)

    def quote_ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> QuoteTicks:  # noqa: ARG002 - the market's protocol
        return QuoteTicks(*[np.empty(0)] * 5)

    def min_tick(self, symbol: str) -> float:  # noqa: ARG002 - the market's protocol
        return 0.01

    def long_name(self, symbol: str) -> str:
        return symbol

    def exchange(self, symbol: str) -> str:  # noqa: ARG002 - the market's protocol
        return "ARCA"

    def con_id(self, symbol: str) -> int:
        return 756733 + self.symbols.index(symbol)
