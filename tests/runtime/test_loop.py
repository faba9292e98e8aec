"""Nothing is done before it is durable; what could not be sent is unknown."""

import asyncio
import sqlite3
from typing import Literal

import pytest

from daemon.runtime.clock import MarketClock
from daemon.runtime.executor import Executor
from daemon.runtime.inbox import Inbox
from daemon.runtime.loop import EngineLoop
from daemon.runtime.notices import Notices
from daemon.runtime.reports import ALL_QUESTIONS, Reporter
from daemon.runtime.timers import Timers
from shared.commands import AskBroker, CancelOrder, Flatten, PlaceBracket, ReplaceStop, SetTimer
from shared.errors import InvariantViolated
from shared.events import BrokerReported, OperatorCommanded, OrderUnknown, TimerFired
from shared.io.journal import Journal, JournalReader
from shared.orders import BracketOrder, Order, OrderType, Side
from tests.fakes.broker import FakeBroker
from tests.fakes.engine import ScriptedEngine
from tests.runtime.builders import a_config, a_run, at, eventually


def an_order(ref):
    return Order(ref=ref, symbol="SPY", side=Side.BUY, quantity=1, order_type=OrderType.MARKET)


BRACKET = PlaceBracket(bracket=BracketOrder(entry=an_order("E"), stop_loss=an_order("S"), take_profit=an_order("T")))


class Bench:
    """A loop around a scripted engine, an in-memory broker and a real journal."""

    def __init__(self, folder, script, snapshot_every_events=1000):
        config = a_config(folder)
        self.path = folder / "journal.sqlite"
        self.clock = MarketClock(may_follow=True, monotonic=asyncio.get_running_loop().time)
        self.clock.follow(at(0), 1)
        self.inbox = Inbox(10_000)
        self.broker = FakeBroker(self.clock.now)
        self.journal = Journal.create(self.path, "paper")
        self.journal.start_run(a_run(config), b"0")
        self.reporter = Reporter(broker=self.broker, inbox=self.inbox, clock=self.clock, every_s=60)
        self.timers = Timers(self.clock, self.inbox)
        self.engine = ScriptedEngine(script)
        self.loop = EngineLoop(
            engine=self.engine,
            journal=self.journal,
            inbox=self.inbox,
            executor=Executor(
                broker=self.broker,
                reporter=self.reporter,
                timers=self.timers,
                inbox=self.inbox,
                clock=self.clock,
                notices=Notices(),
            ),
            clock=self.clock,
            snapshot_every_events=snapshot_every_events,
        )

    async def happen(self, event=None):
        await self.loop.step(event or TimerFired(received_at=self.clock.now(), timer_id="now"))

    async def taken(self, count):
        return [await asyncio.wait_for(self.inbox.take(), 5) for _ in range(count)]


@pytest.fixture
def bench(tmp_path):
    made = []

    def make(*commands, **options):
        made.append(Bench(tmp_path, lambda number, _: list(commands) if number == 1 else [], **options))
        return made[0]

    yield make
    made[0].journal.close()


async def test_an_order_is_in_the_journal_before_the_broker_hears_of_it(bench):
    work = bench(BRACKET)
    seen: list[str] = []

    class Witness(FakeBroker):
        async def execute(self, command):
            with JournalReader.open(work.path) as reader:
                seen.extend(record.kind for record in reader.records() if record.commands)

    work.loop._executor._broker = Witness(work.clock.now)
    await work.happen()
    assert seen == ["TimerFired"]


async def test_a_journal_that_cannot_be_written_ends_the_run_and_nothing_is_sent(bench):
    work = bench(BRACKET)
    work.journal._database._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(InvariantViolated, match=r"journal.sqlite: cannot be written .* nothing was sent"):
        await work.happen()
    assert work.broker.sent == []


@pytest.mark.parametrize(
    ("command", "refs"),
    [
        (BRACKET, ["E", "S", "T"]),
        (ReplaceStop(order=an_order("P1")), ["P1"]),
        (Flatten(order=an_order("X1")), ["X1"]),
        (CancelOrder(ref="E"), ["E"]),
    ],
)
async def test_every_order_of_a_command_that_could_not_be_sent_is_unknown(bench, command, refs):
    work = bench(command)
    work.broker.is_down = True
    await work.happen()
    unknown = await work.taken(len(refs))
    assert all(isinstance(event, OrderUnknown) for event in unknown)
    assert [event.ref for event in unknown] == refs
    assert unknown[0].reason == "could not be sent: nobody answers"


async def test_commands_are_carried_out_in_their_order(bench):
    commands = [CancelOrder(ref="a"), Flatten(order=an_order("b")), CancelOrder(ref="c")]
    work = bench(*commands)
    await work.happen()
    assert work.broker.sent == commands


async def test_timers_that_wait_are_no_tasks(bench):
    clocks: tuple[Literal["market", "wall"], ...] = ("market", "wall")
    names = [(clock, f"{clock} {number}") for clock in clocks for number in (1, 2)]
    waiting = [SetTimer(timer_id=name, after_s=3600, clock=clock) for clock, name in names]
    work = bench(*waiting)
    before = len(asyncio.all_tasks())
    await work.happen()
    assert (len(work.timers), len(asyncio.all_tasks())) == (4, before)
    work.timers.close()
    assert len(work.timers) == 0


async def test_a_timer_fires_into_the_inbox_and_setting_it_again_moves_it(bench):
    work = bench(
        SetTimer(timer_id="slow", after_s=3600, clock="market"),
        SetTimer(timer_id="slow", after_s=0, clock="wall"),
        SetTimer(timer_id="market", after_s=0.001, clock="market"),
    )
    await work.happen()
    assert {event.timer_id for event in await work.taken(2)} == {"slow", "market"}
    assert len(work.timers) == 0


async def test_the_answer_to_a_question_comes_through_the_inbox(bench):
    work = bench(AskBroker())
    work.reporter.is_open = True
    asking = asyncio.create_task(work.reporter.run())
    await work.happen()
    (report,) = await work.taken(1)
    assert isinstance(report, BrokerReported)
    assert report.is_complete
    asking.cancel()


async def test_to_have_found_nobody_is_reported_as_nothing_answered(bench):
    work = bench()
    work.broker.is_down = True
    report = await work.reporter.report()
    assert (report.unanswered, report.account, await work.taken(1)) == (ALL_QUESTIONS, None, [report])


async def test_the_engines_time_never_decreases_and_is_never_ahead_of_the_clock(bench):
    work = bench()
    await work.happen(TimerFired(received_at=at(86_400 * 365), timer_id="stamped before the clock followed"))
    await work.happen(TimerFired(received_at=at(-60), timer_id="late"))
    first, second = (event.received_at for event in work.engine.events)
    assert at(0) <= first <= second <= work.clock.now()


async def test_a_snapshot_is_kept_every_so_many_events(bench):
    work = bench(snapshot_every_events=2)
    for _ in range(5):
        await work.happen()
    rows = list(work.journal._database.rows("SELECT seq, payload FROM snapshots"))
    assert rows == [(0, b"0"), (2, b"2"), (4, b"4")]
    assert sqlite3.sqlite_version_info >= (3, 22)  # since then a reader opens a WAL file read-only


def a_halt(work):
    return OperatorCommanded(received_at=work.clock.now(), verb="halt", scope="account", actor="a test")


async def test_a_backlog_is_durable_before_any_of_its_commands_leaves(tmp_path):
    work = Bench(tmp_path, lambda number, _: [CancelOrder(ref=f"{number}")])
    in_the_journal: list[int] = []

    class Witness(FakeBroker):
        async def execute(self, command):
            with JournalReader.open(work.path) as reader:
                in_the_journal.append(reader.last_seq())
            await super().execute(command)

    work.loop._executor._broker = broker = Witness(work.clock.now)
    for number in range(3):
        work.inbox.put(TimerFired(received_at=work.clock.now(), timer_id=f"{number}"))
    running = asyncio.create_task(work.loop.run())
    await eventually(lambda: len(broker.sent) == 3)
    running.cancel()
    work.journal.close()
    assert in_the_journal == [3, 3, 3]
    assert broker.sent == [CancelOrder(ref=ref) for ref in ("1", "2", "3")]


async def test_a_persons_order_goes_ahead_of_what_waits_and_returns_when_it_is_done(bench):
    work = bench()
    for number in range(5):
        work.inbox.put(TimerFired(received_at=work.clock.now(), timer_id=f"{number}"))
    submitted = asyncio.create_task(work.loop.submit(a_halt(work)))
    await asyncio.sleep(0)
    running = asyncio.create_task(work.loop.run())
    await submitted
    running.cancel()
    assert isinstance(work.engine.events[0], OperatorCommanded)
    with JournalReader.open(work.path) as reader:
        assert next(iter(reader.records())).kind == "OperatorCommanded"


async def test_others_have_their_turn_while_a_backlog_is_worked_off(bench):
    work = bench()
    for number in range(2000):
        work.inbox.put(TimerFired(received_at=work.clock.now(), timer_id=f"{number}"))
    running = asyncio.create_task(work.loop.run())
    await asyncio.sleep(0.0)
    await asyncio.sleep(0.0)
    handled_when_others_ran = work.loop.handled
    await eventually(lambda: len(work.inbox) == 0)
    running.cancel()
    assert handled_when_others_ran < 2000
