"""Where a gateway begins that has a state: the day it had reached, with the books and orders of that moment."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from brokers.simulated.gateway.accounts.ledger import Ledger
from brokers.simulated.gateway.runtime.clock import MarketClock
from brokers.simulated.gateway.runtime.nights import start_day
from brokers.simulated.gateway.runtime.session import Session
from brokers.simulated.gateway.runtime.settings import Settings
from brokers.simulated.market.source import MarketSource
from shared.errors import ConfigError

DAYS_MAX = 10_000


def restored_market(market: MarketSource, state: dict[str, Any] | None) -> MarketSource:
    """The trading day to begin with: the one given, or the later one that the state had reached.

    Raises ConfigError when that day does not follow from the one given.
    """
    if state is None:
        return market
    reached = _session_of(state)
    found: MarketSource | None = market
    for _ in range(DAYS_MAX):
        if found is None or found.session >= reached:
            break
        found = found.next_session()
    if found is None:
        raise ConfigError(
            f"state file: it stands in session {reached}, which the market from {market.session} on does not reach"
        )
    return found


def begins_at(market: MarketSource, state: dict[str, Any] | None, lead_in_s: float) -> float:
    """Market time at the start: the lead-in before the open, or where the state stands in this session."""
    if state is None or _session_of(state) != market.session:
        return market.opens_at - lead_in_s
    return max(float(state["at"]), market.opens_at - lead_in_s)


def restored_session(
    market: MarketSource, clock: MarketClock, settings: Settings, state: dict[str, Any] | None
) -> Session:
    """A session with the state's accounts, orders and ids. Raises ConfigError when they do not belong together.

    On a later day than the state's the night has passed: DAY orders are gone, splits and dividends have happened.
    """
    if state is None:
        return Session(market, clock, settings)
    try:
        ledgers = [Ledger.from_state(one) for one in state["accounts"]]
        names = tuple(ledger.account for ledger in ledgers)
        if names != settings.accounts:
            raise ConfigError(
                f"state file: it has accounts {', '.join(names)}, wanted are {', '.join(settings.accounts)}"
            )
        session = Session(market, clock, settings, ledgers)
        session.desk.restore(state["desk"])
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as fault:
        raise ConfigError(
            f"state file: unreadable ({type(fault).__name__}: {fault}); remove it to begin anew"
        ) from None
    if _session_of(state) < market.session:
        session.desk.close_session(at=session.begins_at)
        start_day(session)
    return session


def _session_of(state: dict[str, Any]) -> dt.date:
    try:
        return dt.date.fromisoformat(state["session"])
    except (TypeError, ValueError):
        raise ConfigError(f"state file: session {state['session']!r} is not a date; remove it to begin anew") from None
