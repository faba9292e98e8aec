"""Pieces of a panel: its first rows, its rows from a start on, the same past before another future."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import structs

from research.backtest.timeline import Timeline
from shared.io.bar_store import BarPanel

VALUES = ("open", "high", "low", "close", "volume")

Future = Callable[[BarPanel, int], BarPanel]
"""A panel and a cut: the same rows before the cut, and something else from it on."""


def replayed_rows(panel: BarPanel, timeline: Timeline) -> BarPanel:
    """The rows that a replay shows to a strategy, with the instants at which it shows them; arrays are copies."""
    chosen = np.concatenate([timeline.warm_up.places, timeline.rows.places])
    closed_at = np.concatenate([timeline.warm_up.closed_ns, timeline.rows.closed_ns])
    arrays = {name: getattr(panel, name)[chosen] for name in VALUES}
    return structs.replace(panel, opened_at=panel.opened_at[chosen], closed_at=closed_at, **arrays)


def some_columns(panel: BarPanel, symbols: Sequence[str]) -> BarPanel:
    """The panel of `symbols` only, in their order."""
    columns = [panel.symbols.index(symbol) for symbol in symbols]
    return structs.replace(panel, symbols=tuple(symbols), **{name: getattr(panel, name)[:, columns] for name in VALUES})


def between(panel: BarPanel, first: int, end: int) -> BarPanel:
    """Rows `first` to `end` (excluded) as a panel over arrays of its own, which nobody can write to."""
    arrays = {name: getattr(panel, name)[first:end].copy() for name in ("opened_at", "closed_at", *VALUES)}
    for array in arrays.values():
        array.flags.writeable = False
    return structs.replace(panel, **arrays)


def no_future(panel: BarPanel, cut: int) -> BarPanel:
    """Nothing after the cut."""
    return between(panel, 0, cut)


def upside_down(panel: BarPanel, cut: int) -> BarPanel:
    """What rose falls by as much, in ratios, and the ranking is reversed; volumes come in the reverse order."""
    last = _last_closes(panel.close[:cut])
    mirrored = {
        "open": last**2 / panel.open[cut:],
        "high": last**2 / panel.low[cut:],
        "low": last**2 / panel.high[cut:],
        "close": last**2 / panel.close[cut:],
        "volume": panel.volume[cut:][::-1],
    }
    return _followed_by(panel, cut, mirrored)


def silence(panel: BarPanel, cut: int) -> BarPanel:
    """Nothing prints any more: every instrument is delisted at the cut."""
    nothing = np.full_like(panel.close[cut:], np.nan)
    return _followed_by(panel, cut, dict.fromkeys(VALUES, nothing))


FUTURES: dict[str, Future] = {
    "truncated future": no_future,
    "perturbed future": upside_down,
    "silent future": silence,
}


def _followed_by(panel: BarPanel, cut: int, future: dict[str, np.ndarray]) -> BarPanel:
    arrays = {name: np.concatenate([getattr(panel, name)[:cut], future[name]]) for name in VALUES}
    return between(structs.replace(panel, **arrays), 0, len(panel))


def _last_closes(closes: np.ndarray) -> np.ndarray:
    """The last close of each column, shape (n,); 1 where there was none."""
    printed = ~np.isnan(closes)
    rows = len(closes) - 1 - np.argmax(printed[::-1], axis=0)
    last: np.ndarray = closes[rows, np.arange(closes.shape[1])]
    return np.where(printed.any(axis=0), last, 1.0)
