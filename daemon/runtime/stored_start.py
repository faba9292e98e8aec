"""Where a live start takes what its strategies remember from: the stored bars, where [features] start = "stored".

Offered once, to the first history of a run. It is taken if it was made by this configuration and code, if no row that
was fed before is newer, and if the history shows the very row it ends with, at the prices it was made from: what was
rescaled since, by a split, or belongs to another market does not fit. Else one line says why, and the rows of the
history warm the strategies up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct

from brokers.port import ClosedRow
from daemon.engine.warm_start import WARM_START_REFUSED
from daemon.runtime.engine_port import BuildEngine, Engine
from daemon.runtime.notices import Notices
from shared.commands import Notify
from shared.config import Config
from shared.errors import DataError, NotFound
from shared.events import StrategiesWarmed
from shared.io.warm_start import foreign_fault, read_warm_start, settings_of, warm_start_path

CLOSE_APART_MAX = 0.02
"""How far, as a fraction, a close of the history may be from the stored one: less than the smallest split."""


class _Offer(Struct, frozen=True, kw_only=True, eq=False):
    """A state that fits, and the last closes (n,) it knows, NaN where an instrument never printed."""

    closed_at: datetime
    state: bytes
    closes: np.ndarray


class StoredStart:
    """One run's offer; nothing is read before the first history is asked for."""

    def __init__(self, config: Config, build_engine: BuildEngine, notices: Notices) -> None:
        self._config = config
        self._build_engine = build_engine
        self._notices = notices
        self._path = warm_start_path(config)
        self._is_open = config.features.start == "stored"
        self._read: _Offer | None = None

    def rows_wanted(self, now: datetime, last_row_at: datetime | None) -> int:
        """How many rows of history reach back to the stored row; 0 if nothing is on offer."""
        if not self._is_open:
            return 0
        self._read = self._read or self._offer()
        if self._read is None:
            return 0
        if last_row_at is not None and last_row_at > self._read.closed_at:
            self._is_open = False  # the journal knows more than the store
            return 0
        return (now - self._read.closed_at) // timedelta(seconds=self._config.bars.interval_s) + 1

    def taken(self, rows: Sequence[ClosedRow], now: datetime) -> StrategiesWarmed | None:
        """The event that belongs behind the row which the state ends with, if the rows show that it fits."""
        offer = self._read
        if not self._is_open or offer is None:
            return None
        self._is_open = False
        if fault := self._misfit(offer, rows):
            self._refuse(fault)
            return None
        return StrategiesWarmed(received_at=now, closed_at=offer.closed_at, state=offer.state)

    def _offer(self) -> _Offer | None:
        try:
            start = read_warm_start(self._path)
            from shared.io.fingerprints import deciding_hash

            settings, code = settings_of(self._config), deciding_hash(self._config)
            if fault := foreign_fault(self._path, start, settings=settings, code=code):
                self._refuse(fault)
                return None
            tried: Engine = self._build_engine(self._config)
            tried.restore(start.state)
        except (DataError, NotFound) as error:
            self._refuse(str(error))
            return None
        return _Offer(closed_at=start.closed_at, state=start.state, closes=tried.book.prices.last)

    def _misfit(self, offer: _Offer, rows: Sequence[ClosedRow]) -> str:
        """Why the history does not go on from the stored bars; empty if it does."""
        known = [row for row in rows if row.closed_at <= offer.closed_at]
        ends = f"{self._path}: ends with the row of {offer.closed_at:%Y-%m-%d %H:%M} UTC"
        if not known or known[-1].closed_at != offer.closed_at:
            return f"{ends}, which is not in the broker's history of {len(rows)} rows; run: openbell features build"
        closes = np.full(len(offer.closes), np.nan)
        for row in known:
            closes = np.where(np.isnan(row.row.close), closes, row.row.close)
        apart = np.abs(closes / offer.closes - 1)
        if np.isnan(apart).all():
            return f"{ends}, and no close of it is in the broker's history"
        worst = int(np.nanargmax(apart))
        if apart[worst] <= CLOSE_APART_MAX:
            return ""
        symbol = self._config.universe.symbols[worst]
        return (
            f"{ends} and {symbol} at {offer.closes[worst]:g}, the broker's history has {closes[worst]:g}, "
            f"allowed: within {CLOSE_APART_MAX:.0%} of each other; run: openbell features build"
        )

    def _refuse(self, fault: str) -> None:
        self._is_open = False
        text = f"{fault}; the strategies start from the rows of the broker's history"
        self._notices.tell(Notify(level="warning", code=WARM_START_REFUSED, text=text))
