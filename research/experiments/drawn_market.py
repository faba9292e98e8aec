"""Markets that might have been: the same sessions in another order, so that a result can be told from its luck.

Whole sessions are drawn by the stationary bootstrap (research/measures/bootstrap.py) for all symbols alike, so what
moves together still does. A session keeps its shape and its gap from the close before; its level follows from the
sessions in front of it. Blocks of one session have no memory: nothing of the past says anything of the future there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from research.measures.bootstrap import resampled_days
from shared.io.bar_store import BarPanel

PRICES = ("open", "high", "low", "close")
Floats = npt.NDArray[np.float64]


class DrawnMarket(Struct, frozen=True, kw_only=True):
    """One of them: the same `seed` gives the same bars. `block_sessions` is the mean length of a block."""

    seed: int
    block_sessions: float


def drawn(panel: BarPanel, begins: Sequence[int], market: DrawnMarket, *, tick: float) -> BarPanel:
    """The panel with the sessions that begin at these rows drawn anew; rows before the first stay (the warm-up).

    The calendar stays: a session that is drawn for a shorter one loses its last rows, a longer one has none at its end.
    Prices are on `tick`, at least one. A symbol begins at the level of the first session that is drawn for it.
    """
    order = _order(len(begins), market)
    ends = [*begins[1:], len(panel)]
    lengths = np.array(ends) - np.array(begins)
    rows_in, rows_from = [np.arange(begins[0])], [np.arange(begins[0])]
    scales = [np.ones((begins[0], len(panel.symbols)))]
    last = _last_closes(panel.close[: begins[0]])
    before = _closes_before(panel, begins)
    for place, session in enumerate(order):
        count = min(lengths[place], lengths[session])
        source = np.arange(begins[session], begins[session] + count)
        scale = _scale(last, before[session], panel.open[source])
        closes = _last_closes(panel.close[source]) * scale
        last = np.where(np.isnan(closes), last, closes)
        rows_in.append(np.arange(begins[place], begins[place] + count))
        rows_from.append(source)
        scales.append(np.broadcast_to(scale, (count, len(scale))))
    at, source, scale = np.concatenate(rows_in), np.concatenate(rows_from), np.concatenate(scales)
    first_drawn = begins[0]
    values = {name: _on_tick(getattr(panel, name)[source] * scale, first_drawn, tick) for name in PRICES}
    return BarPanel(
        symbols=panel.symbols,
        interval_s=panel.interval_s,
        dropped=panel.dropped,
        opened_at=panel.opened_at[at],
        closed_at=panel.closed_at[at],
        volume=panel.volume[source],
        **values,
    )


def _order(sessions: int, market: DrawnMarket) -> list[int]:
    rng = np.random.default_rng(market.seed)
    (order,) = resampled_days(sessions, market.block_sessions, 1, rng)
    return [int(session) for session in order[0]]


def _closes_before(panel: BarPanel, begins: Sequence[int]) -> list[Floats]:
    """The last close of every symbol before each session, (n,); NaN before its first."""
    found, last = [], _last_closes(panel.close[: begins[0]])
    for first, end in zip(begins, [*begins[1:], len(panel)], strict=True):
        found.append(last)
        closes = _last_closes(panel.close[first:end])
        last = np.where(np.isnan(closes), last, closes)
    return found


def _scale(now: Floats, before: Floats, opens: Floats) -> Floats:
    """What prices of the drawn session are multiplied with, (n,): its gap is kept where it had one."""
    from_close = now / before
    opened = now / _first_prints(opens)
    scale = np.where(np.isnan(from_close), opened, from_close)
    return np.where(np.isnan(scale), 1.0, scale)


def _first_prints(prices: Floats) -> Floats:
    at = np.argmax(~np.isnan(prices), axis=0)
    first: Floats = prices[at, np.arange(prices.shape[1])]
    return first


def _last_closes(closes: Floats) -> Floats:
    """The last print of every column, (k, n) -> (n,); NaN where there is none."""
    return _first_prints(closes[::-1]) if len(closes) else np.full(closes.shape[1], np.nan)


def _on_tick(prices: Floats, first: int, tick: float) -> Floats:
    rounded = np.maximum(np.round(prices / tick) * tick, tick)
    rounded[:first] = prices[:first]
    return rounded
