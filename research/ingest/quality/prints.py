"""Prices that nobody believes: bad prints, far wicks, and jumps that stay.

A move counts when it is beyond both limits, as a percentage and as a robust z-score of close to close.
"""

from __future__ import annotations

from math import log, log1p

import numpy as np
from msgspec import Struct

from research.ingest.quality.finding import Finding, Limits
from research.ingest.quality.robust import sigma_of
from research.ingest.quality.splits import Explained, is_split_like
from research.ingest.quality.table import Series
from shared.io.bar_checks import PRICES, Flags, Floats

_COMES_BACK = 0.5
"""A spike is over when at least this share of it is undone."""


class Moves(Struct, frozen=True, eq=False):
    """Log moves of a series, shape (n,), NaN at its ends: into the bar, out of it, and the least one that counts."""

    into: Floats
    out: Floats
    least: float
    sigma: float


def suspicious_prints(series: Series, explained: Explained, limits: Limits) -> list[Finding]:
    """Bad prints, then what else is far; splits are not told here (splits.py)."""
    if len(series) < 3:  # noqa: PLR2004 - before, the bar, after
        return []
    moves = _moves(series, explained, limits)
    bad = _bad_prints(series, moves, explained)
    wicks = _wicks(series, moves, explained) & ~bad
    stays = (np.abs(moves.into) >= moves.least) & ~bad & ~_after(bad) & ~is_split_like(moves.into)
    open_, close = series.values["open"], series.values["close"]
    before = np.concatenate([[np.nan], close[:-1]])
    found = [_said(series, "bad_print", at, moves, before) for at in np.flatnonzero(bad)]
    found += [_said(series, "far_wick", at, moves, before) for at in np.flatnonzero(wicks)]
    stays &= ~is_split_like(np.log(open_ / before) + explained.into)
    return found + [_said(series, "jump", at, moves, before) for at in np.flatnonzero(stays)]


def _moves(series: Series, explained: Explained, limits: Limits) -> Moves:
    steps = np.diff(np.log(series.values["close"])) + explained.into[1:]
    sigma = sigma_of(steps)
    return Moves(
        into=np.concatenate([[np.nan], steps]),
        out=np.concatenate([steps, [np.nan]]),
        least=max(log1p(limits.bad_print_pct / 100), limits.bad_print_z * sigma),
        sigma=sigma,
    )


def _bad_prints(series: Series, moves: Moves, explained: Explained) -> Flags:
    """A close that the next one takes back, an open that its own bar does, or a bar on two scales."""
    open_, close = (np.log(series.values[name]) for name in ("open", "close"))
    gap = np.concatenate([[np.nan], open_[1:] - close[:-1]]) + explained.into
    inside = close - open_
    spike_close = _is_spike(moves.into, moves.out, moves.least)
    spike_open = _is_spike(gap, inside, moves.least)
    two_scales = (np.abs(inside) >= moves.least) & is_split_like(inside)
    return np.asarray(spike_close | spike_open | two_scales)


def _is_spike(there: Floats, back: Floats, least: float) -> Flags:
    opposite = np.sign(there) == -np.sign(back)
    big = (np.abs(there) >= least) & (np.abs(back) >= _COMES_BACK * np.abs(there))
    return np.asarray(opposite & big & (np.abs(there + back) <= _COMES_BACK * np.abs(there)))


def _wicks(series: Series, moves: Moves, explained: Explained) -> Flags:
    """High or low beyond the bar's own open and close and the closes around it."""
    logs = {name: np.log(series.values[name]) for name in PRICES}
    before = np.concatenate([[np.nan], logs["close"][:-1]]) - explained.into
    after = np.concatenate([logs["close"][1:] + explained.into[1:], [np.nan]])
    around = np.stack([logs["open"], logs["close"], before, after])
    above = logs["high"] - np.nanmax(around, axis=0)
    below = np.nanmin(around, axis=0) - logs["low"]
    return np.asarray(np.maximum(above, below) >= moves.least)


def _after(flags: Flags) -> Flags:
    return np.concatenate([[False], flags[:-1]])


def _said(series: Series, kind: str, at: np.intp, moves: Moves, before: Floats) -> Finding:
    prices = ", ".join(f"{name} {series.values[name][at]:g}" for name in PRICES)
    far = max(abs(log(series.values[name][at] / before[at])) for name in PRICES) if at else 0.0
    return Finding(
        kind=kind,
        symbol=series.symbol,
        at=int(series.opened_at[at]),
        row=int(series.row[at]),
        detail=f"{prices} after close {before[at]:g}, robust z {far / moves.sigma:.0f}",
    )
