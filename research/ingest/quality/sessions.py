"""Bars held against the exchange calendar: sessions without any, bars on closed days, minutes that are missing.

Only the years that shared/sessions.py knows are judged.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from msgspec import Struct

from research.ingest.quality.finding import Finding
from research.ingest.quality.table import Series
from shared.io.bar_checks import DAILY_S, SECOND_NS, Integers
from shared.io.bar_manifest import gaps_of
from shared.io.bar_part import day_opens, new_york_days
from shared.sessions import all_hours

_REUSE_AFTER, _REUSE_RATIO = 20, 2.0
_ONE_MINUTE_S = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sessions(Struct, frozen=True, eq=False):
    """The sessions of an exchange, shape (S,): days from 1970, opens and closes in ns UTC."""

    days: Integers
    opens: Integers
    closes: Integers


def sessions_of(calendar: str) -> Sessions:
    """Half days and daylight saving are in the opens and closes."""
    hours = all_hours(calendar)
    days = np.array([each.session.toordinal() for each in hours], dtype=np.int64) - _EPOCH.date().toordinal()
    opens, closes = (
        np.array([_ns(at) for at in instants], dtype=np.int64)
        for instants in ([each.opens_at for each in hours], [each.closes_at for each in hours])
    )
    return Sessions(days, opens, closes)


def against_the_calendar(series: Series, sessions: Sessions) -> list[Finding]:
    """What is missing and what should not be there; `series` is in the order of time."""
    if not len(series):
        return []
    days = new_york_days(series.opened_at)
    known = (days >= sessions.days[0]) & (days <= sessions.days[-1])
    closed = known & ~np.isin(days, sessions.days)
    found = [
        Finding(
            kind="not_a_session",
            symbol=series.symbol,
            at=int(series.opened_at[at]),
            row=int(series.row[at]),
            detail=str(np.datetime64(int(days[at]), "D")),
        )
        for at in np.flatnonzero(closed)
    ]
    found += _silent(series, days, sessions)
    return found + (_missing_bars(series, days, sessions) if _ONE_MINUTE_S <= series.interval_s < DAILY_S else [])


def _silent(series: Series, days: Integers, sessions: Sessions) -> list[Finding]:
    """One finding per run of missing sessions; after a long one, the price on the other side is looked at."""
    found = []
    for first, last in gaps_of(np.unique(days), sessions.days):
        day, end = (int(np.datetime64(name, "D").astype(np.int64)) for name in (first, last))
        count = int(np.searchsorted(sessions.days, end, "right") - np.searchsorted(sessions.days, day))
        at = int(day_opens(np.array([day]))[0])
        found.append(
            Finding(kind="missing_session", symbol=series.symbol, at=at, count=count, detail=f"{first} to {last}")
        )
        after = int(np.searchsorted(days, day))
        ratio = series.values["open"][after] / series.values["close"][after - 1]
        if count >= _REUSE_AFTER and max(ratio, 1 / ratio) >= _REUSE_RATIO:
            found.append(
                Finding(
                    kind="ticker_reuse",
                    symbol=series.symbol,
                    at=int(series.opened_at[after]),
                    row=int(series.row[after]),
                    detail=f"{series.values['open'][after]:g} after {count} silent sessions and "
                    f"{series.values['close'][after - 1]:g}",
                )
            )
    return found


def _missing_bars(series: Series, days: Integers, sessions: Sessions) -> list[Finding]:
    """Per session, how many bars of the regular hours are not there."""
    length = series.interval_s * SECOND_NS
    found = []
    for day in np.unique(days[np.isin(days, sessions.days)]):
        number = int(np.searchsorted(sessions.days, day))
        opens = int(sessions.opens[number]) // length * length
        expected = np.arange(opens, int(sessions.closes[number]), length)
        missing = np.setdiff1d(expected, series.opened_at, assume_unique=True)
        if len(missing):
            found.append(
                Finding(
                    kind="missing_bars",
                    symbol=series.symbol,
                    at=int(missing[0]),
                    count=len(missing),
                    detail=f"{len(missing)} of {len(expected)} in the session",
                )
            )
    return found


def _ns(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=1) * SECOND_NS
