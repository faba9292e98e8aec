"""How a run may end (F21, F22, TWS.md 4.12): the wrong account, a full disk, a locked journal, nobody left."""

import sqlite3

import pytest

from daemon.alerts.watcher import SilenceWatch
from daemon.runtime.lifecycle import journal_path
from shared.errors import ConfigError, InvariantViolated
from shared.events import OrderFilled
from shared.io.journal import JournalReader
from tests.scenarios.floor import CALM, UP, prices

ACCOUNT, OTHER = "DU7654321", "DU9999999"


async def test_f22_with_a_locked_journal_nothing_is_sent_and_the_run_ends(floor):
    """F22: the row that would have led to an entry cannot be made durable."""
    await floor.play(2)
    _connection(floor).execute("PRAGMA busy_timeout = 1")
    with sqlite3.connect(journal_path(floor.config), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        floor.clock.advance_to(floor.clock.now() + 5)
        error = await floor.died()
        other.execute("ROLLBACK")
    other.close()
    assert isinstance(error, InvariantViolated)
    assert "database is locked), nothing was sent" in str(error)
    assert dict(floor.gateway.session.desk.orders) == {}


async def test_f22_on_a_full_disk_only_what_was_durable_has_been_sent(floor_with):
    """F22: every order the broker ever saw stands in the journal; the run ends in one line."""
    floor = await floor_with(prices(CALM, *[UP, CALM] * 100))
    await floor.start()
    await floor.play(4)
    pages = _connection(floor).execute("PRAGMA page_count").fetchone()[0]
    _connection(floor).execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(InvariantViolated, match=r"disk is full\), nothing was sent$"):
        await floor.play(200)
    await floor.died()
    seen = {order.request.order_ref.rpartition(":")[0] for order in floor.gateway.session.desk.orders.values()}
    assert seen == {ref.rpartition(":")[0] for ref in floor.sent()}
    assert floor.stops() == abs(floor.shares)


async def test_f22_a_position_stays_protected_while_the_journal_is_dead_and_is_known_after_it(floor_with):
    """F22: the stop rests at the broker; it fills while nobody runs, and the next run books it."""
    floor = await floor_with(prices(CALM, CALM, UP, UP, UP, 99.0))
    await floor.start()
    await floor.play(4)
    await floor.until(lambda: floor.stops() == floor.shares == 98)
    _connection(floor).execute("PRAGMA max_page_count = 1")
    assert isinstance(await floor.died(), InvariantViolated)
    assert floor.stops() == 98
    await floor.play(3)
    assert floor.shares == 0
    await floor.start()
    await floor.agreed()
    assert floor.events(OrderFilled)[-1].fill.ref == "OB1:t:20131008:SPY-1:S"


async def test_f22_a_damaged_journal_is_refused_before_anything_is_sent(holding):
    await holding.kill()
    path = journal_path(holding.config)
    data = bytearray(path.read_bytes())
    data[4096:8192] = bytes(4096)
    path.write_bytes(data)
    with pytest.raises(Exception, match=r"damaged|cannot be read"):
        await holding.start()
    assert holding.stops() == holding.shares == 98


async def test_f21_a_dead_daemon_is_missed_by_whoever_follows_its_heartbeats(holding):
    """F21, freqtrade #9675: the alarm comes from another process; tests/alerts/test_watcher.py has that one whole."""
    silence = SilenceWatch(every_s=10.0, now_s=0.0)
    silence.on_beat({"event": "heartbeat", "every_s": 10.0, **_facts(holding)}, 0.0)
    await holding.kill()
    assert silence.check(20.0) is None
    alarm = silence.check(30.0)
    assert alarm is not None
    assert (alarm.code, alarm.severity) == ("heartbeat_lost", "page")
    assert holding.stops() == holding.shares == 98


async def test_a_gateway_that_comes_back_on_another_account_is_refused(floor_with):
    """TWS.md 4.12: ConfigError is exit code 78, which systemd does not restart; nothing is sent to that account."""
    floor = await floor_with()
    await floor.start(account=ACCOUNT)
    await floor.play(4)
    await floor.until(lambda: floor.stops() == floor.shares == 98)
    seen = len(floor.gateway.session.desk.orders)
    floor.gateway.faults.inject("restart_as_another", account=OTHER, for_s=0.1)
    floor.clock.advance_to(floor.clock.now() + 5)
    error = await floor.died()
    assert isinstance(error, ConfigError)
    assert "reports account" in str(error)
    assert ACCOUNT not in str(error)
    assert OTHER not in str(error)
    assert len(floor.gateway.session.desk.orders) == seen


async def test_another_account_is_refused_also_where_the_configuration_names_none(holding):
    """TWS.md 4.12: a book of one account is never continued on another."""
    holding.gateway.faults.inject("restart_as_another", account=OTHER, for_s=0.1)
    holding.clock.advance_to(holding.clock.now() + 5)
    assert isinstance(await holding.died(), ConfigError)


async def test_the_book_of_one_account_is_not_continued_on_another_after_a_restart(holding):
    """TWS.md 4.12: while nobody ran, somebody logged in to another account."""
    await holding.kill()
    holding.gateway.faults.inject("restart_as_another", account=OTHER, for_s=0.1)
    holding.clock.advance_to(holding.clock.now() + 5)
    await holding.start(reconciled=False)
    error = await holding.died()
    assert isinstance(error, ConfigError)
    assert "the journal is of" in str(error)


async def test_a_live_account_behind_a_paper_configuration_is_refused(floor_with):
    floor = await floor_with(accounts=("U7654321",), allow_live_id=True)
    await floor.start(reconciled=False)
    error = await floor.died()
    assert isinstance(error, ConfigError)
    assert "not a paper account" in str(error)


def _connection(floor):
    return floor.daemon._organs.journal._database._connection


def _facts(floor):
    with JournalReader.open(journal_path(floor.config)) as journal:
        run = journal.runs()[-1].id
    return {"run": run, "verdict": "ok", "state": "ACTIVE", "connection": "up", "positions": []}
