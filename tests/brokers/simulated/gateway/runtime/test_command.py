"""`openbell gateway` as a process: what its options do, and what it says to wrong ones."""

import asyncio
import json
import signal
import sys

import pytest
from ib_insync import IB, MarketOrder, Stock

pytestmark = pytest.mark.process
QUICK = ("--synthetic", "--symbols", "SPY,AAPL", "--port", "0", "--json")
SPY = Stock("SPY", "SMART", "USD")


async def start(*arguments):
    command = (sys.executable, "-m", "openbell", "gateway", *arguments)
    return await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def fact(process):
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 30))


async def ended(process, *, by=None):
    """The exit code, and what was said on stdout and stderr."""
    if by is not None:
        process.send_signal(by)
    out, talk = await asyncio.wait_for(process.communicate(), 60)
    assert "Traceback" not in talk.decode()
    return process.returncode, out.decode(), talk.decode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--accounts", "DU1,X9"), "setting accounts: account 'X9': allowed is DU and digits"),
        (("--accounts", "U1234567"), "only with --allow-live-id"),
        (("--accounts", "DU1,DU1"), "each id once"),
        (("--cash", "nan"), "setting cash: nan"),
        (("--commission", "free"), "--commission"),
        (("--pacing", "loud"), "--pacing"),
        (("--sessions", "0"), "--sessions"),
        (("--night-speed", "0"), "--night-speed"),
        (("--state", "/nowhere/state.json"), "--state /nowhere/state.json: not a file in an existing folder"),
        (("--record", "/nowhere/day.jsonl"), "--record /nowhere/day.jsonl: not a file in an existing folder"),
        (("--fault-log", "/"), "--fault-log /: not a file in an existing folder"),
        (("--play", "/nowhere/day.jsonl"), "recording /nowhere/day.jsonl: No such file or directory"),
        (("--play", "x.jsonl", "--synthetic"), "--play and --synthetic exclude each other"),
        (("--data", "/nowhere", "--synthetic"), "--data and --synthetic exclude each other"),
        (("--faults", "/nowhere/faults.toml"), "/nowhere/faults.toml"),
        (("--master", "-1"), "--master"),
        (("--port", "70000"), "--port"),
        (("--speed", "fast"), "--speed"),
    ],
)
async def test_a_wrong_argument_is_one_clear_line_and_exit_2(arguments, said):
    code, out, talk = await ended(await start(*arguments))
    assert (code, out) == (2, "")
    assert said in talk


async def test_accounts_cash_and_prices_are_those_that_were_asked_for():
    options = ("--accounts", "DU1000001,DU1000002", "--cash", "5000", "--speed", "1", "--lead-in", "0")
    process = await start(*QUICK, *options)
    listening = await fact(process)
    assert listening["accounts"] == ["DU1000001", "DU1000002"]
    ib = IB()
    await ib.connectAsync("127.0.0.1", listening["port"], clientId=1, timeout=10)
    worth = {(one.account, one.value) for one in await ib.accountSummaryAsync() if one.tag == "NetLiquidation"}
    ib.disconnect()
    assert worth == {("DU1000001", "5000.00"), ("DU1000002", "5000.00")}
    code, out, _ = await ended(process, by=signal.SIGTERM)
    assert code == 0
    assert [json.loads(line)["account"] for line in out.splitlines()] == ["DU1000001", "DU1000002"]


async def test_it_plays_as_many_days_as_were_asked_for_and_ends():
    options = ("--speed", "5000", "--sessions", "2", "--exit-after-close", "0")
    code, out, talk = await ended(await start(*QUICK, *options))
    assert code == 0
    assert talk.count("closed") == 2
    assert json.loads(out.splitlines()[-1])["event"] == "account"


async def test_ctrl_c_ends_a_played_recording_with_130_and_no_traceback(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"dir": "client", "client": 1, "version": 176, "fields": ["49", "1"]}\n')
    process = await start("--play", str(path), "--port", "0", "--json")
    assert (await fact(process))["recording"] == "one.jsonl"
    code, _, _ = await ended(process, by=signal.SIGINT)
    assert code == 130


async def test_what_was_recorded_by_the_command_is_played_by_the_command(tmp_path):
    path = tmp_path / "day.jsonl"

    async def buys(process):
        ib = IB()
        await ib.connectAsync("127.0.0.1", (await fact(process))["port"], clientId=1, timeout=10)
        trade = ib.placeOrder(SPY, MarketOrder("BUY", 10))
        await asyncio.wait_for(trade.filledEvent, 10)
        ib.disconnect()
        await ended(process, by=signal.SIGTERM)
        return [(fill.execution.execId, fill.execution.price) for fill in trade.fills]

    live = await buys(await start(*QUICK, "--speed", "1000", "--lead-in", "0", "--record", str(path)))
    played = await buys(await start("--play", str(path), "--speed", "1000", "--port", "0", "--json"))
    assert played == live


async def test_a_seeded_run_of_faults_says_what_happened_when(tmp_path):
    log = tmp_path / "faults.jsonl"
    options = (
        "--speed",
        "5000",
        "--exit-after-close",
        "0",
        "--faults",
        "brutal",
        "--seed",
        "3",
        "--fault-log",
        str(log),
    )
    process = await start(*QUICK, *options)
    code, _, _ = await ended(process)
    assert code == 0
    assert log.exists()


async def test_help_names_every_option_and_its_kind():
    code, out, _ = await ended(await start("--help"))
    assert code == 0
    for option in ("--faults", "--seed", "--accounts", "--state", "--record", "--play", "--sessions", "--nightly"):
        assert option in out
    assert [kind in out for kind in ("Market:", "Clock:", "Nights:", "Account:", "Clients:", "Faults:", "Files:")] == [
        True
    ] * 7
