"""Regular New York sessions by rule: which days, and from when to when.

Holidays follow the exchange's rules since 2022 (Juneteenth) and earlier ones without it. Half days and
unscheduled closures are not known here: every session runs from 09:30 to 16:00.
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPENS, CLOSES, PREMARKET_OPENS = dt.time(9, 30), dt.time(16, 0), dt.time(4, 0)

ONE_DAY = dt.timedelta(days=1)
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
FIRST_JUNETEENTH = 2022


def epoch_s(session: dt.date, time: dt.time) -> float:
    """Seconds since 1970 UTC of a New York wall-clock time."""
    return dt.datetime.combine(session, time, tzinfo=NEW_YORK).timestamp()


def is_trading_day(day: dt.date) -> bool:
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def trading_days_before(day: dt.date) -> Iterator[dt.date]:
    """The trading days before `day`, the latest first, without end."""
    while True:
        day -= ONE_DAY
        if is_trading_day(day):
            yield day


@lru_cache(maxsize=256)
def holidays(year: int) -> frozenset[dt.date]:
    """The days of the year on which the exchange stays closed, weekends aside."""
    new_year = dt.date(year, 1, 1)
    fixed = [dt.date(year, 7, 4), dt.date(year, 12, 25)]
    if year >= FIRST_JUNETEENTH:
        fixed.append(dt.date(year, 6, 19))
    days = [_observed(day) for day in fixed]
    days += [new_year + ONE_DAY] if new_year.weekday() == SUNDAY else [new_year]
    days += [
        _nth(year, 1, MONDAY, 3),
        _nth(year, 2, MONDAY, 3),
        _good_friday(year),
        _nth(year, 6, MONDAY, 1) - 7 * ONE_DAY,  # Memorial Day: the last Monday of May
        _nth(year, 9, MONDAY, 1),
        _nth(year, 11, THURSDAY, 4),
    ]
    return frozenset(days)


def _observed(day: dt.date) -> dt.date:
    """Saturday is kept on Friday, Sunday on Monday."""
    return day + {SATURDAY: -ONE_DAY, SUNDAY: ONE_DAY}.get(day.weekday(), dt.timedelta())


def _nth(year: int, month: int, weekday: int, n: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (n - 1)) * ONE_DAY


def _good_friday(year: int) -> dt.date:
    """Two days before Easter (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    x = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * x) // 433
    month = (h + x - 7 * m + 90) // 25
    day = (h + x - 7 * m + 33 * month + 19) % 32
    return dt.date(year, month, day) - 2 * ONE_DAY
