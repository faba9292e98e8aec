import asyncio
import json
import logging

import pytest
from ib_insync import IB, MarketOrder, Stock

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.runtime.recorded import RecordedGateway
from brokers.simulated.gateway.runtime.recording_file import read_recording
from brokers.simulated.gateway.server import SimulatedGateway
from shared.errors import ConfigError
from tests.architecture.source import ROOT
from tests.brokers.simulated.gateway.raw_client import RawClient, codes
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, ScriptedMarket, flat

CAPTURE = ROOT.parent / "shared/data/tws/wire_messages.jsonl"
SPY = Stock("SPY", "SMART", "USD")
MILLION_TIMES = 1e6


async def day_of(port, *, next_id=None):
    """One client's day: connect, look up, buy, and see what it holds; returns what it saw."""
    ib = IB()
    await ib.connectAsync("127.0.0.1", port, clientId=1, timeout=5)
    if next_id:
        ib.client.updateReqId(next_id)
    (details,) = await ib.reqContractDetailsAsync(SPY)
    trade = ib.placeOrder(SPY, MarketOrder("BUY", 10))
    await ib.reqCurrentTimeAsync()
    seen = {
        "account": ib.managedAccounts(),
        "name": details.longName,
        "status": trade.orderStatus.status,
        "order_ids": (trade.order.orderId, trade.fills[0].execution.orderId),
        "fills": [(fill.execution.shares, fill.execution.price, fill.execution.execId) for fill in trade.fills],
        "commission": trade.fills[0].commissionReport.commission,
    }
    ib.disconnect()
    return seen


@pytest.fixture
async def recorded_day(tmp_path):
    """The file, and what the client saw while it was recorded."""
    path = tmp_path / "day.jsonl"
    clock = ManualClock(OPENS_AT + 10)
    market = ScriptedMarket([flat(100.0)] * 50, lasts_s=3600)
    settings = {"port": 0, "record_path": path, "accounts": ("DU7654321",)}
    async with SimulatedGateway(market, clock, **settings) as gateway:
        seen = await day_of(gateway.port)
    return path, seen


async def test_a_recording_holds_every_message_in_both_directions_with_time_client_and_version(recorded_day):
    path, _ = recorded_day
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {tuple(sorted(line)) for line in lines} == {("at", "client", "dir", "fields", "version")}
    assert {(line["client"], line["version"]) for line in lines} == {(1, 176)}
    assert lines[0] == {
        "at": OPENS_AT + 10, "client": 1, "version": 176, "dir": "client", "fields": ["71", "2", "1", ""],
    }  # fmt: skip
    asked = [line["fields"][0] for line in lines if line["dir"] == "client"]
    told = [line["fields"][0] for line in lines if line["dir"] == "server"]
    assert {"61", "5", "99", "9", "3", "49"} <= set(asked)
    assert {"15", "9", "62", "10", "52", "5", "3", "11", "59", "49"} <= set(told)


async def test_a_recording_names_no_account_and_no_host(recorded_day):
    path, _ = recorded_day
    text = path.read_text()
    assert "DU7654321" not in text
    assert "DU0000001" in text
    assert "127.0.0.1" not in text


async def test_a_client_that_asks_the_same_gets_the_recorded_answers(recorded_day):
    path, seen = recorded_day
    async with RecordedGateway(path, port=0, speed=MILLION_TIMES) as gateway:
        again = await day_of(gateway.port)
    assert again == seen | {"account": ["DU0000001"]}


async def test_the_answers_carry_the_ids_of_the_client_that_asks_now(recorded_day):
    path, seen = recorded_day
    async with RecordedGateway(path, port=0, speed=MILLION_TIMES) as gateway:
        again = await day_of(gateway.port, next_id=5000)
    assert again["order_ids"] == (5001, 5001)
    assert again["fills"] == seen["fills"]


async def test_every_client_is_played_the_recording_from_its_beginning(recorded_day):
    path, _ = recorded_day
    async with RecordedGateway(path, port=0, speed=MILLION_TIMES) as gateway:
        assert await day_of(gateway.port) == await day_of(gateway.port)


async def test_a_request_that_was_not_recorded_gets_321_and_a_clear_line(recorded_day, caplog):
    path, _ = recorded_day
    async with RecordedGateway(path, port=0, speed=MILLION_TIMES) as gateway:
        client = await RawClient.connected(gateway.port, client_id=1)
        client.say(81, 77, "SP")
        told = await client.answers()
        client.close()
    assert ["77", "321"] in [fields[2:4] for fields in told if fields[0] == "4"]
    assert "request 81|77|SP was not recorded" in caplog.text


async def test_messages_come_at_the_pace_of_the_recording_divided_by_the_speed(tmp_path):
    path = tmp_path / "bars.jsonl"
    ask = {"client": 1, "dir": "client", "version": 176, "at": 0.0, "fields": ["49", "1"]}
    bars = [
        {"client": 1, "dir": "server", "version": 176, "at": at, "fields": ["49", "1", str(at)]}
        for at in (0.0, 3600.0, 7200.0)
    ]
    path.write_text("\n".join(map(json.dumps, [ask, *bars])))
    async with RecordedGateway(path, port=0, speed=1.0) as slow, RecordedGateway(path, port=0, speed=1e9) as fast:
        waits, flies = [await RawClient.connected(one.port, client_id=1) for one in (slow, fast)]
        for client in (waits, flies):
            client.say(49, 1)
        assert [(await flies.heard(49))[-1][2] for _ in range(3)] == ["0.0", "3600.0", "7200.0"]
        assert (await waits.heard(49))[-1][2] == "0.0"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waits.heard(49), 0.05)
        for client in (waits, flies):
            client.close()


async def test_a_client_of_another_version_is_refused_with_a_clear_line(recorded_day, caplog):
    path, _ = recorded_day
    async with RecordedGateway(path, port=0) as gateway:
        client = await RawClient.connected(gateway.port, offer=b"v100..157", start=False)
        assert await client.rest() == []
        client.close()
    assert "it offers 100..157, the recording is 176" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no message"),
        ('{"dir": "client"}', "line 1: neither `fields` nor `msg`"),
        ('{"dir": "up", "msg": "1|"}', "line 1: Invalid enum value 'up'"),
        ('{"dir": "client", "msg": "49|1|"}\nnonsense', "line 2"),
        (
            '{"dir": "client", "msg": "1|", "version": 157}\n{"dir": "client", "msg": "1|", "version": 176}',
            "[157, 176]",
        ),
    ],
)
def test_a_recording_that_cannot_be_read_is_one_clear_line(tmp_path, text, said):
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_recording(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_recording_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_recording(tmp_path / "none.jsonl")


# ------------------------------------------------------------------ messages of a real TWS

real = pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded messages at {CAPTURE}")


@real
@pytest.mark.recorded
async def test_the_capture_of_a_real_tws_greets_a_client_as_it_did_then():
    async with RecordedGateway(CAPTURE, port=0) as gateway:
        client = await RawClient.connected(gateway.port, client_id=28)
        told = await client.answers()
        client.close()
    assert client.version == "173"
    assert ["15", "1", "DU1234567"] in told
    assert codes(told) == [2104, 2107, 2158]


@real
@pytest.mark.recorded
async def test_ib_insync_gets_the_contract_details_a_real_tws_gave(caplog):
    caplog.set_level(logging.INFO)
    async with RecordedGateway(CAPTURE, port=0) as gateway:
        ib = IB()
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=1, timeout=5)
        details = await asyncio.wait_for(ib.reqContractDetailsAsync(Stock("TSLA", "SMART", "USD")), 5)
        ib.disconnect()
    assert [one.contract.exchange for one in details if one.contract] == ["SMART", "AMEX"]
    assert [one.longName for one in details] == ["TESLA INC", "TESLA INC"]


@real
@pytest.mark.recorded
async def test_a_real_market_order_placed_again_gets_its_seven_messages_under_its_new_id():
    captured = [json.loads(line) for line in CAPTURE.read_text().splitlines()]
    asked = next(
        line["msg"].split("|")[:-1] for line in captured if line["dir"] == "client" and line["msg"][:2] == "3|"
    )
    async with RecordedGateway(CAPTURE, port=0) as gateway:
        client = await RawClient.connected(gateway.port, client_id=1)
        await client.answers()
        client.say(3, 4711, *asked[2:])
        told = (await client.answers())[:-1]
        client.close()
    assert [fields[0] for fields in told] == ["5", "3", "11", "5", "3", "5", "59"]
    assert {fields[1] for fields in told if fields[0] in {"5", "3"}} == {"4711"}
    assert told[2][2:5] == ["4711", "76792991", "TSLA"]
    assert told[1][2] == "PreSubmitted"
    assert told[4][2] == "Filled"
