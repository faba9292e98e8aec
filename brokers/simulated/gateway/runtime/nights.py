"""From one trading day to the next: the night between them, its restarts and resets, and what changes by morning.

New York hours (TWS.md 3.41, 3.42): the auto-restart at 23:45, the servers' reset from 00:15 to 01:45 from Sunday to
Friday, and the weekend's from Friday 23:00 to Saturday 03:00. Only these hours are lived through; the rest of a
night is passed over, unless the clock is real or `night_speed` says how fast it goes.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from brokers.simulated.gateway.runtime.controls import RESTART_DOWN_S
from brokers.simulated.gateway.runtime.playback import happen, play, reach
from brokers.simulated.market.source import Dividend, Split

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.controls import Controls
    from brokers.simulated.gateway.runtime.session import Session

log = logging.getLogger(__name__)

NEW_YORK = ZoneInfo("America/New_York")
AUTO_RESTART = dt.time(23, 45)
RESET, RESET_S = dt.time(0, 15), 5400.0
WEEKEND_RESET, WEEKEND_RESET_S = dt.time(23, 0), 4 * 3600.0
FRIDAY, SATURDAY = 4, 5
CALM_AFTER_S = 60.0
"""So long after a restart the night is passed over again."""


class NightEvent(Struct, frozen=True, order=True):
    """A restart, or a reset window of `lasts_s`."""

    at: float
    lasts_s: float
    is_reset: bool


async def play_days(session: Session, controls: Controls) -> None:
    """The session's days one after the other, as many as are wanted and the market has."""
    await play(session)
    for _ in range(1, session.settings.sessions):
        following = session.market.next_session()
        if following is None:
            log.info("the market has no session after %s", session.market.session)
            return
        begins_at = following.opens_at - session.settings.lead_in_s
        await _night(session, controls, begins_at)
        session.begin_day(following, at=begins_at)
        start_day(session)
        session.tell_all(session.notice())
        session.flush()
        await play(session)


def start_day(session: Session) -> None:
    """Today's profit counts from here; splits and dividends of this morning take effect.

    Orders on a split stock end, holdings follow (TWS.md 3.20).
    """
    for ledger in session.accounts:
        ledger.start_day(session.begins_at)
    at = session.market.opens_at
    for action in session.market.corporate_actions:
        con_id = session.listings.all[action.index].con_id
        match action:
            case Split(_, ratio):
                session.desk.apply_split(con_id, ratio, at=at)
                for ledger in session.accounts:
                    ledger.apply_split(con_id, ratio, at=at)
            case Dividend(_, amount):
                for ledger in session.accounts:
                    ledger.pay_dividend(con_id, amount, at=at)
    session.settle()


def night_events(begins_at: float, ends_at: float) -> Iterator[NightEvent]:
    """What happens to a TWS that runs from `begins_at` to `ends_at`, in order."""
    day = dt.datetime.fromtimestamp(begins_at, NEW_YORK).date()
    events: list[NightEvent] = []
    while _instant(day, dt.time.min) < ends_at:
        if day.weekday() == FRIDAY:
            events.append(NightEvent(_instant(day, WEEKEND_RESET), WEEKEND_RESET_S, True))
        elif day.weekday() != SATURDAY:
            events.append(NightEvent(_instant(day, AUTO_RESTART), RESTART_DOWN_S, False))
        if day.weekday() != SATURDAY:
            events.append(NightEvent(_instant(day, RESET), RESET_S, True))
        day += dt.timedelta(days=1)
    return iter(sorted(event for event in events if begins_at <= event.at < ends_at))


async def _night(session: Session, controls: Controls, until: float) -> None:
    """The hours after the close until the lead-in of the next day."""
    settings, clock = session.settings, session.clock
    day_speed = clock.speed
    skips = settings.night_speed is None and day_speed > 1
    clock.set_speed(settings.night_speed or day_speed)
    events = tuple(night_events(session.market.closes_at, until)) if settings.nightly else ()
    for event in events:
        happens = controls.reset_window if event.is_reset else controls.restart
        session.agenda.at(event.at, partial(happens, event.lasts_s))
    for event in events:
        await _pass(session, event.at, skips=skips)
        happen(session, event.at)
        await reach(session, min(event.at + event.lasts_s + RESTART_DOWN_S + CALM_AFTER_S, until))
    await _pass(session, until, skips=skips)
    clock.set_speed(day_speed)


async def _pass(session: Session, until: float, *, skips: bool) -> None:
    """Let the time until then go by; what is on the agenda happens at its instants all the same."""
    while skips and session.clock.now() < until:
        due = session.agenda.next_at()
        session.clock.skip_to(until if due is None else min(due, until))
        if due is None or due >= until:
            break
        await reach(session, due)
        happen(session, due)
    await reach(session, until)


def _instant(day: dt.date, hour: dt.time) -> float:
    return dt.datetime.combine(day, hour, NEW_YORK).timestamp()
