"""The verbs and rescue as a person types them: exit codes, one line, a word to type where it trades."""

import asyncio
import io
import re
from pathlib import Path

import pytest
import structlog

from daemon.control.control_socket import ControlSocket, socket_path
from shared.config import load_config
from shared.errors import Refused
from tests.control.builders import FakeGate, a_switchboard
from tests.control.test_rescue import holding, orphaned  # noqa: F401 - fixtures
from tests.runtime.front_door import FrontDoor
from tests.scenarios.conftest import floor_with  # noqa: F401 - the fixture of those

SHIPPED = (Path(__file__).parents[2] / "config.toml").read_text()
FREEING = ("flatten", "resume", "reset")


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self):
        return True


@pytest.fixture
def gate():
    return FakeGate()


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(SHIPPED)
    return path


@pytest.fixture
def openbell(capsys, monkeypatch):
    """The command line in a thread, so that a daemon may answer; nobody sits at it."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the daemon's own lines, in this process
    door = FrontDoor(capsys, monkeypatch)
    yield lambda *words: asyncio.to_thread(door, *words)
    structlog.reset_defaults()


@pytest.fixture
async def daemon(tmp_path, config_file, gate):
    """Something that answers at the socket of the configuration."""
    control = ControlSocket(socket_path(load_config(config_file)), a_switchboard(tmp_path, gate))
    await control.open()
    yield control
    await control.close()


@pytest.mark.parametrize("verb", ["halt", "block", "reduce", "observe"])
async def test_stopping_asks_nobody(daemon, openbell, config_file, gate, verb):
    answer = await openbell(verb, "--config", config_file)
    assert (answer.code, answer.out, answer.err) == (0, f"{verb} account: done, trading HALTED\n", "")
    assert [order[:2] for order in gate.orders] == [(verb, "account")]


@pytest.mark.parametrize("verb", FREEING)
async def test_what_trades_or_frees_trading_needs_yes_where_nobody_can_be_asked(
    daemon, openbell, config_file, gate, verb
):
    answer = await openbell(verb, "--config", config_file)
    assert (answer.code, gate.events) == (4, [])
    assert "add --yes" in answer.err
    sure = await openbell(verb, "--yes", "--scope", "instrument:SPY", "--config", config_file)
    assert (sure.code, [order[:2] for order in gate.orders]) == (0, [(verb, "instrument:SPY")])


@pytest.mark.parametrize(("typed", "code"), [("flatten\n", 0), ("yes\n", 4), ("\n", 4)])
async def test_on_a_terminal_the_word_has_to_be_typed(daemon, openbell, config_file, monkeypatch, gate, typed, code):
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    answer = await openbell("flatten", "--config", config_file)
    assert answer.code == code
    assert len(gate.events) == (1 if code == 0 else 0)
    assert "PAPER: type 'flatten' to flatten account" in answer.err


async def test_live_has_a_word_of_its_own(openbell, config_file, monkeypatch, gate, tmp_path):
    live = SHIPPED.replace('mode = "paper"', 'mode = "live"').replace('account = ""', 'account = "U1234567"')
    config_file.write_text(live.replace("follow_gateway_clock = true", "follow_gateway_clock = false"))
    control = ControlSocket(socket_path(load_config(config_file)), a_switchboard(tmp_path, gate))
    await control.open()
    monkeypatch.setattr("sys.stdin", Terminal("flatten\n"))
    mistaken = await openbell("flatten", "--config", config_file)
    monkeypatch.setattr("sys.stdin", Terminal("flatten live\n"))
    meant = await openbell("flatten", "--config", config_file)
    await control.close()
    assert (mistaken.code, meant.code, len(gate.events)) == (4, 0, 1)


async def test_a_refusal_is_exit_4_with_its_reason(daemon, openbell, config_file, gate):
    gate.refuses = Refused("account: latched by max_day_loss; only reset ends that")
    answer = await openbell("resume", "--yes", "--config", config_file)
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == "account: latched by max_day_loss; only reset ends that (trading ACTIVE)\n"


async def test_json_is_the_reply_as_published(daemon, openbell, config_file):
    accepted = (await openbell("halt", "--json", "--config", config_file)).facts("command")
    assert (accepted["accepted"], accepted["verb"], accepted["state"]) == (True, "halt", "HALTED")
    refused = await openbell("halt", "--scope", "strategy:nobody", "--json", "--config", config_file)
    assert (refused.code, refused.facts("command")["accepted"]) == (4, False)


async def test_without_a_daemon_it_is_exit_5_and_names_rescue(openbell, config_file):
    answer = await openbell("halt", "--config", config_file)
    assert (answer.code, answer.out) == (5, "")
    assert "openbell rescue list" in answer.err


async def test_command_goes_over_the_socket_too_and_status_changes_nothing(daemon, openbell, config_file, gate):
    answer = await openbell("command", "status", "--via", "socket", "--config", config_file)
    assert (answer.code, gate.events) == (0, [])
    assert "trading ACTIVE" in answer.out


async def test_command_over_mqtt_without_a_key_is_exit_78(openbell, config_file):
    answer = await openbell("command", "halt", "--config", config_file)
    assert answer.code == 78
    assert "openssl rand -hex 32" in answer.err


async def test_a_way_that_is_none_is_a_usage_error(openbell, config_file):
    assert (await openbell("command", "halt", "--via", "pigeon", "--config", config_file)).code == 2


@pytest.fixture
def broken(orphaned, config_file):  # noqa: F811 - pytest's fixture by import
    """A configuration for the gateway at which a dead daemon has left a position."""
    changed = re.sub(r"symbols = \[\"SPY\"[^\]]*\]", 'symbols = ["SPY"]', SHIPPED)
    config_file.write_text(changed.replace("port = 4010", f"port = {orphaned.gateway.port}"))
    return orphaned


async def test_rescue_lists_what_the_broker_has(broken, openbell, config_file):
    answer = await openbell("rescue", "list", "--config", config_file)
    assert answer.code == 0
    assert re.search(r"SPY +\+98 at .* stop: 98 at 100\.98", answer.out)
    assert "DU7654321" not in answer.out + answer.err
    facts = (await openbell("rescue", "list", "--json", "--config", config_file)).facts("rescue")
    assert [(held["symbol"], held["quantity"], held["protected"]) for held in facts["positions"]] == [
        ("SPY", 98.0, True)
    ]


async def test_rescue_flatten_says_first_then_does(broken, openbell, config_file):
    await broken.play(2)  # the fill is older than positions may lag
    dry = await openbell("rescue", "flatten", "--dry-run", "--config", config_file)
    assert (dry.code, broken.shares) == (0, 98)
    assert "would be sent: SELL 98 SPY at the market" in dry.out
    unsure = await openbell("rescue", "flatten", "--config", config_file)
    assert (unsure.code, broken.shares) == (4, 98)
    done = await openbell("rescue", "flatten", "--yes", "--json", "--config", config_file)
    assert (done.code, broken.shares, broken.resting()) == (0, 0, [])
    assert done.facts("rescue")["done"] is True


async def test_rescue_cancel_needs_to_know_what(broken, openbell, config_file):
    assert (await openbell("rescue", "cancel", "--yes", "--config", config_file)).code == 2
    assert (await openbell("rescue", "cancel", "--ref", "OB1:x", "--yes", "--config", config_file)).code == 3
    assert broken.stops() == 98
    one = await openbell("rescue", "cancel", "--ref", "OB1:t:20131008:SPY-1:T", "--yes", "--config", config_file)
    assert (one.code, broken.resting("T"), broken.stops()) == (0, [], 98)


async def test_rescue_without_a_gateway_is_exit_5(openbell, config_file):
    config_file.write_text(SHIPPED.replace("port = 4010", "port = 1"))
    assert (await openbell("rescue", "list", "--config", config_file)).code == 5
