"""What can be told of a panel before the first row is replayed: which bars will be believed, which rows look odd.

What the engine's price screen thinks of a bar follows from the bars alone, so its own kernel is run over the whole
timeline at once. A strategy that answers for whole panels must be shown what the engine would have shown it row by
row: bars that are not believed are NaN there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from daemon.engine import price_screen
from daemon.engine.prices import Prices, jump_of
from research.backtest.timeline import Integers, Timeline, in_one_piece
from shared.io.bar_store import BarPanel
from shared.market import BarRow

_WARY = 1e-8  # a fraction: nearer than this to the limit of a jump counts as one

Flags = npt.NDArray[np.bool_]


class Foresight(Struct, frozen=True, kw_only=True, eq=False):
    """The warm-up rows and then the replayed ones, W + T in all.

    `rows` are panels (W + T, n) of what will be believed; `plain` (W + T,) marks the rows of which nothing is near the
    limit of a jump, impossible or disbelieved.
    """

    rows: BarRow
    plain: Flags


def look_ahead(panel: BarPanel, timeline: Timeline, jump_pct_max: float) -> Foresight:
    """Screen every row of the timeline as the engine will."""
    rows = _rows_at(panel, np.concatenate((timeline.warm_up.places, timeline.rows.places)))
    believed = np.zeros(rows.close.shape, dtype=np.bool_)
    sound, calm = np.zeros(len(believed), dtype=np.bool_), np.zeros(len(believed), dtype=np.bool_)
    fresh = Prices.empty(len(panel.symbols))
    state = (fresh.last, fresh.printed_at, fresh.reference, fresh.agreeing)
    jump = jump_of(jump_pct_max)
    price_screen.survey(state, (rows.high, rows.low, rows.close), (jump, jump - _WARY), (believed, sound, calm))
    return Foresight(rows=rows if sound.all() else _only(rows, believed, sound), plain=sound & calm)


def _rows_at(panel: BarPanel, places: Integers) -> BarRow:
    """Views where the rows lie in one piece, copies where rows outside the sessions lie between them."""
    take = in_one_piece(places)
    fields = (panel.open, panel.high, panel.low, panel.close, panel.volume)
    whole = [np.require(field[take], dtype=np.float64, requirements=["C", "W"]) for field in fields]
    return BarRow(open=whole[0], high=whole[1], low=whole[2], close=whole[3], volume=whole[4])


def _only(rows: BarRow, believed: Flags, sound: Flags) -> BarRow:
    """NaN for every bar of an unsound row that is not believed, as `Prices.update` gives it on."""
    gone = ~sound[:, np.newaxis] & ~believed
    return BarRow(
        open=np.where(gone, np.nan, rows.open),
        high=np.where(gone, np.nan, rows.high),
        low=np.where(gone, np.nan, rows.low),
        close=np.where(gone, np.nan, rows.close),
        volume=np.where(gone, np.nan, rows.volume),
    )
