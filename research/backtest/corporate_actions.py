"""Dividends and splits from a table, and what each of them does to a position and to prices.

The table has the columns symbol, ex_date, dividend_amount (dollars per share held on the ex-date, after a split of that
day) and split_coefficient (new shares per old, 1 for none), one row per symbol and ex-date. A coefficient that is a
ratio of small numbers, or below one, changes the number of shares. Any other one above one is how vendors write a
spin-off or another distribution in kind: the shares stay, and what left the price, (1 - 1/coefficient) of the last
close, is paid in cash, for the shares of the other company are not in the panel.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import log
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from daemon.engine.corporate_action import RATIOS
from research.backtest.result import Floats
from research.backtest.session_bars import SessionBars
from research.backtest.table_rows import read_rows
from research.backtest.timeline import Timeline
from shared.errors import DataError
from shared.io.bar_store import BarPanel

COLUMNS = ("symbol", "ex_date", "dividend_amount", "split_coefficient")
LARGE_DIVIDEND = 0.10
"""Of the last close: from here on a dividend is a distribution, whose price drop strategies do not see."""
_NEAR, _FINEST = 1e-4, 1_000
_ALL_RATIOS = (*RATIOS, *(Fraction(many) for many in (25, 30, 40, 50, 100)), *(Fraction(1, n) for n in range(2, 201)))


class CorporateAction(Struct, frozen=True, kw_only=True):
    """One row of the table; `where` is its place in the file."""

    symbol: str
    ex_date: date
    dividend: float
    coefficient: float
    where: str = ""


class DueAction(Struct, frozen=True, kw_only=True):
    """What happens to one instrument before a session opens.

    `ratio` of new shares for old (1: none). `dividend` in dollars per share held then, `distribution` likewise for what
    left the price otherwise. `price_ratio` is what strategies must not see: old price over new.
    """

    symbol: str
    ratio: Fraction = Fraction(1)
    dividend: float = 0.0
    distribution: float = 0.0
    price_ratio: float = 1.0


class Schedule(Struct, frozen=True, kw_only=True):
    """Actions by the session at whose open they take effect, and what of the table was not believed."""

    due: Mapping[date, tuple[DueAction, ...]]
    notes: tuple[str, ...] = ()


NOTHING_DUE = Schedule(due={})


def load_actions(path: Path) -> tuple[CorporateAction, ...]:
    """Every row of the table; DataError names file, line and value of the first that cannot be."""
    actions: dict[tuple[str, date], CorporateAction] = {}
    for row in read_rows(path, COLUMNS):
        action = CorporateAction(
            symbol=row.text("symbol"),
            ex_date=row.day("ex_date"),
            dividend=row.number("dividend_amount", "0 or more dollars per share", least=0.0),
            coefficient=row.number("split_coefficient", "above 0, 1 for no split", above=0.0),
            where=row.where,
        )
        key = (action.symbol, action.ex_date)
        if key in actions:
            row.refuse("ex_date", f"one row per symbol and day, {action.symbol} has this day already")
        actions[key] = action
    return tuple(actions.values())


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
        due.setdefault(bars.sessions[at], []).append(_due(action, coefficient, before))
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


def share_ratio(coefficient: float) -> Fraction | None:
    """New shares for old, exactly; None where the coefficient is no change of shares (module text)."""
    nearest = min(_ALL_RATIOS, key=lambda ratio: abs(log(coefficient / ratio)))
    if abs(log(coefficient / nearest)) <= _NEAR:
        return nearest
    if coefficient < 1:
        return Fraction(coefficient).limit_denominator(_FINEST)
    return Fraction(1) if abs(coefficient - 1) <= _NEAR else None


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


def _due(action: CorporateAction, coefficient: float, before: float) -> DueAction:
    ratio = share_ratio(coefficient)
    known = before if before > 0 else 0.0
    distribution = 0.0 if ratio is not None else known * (1 - 1 / coefficient)
    dividend, ex_split = action.dividend, known / coefficient
    price_ratio = coefficient if ratio is None else float(ratio)
    if ex_split > dividend > LARGE_DIVIDEND * ex_split:
        price_ratio *= ex_split / (ex_split - dividend)
        dividend, distribution = 0.0, distribution + dividend
    return DueAction(
        symbol=action.symbol,
        ratio=ratio or Fraction(1),
        dividend=dividend,
        distribution=distribution,
        price_ratio=price_ratio,
    )
