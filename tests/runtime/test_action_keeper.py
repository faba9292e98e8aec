"""`[bars] actions`: the daemon tells its engine of splits before the first row they change, once, also over kills."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from daemon.engine.assembly import build_engine
from daemon.runtime.action_keeper import ActionKeeper, actions_of
from daemon.runtime.clock import MarketClock
from daemon.runtime.config_check import faults_beside_the_file
from daemon.runtime.inbox import Inbox
from daemon.runtime.lifecycle import journal_path, log_path
from daemon.runtime.notices import Notices
from shared.commands import Notify
from shared.errors import ConfigError
from shared.events import PricesRescaled
from shared.io.journal import JournalReader
from shared.io.journal_audit import audit_run
from shared.io.logging import set_up_logging
from tests.costs.builders import HEADER, a_table
from tests.nightly.builders import ToldTime
from tests.runtime.builders import CLOSE, a_config, at, bars, eventually
from tests.runtime.conftest import openbell  # noqa: F401 - the fixture
from tests.runtime.test_lifecycle import Running, records_of

EX_DATE = date(2013, 10, 9)
MIDNIGHT = datetime(2013, 10, 9, 4, 0, tzinfo=UTC)
NEXT_OPEN = at(86_400)
SPLIT = "SPY,2013-10-09,0,2"


class Keeping:
    """A keeper beside an engine that has seen the last row of 2013-10-08, and what both were told."""

    def __init__(self, config, *rows):
        self.engine = build_engine(config)
        for row in rows or (bars(390, 160.0),):
            self.engine.handle(row)
        self.wall, self.inbox = ToldTime(CLOSE), Inbox(100)
        self.notices: list[Notify] = []
        clock = MarketClock(may_follow=False, monotonic=lambda: 0.0, wall=self.wall)
        notices = Notices()
        notices.listen(self.notices.append)
        self.keeper = ActionKeeper(config, clock, self.inbox, notices, lambda: self.engine.book)

    def look(self, now):
        """What is told at that time; the engine takes it."""
        self.wall.now = now
        self.keeper.look()
        told = []
        while (event := self.inbox.take_waiting()) is not None:
            self.engine.handle(event)
            told.append(event)
        return told


def a_config_with(folder, *rows):
    a_table(folder, *rows)
    return a_config(folder, bars={"actions": "actions.csv"})


def facts(events):
    return [(event.symbol, event.ratio, event.ex_date, event.changes_shares) for event in events]


# --- what is told, and when ---------------------------------------------------------------------------------------


def test_a_split_is_told_once_from_midnight_of_its_day_on(tmp_path):
    keeping = Keeping(a_config_with(tmp_path, SPLIT))
    assert keeping.look(MIDNIGHT - timedelta(seconds=1)) == []
    told = keeping.look(MIDNIGHT)
    assert facts(told) == [("SPY", 2.0, EX_DATE, True)]
    assert told[0].received_at == MIDNIGHT
    assert keeping.look(MIDNIGHT + timedelta(minutes=1)) == []


def test_a_restart_tells_what_happened_while_nobody_was_there_before_anything_else(tmp_path):
    keeping = Keeping(a_config_with(tmp_path, SPLIT, "IBM,2013-10-10,0,4", "IBM,2013-10-14,0,2"))
    keeping.wall.now = at(3 * 86_400)
    assert facts(keeping.keeper.at_start()) == [("SPY", 2.0, EX_DATE, True), ("IBM", 4.0, date(2013, 10, 10), True)]


def test_an_ordinary_dividend_stays_in_the_prices_and_a_large_one_does_not(tmp_path):
    """20 of 160, of which the last close says: 160 / 140."""
    keeping = Keeping(a_config_with(tmp_path, "SPY,2013-10-09,20,1", "IBM,2013-10-09,1,1"))
    assert facts(keeping.look(NEXT_OPEN)) == [("SPY", pytest.approx(160 / 140), EX_DATE, False)]


def test_two_of_one_symbol_are_told_in_order_the_second_at_the_price_after_the_first(tmp_path):
    keeping = Keeping(a_config_with(tmp_path, "SPY,2013-10-10,20,1", SPLIT))
    keeping.wall.now = at(3 * 86_400)
    assert facts(keeping.keeper.at_start()) == [
        ("SPY", 2.0, EX_DATE, True),
        ("SPY", pytest.approx(80 / 60), date(2013, 10, 10), False),
    ]


def test_a_memory_that_begins_on_the_day_is_in_the_units_of_the_day(tmp_path):
    """A broker's history of before is adjusted on the day it is fetched."""
    first = bars(390, 80.0)
    keeping = Keeping(a_config_with(tmp_path, SPLIT), type(first)(**{**as_parts(first), "received_at": MIDNIGHT}))
    assert keeping.look(NEXT_OPEN) == []


def as_parts(event):
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_an_engine_that_remembers_nothing_is_told_nothing(tmp_path):
    config = a_config_with(tmp_path, SPLIT)
    keeping = Keeping(config)
    keeping.engine = build_engine(config)
    assert keeping.look(NEXT_OPEN) == []


def test_one_that_becomes_known_after_rows_of_its_day_is_told_to_a_person_and_not_to_the_engine(tmp_path):
    config = a_config_with(tmp_path)
    keeping = Keeping(config, bars(390, 160.0), bars(1441, 80.0))
    a_table(tmp_path, SPLIT)
    assert keeping.look(at(86_460)) == []
    assert keeping.look(at(86_520)) == []
    (notice,) = keeping.notices
    assert (notice.code, notice.level) == ("action_not_told", "critical")
    assert "SPY: prices are 1/2 since 2013-10-09, which became known when bars of that day" in notice.text


def test_symbols_that_are_not_traded_are_passed_over(tmp_path):
    assert Keeping(a_config_with(tmp_path, "XOM,2013-10-09,0,2")).look(NEXT_OPEN) == []


# --- the table ----------------------------------------------------------------------------------------------------


def test_a_table_that_comes_in_the_evening_is_read_then(tmp_path):
    keeping = Keeping(a_config_with(tmp_path))
    assert keeping.look(CLOSE) == []
    a_table(tmp_path, SPLIT)
    assert facts(keeping.look(MIDNIGHT)) == [("SPY", 2.0, EX_DATE, True)]


def test_a_table_that_is_being_written_alarms_nobody_and_a_broken_one_is_told_once(tmp_path):
    keeping = Keeping(a_config_with(tmp_path, SPLIT))
    keeping.look(CLOSE)
    (tmp_path / "actions.csv").write_text(f"{HEADER}SPY,2013")
    keeping.look(CLOSE + timedelta(minutes=1))
    assert keeping.notices == []
    for minute in (2, 3):
        keeping.look(CLOSE + timedelta(minutes=minute))
    (notice,) = keeping.notices
    assert "actions.csv: line 2: ex_date '2013', allowed: a day such as 2014-06-09; what was read before" in notice.text
    assert facts(keeping.look(MIDNIGHT)) == [("SPY", 2.0, EX_DATE, True)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (None, "no such file"),
        (["SPY,2013-10-09,0,0"], "line 2: split_coefficient '0', allowed: above 0"),
    ],
)
def test_a_table_that_cannot_be_read_refuses_the_start_and_is_a_fault_of_the_configuration(tmp_path, rows, said):
    config = a_config(tmp_path, bars={"actions": "actions.csv"})
    if rows is not None:
        a_table(tmp_path, *rows)
    with pytest.raises(ConfigError, match=said):
        actions_of(config)
    assert [said in fault for fault in faults_beside_the_file(config, CLOSE)] == [True]


def test_openbell_run_without_its_table_is_exit_78_and_one_line(openbell, tmp_path):  # noqa: F811 - the fixture
    shipped = (Path(__file__).resolve().parents[2] / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(shipped.replace("[bars]", '[bars]\nactions = "gone.csv"'))
    ended = openbell("run", "--config", tmp_path / "config.toml")
    assert ended.code == 78
    (line,) = ended.err.splitlines()
    assert "bars.actions:" in line
    assert "gone.csv: no such file" in line


# --- a run --------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path):
    config = a_config_with(tmp_path, SPLIT)
    set_up_logging(log_path(config), stderr_is_terminal=False)
    return config


async def a_run_at(config, begins_at, *, until=None):
    """A run from then on, ended once it holds; its journal's events of this kind so far."""
    run = Running(config, begins_at)
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    if until is not None:
        run.market.callbacks.on_clock(begins_at, 1000.0)
        await eventually(lambda: until(run), within_s=20)
    run.daemon.request_stop("SIGTERM")
    await asyncio.wait_for(work, 20)
    return [record for record in records_of(config)[0] if record.kind == PricesRescaled.__name__]


async def test_a_run_over_midnight_tells_it_in_the_night_and_the_next_start_does_not_tell_it_again(config):
    await a_run_at(config, at(0))
    overnight = await a_run_at(
        config, MIDNIGHT - timedelta(minutes=10), until=lambda run: run.book.rescaled == {"SPY": EX_DATE}
    )
    assert len(overnight) == 1
    assert len(await a_run_at(config, NEXT_OPEN)) == 1


async def test_a_start_after_the_night_tells_it_before_it_asks_for_the_rows_it_missed(config):
    await a_run_at(config, at(0))
    assert len(await a_run_at(config, NEXT_OPEN)) == 1
    kinds = [record.kind for record in records_of(config)[0]]
    began = len(kinds) - kinds[::-1].index("RunStarted") - 1
    assert kinds[began : began + 3] == ["RunStarted", "SessionScheduled", "PricesRescaled"]


async def test_the_journal_of_it_audits_byte_for_byte(config):
    await a_run_at(config, at(0))
    await a_run_at(config, NEXT_OPEN)
    with JournalReader.open(journal_path(config)) as journal:
        verdicts = [audit_run(journal, run, build_engine) for run in journal.runs()]
    assert [verdict.first_difference for verdict in verdicts] == [None, None]
