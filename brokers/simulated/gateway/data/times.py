"""Instants, durations and bar sizes as clients write them, and instants as TWS writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brokers.simulated.gateway.protocol.answers import ZONE, ZONE_NAME
from brokers.simulated.gateway.protocol.wire import Unreadable
from brokers.simulated.market.bars import BAR_SIZES_S, DAY_S, HOUR_S, MINUTE_S, MONTH_S, WEEK_S

SESSIONS = {"D": 1, "W": 5, "M": 21, "Y": 252}
"""Trading days per unit of a duration."""
DURATIONS_MAX = {"S": 86_400, "D": 365, "W": 52, "M": 12, "Y": 68}
"""Longer ones are refused, as TWS refuses them (C§21)."""
DateStyle = Literal["instrument", "operator", "utc"]
"""How intraday dates are written by TWS's own setting (TWS.md 3.34)."""
OPERATOR_ZONE, OPERATOR_NAME = ZoneInfo("Europe/Berlin"), "MET"
NO_ZONE_BELOW = 174
"""Bars carry the name of the zone from this version on (TWS.md 1)."""
EPOCH_DATES = 2


def _size_name(size_s: int) -> tuple[str, ...]:
    """How clients write a bar size; `1 min`, but `2 mins`."""
    for unit_s, one, many in (
        (MONTH_S, "month", "months"),
        (WEEK_S, "week", "weeks"),
        (DAY_S, "day", "days"),
        (HOUR_S, "hour", "hours"),
        (MINUTE_S, "min", "mins"),
    ):
        if size_s % unit_s == 0:
            count = size_s // unit_s
            return (f"{count} {one}",) if count == 1 else (f"{count} {many}",)
    return (f"{size_s} secs", f"{size_s} sec")


BAR_SIZES = {name: size_s for size_s in BAR_SIZES_S for name in _size_name(size_s)} | {
    "1D": DAY_S, "1W": WEEK_S, "1M": MONTH_S,
}  # fmt: skip


def parse_time(text: str) -> float:
    """Epoch seconds of `yyyymmdd hh:mm:ss [zone]` (default: exchange) or, in UTC, `yyyymmdd-hh:mm:ss`."""
    date, time, zone_name = [*text.split(maxsplit=2), "", "", ""][:3]
    try:
        if not time and "-" in text:
            return datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp()
        zone = ZoneInfo(zone_name) if zone_name else ZONE
        clock = "%H:%M:%S" if time.count(":") != 1 else "%H:%M"
        return datetime.strptime(f"{date} {time}", f"%Y%m%d {clock}").replace(tzinfo=zone).timestamp()
    except (ValueError, OSError, OverflowError, ZoneInfoNotFoundError):
        raise Unreadable(f"The date, time, or time-zone entered is invalid: {text[:60]!r}") from None


def has_zone(text: str) -> bool:
    """Whether the client said which zone it means; otherwise TWS warns with 2174."""
    return not text or len(text.split()) > 2 or bool(re.fullmatch(r"\d{8}-\d\d:\d\d:\d\d", text))  # noqa: PLR2004


def parse_duration(text: str) -> float:
    """Seconds of `1 D`, `3600 S`; weeks, months and years count trading days."""
    amount, _, unit = text.partition(" ")
    if not (amount.isascii() and amount.isdigit()) or unit not in DURATIONS_MAX:
        raise Unreadable(f"Invalid duration {text[:40]!r}, allowed: n S, n D, n W, n M, n Y")
    if not 0 < int(amount[:9]) <= DURATIONS_MAX[unit] or len(amount) > 9:  # noqa: PLR2004 - digits of any allowed number
        raise Unreadable(f"Invalid duration {text[:40]!r}, allowed: 1 to {DURATIONS_MAX[unit]} {unit}")
    return float(int(amount) if unit == "S" else int(amount) * SESSIONS[unit] * DAY_S)


def bar_date(at: float, bar_s: int, format_date: int, *, version: int, style: DateStyle = "instrument") -> str:
    """The date of a bar: bars of a day and more always as yyyymmdd, others by the client's and TWS's wishes."""
    when = datetime.fromtimestamp(at, UTC)
    if bar_s >= DAY_S:
        return when.astimezone(ZONE).strftime("%Y%m%d")
    if format_date == EPOCH_DATES:
        return str(int(at))
    if style == "utc":
        return when.strftime("%Y%m%d-%H:%M:%S")
    zone, name = (ZONE, ZONE_NAME) if style == "instrument" else (OPERATOR_ZONE, OPERATOR_NAME)
    local = when.astimezone(zone).strftime("%Y%m%d %H:%M:%S")
    return local.replace(" ", "  ") if version < NO_ZONE_BELOW else f"{local} {name}"


def midnight_before(at: float) -> float:
    """The beginning of the exchange's day in which `at` lies."""
    local = datetime.fromtimestamp(at, UTC).astimezone(ZONE)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def span_of(at: float, bar_s: int) -> tuple[float, float]:
    """Beginning and end, on the exchange's clock, of the bar of that size in which `at` lies."""
    midnight_at = midnight_before(at)
    if bar_s < DAY_S:
        starts_at = midnight_at + (at - midnight_at) // bar_s * bar_s
        return starts_at, starts_at + bar_s
    day = datetime.fromtimestamp(at, UTC).astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    first = {DAY_S: day, WEEK_S: day - timedelta(days=day.weekday()), MONTH_S: day.replace(day=1)}[bar_s]
    following = {
        DAY_S: first + timedelta(days=1),
        WEEK_S: first + timedelta(days=7),
        MONTH_S: first + timedelta(days=32),
    }
    end = following[bar_s] if bar_s != MONTH_S else following[bar_s].replace(day=1)
    return first.timestamp(), end.timestamp()
