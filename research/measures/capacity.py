"""How much money a strategy can run before its own orders become too large a part of the volume."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from research.backtest.moments import nanoseconds_of
from research.backtest.result import EquityCurve, ReplayResult
from research.measures.equity import RUIN, Integers, session_closes, session_starts
from research.measures.series import PERCENT, Floats
from shared.io.bar_store import BarPanel

PARTICIPATION_PCT = 1.0
SHARE_WITHIN_PCT = 95.0
DAY_S = 86_400


class CapacityFigures(Struct, frozen=True, kw_only=True):
    """What the run's orders were of the volume, and the capital at which they would be `participation_pct` of it.

    What was traded in an instrument in a session counts as a whole, over close times volume of the session's bars.
    `capital` is the largest equity at which 95 % of the traded value (in shares of equity as in this run) stays
    within `participation_pct`; None if nothing was traded. `used_pct_mean` is weighted by traded value.
    """

    participation_pct: float
    capital: float | None
    used_pct_mean: float | None
    used_pct_max: float | None


def capacity_figures(
    result: ReplayResult, panel: BarPanel, *, participation_pct: float = PARTICIPATION_PCT
) -> CapacityFigures:
    """Capacity of `result`, a replay of `panel`."""
    traded, offered, equity = _per_session(result, panel)
    counts = (traded > 0) & (equity > RUIN * result.starting_cash)[:, np.newaxis]
    sold, volume = traded[counts], offered[counts]
    if len(sold) == 0:
        return CapacityFigures(participation_pct=participation_pct, capital=None, used_pct_mean=None, used_pct_max=None)
    own = np.broadcast_to(equity[:, np.newaxis], traded.shape)[counts]
    fits = participation_pct / PERCENT * volume / (sold / own)
    order = np.argsort(fits, kind="stable")
    beyond = np.cumsum(sold[order]) / sold.sum() > 1.0 - SHARE_WITHIN_PCT / PERCENT
    with np.errstate(divide="ignore"):
        used = PERCENT * sold / volume
    is_known = bool(np.isfinite(used).all())
    return CapacityFigures(
        participation_pct=participation_pct,
        capital=float(fits[order][np.argmax(beyond)]),
        used_pct_mean=float(np.average(used, weights=sold)) if is_known else None,
        used_pct_max=float(used.max()) if is_known else None,
    )


def _per_session(result: ReplayResult, panel: BarPanel) -> tuple[Floats, Floats, Floats]:
    """Value traded and value on offer, both of shape (sessions, symbols), and equity at each session's close."""
    curve, equity = result.curve, session_closes(result.curve)
    starts = session_starts(curve)
    ends = np.append(starts[1:], len(curve.sessions)) - 1
    column = {symbol: at for at, symbol in enumerate(panel.symbols)}
    closes_ns = np.array([nanoseconds_of(curve.closed_at[at]) for at in ends.tolist()], dtype=np.int64)
    traded = np.zeros((len(starts), len(panel.symbols)))
    for entry in result.fills:
        number = int(np.searchsorted(closes_ns, nanoseconds_of(entry.fill.filled_at)))
        if number < len(starts):
            traded[number, column[entry.fill.symbol]] += entry.fill.quantity * entry.fill.price
    return traded, _offered(panel, curve, starts, ends), equity


def _offered(panel: BarPanel, curve: EquityCurve, starts: Integers, ends: Integers) -> Floats:
    """Close times volume of the panel's rows of every session; daily bars are found by the day of their session."""
    if panel.interval_s >= DAY_S:
        held = panel.opened_at.astype("datetime64[ns]").astype("datetime64[D]").astype(np.int64)
        first = last = np.array([curve.sessions[at] for at in starts.tolist()], dtype="datetime64[D]").astype(np.int64)
    else:
        held = panel.closed_at
        first, last = (
            np.array([nanoseconds_of(curve.closed_at[at]) for at in edge.tolist()], dtype=np.int64)
            for edge in (starts, ends)
        )
    offered = np.zeros((len(starts), len(panel.symbols)))
    begins, stops = np.searchsorted(held, first), np.searchsorted(held, last, side="right")
    for number, (begin, stop) in enumerate(zip(begins.tolist(), stops.tolist(), strict=True)):
        offered[number] = np.nansum(panel.close[begin:stop] * panel.volume[begin:stop], axis=0)
    return offered
