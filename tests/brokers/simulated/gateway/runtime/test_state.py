import asyncio
import json
import os
import signal
import sys

import pytest
from ib_insync import IB, LimitOrder, MarketOrder, Stock

from brokers.simulated.gateway.runtime import state_file
from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.source import Split
from shared.errors import ConfigError
from tests.brokers.simulated.gateway.scripted_market import DAY_S, OPENS_AT, ScriptedMarket, a_bar, flat

SPY = Stock("SPY", "SMART", "USD")


class Run:
    """A gateway with a state file for as long as the block lasts, and one client on it."""

    def __init__(self, path, *, market=None, begins_at=OPENS_AT - 60, **settings):
        self.clock = ManualClock(begins_at)
        market = market or ScriptedMarket([flat(100.0)] * 50, lasts_s=3600)
        self.gateway = SimulatedGateway(market, self.clock, port=0, state_path=path, **settings)
        self.ib = IB()

    async def __aenter__(self):
        await self.gateway.__aenter__()
        await self.ib.connectAsync("127.0.0.1", self.gateway.port, clientId=1, timeout=5)
        return self

    async def __aexit__(self, *fault):
        self.ib.disconnect()
        await self.gateway.__aexit__(*fault)

    async def to(self, at):
        self.clock.advance_to(at)
        async with asyncio.timeout(5):
            await self.gateway.session.played_to(at)
            await self.ib.reqCurrentTimeAsync()

    async def place(self, order):
        trade = self.ib.placeOrder(SPY, order)
        await asyncio.wait_for(self.ib.reqCurrentTimeAsync(), 5)
        return trade


async def kept(path):
    """Return once the file holds an order."""
    async with asyncio.timeout(10):
        while not path.exists() or not json.loads(path.read_text())["desk"]["orders"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # another process writes it


async def test_a_gateway_that_comes_back_has_the_orders_ids_positions_and_hour_of_before(tmp_path):
    path = tmp_path / "state.json"
    async with Run(path) as before:
        await before.to(OPENS_AT + 10)
        await before.place(MarketOrder("BUY", 10))
        resting = await before.place(LimitOrder("SELL", 10, 105.0, tif="GTC"))
    state = json.loads(path.read_text())
    assert (state["session"], state["at"]) == ("2013-10-08", OPENS_AT + 10)

    async with Run(path, begins_at=OPENS_AT + 10) as after:
        assert [trade.order.permId for trade in after.ib.openTrades()] == [resting.order.permId]
        assert after.ib.client.getReqId() > resting.order.orderId
        assert [held.position for held in after.ib.positions()] == [10.0]
        assert [fill.execution.price for fill in after.ib.fills()] == [100.01]
        fresh = await after.place(LimitOrder("BUY", 1, 90.0))
        assert fresh.order.permId > resting.order.permId


async def test_a_restored_order_goes_on_filling(tmp_path):
    path = tmp_path / "state.json"
    rises = ScriptedMarket([flat(100.0), flat(100.0), a_bar(100, 106, 100, 106), flat(106.0)], lasts_s=3600)
    async with Run(path, market=rises) as before:
        await before.to(OPENS_AT + 10)
        await before.place(LimitOrder("SELL", 10, 105.0))
    async with Run(path, market=rises, begins_at=OPENS_AT + 10) as after:
        await after.to(OPENS_AT + 15)
        assert [done.price for done in after.gateway.ledger.executions] == [105.0]


async def test_orders_that_were_not_transmitted_are_not_kept(tmp_path):
    path = tmp_path / "state.json"
    async with Run(path) as before:
        await before.place(LimitOrder("SELL", 10, 105.0, transmit=False))
    async with Run(path) as after:
        assert after.gateway.session.desk.orders == {}


async def test_on_a_later_day_day_orders_are_gone_and_good_till_cancelled_ones_work(tmp_path):
    path = tmp_path / "state.json"
    async with Run(path) as before:
        await before.to(OPENS_AT + 10)
        await before.place(LimitOrder("BUY", 10, 90.0, tif="DAY"))
        kept = await before.place(LimitOrder("BUY", 10, 91.0, tif="GTC"))
    tomorrow = ScriptedMarket([flat(100.0)] * 5, opens_at=OPENS_AT + DAY_S)
    async with Run(path, market=tomorrow, begins_at=OPENS_AT + DAY_S - 60) as after:
        assert [trade.order.permId for trade in after.ib.openTrades()] == [kept.order.permId]


async def test_a_split_of_the_morning_after_happens_once(tmp_path):
    path = tmp_path / "state.json"
    async with Run(path) as before:
        await before.to(OPENS_AT + 10)
        await before.place(MarketOrder("BUY", 10))
        await before.place(LimitOrder("SELL", 10, 120.0, tif="GTC"))
    tomorrow = ScriptedMarket([flat(50.0)] * 5, opens_at=OPENS_AT + DAY_S, actions=[Split(0, 2.0)])
    for _ in range(2):
        async with Run(path, market=tomorrow, begins_at=OPENS_AT + DAY_S - 60) as after:
            assert [held.position for held in after.ib.positions()] == [20.0]
            assert after.ib.openTrades() == []


async def test_the_day_that_the_state_had_reached_is_found_from_an_earlier_one(tmp_path):
    path = tmp_path / "state.json"
    tomorrow = ScriptedMarket([flat(100.0)] * 5, opens_at=OPENS_AT + DAY_S)
    async with Run(path, market=tomorrow, begins_at=OPENS_AT + DAY_S - 60):
        pass
    today = ScriptedMarket([flat(100.0)] * 5, following=tomorrow)
    async with Run(path, market=today, begins_at=OPENS_AT + DAY_S - 60) as after:
        assert after.gateway.session.market.session == tomorrow.session


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "state file"),
        (b"{}", "not a gateway's state of format 1"),
        (b"[1, 2", "state file"),
        (b'{"format": 2, "session": "", "at": 0, "accounts": [], "desk": {}}', "format 1"),
        (b'{"format": 1, "session": "2013-10-08", "at": 0, "accounts": [{}], "desk": {}}', "unreadable"),
        (b'{"format": 1, "session": "soon", "at": 0, "accounts": [], "desk": {}}', "'soon' is not a date"),
        (b'{"format": 1, "session": "2099-01-01", "at": 0, "accounts": [], "desk": {}}', "2099-01-01"),
    ],
)
async def test_a_state_that_cannot_be_read_is_one_clear_line(tmp_path, content, said):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        Run(path)
    assert said in str(raised.value)
    assert len(raised.value.faults) == 1
    assert path.read_bytes() == content


async def test_a_state_of_other_accounts_is_refused(tmp_path):
    path = tmp_path / "state.json"
    async with Run(path):
        pass
    with pytest.raises(ConfigError, match="it has accounts DU7654321, wanted are DU1000001"):
        Run(path, accounts=("DU1000001",))


async def test_a_change_is_on_disk_soon_after_it_was_acknowledged(tmp_path):
    path = tmp_path / "state.json"
    async with Run(path) as run:
        await run.place(LimitOrder("BUY", 10, 90.0))
        await kept(path)
        assert state_file.WRITE_EVERY_S <= 1


@pytest.mark.process
async def test_after_sigkill_the_command_goes_on_with_the_same_orders_positions_and_ids(tmp_path):
    path = tmp_path / "state.json"

    async def start():
        command = (sys.executable, "-m", "openbell", "gateway", "--synthetic", "--symbols", "SPY", "--port", "0")
        options = ("--json", "--speed", "1", "--lead-in", "0", "--state", str(path))
        process = await asyncio.create_subprocess_exec(
            *command, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout is not None
        facts = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        ib = IB()
        await ib.connectAsync("127.0.0.1", facts["port"], clientId=1, timeout=10)
        return process, ib

    process, ib = await start()
    order = LimitOrder("BUY", 10, 1.0, tif="GTC", outsideRth=True)
    trade = ib.placeOrder(SPY, order)
    await ib.reqCurrentTimeAsync()
    await kept(path)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    ib.disconnect()

    process, back = await start()
    assert [one.order.permId for one in back.openTrades()] == [trade.order.permId]
    assert back.client.getReqId() > trade.order.orderId
    back.disconnect()
    process.terminate()
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
