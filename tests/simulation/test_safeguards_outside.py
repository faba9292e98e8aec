"""That the safeguards around the engine bite: journal, recovery, adapter, clock, people; each with it and without."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from ib_insync import CommissionReport

from brokers.ib import translate
from brokers.ib.codes import CodeClass, code_table
from brokers.ib.fill_news import FillNews
from brokers.ib.order_ids import OrderIds
from brokers.ib.orders import Placed, Refused, ib_order_of, plan_of, record_of
from brokers.ib.register import Ended, OrderRecord, OrderRegister
from daemon.alerts.desk import AlertDesk
from daemon.alerts.spool import Spool
from daemon.control.envelope import Denied, Judge, signed
from daemon.runtime import session as session_keeping
from daemon.runtime.clock import MarketClock
from daemon.runtime.recovery import recover
from shared.commands import Flatten, Notify, PlaceBracket
from shared.io import redaction
from shared.io.journal import Journal, JournalReader
from shared.io.journal_sqlite import SqliteWriter
from shared.orders import Fill, Order, OrderType, Side
from tests.alerts.builders import Pigeon, a_section
from tests.brokers.ib.peers import Notebook, ScriptedTws, a_bracket, ib_broker, open_order
from tests.runtime.builders import a_config, a_morning, eventually, journalled
from tests.runtime.test_connection import Line
from tests.runtime.test_loop import Bench
from tests.simulation.power.enumeration import enumerated, told
from tests.simulation.safeguards.safeguard import switched_off
from tests.simulation.safeguards.table import safeguard_of

KEY = b"k" * 32
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PLAN = "OB1:sma:20261120:SPY-1"


def without(name):
    return switched_off(safeguard_of(name))


# --- journal and recovery -------------------------------------------------------------------------------------------


async def rows_when_an_order_leaves(folder):
    """How many events the journal holds at the moment at which the broker gets the order."""
    order = Order(ref="X", symbol="SPY", side=Side.BUY, quantity=1, order_type=OrderType.MARKET)
    bench = Bench(folder, lambda *_: [Flatten(order=order)])
    seen = []

    async def execute(_command):
        with JournalReader.open(bench.path) as journal:
            seen.append(len(list(journal.records())))

    setattr(bench.broker, "execute", execute)  # noqa: B010 - a method of this one broker
    await bench.happen()
    await asyncio.sleep(0.1)
    bench.journal.close()
    with JournalReader.open(bench.path) as journal:
        return seen[0], len(list(journal.records()))


async def test_an_order_is_durable_before_it_leaves(tmp_path):
    assert await rows_when_an_order_leaves(tmp_path) == (1, 1)


async def test_without_the_journal_first_it_leaves_before_it_is_durable(tmp_path):
    with without("journal_before_bytes"):
        assert await rows_when_an_order_leaves(tmp_path) == (0, 1)


def how_the_disk_is_waited_for(folder):
    writer = SqliteWriter.create(folder / "journal.sqlite")
    with writer.transaction():
        (row,) = writer.rows("PRAGMA synchronous")
    writer.close()
    return row[0]


def test_what_is_acknowledged_has_reached_the_disk(tmp_path):
    assert how_the_disk_is_waited_for(tmp_path) == 2  # FULL


def test_without_synced_writes_nothing_waits_for_the_disk(tmp_path):
    with without("synced_journal"):
        assert how_the_disk_is_waited_for(tmp_path) == 0  # OFF


def position_after_a_restart(folder):
    """The morning's fill came after the last snapshot."""
    from daemon.engine.assembly import build_engine

    config = a_config(folder)
    journalled(folder / "journal.sqlite", config, a_morning(), snapshot_after=3)
    with Journal.create(folder / "journal.sqlite", "paper") as journal:
        return recover(journal, config, build_engine, "test").book.fills.keys()


def test_a_start_knows_what_came_after_the_last_snapshot(tmp_path):
    assert position_after_a_restart(tmp_path) == {"0001.01.01"}


def test_without_the_tail_it_has_forgotten(tmp_path):
    with without("recovery_reads_the_tail"):
        assert position_after_a_restart(tmp_path) == set()


# --- the adapter ----------------------------------------------------------------------------------------------------


def a_stop_order():
    return Order(
        ref=f"{PLAN}:P1",
        symbol="SPY",
        side=Side.SELL,
        quantity=10,
        order_type=OrderType.STOP,
        stop_price=99.0,
        oca_group=PLAN,
    )


def group_on_the_wire():
    """OCA group and type as they leave (the module's own name is what its functions call)."""
    from brokers.ib import orders

    leaving = orders.ib_order_of(a_stop_order(), 5)
    return leaving.ocaGroup, leaving.ocaType


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [("oca_group", (PLAN, 2), ("", 0)), ("oca_overfill_protection", (PLAN, 2), (PLAN, 3))],
)
def test_legs_leave_in_a_group_that_cannot_overfill(name, right, wrong):
    assert group_on_the_wire() == right
    with without(name):
        assert group_on_the_wire() == wrong


def sent_again():
    register = OrderRegister(OrderIds(7))
    order = Order(ref=f"{PLAN}:X1", symbol="SPY", side=Side.SELL, quantity=10, order_type=OrderType.MARKET)
    register.add(record_of(Placed(order, ib_order_of(order, 5)), 7))
    return isinstance(plan_of(Flatten(order=order), register, lambda: 6), Refused)


def test_what_was_sent_is_not_sent_again():
    assert sent_again()


def test_without_that_it_is_sent_twice():
    with without("no_blind_resend"):
        assert not sent_again()


@pytest.mark.parametrize(
    ("name", "code", "right"),
    [("unlisted_codes_ask", 99_999, CodeClass.ASK), ("warnings_end_nothing", 10349, CodeClass.NOTICE)],
)
def test_what_is_no_refusal_ends_no_order(name, code, right):
    assert code_table().class_of(code) is right
    with without(name):
        assert code_table().class_of(code) is CodeClass.ORDER_FINAL


def told_working_after_its_cancel():
    from brokers.ib.order_news import OrderNews

    told: list[Any] = []
    register = OrderRegister(OrderIds(7))
    record = register.add(OrderRecord(ref=f"{PLAN}:E", order_id=5, client_id=7, terms=(1, None, None), perm_id=9))
    record.ended, record.status = Ended.CANCELLED, "Cancelled"
    news = OrderNews(register, told.append, lambda: NOW, code_table())
    news.status(order_id=5, client_id=7, perm_id=9, status="Submitted", why_held="")
    return [type(event).__name__ for event in told]


def test_an_order_that_works_after_its_end_is_in_doubt():
    assert told_working_after_its_cancel() == ["OrderUnknown"]


def test_without_that_nobody_hears_of_it():
    with without("working_after_its_end_is_doubt"):
        assert told_working_after_its_cancel() == []


def told_executions():
    told: list[Any] = []
    news = FillNews(told.append, lambda: NOW)
    fill = Fill(ref=f"{PLAN}:E", exec_id="1.2.3.01", symbol="SPY", side=Side.BUY, quantity=5, price=1.0, filled_at=NOW)
    news.execution(fill)
    news.execution(fill)
    return len(told)


def test_an_execution_is_told_once():
    assert told_executions() == 1


def test_without_that_it_is_told_as_often_as_it_comes():
    with without("executions_once"):
        assert told_executions() == 2


@pytest.mark.parametrize("sentinel", [1.7976931348623157e308, -1.0])
def test_a_commission_that_is_no_number_is_not_counted(sentinel):
    report = CommissionReport(execId="1.2.3.01", commission=sentinel, currency="USD")
    assert translate.commission_of(report, now=NOW) is None
    with without("commission_sentinels"):
        counted = translate.commission_of(report, now=NOW)
        assert counted is not None
        assert counted.commission == sentinel


# --- clock and calendar ---------------------------------------------------------------------------------------------


def elapsed_over_a_step_of_the_wall():
    """The wall is set back by an hour, ten seconds pass."""
    wall, mark = [NOW], [100.0]
    clock = MarketClock(may_follow=False, monotonic=lambda: mark[0], wall=lambda: wall[0])
    wall[0], mark[0] = NOW - timedelta(hours=1), 110.0
    return clock.elapsed_s()


def test_a_step_of_the_wall_changes_no_length_of_time():
    assert elapsed_over_a_step_of_the_wall() == 10.0


def test_by_the_wall_it_does():
    with without("monotonic_time"):
        assert elapsed_over_a_step_of_the_wall() == -3600.0


def close_of_the_day_after_thanksgiving():
    hours_of = vars(session_keeping)["session_at_or_after"]  # the name that the daemon calls
    return hours_of("XNYS", datetime(2026, 11, 27, 15, tzinfo=UTC)).closes_at.hour


def test_the_day_after_thanksgiving_ends_at_one_in_new_york():
    assert close_of_the_day_after_thanksgiving() == 18


def test_without_half_days_it_ends_at_four():
    with without("half_days"):
        assert close_of_the_day_after_thanksgiving() == 21


# --- people ---------------------------------------------------------------------------------------------------------


def verdict(key=KEY, *, is_retained=False, spent=()):
    """What is said of a command signed with `key`; True: it is carried out."""
    command = signed(verb="resume", scope="account", actor="me", key=key, now=NOW, entropy=b"e" * 26)
    judge = Judge(key=KEY, scope_fault=lambda _verb, _scope: "", is_spent=lambda nonce: nonce in spent)
    payload = msgspec.json.encode(command)
    return not isinstance(judge.judge(payload, is_retained=is_retained, now=NOW), Denied)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("signatures", {"key": b"another key of thirty-two bytes!"}),
        ("nonces", {"spent": (b"e" * 16).hex()}),
        ("retained_commands", {"is_retained": True}),
    ],
)
def test_a_command_that_is_not_a_persons_is_not_carried_out(name, message):
    assert not verdict(**message)
    with without(name):
        assert verdict(**message)


def test_an_account_number_is_written_with_stars():
    assert redaction.cleaned_text("account DU1234567") == "account DU***67"
    with without("redaction"):
        assert redaction.cleaned_text("account DU1234567") == "account DU1234567"


# --- connection and alerts ------------------------------------------------------------------------------------------


async def ids_of_new_orders():
    """TWS says that the next id is 3, and that our stop of before works under 250."""
    async with ScriptedTws(greeting=["15|1|DU123|", "9|1|3|"]) as tws:
        tws.answers["5"] = [open_order("OB1:sma:20261120:SPY-9:S", order_id=250, type="STP"), "53|1|"]
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        ids = [int(fields[1]) for fields in await tws.until("3", 3)]
        await broker.disconnect()
    return min(ids) > 250


async def test_no_order_id_at_or_below_the_highest_seen_is_used():
    assert await ids_of_new_orders()


async def test_without_that_ids_roll_back():
    with without("ids_never_roll_back"):
        assert not await ids_of_new_orders()


async def questions_for_the_time(folder, is_over):
    """How often a line that stands was asked for the time when `is_over` (of the line) holds."""
    line = Line(folder, runtime={"heartbeat_every_s": 0.01})
    running = asyncio.create_task(line.connection.run(line.begin))
    await eventually(lambda: is_over(line))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return line.connection.probe.asked


async def test_a_line_is_asked_for_the_time_so_that_its_silence_is_noticed(tmp_path):
    assert await questions_for_the_time(tmp_path, lambda line: line.connection.probe.asked > 2) > 2


async def test_without_that_nobody_asks(tmp_path):
    with without("silence_is_a_loss") as reach:
        assert await questions_for_the_time(tmp_path, lambda _: sum(reach.calls.values()) > 2) == 0


async def tries_of_a_gateway_that_is_away(folder):
    """Whether the daemon is still trying after the first refusal."""
    line = Line(folder)
    line.broker.is_down = True
    line.connection._hint.set()
    running = asyncio.create_task(line.connection.run(line.begin))
    await eventually(lambda: line.broker.log.count("connect") > 1 or running.done())
    is_trying = not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return is_trying


async def test_a_gateway_that_is_away_is_tried_again(tmp_path):
    assert await tries_of_a_gateway_that_is_away(tmp_path)


async def test_without_that_the_run_ends(tmp_path):
    with without("tries_for_ever"):
        assert not await tries_of_a_gateway_that_is_away(tmp_path)


def alerts_of_a_notice(folder):
    pigeon = Pigeon()
    desk = AlertDesk(
        section=a_section(),
        channels=[pigeon.channel],
        spool=Spool(folder / "spool.json"),
        sender="openbell paper",
        monotonic=lambda: 1000.0,
    )
    desk.take(Notify(level="critical", code="unprotectable", text="SPY has no stop"))
    return [len(box) for box in desk.outboxes]


def test_what_is_critical_is_on_its_way_to_a_person(tmp_path):
    assert alerts_of_a_notice(tmp_path) == [1]


def test_without_alerts_nothing_is(tmp_path):
    with without("alerts_leave"):
        assert alerts_of_a_notice(tmp_path) == [0]


def rows_lost_by_a_power_cut():
    """Whether, of the states that a power cut can leave, one lacks an acknowledged row."""
    found = enumerated(told(minutes=2, seed=1), kills_max=0, cuts_max=100, seed=1)
    return any("acknowledged rows are lost" in str(breach) for breach in found.breaches)


def test_no_power_cut_takes_an_acknowledged_row():
    assert not rows_lost_by_a_power_cut()


def test_without_synced_writes_one_does():
    """I15, by the enumeration of power cuts: the days of the simulation only kill."""
    with without("synced_journal"):
        assert rows_lost_by_a_power_cut()
