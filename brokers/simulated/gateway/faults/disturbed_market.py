"""The market behind a gateway, with prices that faults can move and stocks they can halt.

What was halted has no history either: it was not traded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from brokers.simulated.gateway.faults.silences import Silences
from brokers.simulated.market.source import (
    AuctionPrinted,
    Floats,
    Halted,
    HistoryBars,
    MarketEvent,
    MarketSource,
    MarketStep,
    QuoteTicks,
    Resumed,
    TradeTicks,
)

PRICES = ("open", "high", "low", "close")
SIZES = ("bid_size", "ask_size")
SILENT = ("volume", "bid", "ask", *SIZES)
"""What else a step does not have where nothing may trade."""
CENTS = 2
CENT = 0.01


class Disturbance(Struct):
    """What faults have done to the market; it lasts over the nights."""

    moves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """By symbol: from an instant on, prices are so many times what they would have been."""
    halted: set[int] = field(default_factory=set)
    events: list[MarketEvent] = field(default_factory=list)
    """For the next step."""
    silences: Silences = field(default_factory=Silences)
    day: int = 0


class DisturbedMarket:
    """A MarketSource around another one; untouched it gives that one's own steps.

    `on_day` is called with the day's number, from 1, when its steps begin.
    """

    def __init__(
        self, market: MarketSource, on_day: Callable[[int], None], disturbance: Disturbance | None = None
    ) -> None:
        self._market = market
        self._on_day = on_day
        self._disturbance = disturbance or Disturbance()
        self.symbols = market.symbols
        self.session = market.session
        self.opens_at = market.opens_at
        self.closes_at = market.closes_at
        self.is_early_close = market.is_early_close
        self.step_s = market.step_s
        self.corporate_actions = market.corporate_actions

    def move(self, symbol: str, factor: float, *, since: float = -math.inf) -> None:
        """Prices from `since` on; by default the whole past too, as TWS adjusts history for a split."""
        self._disturbance.moves.setdefault(symbol, []).append((since, factor))

    def halt(self, symbol: str, code: int) -> None:
        """Nothing of it is traded or quoted from the next step on; `code` as in tick 49."""
        index = self.symbols.index(symbol)
        self._disturbance.halted.add(index)
        self._disturbance.events.append(Halted(index, code))

    def resume(self, symbol: str) -> None:
        """Its market goes on with the next step, wherever it stands by then."""
        index = self.symbols.index(symbol)
        self._disturbance.halted.discard(index)
        self._disturbance.events.append(Resumed(index))

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:
        self._disturbance.day += 1
        self._on_day(self._disturbance.day)
        for step in self._market.steps(include_premarket=include_premarket):
            yield self._halted_in(self._moved(step) if self._disturbance.moves else step)

    def next_session(self) -> MarketSource | None:
        following = self._market.next_session()
        if following is None:
            return None
        return DisturbedMarket(following, self._on_day, self._disturbance)

    def history(
        self, symbol: str, *, end_at: float, duration_s: float, bar_s: int, what: str = "TRADES"
    ) -> HistoryBars:
        def ask(ends_at: float, span_s: float, size_s: int) -> HistoryBars:
            before = min(ends_at, end_at)
            return self._market.history(symbol, end_at=before, duration_s=span_s, bar_s=size_s, what=what)

        bars = ask(end_at, duration_s, bar_s)
        if self._disturbance.silences.has(symbol):
            bars = self._disturbance.silences.bars(symbol, what, bars, bar_s, ask)
        if symbol not in self._disturbance.moves:
            return bars
        factor = self._factor(symbol, bars.starts_at)
        return replace(bars, **{name: np.round(getattr(bars, name) * factor, CENTS) for name in PRICES})

    def ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> TradeTicks:
        def ask(many: int) -> TradeTicks:
            return self._market.ticks(symbol, start_at=start_at, end_at=end_at, count=many)

        ticks = self._disturbance.silences.ticks(symbol, ask, count, is_latest=start_at is None, lag_s=0.0)
        if symbol not in self._disturbance.moves:
            return ticks
        return replace(ticks, price=np.round(ticks.price * self._factor(symbol, ticks.at), CENTS))

    def quote_ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> QuoteTicks:
        def ask(many: int) -> QuoteTicks:
            return self._market.quote_ticks(symbol, start_at=start_at, end_at=end_at, count=many)

        ticks = self._disturbance.silences.ticks(symbol, ask, count, is_latest=start_at is None, lag_s=self.step_s)
        if symbol not in self._disturbance.moves:
            return ticks
        factor = self._factor(symbol, ticks.at)
        bid, offer = _quote(ticks.bid * factor, ticks.ask * factor)
        return replace(ticks, bid=bid, ask=offer)

    def head_at(self, symbol: str) -> float:
        return self._market.head_at(symbol)

    def min_tick(self, symbol: str) -> float:
        return self._market.min_tick(symbol)

    def long_name(self, symbol: str) -> str:
        return self._market.long_name(symbol)

    def exchange(self, symbol: str) -> str:
        return self._market.exchange(symbol)

    def con_id(self, symbol: str) -> int:
        return self._market.con_id(symbol)

    # ------------------------------------------------------------------ leaves

    def _factor(self, symbol: str, at: Floats) -> Floats:
        """What the prices at these instants are multiplied with."""
        factor = np.ones(len(at))
        for since, moved in self._disturbance.moves.get(symbol, ()):
            factor = np.where(at >= since, factor * moved, factor)
        return factor

    def _halted_in(self, step: MarketStep) -> MarketStep:
        """The step with our halts in it."""
        if not self._disturbance.halted and not self._disturbance.events:
            return step
        halted = list(self._disturbance.halted)
        silenced = {name: getattr(step, name).copy() for name in (*PRICES, *SILENT)}
        for name, column in silenced.items():
            column[halted] = 0.0 if name in SIZES else math.nan
        for index in halted:
            self._disturbance.silences.note(self.symbols[index], step.starts_at, step.starts_at + self.step_s)
        events = tuple(self._disturbance.events)
        self._disturbance.events.clear()
        others = tuple(event for event in step.events if event.index not in self._disturbance.halted)
        return replace(step, events=events + others, **silenced)

    def _moved(self, step: MarketStep) -> MarketStep:
        factors = np.array([float(self._factor(symbol, np.array([step.starts_at]))[0]) for symbol in self.symbols])
        if (factors == 1).all():
            return step
        prices = {name: _times(getattr(step, name), factors) for name in PRICES}
        bid, ask = _quote(step.bid * factors, step.ask * factors)
        bid, ask = np.where(factors == 1, step.bid, bid), np.where(factors == 1, step.ask, ask)
        events = tuple(_event(one, factors) for one in step.events)
        return replace(step, bid=bid, ask=ask, events=events, **prices)


def _times(prices: Floats, factors: Floats) -> Floats:
    """In cents where they move; what does not move keeps every digit."""
    moved: Floats = np.where(factors == 1, prices, np.round(prices * factors, CENTS))
    return moved


def _quote(bid: Floats, ask: Floats) -> tuple[Floats, Floats]:
    """In cents, and at least one of them wide."""
    bid = np.round(bid, CENTS)
    return bid, np.where(np.round(ask, CENTS) <= bid, bid + CENT, np.round(ask, CENTS))


def _event(event: MarketEvent, factors: Floats) -> MarketEvent:
    if not isinstance(event, AuctionPrinted):
        return event
    return replace(event, price=round(event.price * float(factors[event.index]), CENTS))
