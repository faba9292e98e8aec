"""Which rows of a panel are replayed, and in which exchange session each of them lies.

Only rows inside regular hours take part: the live feed subscribes to regular hours, so anything else would be
another system. A daily bar is its session: it opens with the session and closes at the calendar's close, half
days included. A timeline is arrays; a row of it becomes an object only when somebody asks for it, because most
rows of a replay are never looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Protocol, overload

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from research.backtest.moments import DaysOf, InstantsOf, instant, nanoseconds_of
from shared.errors import DataError
from shared.io.bar_store import BarPanel

DAY_S = 86_400
_DAY_NS = DAY_S * 1_000_000_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
Integers = npt.NDArray[np.int64]


class Hours(Protocol):
    """One exchange session, instants in UTC (shared/sessions.py makes them)."""

    @property
    def session(self) -> date: ...
    @property
    def opens_at(self) -> datetime: ...
    @property
    def closes_at(self) -> datetime: ...


HoursAt = Callable[[datetime], Hours]
"""The session that runs at an instant, or the next one."""


class TimelineRow(Struct, frozen=True, kw_only=True):
    """One replayed interval: row `index` of the panel, closing at `closed_at`, in a session."""

    index: int
    closed_at: datetime
    hours: Hours
    opens_session: bool


class TimelineRows(Sequence[TimelineRow]):
    """T rows as int64 arrays (T,): row of the panel, nanoseconds UTC of the close, place of the session in `hours`.

    The first row of a session opens it; so does the first of the timeline, though it may lie inside one.
    """

    def __init__(self, places: Integers, closed_ns: Integers, session: Integers, hours: tuple[Hours, ...]) -> None:
        self.places = places
        self.closed_ns = closed_ns
        self.session = session
        self.hours = hours
        self.opens = np.ones(len(places), dtype=np.bool_)
        self.opens[1:] = session[1:] != session[:-1]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, at: int) -> TimelineRow: ...
    @overload
    def __getitem__(self, at: slice) -> TimelineRows: ...
    def __getitem__(self, at: int | slice) -> TimelineRow | TimelineRows:
        if isinstance(at, slice):
            return TimelineRows(self.places[at], self.closed_ns[at], self.session[at], self.hours)
        return TimelineRow(
            index=int(self.places[at]),
            closed_at=instant(int(self.closed_ns[at])),
            hours=self.hours[self.session[at]],
            opens_session=bool(self.opens[at]),
        )

    @property
    def closed_at(self) -> Sequence[datetime]:
        """The instants at which the rows close."""
        return InstantsOf(self.closed_ns)

    @property
    def sessions(self) -> Sequence[date]:
        """The session of every row."""
        return DaysOf(self.session, tuple(hours.session for hours in self.hours))


class Timeline(Struct, frozen=True, kw_only=True):
    """The rows that only warm the strategies up, then the rows that are replayed.

    `outside` counts the rows that were left out because they lie outside regular hours.
    """

    warm_up: TimelineRows
    rows: TimelineRows
    outside: int


def lay_out(panel: BarPanel, hours_at: HoursAt, *, warm_up: int = 0, start: date | None = None) -> Timeline:
    """The rows from session `start` on (all if None), with up to `warm_up` rows that lie before it.

    Raises DataError when no row is left to replay.
    """
    inside = _rows_in_hours(panel, hours_at)
    days = np.array([hours.session.toordinal() for hours in inside.hours], dtype=np.int64)
    wanted = np.flatnonzero(days[inside.session] >= (start.toordinal() if start else 0))
    if not len(inside):
        allowed = "bars inside the regular hours of [session] calendar"
        raise DataError(f"replay: none of {len(panel)} rows lies in a session, allowed: {allowed}")
    if not len(wanted):
        days_held = f"{inside.hours[0].session} to {inside.hours[-1].session}"
        raise DataError(f"replay: no session from {start} on, allowed: {days_held}")
    first = int(wanted[0])
    return Timeline(
        warm_up=inside[max(0, first - warm_up) : first],
        rows=inside[first:],
        outside=len(panel) - len(inside),
    )


def _rows_in_hours(panel: BarPanel, hours_at: HoursAt) -> TimelineRows:
    found = [(hours, rows) for hours, rows in _by_session(panel, hours_at) if len(rows)]
    places = np.concatenate([np.empty(0, dtype=np.int64), *[rows for _, rows in found]])
    session = np.repeat(np.arange(len(found), dtype=np.int64), [len(rows) for _, rows in found])
    if panel.interval_s >= DAY_S:
        closes = np.array([nanoseconds_of(hours.closes_at) for hours, _ in found], dtype=np.int64)
        closed_ns = closes[session]
    else:
        closed_ns = panel.closed_at[in_one_piece(places)]
    return TimelineRows(places, closed_ns, session, tuple(hours for hours, _ in found))


def in_one_piece(places: Integers) -> slice | Integers:
    """Rising places as a slice where none is left out between them: what is taken by it is a view, no copy."""
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _by_session(panel: BarPanel, hours_at: HoursAt) -> Iterator[tuple[Hours, Integers]]:
    """Every session that rows may lie in: its hours, the rows inside them."""
    daily, opened = panel.interval_s >= DAY_S, panel.opened_at
    at = 0
    while at < len(panel):
        hours = hours_at(instant(int(opened[at])))
        closes_ns = nanoseconds_of(hours.closes_at)
        end = int(np.searchsorted(opened, closes_ns))
        rows = np.arange(at, end, dtype=np.int64)
        if daily:
            # Stored daily bars say 09:30 to 16:00 on every day; what counts is whether that day is a session.
            day = hours.session.toordinal() - _EPOCH_ORDINAL
            yield hours, rows[opened[at:end] // _DAY_NS == day]
        else:
            inside = (opened[at:end] >= nanoseconds_of(hours.opens_at)) & (panel.closed_at[at:end] <= closes_ns)
            yield hours, rows[inside]
        at = end
