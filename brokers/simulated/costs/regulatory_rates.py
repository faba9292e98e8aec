"""What the SEC and FINRA take of sales of US stocks, with the day from which each rate holds. PURE.

Where the figures come from, row by row: `SEC` a Fee Rate Advisory of the Securities and Exchange Commission, `FINRA` an
Information or Regulatory Notice or a rule filing, read on 2026-11-21 or cited there by a page that was. `rate only`: a
notice that was read names the rate as in force or ended, and not the day it began. `not verified`: from memory, or of
the document in brackets, which nobody has held it against.

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
    (date(2008, 1, 25), 5.60),  # not verified
    (date(2009, 4, 10), 25.70),  # rate only: FINRA 10/2/09
    (date(2010, 1, 15), 12.70),  # rate only: FINRA 3/10/10
    (date(2010, 4, 1), 16.90),  # FINRA 3/10/10
    (date(2011, 1, 21), 19.20),  # not verified (SEC 2010-255)
    (date(2012, 2, 21), 18.00),  # not verified
    (date(2012, 4, 1), 22.40),  # rate only: SEC 2012-232
    (date(2013, 5, 25), 17.40),  # not verified (FINRA 03/03/14)
    (date(2014, 3, 18), 22.10),  # rate only: FINRA 10/7/14
    (date(2015, 2, 14), 18.40),  # not verified
    (date(2016, 2, 16), 21.80),  # rate only: FINRA 3/15/16
    (date(2017, 7, 4), 23.10),  # rate only: SEC #3 for 2018
    (date(2018, 5, 22), 13.00),  # SEC #3 for 2018, of 2018-04-17
    (date(2019, 4, 16), 20.70),  # SEC #2 for 2019, of 2019-03-12
    (date(2020, 2, 18), 22.10),  # rate only: SEC #2 for 2021
    (date(2021, 2, 25), 5.10),  # SEC #2 for 2021, of 2021-01-15
    (date(2022, 5, 14), 22.90),  # not verified
    (date(2023, 2, 27), 8.00),  # rate only: brokers' pages of 2023 (release 34-96724)
    (date(2024, 5, 22), 27.80),  # rate only: Security Traders Association, 2025-05-14
    (date(2025, 5, 14), 0.00),  # SEC of 2025-04-08, by the Security Traders Association
    (date(2026, 4, 4), 20.60),  # not verified (release 34-104909)
)
"""Dollars per million dollars sold."""

ACTIVITY: tuple[tuple[date, ActivityFee], ...] = (
    (date(2004, 1, 1), ActivityFee(0.000075, 3.75)),  # rate only: FINRA 11-27
    (date(2011, 7, 1), ActivityFee(0.000090, 4.50)),  # FINRA 11-27
    (date(2012, 3, 1), ActivityFee(0.000095, 4.75)),  # not verified (FINRA 12-06)
    (date(2012, 7, 1), ActivityFee(0.000119, 5.95)),  # rate only: SR-FINRA-2020-032 (FINRA 12-31)
    (date(2022, 1, 1), ActivityFee(0.000130, 6.49)),  # SR-FINRA-2020-032
    (date(2023, 1, 1), ActivityFee(0.000145, 7.27)),  # SR-FINRA-2020-032
    (date(2024, 1, 1), ActivityFee(0.000166, 8.30)),  # SR-FINRA-2020-032
    (date(2026, 1, 1), ActivityFee(0.000195, 9.79)),  # not verified (SR-FINRA-2024-019)
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
