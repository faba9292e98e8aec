"""Whether the exchange trades on a day, when, and whether it closes early."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from shared.errors import ConfigError
from shared.sessions import FIRST_DAY, LAST_DAY, SessionHours, session_at_or_after, session_of, zone_of

_NEIGHBOURS_DAYS = 10
_STAMP = "%Y-%m-%d %H:%M %Z"


class SessionPlan(Struct, frozen=True, kw_only=True):
    """One day of one calendar; the hours are None where there is no session, `next_session` is the one after."""

    calendar: str
    day: date
    is_session: bool
    is_half_day: bool
    exchange_zone: str
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    next_session: date


def plan_of(calendar: str, day: date) -> SessionPlan:
    """The plan of the exchange's date `day`.

    Raises:
        ConfigError: no such calendar, or the day lies outside what it knows.
    """
    hours, zone = session_of(calendar, day), zone_of(calendar)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ConfigError(f"session.calendar: {calendar} is not known on {day}, only from {FIRST_DAY} to {LAST_DAY}")
    # Some calendars open on the evening before their date, so "after" is after the close.
    after = hours.closes_at if hours else datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone)
    return SessionPlan(
        calendar=calendar,
        day=day,
        is_session=hours is not None,
        is_half_day=hours is not None and _closes_early(calendar, hours, zone),
        exchange_zone=f"{zone}",
        opens_at=hours.opens_at if hours else None,
        closes_at=hours.closes_at if hours else None,
        next_session=session_at_or_after(calendar, after).session,
    )


def day_at(calendar: str, now: datetime) -> date:
    """Which date the exchange writes at `now`."""
    return now.astimezone(zone_of(calendar)).date()


def plan_lines(plan: SessionPlan, local: tzinfo) -> list[str]:
    """For people: the hours in exchange time and in `local`, or why there are none."""
    if plan.opens_at is None or plan.closes_at is None:
        kind = "weekend" if plan.day.weekday() > 4 else "holiday"  # noqa: PLR2004 - Saturday is 5
        return [f"{plan.calendar} {plan.day}: no session ({kind}); next on {plan.next_session}"]
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(plan.exchange_zone)
    return [
        f"{plan.calendar} {plan.day}: {'HALF DAY' if plan.is_half_day else 'session'}; next on {plan.next_session}",
        f"  opens  {plan.opens_at.astimezone(zone):{_STAMP}}   here {plan.opens_at.astimezone(local):{_STAMP}}",
        f"  closes {plan.closes_at.astimezone(zone):{_STAMP}}   here {plan.closes_at.astimezone(local):{_STAMP}}",
    ]


def _closes_early(calendar: str, hours: SessionHours, zone: tzinfo) -> bool:
    """Whether the sessions around it close later by the exchange's own clock, which daylight saving moves with it."""
    near = (session_of(calendar, hours.session + timedelta(days=n)) for n in range(-_NEIGHBOURS_DAYS, _NEIGHBOURS_DAYS))
    closes = [other.closes_at.astimezone(zone).time() for other in near if other is not None]
    return hours.closes_at.astimezone(zone).time() < max(closes)
