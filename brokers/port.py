"""The one door between the daemon and any broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from shared.commands import OrderCommand
from shared.events import BrokerReported, Event
from shared.market import Bar, BarRow


class ClosedRow(Struct, frozen=True, kw_only=True):
    """One row of history: what BarsClosed carries, before it is an event."""

    closed_at: datetime
    row: BarRow


class BrokerListener(Protocol):
    """What a broker calls back into; every method only takes note and returns at once."""

    def on_event(self, event: Event) -> None:
        """One event for the inbox, already in our vocabulary."""

    def on_bar(self, symbol: str, opened_at: datetime, interval_s: int, bar: Bar) -> None:
        """One instrument's closed bar from the data stream; the feed makes rows of them."""

    def on_quote(self, symbol: str, bid: float, ask: float, at: datetime) -> None:
        """The best bid and ask have changed; NaN = none. A crossed quote is passed on as it came."""

    def on_clock(self, market_at: datetime, speed: float) -> None:
        """A SIMULATED gateway says what time its market has and how fast it runs (never a real one)."""


class Broker(Protocol):
    """What the runtime asks of a broker. Every method may raise BrokerUnavailable; none may hang for ever."""

    @property
    def is_connected(self) -> bool:
        """Whether the line for orders stands; the gateway itself may still have lost its server."""

    async def connect(self) -> str:
        """Connect for orders and for data, qualify every instrument and return the account id the *broker* reports.

        Once it has returned, a loss of the data alone is no ConnectionLost: it is told as DataQualityReported of all
        instruments and heals by itself.
        """

    async def disconnect(self) -> None:
        """Leave; harmless when not connected."""

    async def warm_up(self, *, interval_s: int, bars: int, before: datetime) -> list[ClosedRow]:
        """The last `bars` closed rows of history that ended at or before `before`, oldest first."""

    async def subscribe(self) -> None:
        """Start the bar streams of the whole universe, and the quotes if they are wanted."""

    async def execute(self, command: OrderCommand) -> None:
        """Send the order command; its fate returns as events.

        Exits, cancels and stops leave at once. Entries may wait for room on the wire, never here.
        """

    async def report(self) -> BrokerReported:
        """Ask for executions, open and completed orders, positions and account in one round."""

    async def server_time(self) -> datetime:
        """The broker's clock (whole seconds), the proof that somebody answers."""


Clock = Callable[[], datetime]
