"""`[nightly] plan = "require"`: the daemon does not start without the session's plan, nor enter in the next one."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from daemon.runtime.lifecycle import log_path
from daemon.runtime.plan_keeper import PlanKeeper
from daemon.runtime.surroundings import Surroundings
from risk.trading_state import TradingState
from shared.errors import ConfigError
from shared.io.logging import set_up_logging
from tests.nightly.builders import MADE_AT, SESSION, TARGET, ToldTime, a_written_plan
from tests.runtime.builders import CLOSE, a_config, at, eventually
from tests.runtime.conftest import openbell  # noqa: F401 - the fixture
from tests.runtime.test_lifecycle import Running, records_of

NEXT = date(2013, 10, 9)
NEXT_OPEN = at(86_400)


@pytest.fixture
def config(tmp_path):
    config = a_config(tmp_path, nightly={"plan": "require"})
    set_up_logging(log_path(config), stderr_is_terminal=False)
    return config


class Keeping:
    """A keeper at some moment, and what it has told the engine."""

    def __init__(self, config, now):
        self.wall = ToldTime(now)
        clock = MarketClock(may_follow=False, monotonic=lambda: 0.0, wall=self.wall)
        self.inbox = Inbox(100)
        self.keeper = PlanKeeper(config, clock, self.inbox, self.wall)

    def look(self, now):
        """What is told at that time."""
        self.wall.now = now
        self.keeper.look()
        told = []
        while (event := self.inbox.take_waiting()) is not None:
            told.append(event)
        return told


# --- the start ----------------------------------------------------------------------------------------------------


def test_a_good_plan_is_handed_to_the_engine(config):
    a_written_plan(config)
    event = Keeping(config, at(-3600)).keeper.at_start()
    assert (event.session, event.fault, event.targets) == (SESSION, "", (TARGET,))
    assert event.limits == {"max_order_quantity": 1000, "max_day_loss": None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"session": NEXT}, "is for the session of 2013-10-09, the next one is 2013-10-08"),
        ({"made_at": MADE_AT - timedelta(days=6)}, "was made 15"),
        ({"made_at": MADE_AT + timedelta(days=2)}, "which is after now"),
        ({"config_hash": "0" * 64}, "was made with other configuration"),
        ({"code_hash": "0" * 64}, "was made with other code"),
        ({"mode": "live"}, "is a plan for live"),
    ],
)
def test_a_stale_or_foreign_plan_refuses_the_start(config, change, said):
    a_written_plan(config, **change)
    with pytest.raises(ConfigError, match=said):
        Keeping(config, at(-3600)).keeper.at_start()


async def test_a_run_begins_with_the_plan_in_force(config):
    a_written_plan(config)
    run = Running(config, at(0), Surroundings(wall=ToldTime(at(0))))
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    assert run.book.day_plan is not None
    assert run.book.day_plan.session == SESSION
    run.daemon.request_stop("SIGTERM")
    await asyncio.wait_for(work, 20)
    kinds = [record.kind for record in records_of(config)[0]]
    assert kinds[:3] == ["RunStarted", "SessionScheduled", "DayPlanChecked"]


async def test_a_run_with_the_plan_of_another_day_is_refused_before_anything_is_written(config):
    a_written_plan(config, session=NEXT)
    run = Running(config, at(0), Surroundings(wall=ToldTime(at(0))))
    with pytest.raises(ConfigError, match="is for the session of 2013-10-09, the next one is 2013-10-08"):
        await asyncio.wait_for(run.daemon.run(until_close=False), 20)
    assert records_of(config)[:2] == ([], [])


async def test_without_the_key_no_plan_is_asked_for(tmp_path):
    config = a_config(tmp_path)
    set_up_logging(log_path(config), stderr_is_terminal=False)
    run = Running(config, at(0))
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    assert run.book.day_plan is None
    run.daemon.request_stop("SIGTERM")
    assert (await asyncio.wait_for(work, 20)).exit_code == 0


# --- in a run -----------------------------------------------------------------------------------------------------


def test_the_evening_before_the_plan_is_made_nothing_is_said(config):
    a_written_plan(config)
    keeping = Keeping(config, at(0))
    keeping.keeper.at_start()
    assert keeping.look(CLOSE + timedelta(minutes=1)) == []
    assert keeping.look(NEXT_OPEN - timedelta(hours=1)) == []


def test_the_next_session_s_plan_is_taken_once_it_is_there(config):
    a_written_plan(config)
    keeping = Keeping(config, at(0))
    keeping.keeper.at_start()
    a_written_plan(config, session=NEXT, made_at=CLOSE + timedelta(minutes=90))
    (event,) = keeping.look(CLOSE + timedelta(minutes=91))
    assert (event.session, event.fault) == (NEXT, "")
    assert keeping.look(CLOSE + timedelta(minutes=92)) == []


def test_shortly_before_the_open_a_plan_that_has_not_come_is_told_once(config):
    a_written_plan(config)
    keeping = Keeping(config, at(0))
    keeping.keeper.at_start()
    (event,) = keeping.look(NEXT_OPEN - timedelta(minutes=4))
    assert event.session == NEXT
    assert "is for the session of 2013-10-08, the next one is 2013-10-09" in event.fault
    assert keeping.look(NEXT_OPEN - timedelta(minutes=3)) == []


def test_a_plan_that_comes_late_is_taken_late(config):
    a_written_plan(config)
    keeping = Keeping(config, at(0))
    keeping.keeper.at_start()
    keeping.look(NEXT_OPEN - timedelta(minutes=4))
    a_written_plan(config, session=NEXT, made_at=NEXT_OPEN)
    (event,) = keeping.look(NEXT_OPEN + timedelta(hours=1))
    assert (event.session, event.fault) == (NEXT, "")


def test_a_plan_once_taken_holds_whatever_becomes_of_the_file(config):
    path = a_written_plan(config)
    keeping = Keeping(config, at(0))
    keeping.keeper.at_start()
    path.unlink()
    assert keeping.look(at(3600)) == []


def test_a_torn_plan_at_the_change_of_session_is_no_crash(config):
    path = a_written_plan(config)
    keeping = Keeping(config, at(0))
    keeping.keeper.at_start()
    path.write_text("{")
    (event,) = keeping.look(NEXT_OPEN)
    assert "is torn or no plan" in event.fault


async def test_a_session_without_a_plan_takes_no_entries_and_the_daemon_goes_on(config):
    a_written_plan(config)
    run = Running(config, CLOSE - timedelta(seconds=30), Surroundings(wall=ToldTime(at(0))))
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    run.market.callbacks.on_clock(NEXT_OPEN - timedelta(minutes=6), 1000.0)
    await eventually(lambda: run.book.breakers.state_of("account") is TradingState.REDUCING, within_s=20)
    (latch,) = run.book.breakers.latched["account"]
    assert (latch.rule, "the next one is 2013-10-09" in latch.text) == ("day_plan", True)
    run.daemon.request_stop("SIGTERM")
    assert (await asyncio.wait_for(work, 20)).exit_code == 0


# --- the command --------------------------------------------------------------------------------------------------


def test_openbell_run_without_a_plan_is_exit_78_and_one_line(openbell, tmp_path):  # noqa: F811 - the fixture
    shipped = (Path(__file__).resolve().parents[2] / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(f'{shipped}\n[nightly]\nplan = "require"\n')
    ended = openbell("run", "--config", tmp_path / "config.toml")
    assert ended.code == 78
    assert ended.err.splitlines() == [
        f'{tmp_path}/state/paper/plan.json: is not there, [nightly] plan = "require" needs one; run: openbell nightly'
    ]
