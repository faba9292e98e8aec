"""What the SEC and FINRA take of sales of US stocks, with the day from which each rate holds. PURE.

Section 31: Fee Rate Advisories of the SEC and FINRA's Information Notices on them, among them 2009-09 (25.70), FINRA
3/10/10 (16.90), SEC 2010-255 (19.20), SEC 2012-232 (22.40), FINRA 03/03/14 (17.40 to 22.10), 3/15/16 (21.80),
release 34-96724 (8.00), the advisory of 2025-04-08 (0.00) and release 34-104909 (20.60). Trading Activity
Fee: FINRA Regulatory Notices 11-27, 12-06 and 12-31, SR-FINRA-2020-032 (2022 to 2024) and SR-FINRA-2024-019 (2026).

The first rate of each table stands for everything before it too.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import TypeVar

from msgspec import Struct


class ActivityFee(Struct, frozen=True):
    """FINRA's fee: dollars per share sold, at most so many dollars a trade."""

    per_share: float
    most: float


_Rate = TypeVar("_Rate")
PER_MILLION = 1e-6

SECTION_31: tuple[tuple[date, float], ...] = (
    (date(2008, 1, 25), 5.60),
    (date(2009, 4, 10), 25.70),
    (date(2010, 1, 15), 12.70),
    (date(2010, 4, 1), 16.90),
    (date(2011, 1, 21), 19.20),
    (date(2012, 2, 21), 18.00),
    (date(2012, 4, 1), 22.40),
    (date(2013, 5, 25), 17.40),
    (date(2014, 3, 18), 22.10),
    (date(2015, 2, 14), 18.40),
    (date(2016, 2, 16), 21.80),
    (date(2017, 7, 4), 23.10),
    (date(2018, 5, 22), 13.00),
    (date(2019, 4, 16), 20.70),
    (date(2020, 2, 18), 22.10),
    (date(2021, 2, 25), 5.10),
    (date(2022, 5, 14), 22.90),
    (date(2023, 2, 27), 8.00),
    (date(2024, 5, 22), 27.80),
    (date(2025, 5, 14), 0.00),
    (date(2026, 4, 4), 20.60),
)
"""Dollars per million dollars sold."""

ACTIVITY: tuple[tuple[date, ActivityFee], ...] = (
    (date(2004, 1, 1), ActivityFee(0.000075, 3.75)),
    (date(2011, 7, 1), ActivityFee(0.000090, 4.50)),
    (date(2012, 3, 1), ActivityFee(0.000095, 4.75)),
    (date(2012, 7, 1), ActivityFee(0.000119, 5.95)),
    (date(2022, 1, 1), ActivityFee(0.000130, 6.49)),
    (date(2023, 1, 1), ActivityFee(0.000145, 7.27)),
    (date(2024, 1, 1), ActivityFee(0.000166, 8.30)),
    (date(2026, 1, 1), ActivityFee(0.000195, 9.79)),
)


def section_31_of(day: date) -> float:
    """The share of the value of a sale that the SEC takes on that day."""
    return _in_force(SECTION_31, day) * PER_MILLION


def activity_fee_of(day: date) -> ActivityFee:
    """FINRA's fee on sales of that day."""
    return _in_force(ACTIVITY, day)


def _in_force(table: tuple[tuple[date, _Rate], ...], day: date) -> _Rate:
    since = bisect_right([start for start, _ in table], day)
    return table[max(since - 1, 0)][1]
