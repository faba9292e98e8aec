"""The bars of an experiment: only the rows inside sessions, and where each session begins."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.assembly import timeline_of
from research.experiments.drawn_market import DrawnMarket, drawn
from shared.config import Config
from shared.errors import DataError
from shared.io.bar_store import BarPanel
from shared.io.fingerprints import panel_hash

_ARRAYS = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")


class Bars(Struct, frozen=True, kw_only=True, eq=False):
    """`sessions` rise; session k begins at row `begins[k]` of `panel`. `data_hash` is the whole panel's."""

    panel: BarPanel
    sessions: tuple[date, ...]
    begins: tuple[int, ...]
    data_hash: str

    def rows_of(self, first: date | None, last: date | None, warm_up: int) -> tuple[int, int]:
        """The rows of the sessions from `first` to `last` (both in), with up to `warm_up` rows before them.

        Raises DataError if no session lies there.
        """
        start = 0 if first is None else bisect_left(self.sessions, first)
        end = len(self.sessions) if last is None else bisect_right(self.sessions, last)
        if start >= end:
            raise DataError(
                f"no session from {first or 'the first'} to {last or 'the last'}, "
                f"allowed: days within {self.sessions[0]} to {self.sessions[-1]}"
            )
        stop = self.begins[end] if end < len(self.sessions) else len(self.panel)
        return max(0, self.begins[start] - warm_up), stop


def bars_of(config: Config, panel: BarPanel) -> Bars:
    """The panel of an experiment; DataError where it cannot be replayed under `config`."""
    rows = timeline_of(config, panel).rows
    inside = [row.index for row in rows]
    whole = panel if len(inside) == len(panel) else taken(panel, inside)
    opens = [at for at, row in enumerate(rows) if row.opens_session]
    return Bars(
        panel=whole,
        sessions=tuple(rows[at].hours.session for at in opens),
        begins=tuple(opens),
        data_hash=panel_hash(whole),
    )


def cut(panel: BarPanel, rows: tuple[int, int]) -> BarPanel:
    """The rows from `rows[0]` up to, and without, `rows[1]`: views, nothing behind the end can be reached from them."""
    first, end = rows
    return taken(panel, slice(first, end))


def drawn_bars(config: Config, panel: BarPanel, start: date | None, market: DrawnMarket) -> BarPanel:
    """The same panel with its sessions from `start` on in the order of a drawn market; rows in sessions only."""
    opens = [row.index for row in timeline_of(config, panel, start).rows if row.opens_session]
    return drawn(panel, opens, market, tick=config.universe.tick)


def taken(panel: BarPanel, rows: Sequence[int] | slice) -> BarPanel:
    """These rows of a panel; plain arrays that can be written to, whatever the panel came as."""
    arrays = {name: _plain(getattr(panel, name))[rows] for name in _ARRAYS}
    return BarPanel(symbols=panel.symbols, interval_s=panel.interval_s, dropped=panel.dropped, **arrays)


def _plain(array: np.ndarray) -> np.ndarray:
    """Not a memmap, whose every slice costs more, and not read-only, for which kernels would be compiled anew."""
    plain = np.asarray(array)
    return plain if plain.flags.writeable else plain.copy()
