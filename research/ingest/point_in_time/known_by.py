"""When something was public; where a source leaves that open, the later reading: late costs little, early lies."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.io.bar_files import NEW_YORK
from shared.sessions import FIRST_DAY, LAST_DAY, all_hours

if TYPE_CHECKING:
    import pandas as pd

EDGAR_OPENS_HOUR = 6
"""What EDGAR accepts after 17:30 carries the next business day as its filing date and is sent out from 06:00 of it."""
FORM4_BUSINESS_DAYS = 2
"""Exchange Act, rule 16a-3(g): due by the end of the second business day after the transaction."""


def end_of_day(days: pd.Series) -> pd.Series:
    """The end in New York of days without time of day, UTC: first used at the next session's open."""
    return _new_york(days + np.timedelta64(1, "D"))


def start_of_day(days: pd.Series) -> pd.Series:
    """The first instant in New York of a day, UTC: for what is public before it takes effect."""
    return _new_york(days)


def accepted(stamps: pd.Series, filed: pd.Series) -> pd.Series:
    """When a filing was public, UTC, from the SEC's acceptanceDateTime and filing date.

    The stamp ends in Z, but is UTC for some filers and New York time for others (and for fresh filings): read as New
    York time it is the later of both readings. Never before 06:00 of the filing date.
    """
    import pandas as pd

    wall = pd.to_datetime(stamps.str.removesuffix("Z"), format="ISO8601")
    reading = wall.dt.tz_localize(NEW_YORK, ambiguous=np.zeros(len(wall), dtype=bool), nonexistent="shift_forward")
    sent_out = filed.dt.tz_localize(NEW_YORK) + pd.Timedelta(hours=EDGAR_OPENS_HOUR)
    later = reading.where(reading >= sent_out, sent_out)
    return later.dt.tz_convert("UTC").dt.as_unit("ns")


def form4_due(transaction_days: pd.Series) -> pd.Series:
    """The end of the second business day after each day, New York, as UTC: when a Form 4 without date was public.

    A business day is one on which both the exchange and the federal government are open.
    """
    import pandas as pd

    days = transaction_days.to_numpy().astype("datetime64[D]")
    due = np.busday_offset(days, FORM4_BUSINESS_DAYS, roll="backward", holidays=_closures())
    return end_of_day(pd.Series(due.astype("datetime64[ns]"), index=transaction_days.index))


@cache
def _closures() -> npt.NDArray[np.datetime64]:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    open_days = {hours.session for hours in all_hours("XNYS")}
    every_day = (FIRST_DAY + timedelta(days=count) for count in range((LAST_DAY - FIRST_DAY).days + 1))
    closed = [day for day in every_day if day not in open_days]
    federal = USFederalHolidayCalendar().holidays("1993-01-01", str(LAST_DAY)).date
    return np.array([*closed, *federal], dtype="datetime64[D]")


def sessions_between(first: date, last: date, calendar: str = "XNYS") -> tuple[date, ...]:
    """The exchange's sessions of this span, both ends included."""
    return tuple(hours.session for hours in all_hours(calendar) if first <= hours.session <= last)


def _new_york(days: pd.Series) -> pd.Series:
    return days.dt.tz_localize(NEW_YORK).dt.tz_convert("UTC").dt.as_unit("ns")
