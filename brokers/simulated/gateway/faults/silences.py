"""When nothing of a stock was traded or quoted though its market goes on beneath: what its history leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from brokers.simulated.gateway.data.times import span_of
from brokers.simulated.market.bars import BAR_COLUMNS, STEP_S, cut, gathered, joined, latest
from brokers.simulated.market.source import Floats, HistoryBars, QuoteTicks, TradeTicks

Ask = Callable[[float, float, int], HistoryBars]
"""A market's bars that had ended by an instant: end, how long before it, seconds a bar."""
Ticks = TypeVar("Ticks", TradeTicks, QuoteTicks)
MIXED = "BID_ASK"
DECIMALS = 4


class Silences(Struct):
    """Spans of time by symbol, each from the start of its first step to the end of its last."""

    by_symbol: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def note(self, symbol: str, starts_at: float, ends_at: float) -> None:
        """One more step was silent."""
        spans = self.by_symbol.setdefault(symbol, [])
        if spans and spans[-1][1] == starts_at:
            starts_at = spans.pop()[0]
        spans.append((starts_at, ends_at))

    def has(self, symbol: str) -> bool:
        return symbol in self.by_symbol

    def hides(self, symbol: str, at: Floats) -> NDArray[np.bool_]:
        """Which of these instants were silent, the end of a span not."""
        hidden = np.zeros(len(at), dtype=np.bool_)
        for since, until in self.by_symbol.get(symbol, ()):
            hidden |= (at >= since) & (at < until)
        return hidden

    def bars(self, symbol: str, what: str, bars: HistoryBars, bar_s: int, ask: Ask) -> HistoryBars:
        """The bars without what the silence hides: those it touches are made anew of the steps outside of it."""
        pieces: list[HistoryBars] = []
        done = 0
        for row, (starts_at, ends_at) in self._touched(symbol, bars.starts_at, bar_s):
            steps = ask(ends_at, ends_at - starts_at, STEP_S)
            is_in = (steps.starts_at >= starts_at) & ~self.hides(symbol, steps.starts_at)
            pieces += [cut(bars, slice(done, row)), _one_bar(starts_at, cut(steps, is_in), what)]
            done = row + 1
        return joined(HistoryBars, [*pieces, cut(bars, slice(done, None))])

    def ticks(self, symbol: str, ask: Callable[[int], Ticks], count: int, *, is_latest: bool, lag_s: float) -> Ticks:
        """The first or the latest `count` that were not silent; a tick is of what was `lag_s` before it."""
        asked = count
        while True:
            found = ask(asked)
            heard = cut(found, ~self.hides(symbol, found.at - lag_s))
            if len(heard.at) >= count or len(found.at) < asked:
                return latest(heard, count) if is_latest else cut(heard, slice(0, count))
            asked *= 2

    def _touched(self, symbol: str, starts_at: Floats, bar_s: int) -> Iterator[tuple[int, tuple[float, float]]]:
        """The rows of bars in which something was silent, with where they begin and end."""
        spans = self.by_symbol[symbol]
        first, last = spans[0][0] - 2 * bar_s, spans[-1][1]
        for row in np.flatnonzero((starts_at > first) & (starts_at < last)).tolist():
            begins_at = float(starts_at[row])
            _, ends_at = span_of(begins_at, bar_s)
            if any(since < ends_at and begins_at < until for since, until in spans):
                yield row, (begins_at, ends_at)


def _one_bar(starts_at: float, steps: HistoryBars, what: str) -> HistoryBars:
    """One bar of them; none of none."""
    rows = {name: getattr(steps, name) for name in BAR_COLUMNS}
    filled, bar = gathered(np.zeros(len(steps.starts_at), dtype=np.intp), rows)
    if what == MIXED and len(filled):
        bar |= {name: np.round(np.array([rows[name].mean()]), DECIMALS) for name in ("open", "close")}
    if len(filled) and steps.volume.min() < 0:
        bar["volume"] = steps.volume[:1]  # bars of quotes have none
    return HistoryBars(np.full(len(filled), starts_at), *(bar[name] for name in BAR_COLUMNS))
