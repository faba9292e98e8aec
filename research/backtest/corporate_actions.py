"""Dividends and splits laid on the sessions of a replay, and held against the prices around them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import log

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from research.backtest.result import Floats
from research.backtest.session_bars import SessionBars
from research.backtest.timeline import Timeline
from shared.corporate_actions import RATIOS, CorporateAction, DueAction, due_action, share_ratio
from shared.errors import DataError
from shared.io.bar_store import BarPanel


class Schedule(Struct, frozen=True, kw_only=True):
    """Actions by the session at whose open they take effect, and what of the table was not believed."""

    due: Mapping[date, tuple[DueAction, ...]]
    notes: tuple[str, ...] = ()


NOTHING_DUE = Schedule(due={})


def schedule(actions: Iterable[CorporateAction], symbols: Sequence[str], bars: SessionBars) -> Schedule:
    """The actions of these symbols laid on the sessions of the bars, each held against the prices around it.

    One whose day is no session takes effect with the next. A split of a ratio that the bars do not show raises
    DataError (they are adjusted already); an odd coefficient that they do not show is a fault of the table and left
    out, with a note.
    """
    column = {symbol: at for at, symbol in enumerate(symbols)}
    due: dict[date, list[DueAction]] = {}
    notes: list[str] = []
    for action in sorted(actions, key=lambda one: (one.ex_date, one.symbol)):
        at = bisect_left(bars.sessions, action.ex_date)
        if action.symbol not in column or at in {0, len(bars.sessions)}:
            continue
        before = bars.last_close(at - 1, column[action.symbol])
        opened = float(bars.open[at, column[action.symbol]])
        coefficient, note = _believed(action, before, opened)
        notes += [note] if note else []
        due.setdefault(bars.sessions[at], []).append(due_action(action, coefficient, before))
    return Schedule(due={session: tuple(found) for session, found in due.items()}, notes=tuple(notes))


def price_scale(sessions: Sequence[date], symbols: Sequence[str], actions: Schedule) -> Floats:
    """What a price of the session is multiplied with to be in the units of the first one, (S, n)."""
    scale = np.ones((len(sessions), len(symbols)))
    column = {symbol: at for at, symbol in enumerate(symbols)}
    for session, due in actions.due.items():
        for action in due:
            scale[bisect_left(sessions, session) :, column[action.symbol]] *= action.price_ratio
    return scale


def in_units_of_the_start(panel: BarPanel, timeline: Timeline, actions: Schedule) -> BarPanel:
    """The panel with its warm-up rows in the units of the first replayed session, as a broker's history has them."""
    days = [*timeline.warm_up.sessions, timeline.rows.sessions[0]]
    sessions = sorted(set(days))
    scale = price_scale(sessions, panel.symbols, actions)
    factors = scale / scale[-1]
    if (factors == 1).all():
        return panel
    place = {session: at for at, session in enumerate(sessions)}
    index = timeline.warm_up.places
    per_row = factors[[place[day] for day in days[:-1]]]
    values = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for name, array in values.items():
        array[index] = array[index] / per_row if name == "volume" else array[index] * per_row
    return replace(panel, **values)


def _believed(action: CorporateAction, before: float, opened: float) -> tuple[float, str]:
    """The coefficient to go by, and a note if it is not the table's."""
    if action.coefficient == 1 or not (before > 0 and opened > 0):
        return action.coefficient, ""
    with_it = before / action.coefficient - action.dividend
    without = before - action.dividend
    if with_it > 0 and (without <= 0 or abs(log(opened / with_it)) <= abs(log(opened / without))):
        return action.coefficient, ""
    seen = (
        f"{action.symbol} {action.ex_date}: split_coefficient {action.coefficient:g}, but {before:g} opened {opened:g}"
    )
    if share_ratio(action.coefficient) in RATIOS:
        raise DataError(f"{action.where}: {seen}, allowed: unadjusted bars that show it on that day, or no such row")
    return 1.0, f"{action.where}: {seen}: left out, the bars do not show it"
