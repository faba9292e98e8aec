"""Connecting, losing, and what may be said in between; the other side is scripted."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from shared.commands import CancelOrder, PlaceBracket, ReplaceStop
from shared.errors import BrokerUnavailable, ConfigError
from shared.events import ConnectionRestored
from tests.brokers.ib.peers import (
    DATA,
    ENTRY,
    Notebook,
    ScriptedTws,
    a_bracket,
    a_stop,
    contract_details,
    execution,
    ib_broker,
    open_order,
)

SHORT = {"connect_timeout_s": 0.2, "request_timeout_s": 0.2}


async def refused(tws: ScriptedTws, match: str, **settings) -> None:
    with pytest.raises(BrokerUnavailable, match=match) as caught:
        await ib_broker(tws.port, Notebook(), **settings).connect()
    assert "\n" not in str(caught.value)


async def test_nobody_at_the_port_is_said_in_one_line():
    async with ScriptedTws() as tws:
        port = tws.port
    broker = ib_broker(port, Notebook())
    with pytest.raises(BrokerUnavailable, match=rf"broker at 127.0.0.1:{port}: connection refused"):
        await broker.connect()


async def test_a_peer_that_never_answers_the_handshake_costs_only_the_timeout():
    async with ScriptedTws(version="") as tws:
        await refused(tws, "no complete handshake within 0.2 s", **SHORT)


@pytest.mark.parametrize("greeting", [["15|1|DU123|"], ["9|1|100|"], ["15|1||", "9|1|100|"]])
async def test_a_handshake_without_accounts_or_without_an_order_id_is_incomplete(greeting):
    async with ScriptedTws(greeting=greeting) as tws:
        await refused(tws, "no complete handshake", **SHORT)


async def test_a_client_id_in_use_is_told_at_once_and_not_by_the_timeout():
    async with ScriptedTws(greeting=["4|2|-1|326|Unable to connect as the client id is already in use.||"]) as tws:
        started = time.monotonic()
        await refused(tws, "client id 7 is in use", connect_timeout_s=30.0)
        assert time.monotonic() - started < 5


async def test_a_newer_protocol_than_we_can_read_is_refused():
    async with ScriptedTws(version="200|20261120 10:00:00 EST|") as tws:
        await refused(tws, "server version 200 is not supported")


async def test_a_missing_end_of_the_open_orders_is_no_connection():
    async with ScriptedTws() as tws:
        tws.answers["5"] = []
        await refused(tws, "open orders: no complete answer", **SHORT)


async def test_a_tws_without_its_server_is_no_connection():
    async with ScriptedTws(greeting=["15|1|DU123|", "9|1|100|", "4|2|-1|1100|Connectivity lost||"]) as tws:
        await refused(tws, "TWS has lost its server")


async def test_an_unknown_instrument_is_a_mistake_of_the_configuration():
    async with ScriptedTws() as tws:
        tws.answers["9"] = ["4|2|{2}|200|No security definition has been found for the request||"]
        with pytest.raises(ConfigError, match=r"universe.symbols: SPY \(USD\) is unknown to the broker"):
            await ib_broker(tws.port, Notebook()).connect()


async def test_two_contracts_for_one_symbol_are_named():
    async with ScriptedTws() as tws:
        tws.answers["9"].insert(0, contract_details("{2}", "{4}", con_id=1))
        with pytest.raises(ConfigError, match=r"SPY \(USD\) fits several"):
            await ib_broker(tws.port, Notebook()).connect()


async def test_a_coarser_tick_at_the_broker_names_both():
    async with ScriptedTws() as tws:
        tws.answers["9"][0] = contract_details("{2}", "{4}", tick="0.05")
        with pytest.raises(ConfigError, match=r"0.01 is not allowed for SPY.* the broker is 0.05"):
            await ib_broker(tws.port, Notebook()).connect()


async def test_a_finer_tick_at_the_broker_is_fine():
    async with ScriptedTws() as tws:
        tws.answers["9"][0] = contract_details("{2}", "{4}", tick="0.0001")
        broker = ib_broker(tws.port, Notebook())
        assert await broker.connect() == "DU123"
        await broker.disconnect()


async def test_one_of_several_accounts_must_be_named():
    async with ScriptedTws(greeting=["15|1|DU1,DU2,|", "9|1|100|"]) as tws:
        with pytest.raises(ConfigError, match="2 accounts"):
            await ib_broker(tws.port, Notebook()).connect()
        broker = ib_broker(tws.port, Notebook(), account="DU2")
        assert await broker.connect() == "DU2"
        await broker.disconnect()


@pytest.mark.parametrize("how", ["reset", "hang_up"])
async def test_a_lost_socket_is_told_once(how):
    notebook = Notebook()
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        getattr(tws, how)()
        await notebook.until(lambda: notebook.events)
        for attempt in (broker.server_time(), broker.report(), broker.execute(CancelOrder(ref=ENTRY))):
            with pytest.raises(BrokerUnavailable):
                await attempt
        await broker.disconnect()
    assert notebook.told == ["ConnectionLost"]


async def test_a_frozen_peer_is_lost_when_it_does_not_tell_the_time():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, notebook, **SHORT)
        await broker.connect()
        tws.answers["49"] = []
        with pytest.raises(BrokerUnavailable, match="time: no complete answer"):
            await broker.server_time()
        assert not broker.is_connected
        with pytest.raises(BrokerUnavailable):
            await broker.execute(PlaceBracket(bracket=a_bracket()))
        await broker.disconnect()
        assert tws.requests("3") == []
    assert notebook.told == ["ConnectionLost"]


async def test_leaving_is_not_a_loss_and_may_be_done_twice():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, notebook)
        await broker.disconnect()
        await broker.connect()
        await broker.disconnect()
        await broker.disconnect()
    assert notebook.events == []


async def test_the_brokers_clock_is_utc():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        assert await broker.server_time() == datetime(2025, 11, 20, 15, tzinfo=UTC)
        await broker.disconnect()


async def test_while_tws_has_lost_its_server_nothing_is_sent_and_both_turns_are_told():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        tws.say("4|2|-1|1100|lost||", "4|2|-1|1100|lost||", "4|2|-1|2110|lost||")
        await notebook.until(lambda: notebook.events)
        with pytest.raises(BrokerUnavailable, match="TWS has lost its server"):
            await broker.execute(PlaceBracket(bracket=a_bracket()))
        with pytest.raises(BrokerUnavailable, match="TWS has lost its server"):
            await broker.report()
        tws.say("4|2|-1|1102|restored||")
        await notebook.until(lambda: notebook.of(ConnectionRestored))
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await tws.until("3", 3)
        await broker.disconnect()
    assert notebook.told == ["ConnectionLost", "ConnectionRestored"]
    assert notebook.events[1].account_id == "DU123"


async def test_after_a_loss_of_data_the_streams_are_started_again():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook(), "SPY", "IBM")
        tws.answers["9"] = [contract_details("{2}", "{4}", con_id="{2}"), "52|1|{2}|"]
        await broker.connect()
        await broker.subscribe()
        first = await tws.until("50", 2)
        tws.say("4|2|-1|1101|restored, data lost||", client=DATA)
        second = (await tws.until("50", 4))[2:]
        assert [fields[2] for fields in tws.requests("51")] == [fields[2] for fields in first]
        assert [fields[4] for fields in second] == ["SPY", "IBM"]
        await broker.disconnect()


async def test_data_farm_messages_change_nothing_for_orders():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        tws.say(*(f"4|2|-1|{code}|farm||" for code in (2103, 2105, 2107, 2108, 2104, 2106)))
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await broker.server_time()
        assert len(tws.requests("3")) == 3
        await broker.disconnect()
    assert notebook.events == []


async def test_only_a_simulated_gateway_sets_the_clock():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        tws.say(
            "4|2|-1|2199|SIMULATED gateway: clock=2013-10-08T13:30:00+00:00 speed=120.0||",
            "4|2|-1|2199|SIMULATED gateway: clock=tomorrow speed=120.0||",
            "4|2|-1|2104|Market data farm connection is OK||",
        )
        await broker.server_time()
        await broker.disconnect()
    assert notebook.clocks == [(datetime(2013, 10, 8, 13, 30, tzinfo=UTC), 120.0)]


async def test_order_ids_stay_above_open_orders_even_when_tws_rolls_back():
    async with ScriptedTws(greeting=["15|1|DU123|", "9|1|3|"]) as tws:
        tws.answers["5"] = [open_order("OB1:sma:20261120:SPY-9:S", order_id=250, type="STP"), "53|1|"]
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        assert all(int(fields[1]) > 250 for fields in await tws.until("3", 3))
        await broker.disconnect()


async def ids_of(tws: ScriptedTws, number: int) -> set[int]:
    """The order ids of bracket `number`, as soon as it has left."""
    return {int(fields[1]) for fields in (await tws.until("3", 3 * number))[3 * number - 3 :]}


async def test_no_order_id_of_a_connection_before_is_used_again_though_tws_gives_it_out():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        before = await ids_of(tws, 1)
        await broker.connect()  # to a TWS that hands out the ids of before
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        assert min(await ids_of(tws, 2)) > max(before)
        await broker.disconnect()


async def test_no_order_id_under_which_something_was_executed_is_used_again():
    async with ScriptedTws() as tws:
        tws.answers["7"] = [execution("OB1:sma:20261120:SPY-8:E", "0.1.01", req_id="{2}", order_id=250), "55|1|{2}|"]
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.report()
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        assert min(await ids_of(tws, 1)) > 250
        await broker.disconnect()


async def test_an_order_leaves_before_the_questions_that_wait_their_turn():
    symbols = ["SPY", *(f"S{number}" for number in range(40))]
    async with ScriptedTws() as tws:
        tws.answers["9"] = [contract_details("{2}", "{4}", con_id="{2}"), "52|1|{2}|"]
        broker = ib_broker(tws.port, Notebook(), *symbols)
        await broker.connect()
        subscribing = asyncio.create_task(broker.subscribe())
        await tws.until("50")
        await broker.execute(ReplaceStop(order=a_stop()))
        await tws.until("3")
        assert len(tws.requests("50")) < len(symbols)
        subscribing.cancel()
        await broker.disconnect()
