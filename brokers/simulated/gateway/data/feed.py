"""What all data subscriptions share: the day so far, who is halted, who is entitled, and the step's deliveries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from brokers.simulated.gateway.data.bars import send_bars
from brokers.simulated.gateway.data.conduct import FeedConduct
from brokers.simulated.gateway.data.history import send_forming
from brokers.simulated.gateway.data.pacing import LINES_MAX, HistoryPace
from brokers.simulated.gateway.data.tick_by_tick import send_halt, send_tick_by_tick
from brokers.simulated.gateway.data.ticks import DELAYED_TYPE, LIVE, PLENTY, downgrade, send_changes, send_halted
from brokers.simulated.market.source import BarWithheld, Halted, Resumed

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep


class Feed:
    """The market data farm of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.conduct = FeedConduct()
        self.halted: dict[int, int] = {}
        """Instruments that do not trade, with the code of tick 49: 1 general, 2 volatility."""
        self._paces: dict[int, HistoryPace] = {}
        count = len(session.market.symbols)
        self.opened, self.high, self.low = (np.full(count, math.nan) for _ in range(3))
        """Today's first trade and range so far, by instrument; NaN before the first trade."""

    # ------------------------------------------------------------------ what is known

    def is_live(self, stock: Listed) -> bool:
        """Whether the login is entitled to live data of the stock."""
        del stock
        return not self.conduct.delayed

    def shortable(self, stock: Listed) -> float:
        """Tick 46: above 2.5 at least a thousand shares to borrow, above 1.5 after a locate, else none."""
        del stock
        return PLENTY

    def pace_of(self, client_id: int) -> HistoryPace:
        """What the client has asked of history lately, also before it reconnected."""
        return self._paces.setdefault(client_id, HistoryPace())

    def has_line_for(self, client: Client) -> bool:
        """Whether one more market data line is to be had; there is no limit where pacing is off."""
        wants = client.subscriptions
        used = len(wants.ticks) + len(wants.bars) + len(wants.tick_by_tick)
        return self._session.pacing == "off" or used < LINES_MAX

    # ------------------------------------------------------------------ the market goes on

    def begin_day(self) -> None:
        """A new session: nothing has traded in it."""
        for values in (self.opened, self.high, self.low):
            values[:] = math.nan
        self.halted.clear()

    def on_step(self, step: MarketStep) -> None:
        """Take a step that has been played into the day, and tell every subscription what it gets of it."""
        self.opened = np.where(np.isnan(self.opened), step.open, self.opened)
        self.high, self.low = np.fmax(self.high, step.high), np.fmin(self.low, step.low)
        for event in step.events:
            if isinstance(event, Halted | Resumed):
                self._tell_halt(event, step.starts_at)
        if self.conduct.competing_session:
            return
        withheld = {event.index: event.late_s for event in step.events if isinstance(event, BarWithheld)}
        for client in self._session.each_client():
            if client.subscriptions.flow:
                self._deliver(client, step, withheld)

    def _tell_halt(self, event: Halted | Resumed, at: float) -> None:
        """Halts are told to whoever watches the instrument (TWS.md 3.32)."""
        code = event.code if isinstance(event, Halted) else 0
        self.halted[event.index] = code
        if not code:
            del self.halted[event.index]
        for client in self._session.each_client():
            send_halted(client, event.index, code)
            if code:
                send_halt(client, event.index, at)

    def _deliver(self, client: Client, step: MarketStep, withheld: dict[int, float | None]) -> None:
        wants = client.subscriptions
        if wants.bars:
            send_bars(self._session, client, step, withheld)
        for req_id, ticks in wants.ticks.items():
            send_changes(self._session, client, req_id, ticks)
        if wants.tick_by_tick:
            send_tick_by_tick(self._session, client, step)
        for req_id, forming in wants.forming.items():
            send_forming(client, req_id, forming, _row(step, forming.stock.index))

    def set_entitled(self, *, live: bool) -> None:
        """Give or take the live data of everybody, in the middle of the session (fault 49)."""
        self.conduct.delayed = not live
        for client in self._session.each_client():
            downgrade(client, LIVE if live else DELAYED_TYPE)


def _row(step: MarketStep, index: int) -> tuple[float, ...]:
    """Start, open, high, low, close and volume of one instrument; NaN prices where it did not trade."""
    columns = (step.open, step.high, step.low, step.close, step.volume)
    return (step.starts_at, *(float(column[index]) for column in columns))
