"""Which rows of a panel are replayed, and in which exchange session each of them lies.

Only rows inside regular hours take part: the live feed subscribes to regular hours, so anything else would be
another system. A daily bar is its session: it opens with the session and closes at the calendar's close, half
days included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from msgspec import Struct

from shared.errors import DataError
from shared.io.bar_store import BarPanel

DAY_S = 86_400


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


class Timeline(Struct, frozen=True, kw_only=True):
    """The rows that only warm the strategies up, then the rows that are replayed.

    `outside` counts the rows that were left out because they lie outside regular hours.
    """

    warm_up: tuple[TimelineRow, ...]
    rows: tuple[TimelineRow, ...]
    outside: int


def lay_out(panel: BarPanel, hours_at: HoursAt, *, warm_up: int = 0, start: date | None = None) -> Timeline:
    """The rows from session `start` on (all if None), with up to `warm_up` rows that lie before it.

    Raises DataError when no row is left to replay.
    """
    inside = list(_rows_in_hours(panel, hours_at))
    first = next((at for at, row in enumerate(inside) if start is None or row.hours.session >= start), len(inside))
    if first == len(inside):
        message = (
            f"replay: none of {len(panel)} rows lies in a session{f' from {start}' if start else ''}, "
            "allowed: bars inside the regular hours of [session] calendar"
        )
        raise DataError(message)
    return Timeline(
        warm_up=tuple(inside[max(0, first - warm_up) : first]),
        rows=_with_fresh_first(inside[first:]),
        outside=len(panel) - len(inside),
    )


def _rows_in_hours(panel: BarPanel, hours_at: HoursAt) -> Iterator[TimelineRow]:
    daily = panel.interval_s >= DAY_S
    hours: Hours | None = None
    session: date | None = None
    for index in range(len(panel)):
        opened_at, closed_at = instant(int(panel.opened_at[index])), instant(int(panel.closed_at[index]))
        if hours is None or opened_at >= hours.closes_at:
            hours = hours_at(opened_at)
        if daily:
            # Stored daily bars say 09:30 to 16:00 on every day; what counts is whether that day is a session.
            if opened_at.date() != hours.session:
                continue
            closed_at = hours.closes_at
        elif opened_at < hours.opens_at or closed_at > hours.closes_at:
            continue
        yield TimelineRow(index=index, closed_at=closed_at, hours=hours, opens_session=hours.session != session)
        session = hours.session


def _with_fresh_first(rows: list[TimelineRow]) -> tuple[TimelineRow, ...]:
    """A run that begins inside a session begins that session all the same."""
    first = rows[0]
    fresh = TimelineRow(index=first.index, closed_at=first.closed_at, hours=first.hours, opens_session=True)
    return (fresh, *rows[1:])


def instant(nanoseconds: int) -> datetime:
    """UTC instant of `nanoseconds` since 1970, exact to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
