"""Contracts are asked for before anything is traded, and after a reconnect only when nobody waits for them."""

import pytest
from structlog.testing import capture_logs

from shared.commands import PlaceBracket
from shared.errors import BrokerUnavailable, ConfigError
from tests.brokers.ib.peers import (
    DATA,
    NOW,
    Notebook,
    ScriptedTws,
    a_bracket,
    contract_details,
    ib_broker,
)

DENIED = "4|2|{2}|200|No security definition has been found for the request||"
IN_USE = "4|2|-1|326|Unable to connect as the client id is already in use.||"
SYMBOLS = ("SPY", *(f"S{number}" for number in range(30)))


async def test_a_reconnect_asks_for_no_contract_that_is_known():
    async with ScriptedTws() as tws:
        tws.answers["9"] = [contract_details("{2}", "{4}", con_id="{2}"), "52|1|{2}|"]
        broker = ib_broker(tws.port, Notebook(), *SYMBOLS)
        await broker.connect()
        assert len(tws.requests("9")) == len(SYMBOLS)
        await broker.connect()
        assert (await broker.report()).is_complete
        assert len(tws.requests("9")) == len(SYMBOLS)
        await broker.disconnect()


async def test_known_contracts_are_asked_for_again_once_the_streams_run():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.connect()
        await broker.subscribe()
        await tws.until("9", 2)
        numbers = [fields[0] for fields in tws.received]
        assert numbers.index("50") < len(numbers) - 1 - numbers[::-1].index("9")
        await broker.disconnect()


async def test_a_first_connect_asks_for_each_contract_once():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.subscribe()
        await broker.warm_up(interval_s=60, bars=1, before=NOW)
        assert len(tws.requests("9")) == 1
        await broker.disconnect()


async def test_an_instrument_denied_in_the_nightly_reset_stays_what_it_was():
    """TWS.md 3.39: TWS denies then what it knew."""
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        tws.answers["9"] = [DENIED]
        await broker.connect()
        await broker.subscribe()
        await tws.until("9", 2)
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        assert [fields[2] for fields in await tws.until("3", 3)] == ["756733"] * 3
        await broker.disconnect()


async def test_a_contract_that_is_contradicted_is_said_and_refused_at_the_next_connect():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        tws.answers["9"][0] = contract_details("{2}", "{4}", tick="0.05")
        with capture_logs() as lines:
            await broker.connect()
            await broker.subscribe()
            await tws.until("9", 2)
            await broker.warm_up(interval_s=60, bars=1, before=NOW)
        (line,) = (line for line in lines if line["event"] == "broker.contract_contradicted")
        assert "whose smallest price step at the broker is 0.05" in line["reason"]
        with pytest.raises(ConfigError, match=r"the broker is 0.05"):
            await broker.connect()


async def test_a_contradicted_contract_that_is_denied_then_is_waited_for():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        tws.answers["9"][0] = contract_details("{2}", "{4}", tick="0.05")
        await broker.connect()
        await broker.subscribe()
        await tws.until("9", 2)
        await broker.warm_up(interval_s=60, bars=1, before=NOW)
        tws.answers["9"] = [DENIED]
        with pytest.raises(BrokerUnavailable, match="denied, though known before"):
            await broker.connect()


async def test_a_reconnect_does_not_wait_for_a_data_line_that_is_refused():
    """Positions and protection are compared over the other line."""
    async with ScriptedTws() as tws:
        notebook = Notebook()
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        greeting = tws.greeting
        tws.greetings = {DATA: [IN_USE]}
        assert await broker.connect() == "DU123"
        assert (await broker.report()).is_complete
        assert [event.quality for event in notebook.events] == ["silent"]
        await broker.subscribe()
        tws.greetings = {DATA: greeting}
        await tws.until("50")
        await broker.disconnect()
