"""What all data subscriptions share: the day so far, who is halted, who is entitled, and the step's deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.bars import StepBars
from brokers.simulated.gateway.data.board import Board
from brokers.simulated.gateway.data.conduct import FeedConduct
from brokers.simulated.gateway.data.farms import HISTORY, QUOTES, is_well
from brokers.simulated.gateway.data.forming import send_forming
from brokers.simulated.gateway.data.pacing import HistoryPacing
from brokers.simulated.gateway.data.quotes import send_changes, send_data_type, send_halted
from brokers.simulated.gateway.data.tick_by_tick import send_halt, send_tick_by_tick
from brokers.simulated.gateway.data.ticks import downgrade, end_if_complete
from brokers.simulated.market.source import BarWithheld, Halted, Resumed

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep


class Feed:
    """The market data farm of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.conduct = FeedConduct()
        self.pacing = HistoryPacing()
        self.board = Board(session.tape, session.market.step_s)
        self.halted: dict[int, int] = {}
        """Instruments that do not trade, with the code of tick 49: 1 general, 2 volatility."""

    # ------------------------------------------------------------------ the market goes on

    def begin_day(self) -> None:
        """A new session: nothing has traded in it."""
        self.board.begin_day()
        self.halted.clear()

    def remember(self, step: MarketStep) -> None:
        """Take in a step that has been played and is on the tape, whether or not anybody hears of it."""
        was_quoting = self.board.is_quoting
        self.board.take(step)
        for event in step.events:
            if isinstance(event, Halted):
                self.halted[event.index] = event.code
            elif isinstance(event, Resumed):
                self.halted.pop(event.index, None)
        if not was_quoting:
            self._tell_data_types()

    def on_step(self, step: MarketStep) -> None:
        """Tell every subscription what it gets of a step that has been remembered."""
        if self.conduct.competing_session:
            return
        has_quotes, has_history = (is_well(self._session, farm) for farm in (QUOTES, HISTORY))
        if has_quotes:
            self._tell_halts(step)
        withheld = {event.index: event.late_s for event in step.events if isinstance(event, BarWithheld)}
        bars = StepBars(self._session, step, withheld)
        for client in self._session.each_client():
            if has_quotes and client.subscriptions.flow:
                self._deliver(client, step, bars)
            if has_history:
                for req_id in client.subscriptions.forming:
                    send_forming(self._session, client, req_id, step)

    def end_day(self) -> None:
        """The market is closed: nothing is quoted, who asked for frozen data keeps the last (TWS.md 3.31)."""
        self.board.end_day()
        self._tell_data_types()
        for client in self._session.each_client():
            self._send_changes(client)

    def set_entitled(self, *, live: bool) -> None:
        """Give or take the live data of everybody, in the middle of the session (fault 49)."""
        self.conduct.delayed = not live
        for client in self._session.each_client():
            downgrade(self._session, client)

    # ------------------------------------------------------------------ leaves

    def _deliver(self, client: Client, step: MarketStep, bars: StepBars) -> None:
        wants = client.subscriptions
        if wants.bars:
            bars.send_to(client)
        if wants.ticks:
            self._send_changes(client)
        if wants.tick_by_tick:
            send_tick_by_tick(self._session, client, step)

    def _send_changes(self, client: Client) -> None:
        for req_id, ticks in tuple(client.subscriptions.ticks.items()):
            send_changes(self._session, client, req_id, ticks)
            if ticks.is_snapshot:
                end_if_complete(client, req_id, ticks)

    def _tell_data_types(self) -> None:
        """Frozen data becomes live with the first quote of a day, and live frozen with the close."""
        for client in self._session.each_client():
            for req_id, ticks in client.subscriptions.ticks.items():
                if ticks.wants_frozen:
                    send_data_type(self._session, client, req_id, ticks)

    def _tell_halts(self, step: MarketStep) -> None:
        """Halts are told to whoever watches the instrument (TWS.md 3.32)."""
        for event in step.events:
            if not isinstance(event, Halted | Resumed):
                continue
            code = event.code if isinstance(event, Halted) else 0
            for client in self._session.each_client():
                send_halted(client, event.index, code)
                if code:
                    send_halt(client, event.index, step.starts_at)
