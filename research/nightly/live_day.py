"""What the journal says of one session: the orders, and what else happened that no replay of bars can know."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct

from research.nightly.night import Night
from research.nightly.order_log import OrderLog, OrderStory
from shared.config import Config
from shared.errors import NotFound
from shared.events import (
    AccountReported,
    BarsClosed,
    BrokerReported,
    ConnectionLost,
    Event,
    FillCorrected,
    OperatorCommanded,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
)
from shared.io.bar_checks import DAILY_S
from shared.io.journal import JournalReader
from shared.io.journal_audit import config_of
from shared.messages import decode_command, decode_event

_BEFORE_OPEN = timedelta(hours=3)


class LiveDay(Struct, frozen=True, kw_only=True):
    """One session as it was lived. `since` is the first row that was traded on, `caveats` are lines for people."""

    config: Config
    orders: tuple[OrderStory, ...]
    since: datetime
    caveats: tuple[str, ...]


def live_day(journal: JournalReader, night: Night) -> LiveDay:
    """The session of the night.

    Raises:
        NotFound: the journal holds no row of it that was traded on.
    """
    first, last = day_events(journal, night)
    reader = _Reader(night.config.universe.symbols)
    for record in journal.records():  # from the first: what fills today may have been decided long ago
        if record.seq > last:
            break
        reader.take(decode_event(record.payload), record.commands, is_today=record.seq >= first)
    if reader.since is None:
        raise NotFound(f"{journal.place}: no row of the session of {night.session} was traded on")
    runs = journal.runs_among(first, last)
    return LiveDay(
        config=config_of(runs[-1]),
        orders=of_the_day(reader.log, night, reader.since),
        since=reader.since,
        caveats=tuple(reader.caveats(night, len(runs), len({run.config_json for run in runs}))),
    )


def of_the_day(log: OrderLog, night: Night, since: datetime) -> tuple[OrderStory, ...]:
    """The orders that were decided on a row of the session, from `since` on, or filled in it."""
    begins_at, ends_at = night.hours.opens_at - _BEFORE_OPEN, night.journal_until
    return tuple(
        story
        for story in log.stories.values()
        if since <= story.row_at <= ends_at
        or any(begins_at <= fill.filled_at <= ends_at for fill in story.fills.values())
    )


def day_events(journal: JournalReader, night: Night) -> tuple[int, int]:
    """First and last event of the session, from three hours before its open to a quarter after its close.

    Raises:
        NotFound: the journal holds none.
    """
    first = journal.last_seq(night.hours.opens_at - _BEFORE_OPEN) + 1
    last = journal.last_seq(night.journal_until)
    if last < first:
        raise NotFound(f"{journal.place}: nothing was journalled in the session of {night.session}")
    return first, last


class _Reader:
    """Goes through the journal once; counts what happened in the session."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._column = {symbol: column for column, symbol in enumerate(symbols)}
        self._closes = np.full(len(symbols), np.nan)
        self._row_at: datetime | None = None
        self.log = OrderLog()
        self.since: datetime | None = None
        self._carried: tuple[str, ...] | None = None
        self._lost = self._commanded = self._late_rows = 0

    def take(self, event: Event, commands: tuple[bytes, ...], *, is_today: bool) -> None:
        if isinstance(event, BarsClosed):
            self._take_row(event)
        else:
            self._take_news(event)
        if is_today:
            self._count(event)
        row_at = self._row_at or event.received_at
        for payload in commands:
            self.log.decided(decode_command(payload), event.received_at, row_at, self._price_of)

    def _take_row(self, event: BarsClosed) -> None:
        self._row_at = event.closed_at
        self._closes = np.where(np.isnan(event.row.close), self._closes, event.row.close)

    def _take_news(self, event: Event) -> None:
        match event:
            case OrderAccepted():
                self.log.accepted(event.ref, event.received_at)
            case OrderFilled() | FillCorrected():
                self.log.filled(event.fill)
            case OrderCancelled():
                self.log.ended(event.ref, f"cancelled: {event.reason}" if event.reason else "cancelled")
            case OrderRejected():
                self.log.ended(event.ref, f"rejected, code {event.code}")
            case OrderUnknown():
                self.log.ended(event.ref, "unknown")
            case BrokerReported():
                for fill in event.fills:
                    self.log.filled(fill)
            case _:
                pass

    def _count(self, event: Event) -> None:
        match event:
            case BarsClosed(warm_up=True):
                self._late_rows += self.since is not None
            case BarsClosed():
                self.since = self.since or event.closed_at
            case BrokerReported() if self._carried is None and event.is_complete and self.since is None:
                self._carried = tuple(f"{held.symbol} {held.quantity:+g}" for held in event.positions if held.quantity)
            case ConnectionLost():
                self._lost += 1
            case OperatorCommanded():
                self._commanded += 1
            case _:
                pass

    def _price_of(self, symbol: str) -> float | None:
        price = float(self._closes[self._column[symbol]]) if symbol in self._column else float("nan")
        return None if np.isnan(price) else price

    def caveats(self, night: Night, runs: int, configurations: int) -> list[str]:
        """What makes the replay of this day another day."""
        assert self.since is not None
        first_row = night.hours.opens_at + timedelta(seconds=night.config.bars.interval_s)
        is_late = night.config.bars.interval_s < DAILY_S and self.since > first_row + timedelta(minutes=2)
        found = [
            (bool(self._carried), f"held before the open: {', '.join(self._carried or ())}"),
            (is_late, f"traded from {self.since:%H:%M:%S} UTC on only, earlier orders of the replay are left out"),
            (runs > 1, f"{runs} runs of the daemon"),
            (configurations > 1, f"{configurations} configurations; the replay has the last"),
            (self._lost > 0, f"the connection was lost {self._lost} times"),
            (self._late_rows > 0, f"{self._late_rows} rows came late, as history: they were not traded on"),
            (self._commanded > 0, f"a person gave {self._commanded} orders"),
        ]
        return [text for holds, text in found if holds]


def equity_before(journal: JournalReader, at: datetime) -> float | None:
    """The last net liquidation that the broker had reported by `at`; None if there was none."""
    latest: tuple[datetime, float] | None = None
    for kind in (AccountReported.__name__, BrokerReported.__name__):
        for payload in journal.events_of_kind(kind):
            event = decode_event(payload)
            if event.received_at > at:
                break
            if isinstance(event, AccountReported | BrokerReported) and event.account is not None:
                told = (event.received_at, event.account.net_liquidation)
                latest = told if latest is None else max(latest, told)
    return None if latest is None else latest[1]
