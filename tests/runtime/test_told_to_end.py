"""A task that is told to end ends, also in the very moment in which what it waits for happens.

asyncio.wait_for of Python 3.11 gives the result then and the cancel is lost: the daemon would hang at SIGTERM.
"""

import asyncio

import pytest

from daemon.runtime.clock import MarketClock
from daemon.runtime.connection import _within
from daemon.runtime.inbox import Inbox
from daemon.runtime.reports import Reporter
from tests.fakes.broker import FakeBroker
from tests.runtime.test_people import a_heart, a_run, config  # noqa: F401 - the fixture

MOMENTS = pytest.mark.parametrize("turns", [0, 1, 2, 3])
"""How many turns of the loop the cancel comes behind what was waited for."""


async def _told(work, happens, turns):
    """Cancel the work so many turns after what it waits for; whether it has ended of it."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0.01)  # until it waits
    happens()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=1)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    return bool(done)


@MOMENTS
async def test_the_questions_to_the_broker_end(turns):
    clock = MarketClock(may_follow=False, monotonic=asyncio.get_running_loop().time)
    reporter = Reporter(broker=FakeBroker(clock.now), inbox=Inbox(100), clock=clock, every_s=60)
    assert await _told(reporter.run(), reporter.ask, turns)


@MOMENTS
async def test_the_watch_over_the_connection_ends(turns):
    happened, cancelled = asyncio.Event(), []

    async def watch():
        try:
            while True:
                await _within(happened, 60)
                happened.clear()
        finally:
            cancelled.append(True)

    assert await _told(watch(), happened.set, turns)
    assert cancelled == [True]


@MOMENTS
async def test_the_heartbeat_ends(config, turns):  # noqa: F811 - pytest's fixture by import
    async with a_run(config) as run:
        heart = a_heart(config, run)
        assert await _told(heart.run(), heart._wanted.set, turns)
