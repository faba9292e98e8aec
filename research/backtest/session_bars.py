"""Bars of whole sessions out of the rows of a timeline: what costs and corporate actions are judged by."""

from __future__ import annotations

from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats
from research.backtest.timeline import Timeline
from shared.io.bar_store import BarPanel


class SessionBars(Struct, frozen=True, kw_only=True, eq=False):
    """One bar per session and instrument, warm-up included: float64 of shape (S, n), NaN where nothing printed."""

    sessions: tuple[date, ...]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def last_close(self, at: int, column: int) -> float:
        """The latest close up to session number `at`; NaN before the first."""
        closes = self.close[: at + 1, column]
        printed = np.flatnonzero(~np.isnan(closes))
        return float(closes[printed[-1]]) if len(printed) else float("nan")


def session_bars(panel: BarPanel, timeline: Timeline) -> SessionBars:
    """The sessions of the timeline's rows, in order."""
    index = np.concatenate([timeline.warm_up.places, timeline.rows.places])
    days = [*timeline.warm_up.sessions, *timeline.rows.sessions]
    starts = [at for at, day in enumerate(days) if at == 0 or days[at - 1] != day]
    sessions = tuple(days[at] for at in starts)
    if len(starts) == len(days):  # daily bars are their sessions
        values = {name: getattr(panel, name)[index] for name in ("open", "high", "low", "close", "volume")}
        return SessionBars(sessions=sessions, **values)
    parts = [index[start:end] for start, end in zip(starts, [*starts[1:], len(days)], strict=True)]
    return SessionBars(
        sessions=sessions,
        open=np.array([_first(panel.open[part]) for part in parts]),
        high=np.array([np.fmax.reduce(panel.high[part]) for part in parts]),
        low=np.array([np.fmin.reduce(panel.low[part]) for part in parts]),
        close=np.array([_first(panel.close[part][::-1]) for part in parts]),
        volume=np.array([np.nansum(panel.volume[part], axis=0) for part in parts]),
    )


def _first(prices: Floats) -> Floats:
    """The first print of every column, (k, n) -> (n,); NaN where there is none."""
    at = np.argmax(~np.isnan(prices), axis=0)
    first: Floats = prices[at, np.arange(prices.shape[1])]
    return first
