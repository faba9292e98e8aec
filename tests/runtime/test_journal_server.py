"""The daemon's own loop over a journal on a PostgreSQL server."""

import asyncio

import pytest

from daemon.engine.assembly import build_engine
from daemon.runtime.clock import MarketClock
from daemon.runtime.executor import Executor
from daemon.runtime.inbox import Inbox
from daemon.runtime.loop import EngineLoop
from daemon.runtime.notices import Notices
from daemon.runtime.recovery import recover
from daemon.runtime.reports import Reporter
from daemon.runtime.timers import Timers
from shared.commands import CancelOrder
from shared.errors import InvariantViolated
from shared.events import TimerFired
from shared.io.journal import Journal, JournalReader
from shared.io.journal_audit import audit_run
from shared.io.journal_database import PostgresPlace
from tests.fakes.broker import FakeBroker
from tests.fakes.engine import ScriptedEngine
from tests.fakes.postgres import PostgresServer
from tests.runtime.builders import a_config, a_morning, a_run, at, journalled


@pytest.fixture
def server():
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


def test_recovery_and_audit_are_those_of_a_file(server, tmp_path):
    config, place = a_config(tmp_path), PostgresPlace(url=server.url, schema="openbell_paper")
    alive, _ = journalled(place, config, a_morning(), snapshot_after=5)
    with JournalReader.open(place) as journal:
        assert recover(journal, config, build_engine, "test").snapshot() == alive.snapshot()
        assert audit_run(journal, journal.run("r1"), build_engine).identical


async def test_a_server_lost_in_mid_run_ends_it_and_nothing_is_sent(server, tmp_path):
    config, place = a_config(tmp_path), PostgresPlace(url=server.url, schema="openbell_paper")
    clock = MarketClock(may_follow=True, monotonic=asyncio.get_running_loop().time)
    clock.follow(at(0), 1)
    inbox, broker = Inbox(100), FakeBroker(clock.now)
    timers = Timers(clock, inbox)
    reporter = Reporter(broker=broker, inbox=inbox, clock=clock, every_s=30)
    executor = Executor(broker=broker, reporter=reporter, timers=timers, inbox=inbox, clock=clock, notices=Notices())
    with Journal.create(place, "paper") as journal:
        journal.start_run(a_run(config), b"0")
        engine = ScriptedEngine(lambda number, _: [CancelOrder(ref=f"{number}")])
        loop = EngineLoop(
            engine=engine, journal=journal, inbox=inbox, executor=executor, clock=clock, snapshot_every_events=1000
        )
        await loop.step(TimerFired(received_at=at(0), timer_id="a"))
        server.kill()
        with pytest.raises(InvariantViolated, match=r"schema openbell_paper: cannot be written .*, nothing was sent$"):
            await loop.step(TimerFired(received_at=at(0), timer_id="b"))
    timers.close()
    assert broker.sent == [CancelOrder(ref="1")]
