"""Instants, durations and bar sizes as clients write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brokers.simulated.gateway.protocol.answers import ZONE
from brokers.simulated.gateway.protocol.wire import Unreadable

BAR_SIZES_S = {
    "5 secs": 5, "1 min": 60, "5 mins": 300, "15 mins": 900, "1 hour": 3600, "1 day": 86_400,
}  # fmt: skip
DAY_S = 86_400
SESSIONS = {"D": 1, "W": 5, "M": 21, "Y": 252}
"""Trading days per unit of a duration."""


def parse_time(text: str) -> float:
    """Epoch seconds of `yyyymmdd hh:mm:ss [zone]` (default: exchange) or, in UTC, `yyyymmdd-hh:mm:ss`."""
    zone: ZoneInfo | None = ZONE
    parts = text.split()
    try:
        if len(parts) == 1 and "-" in text:
            return datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp()
        if len(parts) > 2:  # noqa: PLR2004 - date, time, zone
            zone = ZoneInfo(parts[2])
        return datetime.strptime(" ".join(parts[:2]), "%Y%m%d %H:%M:%S").replace(tzinfo=zone).timestamp()
    except (ValueError, ZoneInfoNotFoundError):
        raise Unreadable(f"The date, time, or time-zone entered is invalid: {text!r}") from None


def parse_duration(text: str) -> float:
    """Seconds of `1 D`, `3600 S`; weeks, months and years count trading days."""
    amount, _, unit = text.partition(" ")
    if not amount.isdigit() or int(amount) == 0 or unit not in {"S", *SESSIONS}:
        raise Unreadable(f"Invalid duration {text!r}, allowed: n S, n D, n W, n M, n Y")
    return float(int(amount) if unit == "S" else int(amount) * SESSIONS[unit] * DAY_S)
