"""The one order of events per row. Both drivers, the plain loop and backtrader, only turn this crank.

    once      RunStarted, SessionScheduled, ConnectionRestored, BrokerReported (complete), the warm-up rows
    per row   1 a new session: the old one's due timers, its expired orders, what the night does (carrying.py),
                SessionScheduled, the insiders' scores, dividends
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
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, assert_never

from brokers.simulated.bar_broker import BarBroker
from research.backtest.carrying import FREE_CARRYING, Carrying, Night
from research.backtest.moments import instant
from research.backtest.result import ReplayResult, ResultRecorder
from research.backtest.sleeper import Sleeper
from research.backtest.timeline import Timeline, TimelineRow
from shared.commands import (
    AskBroker,
    CancelOrder,
    Command,
    Flatten,
    Notify,
    OrderCommand,
    PlaceBracket,
    ReplaceStop,
    SetTimer,
)
from shared.events import (
    BarsClosed,
    CommissionReported,
    ConnectionRestored,
    DayPlanChecked,
    Event,
    OrderFilled,
    RunStarted,
    SessionScheduled,
    StrategiesWarmed,
    TimerFired,
)
from shared.io.bar_store import BarPanel
from shared.market import BarRow, sealed


class Handler(Protocol):
    """What a replay asks of the engine."""

    def handle(self, event: Event) -> list[Command]: ...


class SessionDriver:
    """Engine and broker over the rows of one timeline."""

    def __init__(  # noqa: PLR0913 - what a replay is made of, by name
        self,
        *,
        engine: Handler,
        broker: BarBroker,
        panel: BarPanel,
        timeline: Timeline,
        starting_cash: float,
        carrying: Carrying = FREE_CARRYING,
        sleeper: Sleeper | None = None,
        insider_scores: Mapping[date, dict[str, float]] | None = None,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._panel = panel
        self._timeline = timeline
        self.starting_cash = starting_cash
        self._sleeper = sleeper
        self._recorder = ResultRecorder(
            symbols=panel.symbols, interval_s=panel.interval_s, starting_cash=starting_cash, rows=timeline.rows
        )
        self._inbox: deque[Event] = deque()
        self._listeners: list[tuple[Callable[[Command], None], Callable[[Event], None]]] = []
        self._timers: dict[str, datetime] = {}
        self._memories: deque[StrategiesWarmed] = deque()
        self._carrying = carrying
        self._insider_scores = insider_scores or {}
        self._row = timeline.rows[0]
        self._hours = self._row.hours
        self._bars_now = panel.row(self._row.index)

    @property
    def cash(self) -> float:
        return self._broker.cash

    @property
    def net_liquidation(self) -> float:
        return self._broker.net_liquidation

    @property
    def panel(self) -> BarPanel:
        """The bars that are replayed."""
        return self._panel

    def value_at(self, number: int) -> float:
        """Net liquidation at the close of a row that lies behind us."""
        return float(self._recorder.net_liquidation[number])

    def is_working(self, ref: str) -> bool:
        """Whether the broker still works the order."""
        return self._broker.is_working(ref)

    def listen(self, decided: Callable[[Command], None], happened: Callable[[Event], None]) -> None:
        """Tell somebody of every command before it is carried out, and of every event before the engine hears it."""
        self._listeners.append((decided, happened))

    def remember(self, memories: Sequence[StrategiesWarmed]) -> None:
        """Tell the engine each of these, oldest first, before the first row that is newer: as it was told live."""
        self._memories.extend(memories)

    def start(self) -> None:
        """Everything before the first row, at the first session's open."""
        first = self._timeline.rows[0]
        at = first.hours.opens_at
        self._deliver(RunStarted(received_at=at, run_id="replay"))
        self._schedule(first)
        self._deliver(ConnectionRestored(received_at=at, account_id=self._broker.account_id))
        self._deliver(self._broker.report(at))
        for place, row in enumerate(self._timeline.warm_up, start=-len(self._timeline.warm_up)):
            if self._sleeper is not None:
                self._sleeper.turn_to(place)
            self._show(self._bars(row, at, self._panel.row(row.index), warm_up=True))
        if self._sleeper is not None:
            self._sleeper.begin()

    def match(self, number: int) -> None:
        """Let row `number` of the timeline meet the orders that were there before it closed."""
        row = self._row = self._timeline.rows[number]
        if row.opens_session and number > 0:
            self._cross_night(row)
        at, self._bars_now = row.closed_at, self._panel.row(row.index)
        if events := self._broker.on_row(at, self._bars_now):
            self._deliver(*events)
        self._fire_timers(until=at, at=at)
        if events := self._broker.expire(at):
            self._deliver(*events)
        report, gross = self._broker.valued(at)
        self._recorder.valued(number, report.account.net_liquidation, gross)
        self._deliver(report)

    def decide(self, number: int) -> None:
        """Show the row that was matched to the engine."""
        if self._sleeper is not None:
            self._sleeper.turn_to(number)
        self._show(self._bars(self._row, self._row.closed_at, self._bars_now))

    def next_row(self, number: int) -> int:
        """The row to match after `number`; those between are passed over, for nothing can happen on them."""
        first = number + 1
        if self._sleeper is None or (end := self._sleeper.next_forced(number)) <= first:
            return first
        rest = self._sleeper.rest()
        if rest is None:
            return first
        due_at = self._sleeper.due_at(rest, self._timers, self._broker, self._hours.closes_at)
        end = self._sleeper.before(due_at, first, end)
        end = self._sleeper.until_touch(self._broker, first, end)
        out = self._recorder.net_liquidation[first:end], self._recorder.gross[first:end]
        end = first + self._sleeper.value(self._broker, rest, first, out)
        if end > first:
            at = instant(int(self._timeline.rows.closed_ns[end - 1]))
            self._deliver(self._broker.valued(at)[0])
            self._sleeper.pass_over(first, end, at, out[0][: end - first])
        return end

    def finish(self) -> ReplayResult:
        """End the last session; positions stay open, valued at the last close."""
        self._end_session()
        return self._recorder.result(self._carrying.schedule.notes)

    def _cross_night(self, row: TimelineRow) -> None:
        self._end_session()
        night = Night(since=self._hours.session, until=row.hours.session, opens_at=row.hours.opens_at)
        flows = self._carrying.before_open(night, self._broker, self._deliver)
        self._schedule(row)
        flows += self._carrying.at_open(night, self._broker)
        self._recorder.flowed(flows)
        self._recorder.split(self._carrying.splits(night))
        self._deliver(*self._broker.expire(night.opens_at))

    def _schedule(self, row: TimelineRow) -> None:
        hours = self._hours = row.hours
        self._deliver(
            SessionScheduled(
                received_at=hours.opens_at,
                session=hours.session,
                opens_at=hours.opens_at,
                closes_at=hours.closes_at,
            )
        )
        scores = self._insider_scores.get(hours.session)
        if scores is not None:  # live they come with the plan
            self._deliver(
                DayPlanChecked(received_at=hours.opens_at, session=hours.session, targets=None, insider_scores=scores)
            )

    def _end_session(self) -> None:
        closes_at = self._hours.closes_at
        self._fire_timers(until=closes_at, at=closes_at)
        self._deliver(*self._broker.end_session(closes_at))

    def _bars(self, row: TimelineRow, received_at: datetime, bars: BarRow, *, warm_up: bool = False) -> BarsClosed:
        return BarsClosed(
            received_at=received_at,
            closed_at=row.closed_at,
            interval_s=self._panel.interval_s,
            # No strategy may reach tomorrow through a view's base; with a sleeper all have spoken and see none of it.
            row=sealed(bars) if self._sleeper is None else bars,
            warm_up=warm_up,
        )

    def _fire_timers(self, *, until: datetime, at: datetime) -> None:
        """Fire what is due, the earliest first; of equal ones, the one set first."""
        timers = self._timers
        while timers and min(timers.values()) <= until:
            timer_id = min(timers, key=timers.__getitem__)
            del timers[timer_id]
            self._deliver(TimerFired(received_at=at, timer_id=timer_id))

    def _show(self, row: BarsClosed) -> None:
        while self._memories and row.closed_at > self._memories[0].closed_at:
            self._deliver(self._memories.popleft())
        self._deliver(row)

    def _deliver(self, *events: Event) -> None:
        """Hand the events to the engine, then whatever they lead to, until nothing is left."""
        inbox, listeners, handle, recorder = self._inbox, self._listeners, self._engine.handle, self._recorder
        inbox.extend(events)
        while inbox:
            event = inbox.popleft()
            if isinstance(event, OrderFilled):
                recorder.filled(event.fill, self._broker.costs_of(event.fill.exec_id))
            elif isinstance(event, CommissionReported):
                recorder.charged(event)
            if listeners:
                for _, happened in listeners:
                    happened(event)
            if commands := handle(event):
                recorder.decided(event.received_at, commands)
                self._carry_out(commands, event.received_at)

    def _carry_out(self, commands: list[Command], at: datetime) -> None:
        for command in commands:
            for decided, _ in self._listeners:
                decided(command)
            if not isinstance(command, Notify):  # nobody to tell; the decision log holds it
                self._execute(command, at)

    def _execute(self, command: SetTimer | OrderCommand | AskBroker, at: datetime) -> None:
        match command:
            case SetTimer():
                if command.clock == "market":
                    # Set anew, a timer also moves behind those that were set before.
                    self._timers.pop(command.timer_id, None)
                    self._timers[command.timer_id] = at + timedelta(seconds=command.after_s)
            case PlaceBracket() | CancelOrder() | ReplaceStop() | Flatten():
                self._inbox.extend(self._broker.execute(command, at))
            case AskBroker():
                self._inbox.append(self._broker.report(at))
            case _:
                assert_never(command)
