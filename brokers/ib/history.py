"""Past bars for the warm-up: what to ask, and rows out of the answers. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

import numpy as np
from ib_insync import BarData

from brokers.ib.translate import UNSET_ABOVE
from brokers.port import ClosedRow
from shared.errors import ConfigError, DataError
from shared.market import Bar, BarRow

DAY_S = 86_400
REGULAR_SESSION_S = 23_400
DAYS_MAX = 365
SESSIONS_PER_YEAR = 252
BAR_SIZES = {DAY_S: "1 day", 3600: "1 hour", 900: "15 mins", 300: "5 mins", 60: "1 min", 5: "5 secs"}
"""What we ask for, largest first; every other interval is put together from the largest that divides it."""

ClosesAt = Callable[[date], datetime | None]
"""The closing instant of a session, for daily bars; None if that date is none."""


def bar_size_of(interval_s: int) -> int:
    """The seconds of the bars to ask for. Raises ConfigError for an interval that is no multiple of 5 s."""
    for size_s in BAR_SIZES:
        if interval_s > 0 and interval_s % size_s == 0 and (size_s < DAY_S or interval_s == DAY_S):
            return size_s
    raise ConfigError(f"bars.interval_s: {interval_s} has no history, allowed: multiples of 5, and {DAY_S}")


def duration_of(interval_s: int, bars: int) -> str:
    """How far back to ask for `bars` rows, in TWS's words: seconds and days count trading time only.

    Two intervals more than needed, because the first may begin within one and the last be unfinished.
    """
    wanted = bars + 2
    if interval_s >= DAY_S:
        return f"{wanted} D" if wanted <= DAYS_MAX else f"{math.ceil(wanted / SESSIONS_PER_YEAR)} Y"
    if wanted * interval_s <= DAY_S:
        return f"{wanted * interval_s} S"
    days = math.ceil(wanted * interval_s / REGULAR_SESSION_S) + 1
    return f"{days} D" if days <= DAYS_MAX else f"{math.ceil(days / SESSIONS_PER_YEAR)} Y"


def instant_text(before: datetime) -> str:
    """An instant as a request names it, in UTC (any other form draws warning 2174)."""
    return before.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S")


def row_end(raw: BarData, interval_s: int, closes_at: ClosesAt) -> datetime | None:
    """When the interval ends that holds this bar: whole multiples of UTC time, or the session's close.

    None for a daily bar of a date that is no session. Raises DataError for a date that cannot be read.
    """
    text = str(raw.date)
    if interval_s >= DAY_S:
        return closes_at(_session(text))
    if not text.isdigit() or len(text) <= len("20131008"):
        raise DataError(f"history: bar date {text!r} is no epoch second")
    return datetime.fromtimestamp((int(text) // interval_s + 1) * interval_s, UTC)


def rows_of(
    answers: Sequence[Iterable[BarData]],
    *,
    interval_s: int,
    bars: int,
    before: datetime,
    closes_at: ClosesAt,
) -> list[ClosedRow]:
    """The last `bars` rows that ended at or before `before`, oldest first; `answers` in the universe's order.

    An instrument without a bar, or with an impossible one, is NaN in that row.
    """
    values: dict[datetime, np.ndarray] = {}
    for index, answer in enumerate(answers):
        for raw in sorted(answer, key=lambda bar: str(bar.date)):
            end = row_end(raw, interval_s, closes_at)
            bar = bar_of(raw)
            if end is not None and end <= before and bar is not None and not printed_nothing(bar):
                row = values.setdefault(end, np.full((5, len(answers)), np.nan))
                _merge(row[:, index], bar)
    return [ClosedRow(closed_at=end, row=_row(values[end])) for end in sorted(values)[-bars:]] if bars > 0 else []


def bar_of(raw: BarData) -> Bar | None:
    """The bar in plain floats, volume in shares (NaN if the broker says -1); None if its prices cannot be."""
    prices = [float(value) for value in (raw.open, raw.high, raw.low, raw.close)]
    if not all(math.isfinite(price) and 0 < price < UNSET_ABOVE for price in prices):
        return None
    opened, high, low, close = prices
    if not low <= min(opened, close) <= max(opened, close) <= high:
        return None
    volume = float(raw.volume)
    return Bar(opened, high, low, close, volume if 0 <= volume < UNSET_ABOVE else math.nan)


def printed_nothing(bar: Bar) -> bool:
    """Whether TWS has filled a pause with the last price: one price, no volume."""
    return bar.volume == 0 and bar.open == bar.high == bar.low == bar.close


def _session(text: str) -> date:
    try:
        if text.isdigit() and len(text) > len("20131008"):
            return datetime.fromtimestamp(int(text), UTC).date()
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise DataError(f"history: bar date {text!r} is neither yyyymmdd nor an epoch second") from None


def _merge(cell: np.ndarray, bar: Bar) -> None:
    """Put one more bar of the interval into the instrument's column."""
    if np.isnan(cell[0]):
        cell[:] = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    else:
        cell[1:] = (max(cell[1], bar.high), min(cell[2], bar.low), bar.close, cell[4] + bar.volume)


def _row(values: np.ndarray) -> BarRow:
    return BarRow(open=values[0], high=values[1], low=values[2], close=values[3], volume=values[4])
