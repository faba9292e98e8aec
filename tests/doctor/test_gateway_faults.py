"""Every fault between us and TWS, made on the wire by the simulated gateway or by a server that is none."""

import asyncio
from contextlib import asynccontextmanager

import ib_insync
import pytest

from brokers.ib.probe import GatewayFacts, Listed
from daemon.doctor.check import judged
from daemon.doctor.gateway_checks import CHECKS, Visited
from daemon.doctor.report import diagnose
from shared.io.journal import Journal
from shared.io.journal_place import journal_place
from tests.brokers.ib.gateways import MARKET, a_gateway
from tests.runtime.builders import a_config, a_run

STEP_S = 1.0
OPEN = MARKET.opens_at + 3600


def config_for(folder, port, **changes):
    broker = {"port": port, "request_timeout_s": 2.0, **changes.pop("broker", {})}
    universe = {"symbols": ["SPY", "AAPL"], **changes.pop("universe", {})}
    return a_config(folder, broker=broker, universe=universe, **changes)


async def seen(config):
    lines = await diagnose(config, step_s=STEP_S)
    return {line.name: line for line in lines}


def faults(lines):
    return {name for name, line in lines.items() if line.level == "fail"}


@asynccontextmanager
async def a_server(answer):
    """Something that listens; `answer` is what it does with a connection."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_sound_gateway_has_no_faults(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port))
    assert faults(lines) == set()
    assert lines["orders_accepted"].text == "a what-if order was answered, nothing was sent to the market"


async def test_nothing_is_left_at_the_gateway(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        await seen(config_for(tmp_path, gateway.port))
        ib = ib_insync.IB()
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=0, timeout=5)
        assert await ib.reqAllOpenOrdersAsync() == []
        assert ib.positions() == []
        ib.disconnect()


async def test_a_port_on_which_nobody_listens(tmp_path):
    lines = await seen(config_for(tmp_path, 1))
    assert faults(lines) == {"gateway_port"}
    assert "Enable ActiveX and Socket Clients" in lines["gateway_port"].remedy
    assert lines["account"].level == "skip"


async def test_a_host_that_does_not_exist(tmp_path):
    lines = await seen(config_for(tmp_path, 4002, broker={"host": "no.such.host.invalid"}))
    assert faults(lines) == {"gateway_host"}


async def test_a_web_server_is_no_tws(tmp_path):
    async def answer(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with a_server(answer) as port:
        lines = await seen(config_for(tmp_path, port))
    assert faults(lines) == {"gateway_protocol"}
    assert "speaks another protocol (said b'HTTP" in lines["gateway_protocol"].text


async def test_a_tws_that_does_not_trust_this_address(tmp_path):
    async def answer(reader, writer):
        writer.close()

    async with a_server(answer) as port:
        lines = await seen(config_for(tmp_path, port))
    assert faults(lines) == {"gateway_protocol"}
    assert "closes the connection at once" in lines["gateway_protocol"].text


async def test_a_handshake_that_is_never_answered(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject("mute_handshake")
        lines = await seen(config_for(tmp_path, gateway.port))
    assert faults(lines) == {"gateway_handshake"}


async def test_a_login_that_is_not_finished(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject("withhold_on_connect", times=5)
        lines = await seen(config_for(tmp_path, gateway.port))
    assert faults(lines) == {"gateway_ready"}


@pytest.mark.parametrize(("taken", "fault"), [(7, "client_id"), (8, "data_client_id")])
async def test_a_client_id_that_another_program_uses(tmp_path, taken, fault):
    async with a_gateway(at=OPEN) as gateway:
        other = ib_insync.IB()
        await other.connectAsync("127.0.0.1", gateway.port, clientId=taken, timeout=5)
        lines = await seen(config_for(tmp_path, gateway.port))
        other.disconnect()
    assert faults(lines) == {fault}
    assert lines[fault].text == f"client id {taken} is in use"


async def test_the_ids_of_our_own_running_daemon_are_no_fault(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        config = config_for(tmp_path, gateway.port)
        daemon = ib_insync.IB()
        await daemon.connectAsync("127.0.0.1", gateway.port, clientId=7, timeout=5)
        with Journal.create(journal_place(config), "paper") as journal:
            journal.start_run(a_run(config), b"")
            lines = await seen(config)
        daemon.disconnect()
    assert faults(lines) == set()
    assert lines["client_id"].text == "our own daemon uses it"
    assert lines["other_daemon"].level == "warn"


async def test_a_read_only_api(tmp_path):
    async with a_gateway(at=OPEN, read_only=True) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port))
    assert faults(lines) == {"orders_accepted"}
    assert "Read-Only" in lines["orders_accepted"].text
    assert lines["orders_accepted"].remedy.endswith("untick Read-Only API")


async def test_an_account_that_the_login_does_not_have(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port, account="DU9999999"))
    assert faults(lines) == {"account"}
    assert "DU***99" in lines["account"].text
    assert "DU9999999" not in lines["account"].text


async def test_several_accounts_and_none_named(tmp_path):
    async with a_gateway(at=OPEN, accounts=("DU1111111", "DU2222222")) as gateway:
        unnamed = await seen(config_for(tmp_path, gateway.port))
        named = await seen(config_for(tmp_path, gateway.port, account="DU2222222"))
    assert "account" in faults(unnamed)
    assert "several accounts (DU***11, DU***22)" in unnamed["account"].text
    assert "account" not in faults(named)


async def test_a_live_account_in_paper_mode(tmp_path):
    async with a_gateway(at=OPEN, accounts=("U1234567",), allow_live_id=True) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port))
    assert faults(lines) == {"account_of_mode"}


async def test_a_paper_account_in_live_mode(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port, mode="live", account="DU7654321"))
    assert {"account_of_mode", "alerts", "limits_set"} <= faults(lines)


async def test_a_clock_years_away(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port, broker={"follow_gateway_clock": False}))
    assert "clock" in faults(lines)
    assert "this machine is" in lines["clock"].text


async def test_a_symbol_that_nobody_knows(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port, universe={"symbols": ["SPY", "QQQQQ"]}))
    assert faults(lines) == {"symbols_known"}
    assert lines["symbols_known"].text == "unknown there: QQQQQ"


async def test_a_tick_finer_than_the_instruments(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        lines = await seen(config_for(tmp_path, gateway.port, universe={"tick": 0.001}))
    assert faults(lines) == {"tick"}
    assert lines["tick"].text == "universe.tick = 0.001 is finer than SPY 0.01, AAPL 0.01"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("downgrade", "no market data subscription"),
        ("competing_session", "another login has taken the market data"),
    ],
)
async def test_market_data_that_do_not_come(tmp_path, name, text):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject(name)
        lines = await seen(config_for(tmp_path, gateway.port))
    assert "market_data" in faults(lines)
    assert lines["market_data"].text == text


async def test_history_that_is_refused(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject("history_refused")
        lines = await seen(config_for(tmp_path, gateway.port))
    assert "history" in faults(lines)


async def test_a_tws_that_has_lost_its_server(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject("lose_server", for_s=600)
        lines = await seen(config_for(tmp_path, gateway.port))
    assert "server_link" in faults(lines)


async def test_orders_of_others_are_told(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        ib = ib_insync.IB()
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=3, timeout=5)
        ib.placeOrder(ib_insync.Stock("SPY", "SMART", "USD"), ib_insync.LimitOrder("BUY", 5, 1.0))
        await ib.reqCurrentTimeAsync()
        lines = await seen(config_for(tmp_path, gateway.port))
        ib.disconnect()
    assert lines["orders_of_others"].level == "warn"
    assert lines["orders_of_others"].text == "orders that are not ours: SPY BUY 5"


def told(tmp_path, gateway, **changes):
    visited = Visited(config=a_config(tmp_path, **changes), gateway=gateway)
    return {line.name: line for line in judged(CHECKS, visited)}


@pytest.mark.parametrize(
    ("mode", "port", "level"),
    [
        ("paper", 7497, "ok"),
        ("paper", 4002, "ok"),
        ("paper", 4010, "ok"),
        ("paper", 7496, "fail"),
        ("paper", 4001, "fail"),
        ("live", 7496, "ok"),
        ("live", 7497, "fail"),
        ("live", 4002, "fail"),
        ("live", 4010, "fail"),
        ("live", 5555, "ok"),
    ],
)
def test_a_port_that_belongs_to_the_other_mode(tmp_path, mode, port, level):
    lines = told(tmp_path, GatewayFacts(), mode=mode, broker={"port": port})
    assert lines["port_of_mode"].level == level


@pytest.mark.parametrize(("offset", "level"), [(0.4, "ok"), (-1.9, "ok"), (3.0, "warn"), (-11.0, "fail")])
def test_a_clock_that_is_a_little_off(tmp_path, offset, level):
    facts = GatewayFacts(door="tws", is_ready=True, clock_offset_s=offset)
    assert told(tmp_path, facts)["clock"].level == level


def test_a_symbol_with_two_contracts(tmp_path):
    facts = GatewayFacts(door="tws", is_ready=True, listed={"SPY": Listed(matches=2, tick=0.01)})
    assert told(tmp_path, facts)["symbols_unambiguous"].text == "more than one contract: SPY"


def test_a_server_that_is_too_old(tmp_path):
    assert told(tmp_path, GatewayFacts(door="tws", server_version=100))["gateway_version"].level == "fail"


def test_delayed_market_data(tmp_path):
    said = [(10167, "Requested market data is not subscribed. Displaying delayed market data.")]
    facts = GatewayFacts(door="tws", is_ready=True, has_quotes=True, errors=said)
    assert told(tmp_path, facts)["market_data"].text == "delayed market data only"


def test_a_pacing_violation(tmp_path):
    text = "Historical Market Data Service error message:Historical data request pacing violation"
    facts = GatewayFacts(door="tws", is_ready=True, errors=[(162, text)])
    assert told(tmp_path, facts)["pacing"].level == "warn"
