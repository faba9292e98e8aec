"""Whole runs in one process: the real engine, journal and loop around an in-memory broker."""

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from brokers.port import ClosedRow
from daemon.engine.assembly import build_engine
from daemon.runtime.lifecycle import journal_path, log_path
from daemon.runtime.status import heartbeat_line, last_heartbeats, read_status, screen
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.wiring import assemble
from shared.account import BrokerPosition
from shared.commands import Notify, PlaceBracket
from shared.errors import Refused
from shared.events import OrderFilled
from shared.io.journal import Journal, JournalReader
from shared.io.journal_audit import audit_run
from shared.io.logging import set_up_logging
from shared.market import Bar
from shared.orders import Fill, OpenOrder
from tests.fakes.broker import FakeBroker
from tests.runtime.builders import a_config, a_row, at, eventually


class Market(FakeBroker):
    """Begins at `starts_at` of the session; fills every entry at once, at the price of its bar."""

    def __init__(self, listener, now, starts_at):
        super().__init__(now)
        self.callbacks = listener
        self.starts_at = starts_at
        self.history = [ClosedRow(closed_at=at(60 * minute), row=a_row(165.0)) for minute in (-2, -1, 0)]

    async def connect(self):
        account = await super().connect()
        self.callbacks.on_clock(self.starts_at, 100.0)
        return account

    async def execute(self, command):
        await super().execute(command)
        if isinstance(command, PlaceBracket):
            order, stop = command.bracket.entry, command.bracket.stop_loss
            fill = Fill(
                ref=order.ref,
                exec_id=f"0001.{len(self.sent):04d}.01.01",
                symbol=order.symbol,
                side=order.side,
                quantity=order.quantity,
                price=166.0,
                filled_at=self.now(),
            )
            self.positions += (BrokerPosition(symbol=order.symbol, quantity=order.quantity, average_cost=166.0),)
            self.open_orders += (an_open_order(stop), an_open_order(command.bracket.take_profit))
            self.callbacks.on_event(OrderFilled(received_at=self.now(), fill=fill))

    def play(self, minute, price):
        """One minute of bars of both instruments."""
        for second in range(60 * minute, 60 * minute + 60, 5):
            for symbol in ("SPY", "IBM"):
                self.callbacks.on_bar(symbol, at(second), 5, Bar(price, price, price, price, 100.0))


def an_open_order(order):
    return OpenOrder(
        ref=order.ref,
        perm_id=sum(order.ref.encode()),
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type.value,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        status="Submitted",
        client_id=7,
        order_id=1,
    )


class Running:
    """One daemon at work and the market it trades in."""

    def __init__(self, config, starts_at, surroundings=None):
        self.config = config
        self.made: list[Market] = []
        journal = Journal.create(journal_path(config), config.mode)
        self.daemon = assemble(config, journal, build_engine, self._build(starts_at), surroundings)
        self.book = self.daemon._organs.loop.engine.book

    def _build(self, starts_at):
        def build(_config, listener, clock):
            self.made.append(Market(listener, clock, starts_at))
            return self.market

        return build

    @property
    def market(self):
        return self.made[0]

    async def until_subscribed(self):
        await eventually(lambda: "subscribe" in self.market.log)


@pytest.fixture
def config(tmp_path):
    config = a_config(tmp_path)
    set_up_logging(log_path(config), stderr_is_terminal=False)
    return config


async def a_traded_morning(config):
    """A run that buys SPY, ended by SIGTERM; how it ended, and the run."""
    run = Running(config, at(0))
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    for minute, price in enumerate([164.0, 163.0, 162.0, 164.0, 166.0]):
        run.market.play(minute, price)
    await eventually(lambda: "SPY" in run.book.positions())
    run.daemon.request_stop("SIGTERM")
    return await asyncio.wait_for(work, 20), run


def records_of(config):
    with JournalReader.open(journal_path(config)) as journal:
        return list(journal.records()), journal.runs(), journal.last_snapshot()


async def test_a_run_trades_stops_in_good_order_and_says_what_stays(config):
    ending, run = await a_traded_morning(config)
    assert ending.exit_code == 0
    assert "positions: SPY +" in ending.summary
    assert "SELL" in ending.summary
    assert ending.summary.endswith("unprotected positions: 0")
    assert run.market.log[-1] == "disconnect"


async def test_the_journal_begins_with_the_run_and_ends_with_its_stop_report_and_snapshot(config):
    await a_traded_morning(config)
    records, (run,), snapshot = records_of(config)
    kinds = [record.kind for record in records]
    assert kinds[:4] == ["RunStarted", "SessionScheduled", "ConnectionRestored", "BrokerReported"]
    assert kinds[-2:] == ["StopRequested", "BrokerReported"]
    assert (run.after_seq, snapshot.seq) == (0, len(records))
    assert run.base_dir == str(config.base_dir)


async def test_the_run_audits_identical(config):
    await a_traded_morning(config)
    with JournalReader.open(journal_path(config)) as journal:
        verdict = audit_run(journal, journal.runs()[0], build_engine)
    assert verdict.identical
    assert verdict.commands > 0


async def test_the_next_run_knows_the_position_and_is_not_fed_a_row_twice(config):
    _, first = await a_traded_morning(config)
    second = Running(config, at(360))
    second.market.positions, second.market.open_orders = first.market.positions, first.market.open_orders
    assert second.book.positions() == first.book.positions()
    work = asyncio.create_task(second.daemon.run(until_close=False))
    await second.until_subscribed()
    second.daemon.request_stop("SIGINT")
    ending = await asyncio.wait_for(work, 20)
    assert ending.exit_code == 130
    rows = [record for record in records_of(config)[0] if record.kind == "BarsClosed"]
    assert len({record.payload for record in rows}) == len(rows)
    assert second.market.sent == []


async def test_a_market_that_is_older_than_the_journal_is_refused(config):
    await a_traded_morning(config)
    again = Running(config, at(0) - timedelta(days=1))
    with pytest.raises(Refused, match=r"but the market's time is 2013-10-07 .* use another state_dir"):
        await again.daemon.run(until_close=False)


async def test_a_clock_that_was_set_back_keeps_no_daemon_from_its_positions(config):
    """Found by simulation (brutal 1047): refused again and again, with a position in the market."""
    await a_traded_morning(config)
    broker = config.broker.model_copy(update={"follow_gateway_clock": False})
    walled = config.model_copy(update={"broker": broker})
    again = Running(walled, at(0), Surroundings(wall=lambda: at(-1800)))
    heard: list[Notify] = []
    again.daemon._notices.listen(heard.append)
    work = asyncio.create_task(again.daemon.run(until_close=False))
    await again.until_subscribed()
    assert again.book.positions() != {}
    again.daemon.request_stop("SIGTERM")
    await asyncio.wait_for(work, 20)
    assert [(notice.level, notice.code) for notice in heard][:1] == [("critical", "clock_behind_journal")]
    times = [record.received_at for record in records_of(config)[0]]
    assert times == sorted(times)


async def test_a_person_is_told_of_a_strategy_that_begins_anew(config):
    _, first = await a_traded_morning(config)
    slower = config.strategies[0].model_copy(update={"params": {"fast": 2, "slow": 4}})
    again = Running(config.model_copy(update={"strategies": (slower,)}), at(360))
    again.market.positions, again.market.open_orders = first.market.positions, first.market.open_orders
    heard: list[Notify] = []
    again.daemon._notices.listen(heard.append)
    work = asyncio.create_task(again.daemon.run(until_close=False))
    await again.until_subscribed()
    again.daemon.request_stop("SIGTERM")
    await asyncio.wait_for(work, 20)
    assert [(notice.level, notice.code) for notice in heard][:1] == [("warning", "memory_began_anew")]


async def test_a_wall_that_is_a_day_behind_the_journal_is_refused(config):
    await a_traded_morning(config)
    broker = config.broker.model_copy(update={"follow_gateway_clock": False})
    walled = config.model_copy(update={"broker": broker})
    again = Running(walled, at(0), Surroundings(wall=lambda: at(0) - timedelta(days=1)))
    with pytest.raises(Refused, match="use another state_dir"):
        await again.daemon.run(until_close=False)


async def test_until_close_ends_by_itself_after_the_session(config):
    run = Running(config, at(6.5 * 3600 - 5))
    ending = await asyncio.wait_for(run.daemon.run(until_close=True), 20)
    assert (ending.exit_code, "session closed" in ending.summary) == (0, True)


async def test_stopped_before_any_gateway_was_there_nothing_is_written(config):
    run = Running(config, at(0))
    run.market.is_down = True
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await eventually(lambda: "connect" in run.market.log)
    run.daemon.request_stop("SIGTERM")
    assert (await asyncio.wait_for(work, 20)).exit_code == 0
    assert records_of(config)[:2] == ([], [])


async def test_status_and_tail_tell_what_the_heartbeats_said(config):
    await a_traded_morning(config)
    now = datetime.now(UTC)
    facts = read_status(log_path(config), journal_path(config), now)
    text = "\n".join(screen(facts))
    assert "ACTIVE, broker up, reconciled" in text
    assert "SPY +" in text
    assert "stop: SELL" in text
    assert "PlaceBracket  BUY" in text
    assert 0 <= facts.age_s < 60
    (beat,) = last_heartbeats(log_path(config), 1)
    assert "market 2013-10-08T13:3" in heartbeat_line(beat)
    assert "UNPROTECTED" not in heartbeat_line(beat)


async def test_no_line_of_the_log_names_the_account(config):
    await a_traded_morning(config)
    lines = log_path(config).read_text().splitlines()
    assert lines
    assert all(json.loads(line)["at"].endswith("Z") for line in lines)
    assert "DU1234567" not in log_path(config).read_text()


async def test_systemd_hears_that_it_is_ready_alive_and_stopping(config, tmp_path, monkeypatch):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        await a_traded_morning(config)
        heard: set[bytes] = set()
        while not {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"} <= heard:
            heard.update(systemd.recv(1000).splitlines())
