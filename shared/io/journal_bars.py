"""The rows of bars that a journal holds, as the panel that a replay takes: what the daemon saw, warm-up included."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from shared.errors import DataError
from shared.events import BarsClosed
from shared.io.bar_checks import DAILY_S, SECOND_NS
from shared.io.bar_store import DAY_LASTS_NS, BarPanel
from shared.io.journal import JournalReader
from shared.market import BarRow
from shared.messages import decode_event


def bars_of(
    journal: JournalReader, symbols: tuple[str, ...], interval_s: int, *, until: datetime | None = None
) -> BarPanel:
    """Every row of the journal that closed by `until` (all if None), each once, the earliest first.

    `symbols` and `interval_s` are those the journal was written for. Raises DataError where there is no such row.
    """
    rows: dict[datetime, BarRow] = {}
    for payload in journal.events_of_kind(BarsClosed.__name__):
        event = decode_event(payload)
        if isinstance(event, BarsClosed) and (until is None or event.closed_at <= until):
            rows.setdefault(event.closed_at, event.row)  # the engine decides on the first of two
    if not rows:
        raise DataError(f"{journal.place}: no row of bars{f' until {until:%Y-%m-%d %H:%M} UTC' if until else ''}")
    times = sorted(rows)
    closed_at = np.array([int(at.timestamp()) * SECOND_NS for at in times], dtype=np.int64)
    ordered = [rows[at] for at in times]
    return BarPanel(
        symbols=symbols,
        opened_at=closed_at - (DAY_LASTS_NS if interval_s == DAILY_S else interval_s * SECOND_NS),
        closed_at=closed_at,
        interval_s=interval_s,
        open=np.array([row.open for row in ordered]),
        high=np.array([row.high for row in ordered]),
        low=np.array([row.low for row in ordered]),
        close=np.array([row.close for row in ordered]),
        volume=np.array([row.volume for row in ordered]),
    )
