"""What bars up to a day say about each instrument: price, dollar volume, volatility, splits the prices show.

All of it from raw daily bars, of which those after the day are cut off first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from math import log
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from shared.corporate_actions import share_ratio
from shared.errors import DataError
from shared.io.bar_checks import DAILY_S, Floats, Integers
from shared.io.bar_files import VALUES, at_new_york
from shared.io.bar_store import BarPanel

if TYPE_CHECKING:
    import pandas as pd

SESSIONS_A_YEAR = 252
RETURNS_MIN = 20
"""So many daily returns a volatility needs; with fewer it is NaN."""


class Liquidity(Struct, frozen=True, eq=False):
    """Of each symbol of the panel, shape (n,). NaN (or -1 for counts of sessions) where it has printed nothing.

    `close` is the last one in dollars, `dollar_volume` the median per session over the window (a session without a
    print counts as 0), `volatility` the annualised standard deviation of daily log returns over the window, split
    adjusted; `printed` counts sessions with volume in the window, `silent` sessions since the last of them.
    """

    close: Floats
    dollar_volume: Floats
    volatility: Floats
    printed: Integers
    silent: Integers


def known_on(panel: BarPanel, day: date, begins: Mapping[str, date]) -> BarPanel:
    """The bars up to and including the day; of a reused ticker only those from its present company's first day."""
    if panel.interval_s != DAILY_S:
        raise DataError(f"universe: bars of {panel.interval_s} s, allowed: daily bars")
    rows = int(np.searchsorted(panel.opened_at, at_new_york(day + timedelta(days=1), time.min)))
    values = {name: getattr(panel, name)[:rows].copy() for name in VALUES}
    for column, symbol in enumerate(panel.symbols):
        first = begins.get(symbol)
        if first is not None:
            before = int(np.searchsorted(panel.opened_at[:rows], at_new_york(first, time.min)))
            for array in values.values():
                array[:before, column] = np.nan
    return replace(panel, opened_at=panel.opened_at[:rows], closed_at=panel.closed_at[:rows], **values)


def shown_splits(known: BarPanel, actions: pd.DataFrame) -> tuple[tuple[str, int, float], ...]:
    """Splits among the actions that the bars show: (symbol, first row after it, new shares per old).

    One that the prices around its ex-date do not show (reported twice, or wrong) is not believed.
    """
    column = {symbol: at for at, symbol in enumerate(known.symbols)}
    found = []
    for symbol, ex_date, coefficient in _changes(actions):
        if symbol not in column:
            continue
        closes = known.close[:, column[symbol]]
        row = int(np.searchsorted(known.opened_at, at_new_york(ex_date, time.min)))
        printed = np.flatnonzero(~np.isnan(closes))
        before, after = printed[printed < row], printed[printed >= row]
        if len(before) and len(after):
            jump = log(known.open[after[0], column[symbol]] / closes[before[-1]])
            if abs(jump + log(coefficient)) < abs(jump):
                found.append((symbol, int(after[0]), coefficient))
    return tuple(found)


def liquidity(known: BarPanel, splits: tuple[tuple[str, int, float], ...], window: int) -> Liquidity:
    """Measure the last `window` sessions of the panel."""
    close, volume = known.close.copy(), np.nan_to_num(known.volume)
    for symbol, row, coefficient in splits:
        close[:row, known.symbols.index(symbol)] /= coefficient  # prices of before in shares of after
    dollars = np.nan_to_num(known.close * known.volume)[-window:]
    has_volume = volume > 0
    rows = len(known)
    last_print = np.where(has_volume.any(axis=0), rows - 1 - has_volume[::-1].argmax(axis=0) if rows else -1, -1)
    return Liquidity(
        close=_last(known.close),
        dollar_volume=np.where(last_print >= 0, np.median(dollars, axis=0), np.nan) if rows else _last(known.close),
        volatility=_volatility(close[-window - 1 :]),
        printed=has_volume[-window:].sum(axis=0),
        silent=np.where(last_print >= 0, rows - 1 - last_print, -1),
    )


def reverse_splits(known: BarPanel, splits: tuple[tuple[str, int, float], ...], since: date) -> dict[str, int]:
    """How many reverse splits each symbol had whose first bar after lies on `since` or later; none: absent."""
    first = at_new_york(since, time.min)
    counts: dict[str, int] = {}
    for symbol, row, coefficient in splits:
        if coefficient < 1 and known.opened_at[row] >= first:
            counts[symbol] = counts.get(symbol, 0) + 1
    return counts


def volatility_tiers(volatility: Floats, tiers: int) -> Integers:
    """1 (calmest) to `tiers` by rank among those with a volatility, equal ones in one tier; 0 where it is NaN."""
    has = ~np.isnan(volatility)
    placed = np.zeros(len(volatility), dtype=np.int64)
    ranked = np.sort(volatility[has])
    below = np.searchsorted(ranked, volatility[has], side="left")
    placed[has] = 1 + below * tiers // max(len(ranked), 1)
    return placed


def _changes(actions: pd.DataFrame) -> list[tuple[str, date, float]]:
    """Actions that change the number of shares, in the order of symbol and ex-date."""
    chosen = actions.sort_values(["symbol", "ex_date"], kind="stable")
    each = zip(chosen["symbol"], chosen["ex_date"].dt.date, chosen["split_coefficient"], strict=True)
    return [(symbol, day, float(ratio)) for symbol, day, ratio in each if share_ratio(float(ratio)) not in {None, 1}]


def _last(close: Floats) -> Floats:
    last = np.full(close.shape[1], np.nan)
    for row in close:
        last = np.where(np.isnan(row), last, row)
    return last


def _volatility(close: Floats) -> Floats:
    """Of consecutive prints only: a silent session makes no return."""
    returns = np.diff(np.log(close), axis=0)
    counts = (~np.isnan(returns)).sum(axis=0)
    found = np.full(close.shape[1], np.nan)
    enough = counts >= RETURNS_MIN
    if enough.any():
        found[enough] = np.nanstd(returns[:, enough], axis=0, ddof=1) * np.sqrt(SESSIONS_A_YEAR)
    return found
