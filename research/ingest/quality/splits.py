"""Splits that no action explains, and actions that prices do not show.

What explains a jump: a table of actions, or else what the vendor wrote beside the price (adjusted_close, or
adj_factor_next of the day before).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from math import log

import numpy as np
from msgspec import Struct

from research.ingest.quality.finding import Finding, Limits
from research.ingest.quality.robust import sigma_of
from research.ingest.quality.table import Series
from shared.io.bar_checks import DAILY_S, Flags, Floats
from shared.io.bar_files import at_new_york
from shared.io.stored_actions import Action

_RATIOS = (4 / 3, 3 / 2, 2, 5 / 2, *range(3, 21), 25, 30, 40, 50, 100)
_LOGS = np.log(np.array(_RATIOS, dtype=np.float64))
_NEAR, _SEEN_FROM, _LARGE = 0.03, log(1.3), log(1.9)
_USUAL = 20
_CALM = 0.15
"""A split's day is otherwise an ordinary day: from open to close at most so far, as a log."""


class Explained(Struct, frozen=True, eq=False):
    """By how much an action lowered the price into each bar, as a log, shape (n,); 0 where nothing happened."""

    into: Floats


def explained(series: Series, actions: Sequence[Action] | None) -> Explained:
    """What the table of actions says, or the columns of the vendor where there is no table."""
    close = series.values["close"]
    into = np.zeros(len(series))
    if actions is None:
        return Explained(_of_the_vendor(series, into))
    for action in actions:
        at = int(np.searchsorted(series.opened_at, at_new_york(action.ex_date, time.min)))
        if 0 < at < len(series):
            left = 1 - action.dividend * action.split / close[at - 1]
            into[at] += log(action.split) - (log(left) if left > 0 else 0.0)
    return Explained(into)


def is_split_like(moves: Floats) -> Flags:
    """Whether log moves are near the ratio of a usual split or reverse split; NaN is not."""
    size = np.abs(moves)
    place = np.clip(np.searchsorted(_LOGS, size), 1, len(_LOGS) - 1)
    nearest = np.minimum(np.abs(size - _LOGS[place]), np.abs(size - _LOGS[place - 1]))
    return np.asarray((size >= _SEEN_FROM) & (nearest <= _NEAR))


def unexplained_splits(series: Series, known: Explained, limits: Limits) -> list[Finding]:
    """Overnight gaps by a split's ratio that nothing explains, on days otherwise calm.

    Below 2 to 1 news make such gaps too, but not without the crowd: there the volume must be usual as well.
    """
    if len(series) < 3:  # noqa: PLR2004 - too few to know what is usual
        return []
    close, opened = series.values["close"], series.values["open"]
    gaps = np.concatenate([[0.0], np.log(opened[1:] / close[:-1])])
    least = max(limits.bad_print_z / 2 * sigma_of(np.diff(np.log(close))), _SEEN_FROM)
    calm = np.abs(np.log(close / opened)) <= _CALM
    large = (np.abs(gaps) >= _LARGE) | ~_is_crowded(series)
    suspects = (np.abs(gaps) >= least) & calm & large & (known.into == 0) & is_split_like(gaps)
    return [_split(series, int(at)) for at in np.flatnonzero(suspects)]


def _split(series: Series, at: int) -> Finding:
    before, opened = series.values["close"][at - 1], series.values["open"][at]
    ratio = f"{before / opened:.4g} to 1" if before > opened else f"1 to {opened / before:.4g}"
    return Finding(
        kind="split_without_action",
        symbol=series.symbol,
        at=int(series.opened_at[at]),
        row=int(series.row[at]),
        detail=f"{before:g} opened {opened:g}, {ratio}",
    )


def _is_crowded(series: Series) -> Flags:
    """Bars with more than twice the usual volume of the twenty before; all of them where volume is unknown."""
    volume = series.values.get("volume")
    if volume is None or len(volume) <= _USUAL:
        return np.ones(len(series), dtype=np.bool_)
    usual = np.median(np.lib.stride_tricks.sliding_window_view(volume, _USUAL)[:-1], axis=1)
    return np.concatenate([np.ones(_USUAL, dtype=np.bool_), volume[_USUAL:] > 2 * usual])


def unseen_actions(series: Series, actions: Sequence[Action] | None) -> list[Finding]:
    """Splits of the table by which the price did not move."""
    close, opened = series.values["close"], series.values["open"]
    found = []
    for action in actions or ():
        at = int(np.searchsorted(series.opened_at, at_new_york(action.ex_date, time.min)))
        size = log(action.split)
        if not 0 < at < len(series) or abs(size) < _SEEN_FROM:
            continue
        seen = -log(opened[at] / close[at - 1])
        if abs(seen) < abs(seen - size):
            found.append(
                Finding(
                    kind="action_without_split",
                    symbol=series.symbol,
                    at=int(series.opened_at[at]),
                    row=int(series.row[at]),
                    detail=f"split {action.split:g} on {action.ex_date}, but {close[at - 1]:g} opened {opened[at]:g}",
                )
            )
    return found


def _of_the_vendor(series: Series, into: Floats) -> Floats:
    close = series.values["close"]
    if series.interval_s != DAILY_S or len(series) < 2:  # noqa: PLR2004 - a step needs two
        return into
    if "adjusted_close" in series.values:
        said = np.diff(np.log(series.values["adjusted_close"])) - np.diff(np.log(close))
    elif "adj_factor_next" in series.values:
        factor = series.values["adj_factor_next"][:-1]
        said = -np.log(np.where(factor > 0, factor, 1.0))
    else:
        return into
    # A vendor's rounding is no action.
    into[1:] = np.where(np.isfinite(said) & (np.abs(said) > 1e-3), said, 0.0)  # noqa: PLR2004 - as good as none
    return into
