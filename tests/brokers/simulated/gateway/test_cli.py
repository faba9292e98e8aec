import asyncio
import json
import signal
import socket
import sys

import pytest
from ib_insync import IB, MarketOrder, Stock

pytestmark = pytest.mark.process
COMMAND = """
import typer
from brokers.simulated.gateway.cli import register
app = typer.Typer()
register(app)
app()
"""
QUICK = ("--synthetic", "--symbols", "SPY,AAPL", "--port", "0", "--speed", "600", "--json")


async def start(*arguments):
    """`openbell gateway` as a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        COMMAND,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def fact(process):
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 30))


async def test_it_says_where_it_listens_trades_and_ends_cleanly_on_sigterm(tmp_path):
    book = tmp_path / "ledger.jsonl"
    process = await start(*QUICK, "--wait-for-client", "--ledger", str(book))
    listening = await fact(process)
    assert listening["event"] == "listening"
    assert listening["account"].startswith("DU")
    assert listening["symbols"] == ["SPY", "AAPL"]

    ib = IB()
    await ib.connectAsync("127.0.0.1", listening["port"], clientId=1, timeout=10)
    spy = Stock("SPY", "SMART", "USD")
    ib.reqRealTimeBars(spy, 5, "TRADES", useRTH=False)
    trade = ib.placeOrder(spy, MarketOrder("BUY", 10, orderRef="OB1:x:1:SPY-1:E"))
    await asyncio.wait_for(trade.filledEvent, 30)
    process.send_signal(signal.SIGUSR1)
    account = await fact(process)
    process.send_signal(signal.SIGTERM)
    _, talk = await asyncio.wait_for(process.communicate(), 30)
    ib.disconnect()

    assert process.returncode == 0, talk.decode()
    assert account["positions"]["SPY"]["quantity"] == 10
    records = [json.loads(line) for line in book.read_text().splitlines()]
    assert [record["type"] for record in records if record["type"] != "account"] == [
        "order",
        "execution",
        "commission",
    ]
    assert {record["order_ref"] for record in records if "order_ref" in record} == {"OB1:x:1:SPY-1:E"}


async def test_after_the_close_it_exits_by_itself_if_told_to():
    process = await start(*QUICK[:-3], "--speed", "5000", "--exit-after-close", "0")
    out, talk = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, talk.decode()
    assert out.decode().startswith("SIMULATED gateway listening on 127.0.0.1:")


async def test_ctrl_c_ends_it_with_130():
    process = await start(*QUICK)
    await fact(process)
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130


async def test_a_busy_port_is_one_line_and_exit_1():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start(*QUICK, "--port", str(taken.getsockname()[1]))
        out, talk = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out) == (1, b"")
    assert "cannot start on 127.0.0.1" in talk.decode().splitlines()[-1]
    assert "Traceback" not in talk.decode()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--symbols", "NOPE"), "NOPE"),
        (("--session", "yesterday"), "--session"),
        (("--session", "2026-11-21"), "2026-11-21"),
        (("--data", "/nowhere", "--session", "2013-10-08"), "/nowhere"),
        (("--data", "/nowhere"), "--session"),
        (("--synthetic", "--data", "/nowhere"), "--synthetic"),
        (("--speed", "0"), "--speed"),
        (("--ledger", "/nowhere/ledger.jsonl"), "--ledger"),
    ],
)
async def test_a_wrong_argument_is_named_with_exit_2(arguments, named):
    process = await start("--port", "0", *arguments)
    out, talk = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out) == (2, b"")
    assert named in talk.decode()
    assert "Traceback" not in talk.decode()
