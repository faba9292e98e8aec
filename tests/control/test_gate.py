"""The door into the real loop: handled, durable, and honest about what was not done."""

import asyncio
import json
from typing import Any

import pytest

from daemon.control.gate import LoopGate
from daemon.control.mqtt_commands import MqttCommands
from daemon.control.verbs import scope_fault
from daemon.engine.assembly import build_engine
from daemon.runtime.clock import MarketClock
from daemon.runtime.executor import Executor
from daemon.runtime.inbox import Inbox
from daemon.runtime.loop import EngineLoop
from daemon.runtime.notices import Notices
from daemon.runtime.recovery import recover
from daemon.runtime.reports import Reporter
from daemon.runtime.timers import Timers
from risk.trading_state import TradingState
from shared.errors import Refused
from shared.events import OperatorCommanded
from shared.io.journal import Journal
from shared.io.mqtt_port import MqttMessage
from shared.messages import decode_event
from tests.control.builders import KEY, NOW, a_command, a_switchboard
from tests.fakes.broker import FakeBroker
from tests.runtime.builders import a_config, a_run, at


class Daemon:
    """A loop that runs, around the real engine and a real journal, with its gate."""

    def __init__(self, folder):
        self.folder = folder
        self.config = a_config(folder)
        clock = MarketClock(may_follow=True, monotonic=asyncio.get_running_loop().time)
        clock.follow(at(0), 1)
        inbox = Inbox(10_000)
        broker = FakeBroker(clock.now)
        self.journal = Journal.create(folder / "journal.sqlite", "paper")
        engine = recover(self.journal, self.config, build_engine, "test")
        self.journal.start_run(a_run(self.config, name=f"r{len(self.journal.runs())}"), engine.snapshot())
        self.timers = Timers(clock, inbox)
        executor = Executor(
            broker=broker,
            reporter=Reporter(broker=broker, inbox=inbox, clock=clock, every_s=60),
            timers=self.timers,
            inbox=inbox,
            clock=clock,
            notices=Notices(),
        )
        self.loop = EngineLoop(
            engine=engine, journal=self.journal, inbox=inbox, executor=executor, clock=clock, snapshot_every_events=1000
        )
        self.book = engine.book
        self.gate = LoopGate(self.loop, clock)
        self.replies: list[dict[str, Any]] = []
        self.commands = MqttCommands(
            key=KEY,
            gate=self.gate,
            switchboard=a_switchboard(folder, self.gate),
            scope_fault=scope_fault(self.config),
            say=lambda text: self.replies.append(json.loads(text)),
            wall_now=lambda: NOW,
        )

    async def order(self, verb, scope="account", nonce=""):
        event = OperatorCommanded(received_at=self.gate.now(), verb=verb, scope=scope, actor="me", nonce=nonce)
        return await self.gate.submit(event)


@pytest.fixture
async def start(tmp_path):
    """Starts a daemon on the folder's journal; a second call is a restart after a kill."""
    running = []

    async def begin():
        await end()
        daemon = Daemon(tmp_path)
        running.append((daemon, asyncio.create_task(daemon.loop.run())))
        return daemon

    async def end():
        while running:
            daemon, task = running.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            daemon.timers.close()
            daemon.journal.close()

    yield begin
    await end()


async def test_the_answer_comes_when_the_journal_holds_the_verb(start):
    daemon = await start()
    assert await daemon.order("halt") == "HALTED"
    [event] = [decode_event(payload) for payload in daemon.journal.events_of_kind("OperatorCommanded")]
    assert isinstance(event, OperatorCommanded)
    assert (event.verb, event.scope, event.actor) == ("halt", "account", "me")


async def test_a_narrower_scope_stands_beside_the_accounts_state(start):
    daemon = await start()
    assert await daemon.order("reduce", "instrument:SPY") == "ACTIVE, instrument:SPY REDUCING"
    assert await daemon.order("resume", "instrument:SPY") == "ACTIVE"


async def test_a_halt_survives_a_restart_and_so_does_the_nonce_that_gave_it(start):
    daemon = await start()
    message = MqttMessage(topic="openbell/command", payload=a_command(), is_retained=False)
    await daemon.commands.handle(message)
    restarted = await start()
    assert restarted.gate.state() == "HALTED"
    await restarted.commands.handle(message)
    assert [reply["accepted"] for reply in daemon.replies + restarted.replies] == [True, False]
    assert "nonce" in restarted.replies[0]["reason"]


async def test_a_latched_limit_is_not_ended_by_resume(start):
    daemon = await start()
    await daemon.order("reduce")
    daemon.book.breakers.trip("account", "max_day_loss", TradingState.REDUCING, "20,001 lost", at(0))
    with pytest.raises(Refused, match="account: latched by max_day_loss; only reset ends that"):
        await daemon.order("resume")
    assert daemon.gate.state() != "ACTIVE"
    assert await daemon.order("reset") == "ACTIVE"


async def test_accept_without_a_break_is_refused(start):
    daemon = await start()
    with pytest.raises(Refused, match="instrument:SPY: there is no break to accept, open ones: none"):
        await daemon.order("accept", "instrument:SPY")
