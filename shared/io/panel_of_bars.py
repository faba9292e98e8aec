"""Bars of several instruments side by side on one time axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.io.arrow_values import ranks_of
from shared.io.bar_checks import DAILY_S, SECOND_NS, Floats
from shared.io.bar_files import VALUES
from shared.io.bar_part import Bars
from shared.io.bar_store import DAY_LASTS_NS, BarPanel


def panel_of(symbols: Sequence[str], bars: Sequence[Bars], interval_s: int) -> BarPanel:
    """The panel with `bars[i]` in the column of `symbols[i]`, NaN where one has no bar."""
    lengths = [len(each) for each in bars]
    opened_at, at = ranks_of(np.concatenate([each.opened_at for each in bars]))
    cell = at * len(symbols) + np.repeat(np.arange(len(symbols)), lengths)
    arrays: dict[str, Floats] = {}
    for name in VALUES:
        values = np.full((len(opened_at), len(symbols)), np.nan)
        values.reshape(-1)[cell] = np.concatenate([getattr(each, name) for each in bars])
        arrays[name] = values
    lasts_ns = DAY_LASTS_NS if interval_s == DAILY_S else interval_s * SECOND_NS
    return BarPanel(
        symbols=tuple(symbols),
        opened_at=opened_at,
        closed_at=opened_at + lasts_ns,
        interval_s=interval_s,
        open=arrays["open"],
        high=arrays["high"],
        low=arrays["low"],
        close=arrays["close"],
        volume=arrays["volume"],
    )


def bars_of(panel: BarPanel, symbol: str) -> Bars:
    """The printed bars of one instrument of the panel."""
    column = panel.symbols.index(symbol)
    printed = np.flatnonzero(~np.isnan(panel.close[:, column]))
    values = {name: getattr(panel, name)[printed, column] for name in VALUES}
    return Bars(opened_at=panel.opened_at[printed], **values)
