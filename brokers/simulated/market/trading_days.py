"""Regular New York sessions by rule: which days, and from when to when.

Holidays follow the exchange's rules since 2022 (Juneteenth) and earlier ones without it, early closes those
since 2013. Unscheduled closures are not known here.
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPENS, CLOSES, CLOSES_EARLY = dt.time(9, 30), dt.time(16, 0), dt.time(13, 0)
PREMARKET_OPENS = dt.time(4, 0)

ONE_DAY = dt.timedelta(days=1)
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
FIRST_JUNETEENTH = 2022


def epoch_s(session: dt.date, time: dt.time) -> float:
    """Seconds since 1970 UTC of a New York wall-clock time."""
    return dt.datetime.combine(session, time, tzinfo=NEW_YORK).timestamp()


def is_trading_day(day: dt.date) -> bool:
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def is_early_close(day: dt.date) -> bool:
    """Tell whether the session ends at 13:00: the eves of July 4th and Christmas, the day after Thanksgiving."""
    if not is_trading_day(day):
        return False
    if (day.month, day.day) in {(7, 3), (12, 24)}:
        return day.weekday() < FRIDAY  # on a Friday it is the holiday, kept early
    return day == _nth(day.year, 11, THURSDAY, 4) + ONE_DAY


def opens_at(day: dt.date) -> float:
    """Epoch seconds of the session's open."""
    return epoch_s(day, OPENS)


def closes_at(day: dt.date) -> float:
    """Epoch seconds of the session's close."""
    return epoch_s(day, CLOSES_EARLY if is_early_close(day) else CLOSES)


def trading_day_after(day: dt.date) -> dt.date:
    """The first trading day after `day`."""
    day += ONE_DAY
    while not is_trading_day(day):
        day += ONE_DAY
    return day


@lru_cache(maxsize=64)
def trading_days_of(year: int) -> tuple[dt.date, ...]:
    """All trading days of a year, in order."""
    days = (dt.date(year, 1, 1) + n * ONE_DAY for n in range(366))
    return tuple(day for day in days if day.year == year and is_trading_day(day))


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
