"""What is to be fetched, from the words of the command line; only days whose session has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import cast

from msgspec import Struct

from research.ingest.sources.source import FREQUENCIES, Hours, Shows, Source, Wanted
from shared.config import Config
from shared.errors import DataError, NotFound, OpenbellError
from shared.io.bar_checks import DAILY_S
from shared.io.bar_files import NEW_YORK
from shared.io.bar_places import folder_name, interval_s_of
from shared.sessions import FIRST_DAY, all_hours

GRACE_S = 900.0
"""So long after its end a session is taken to be complete at a source."""
EXTENDED_ENDS = time(20)
COLD_START_DAYS = {DAILY_S: 3_653}
COLD_START_DAYS_INTRADAY = 30
SHOWS = ("trades", "bid", "ask", "midpoint")


class WrongUsage(OpenbellError):  # noqa: N818 - the field says what is the case
    """The words do not go together; exit code 2."""


class Asked(Struct, frozen=True, kw_only=True):
    """The words of the command line, not judged yet."""

    source: str
    symbols: str | None = None
    frequency: str = "1d"
    first: date | None = None
    last: date | None = None
    show: str = "trades"
    extended_hours: bool = False


def interval_of(asked: Asked) -> int:
    """The seconds of a bar. Raises WrongUsage."""
    if asked.frequency not in FREQUENCIES:
        raise WrongUsage(f"--frequency {asked.frequency!r}, allowed: {', '.join(FREQUENCIES)}")
    if asked.show not in SHOWS:
        raise WrongUsage(f"--show {asked.show!r}, allowed: {', '.join(SHOWS)}")
    return interval_s_of(asked.frequency)


def symbols_of(asked: Asked, config: Config, held: Sequence[str] = ()) -> list[str]:
    """Those named, else all of `held`, else those of the universe. Raises WrongUsage."""
    if asked.symbols is None:
        return list(held) or list(config.universe.symbols)
    named = list(dict.fromkeys(word.strip() for word in asked.symbols.split(",") if word.strip()))
    if not named:
        raise WrongUsage("--symbols is empty, allowed: tickers with commas between, such as SPY,BRK.B")
    for symbol in named:
        try:
            folder_name(symbol)
        except DataError as fault:
            raise WrongUsage(f"--symbols: {fault}") from None
    return named


def wanted_of(asked: Asked, symbols: Sequence[str], source: Source, calendar: str) -> list[Wanted]:
    """One question per symbol, until the last session that is complete at the source.

    Raises:
        WrongUsage: the source does not give this, or the days are in the wrong order.
    """
    interval_s = interval_of(asked)
    hours: Hours = "extended" if asked.extended_hours else "regular"
    complete = last_complete(source.now_s(), hours, calendar)
    last = min(asked.last, complete) if asked.last else complete
    days = COLD_START_DAYS.get(interval_s, COLD_START_DAYS_INTRADAY)
    first = asked.first or max(FIRST_DAY, last - timedelta(days=days))
    if first > last:
        raise WrongUsage(f"--from {first} is after {last}, allowed: a day until the last complete session, {complete}")
    if first < FIRST_DAY and (interval_s < DAILY_S or source.name == "ib"):
        raise WrongUsage(f"--from {first}, allowed: from {FIRST_DAY} on, where the calendar begins")
    wanted = [
        Wanted(
            symbol=symbol,
            interval_s=interval_s,
            first=first,
            last=last,
            shows=cast("Shows", asked.show),
            hours=hours,
            calendar=calendar,
        )
        for symbol in symbols
    ]
    refusal = next((text for each in wanted if (text := source.refusal(each))), "")
    if refusal:
        raise WrongUsage(refusal)
    return wanted


def last_complete(now_s: float, hours: Hours, calendar: str) -> date:
    """The last session that has ended, a quarter of an hour ago at least. Raises NotFound before the first one."""
    now = datetime.fromtimestamp(now_s - GRACE_S, UTC)
    for session in reversed(all_hours(calendar)):
        extended_end = datetime.combine(session.session, EXTENDED_ENDS, tzinfo=NEW_YORK)
        if (session.closes_at if hours == "regular" else extended_end) <= now:
            return session.session
    raise NotFound(f"no session had ended by {now:%Y-%m-%d}, allowed: from {FIRST_DAY} on")


def place_of(folder: Path, asked: Asked) -> Path:
    """Trades of regular hours are what everything else reads; any other kind has a store of its own beside them."""
    hours = "extended" if asked.extended_hours else "regular"
    return folder if (asked.show, hours) == ("trades", "regular") else folder / f"{asked.show}_{hours}"
