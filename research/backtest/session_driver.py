"""The one order of events per row. Both drivers, the plain loop and backtrader, only turn this crank.

    once      RunStarted, SessionScheduled, ConnectionRestored, BrokerReported (complete), the warm-up rows
    per row   1 a new session: the old one's due timers, its expired orders, SessionScheduled
              2 `match`: orders placed on earlier rows meet this row; timers that have come due; orders that were
                good till then expire; the account
              3 `decide`: BarsClosed
    at once   every command goes to the broker as the engine gives it; its events queue behind those that wait

Time moves from close to close: a market timer that comes due inside a row fires at its close, after the row's
matching, so an entry always meets one row before its own time-out. Wall timers never fire: nothing in a
replay takes wall time.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from brokers.simulated.bar_broker import BarBroker
from research.backtest.result import ReplayResult, ResultRecorder
from research.backtest.timeline import Timeline, TimelineRow
from shared.commands import (
    AskBroker,
    CancelOrder,
    Command,
    Flatten,
    Notify,
    PlaceBracket,
    ReplaceStop,
    SetTimer,
)
from shared.events import (
    BarsClosed,
    CommissionReported,
    ConnectionRestored,
    Event,
    OrderFilled,
    RunStarted,
    SessionScheduled,
    TimerFired,
)
from shared.io.bar_store import BarPanel


class Engine(Protocol):
    """What a replay asks of the engine."""

    def handle(self, event: Event) -> list[Command]: ...


class SessionDriver:
    """Engine and broker over the rows of one timeline."""

    def __init__(
        self, *, engine: Engine, broker: BarBroker, panel: BarPanel, timeline: Timeline, starting_cash: float
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._panel = panel
        self._timeline = timeline
        self.starting_cash = starting_cash
        self._recorder = ResultRecorder(symbols=panel.symbols, interval_s=panel.interval_s, starting_cash=starting_cash)
        self._inbox: deque[Event] = deque()
        self._timers: dict[str, datetime] = {}
        self._session_closes_at = timeline.rows[0].hours.opens_at

    @property
    def cash(self) -> float:
        return self._broker.cash

    @property
    def net_liquidation(self) -> float:
        return self._broker.net_liquidation

    def start(self) -> None:
        """Everything before the first row, at the first session's open."""
        first = self._timeline.rows[0]
        at = first.hours.opens_at
        self._deliver(RunStarted(received_at=at, run_id="replay"))
        self._schedule(first)
        self._deliver(ConnectionRestored(received_at=at, account_id=self._broker.account_id))
        self._deliver(self._broker.report(at))
        for row in self._timeline.warm_up:
            self._deliver(self._bars(row, at, warm_up=True))

    def match(self, row: TimelineRow) -> None:
        """Let the row meet the orders that were there before it closed."""
        if row.opens_session and row is not self._timeline.rows[0]:
            self._end_session()
            self._schedule(row)
            self._deliver(*self._broker.expire(row.hours.opens_at))
        at = row.closed_at
        self._deliver(*self._broker.on_row(at, self._panel.row(row.index)))
        self._fire_timers(until=at, at=at)
        self._deliver(*self._broker.expire(at))
        report = self._broker.account(at)
        self._recorder.valued(at, row.hours.session, report.account.net_liquidation, self._broker.gross_value)
        self._deliver(report)

    def decide(self, row: TimelineRow) -> None:
        """Show the closed row to the engine."""
        self._deliver(self._bars(row, row.closed_at, warm_up=False))

    def finish(self) -> ReplayResult:
        """End the last session; positions stay open, valued at the last close."""
        self._end_session()
        return self._recorder.result()

    def _schedule(self, row: TimelineRow) -> None:
        hours = row.hours
        self._session_closes_at = hours.closes_at
        self._deliver(
            SessionScheduled(
                received_at=hours.opens_at,
                session=hours.session,
                opens_at=hours.opens_at,
                closes_at=hours.closes_at,
            )
        )

    def _end_session(self) -> None:
        closes_at = self._session_closes_at
        self._fire_timers(until=closes_at, at=closes_at)
        self._deliver(*self._broker.end_session(closes_at))

    def _bars(self, row: TimelineRow, received_at: datetime, *, warm_up: bool) -> BarsClosed:
        return BarsClosed(
            received_at=received_at,
            closed_at=row.closed_at,
            interval_s=self._panel.interval_s,
            row=self._panel.row(row.index),
            warm_up=warm_up,
        )

    def _fire_timers(self, *, until: datetime, at: datetime) -> None:
        """Fire what is due, the earliest first; of equal ones, the one set first."""
        while due := [(fires_at, timer_id) for timer_id, fires_at in self._timers.items() if fires_at <= until]:
            _, timer_id = min(due, key=lambda timer: timer[0])
            del self._timers[timer_id]
            self._deliver(TimerFired(received_at=at, timer_id=timer_id))

    def _deliver(self, *events: Event) -> None:
        """Hand the events to the engine, then whatever they lead to, until nothing is left."""
        self._inbox.extend(events)
        while self._inbox:
            event = self._inbox.popleft()
            self._note(event)
            for command in self._engine.handle(event):
                self._recorder.decided(event.received_at, command)
                self._execute(command, event.received_at)

    def _note(self, event: Event) -> None:
        if isinstance(event, OrderFilled):
            self._recorder.filled(event.fill, self._broker.slippage_of(event.fill.exec_id))
        elif isinstance(event, CommissionReported):
            self._recorder.charged(event)

    def _execute(self, command: Command, at: datetime) -> None:
        match command:
            case PlaceBracket() | CancelOrder() | ReplaceStop() | Flatten():
                self._inbox.extend(self._broker.execute(command, at))
            case AskBroker():
                self._inbox.append(self._broker.report(at))
            case SetTimer():
                if command.clock == "market":
                    # Set anew, a timer also moves behind those that were set before.
                    self._timers.pop(command.timer_id, None)
                    self._timers[command.timer_id] = at + timedelta(seconds=command.after_s)
            case Notify():
                pass  # nobody to tell; the decision log holds it
            case _:
                assert_never(command)
