"""The local socket: whose it is, what it takes, and what a person's end makes of it."""

import asyncio
import json
import os
import socket
import stat

import pytest

from daemon.control.control_socket import LINE_BYTES_MAX, ControlSocket, socket_path
from daemon.control.socket_client import ask_daemon, is_listening
from shared.errors import BrokerUnavailable, ConfigError, Refused
from tests.control.builders import FakeGate, a_switchboard
from tests.runtime.builders import a_config


@pytest.fixture
def gate():
    return FakeGate()


@pytest.fixture
async def listening(tmp_path, gate):
    path = tmp_path / "c.sock"
    control = ControlSocket(path, a_switchboard(tmp_path, gate))
    await control.open()
    yield path
    await control.close()
    assert not path.exists()


def ask(path, verb, scope="account"):
    return asyncio.to_thread(ask_daemon, path, verb=verb, scope=scope, wait_s=5)


async def said(path, line):
    """What the socket answers to raw bytes."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    answer = await reader.readline()
    writer.close()
    return json.loads(answer)


async def test_a_verb_over_the_socket_reaches_the_engine_and_comes_back_as_a_state(listening, gate):
    reply = await ask(listening, "halt", "instrument:SPY")
    assert (reply.accepted, reply.state) == (True, "HALTED")
    [(verb, scope, actor)] = gate.orders
    assert (verb, scope) == ("halt", "instrument:SPY")
    assert actor.startswith("local:")


async def test_several_requests_go_over_one_connection(listening, gate):
    reader, writer = await asyncio.open_unix_connection(listening)
    writer.write(b'{"verb": "block"}\n{"verb": "reduce", "scope": "strategy:sma"}\n')
    answers = [json.loads(await reader.readline()) for _ in range(2)]
    writer.close()
    assert [answer["accepted"] for answer in answers] == [True, True]
    assert [order[:2] for order in gate.orders] == [("block", "account"), ("reduce", "strategy:sma")]


async def test_only_the_owner_may_open_the_file(listening):
    mode = listening.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


async def test_a_user_that_is_neither_the_daemons_nor_root_is_refused(tmp_path, gate):
    path = tmp_path / "c.sock"
    stranger = ControlSocket(path, a_switchboard(tmp_path, gate), allowed_uids=frozenset({os.geteuid() + 1}))
    await stranger.open()
    reply = await ask(path, "halt")
    await stranger.close()
    assert not reply.accepted
    assert "may not command this daemon" in reply.reason
    assert gate.events == []


@pytest.mark.parametrize(
    "line",
    [
        b"halt\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'{"scope": "account"}\n',
        b'{"verb": 1}\n',
        b'{"verb": "halt", "scope": "account", "force": true}\n',
        b'{"verb": "HALT"}\n',
        b"{" + b"x" * (LINE_BYTES_MAX + 100) + b"}\n",
    ],
)
async def test_what_is_no_request_gets_one_line_and_changes_nothing(listening, gate, line):
    answer = await said(listening, line)
    assert answer["accepted"] is False
    assert answer["reason"]
    assert gate.events == []
    assert (await ask(listening, "halt")).accepted


async def test_a_second_daemon_is_refused_while_the_first_listens(listening, tmp_path, gate):
    with pytest.raises(Refused, match="a living daemon listens there"):
        await ControlSocket(listening, a_switchboard(tmp_path, gate)).open()
    assert (await ask(listening, "halt")).accepted


async def test_the_socket_of_a_killed_daemon_is_replaced(tmp_path, gate):
    path = tmp_path / "c.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    control = ControlSocket(path, a_switchboard(tmp_path, gate))
    await control.open()
    assert (await ask(path, "halt")).accepted
    await control.close()


async def test_a_file_that_is_no_socket_is_never_removed(tmp_path, gate):
    path = tmp_path / "c.sock"
    path.write_text("mine")
    with pytest.raises(Refused, match="is no socket"):
        await ControlSocket(path, a_switchboard(tmp_path, gate)).open()
    assert path.read_text() == "mine"


async def test_a_path_too_long_for_a_socket_is_one_clear_line(tmp_path, gate):
    path = tmp_path / ("d" * 108) / "control.sock"
    with pytest.raises(ConfigError, match=r"state_dir: .* has \d+ bytes, a socket's path may have 107"):
        await ControlSocket(path, a_switchboard(tmp_path, gate)).open()


async def test_a_person_who_goes_away_does_not_take_the_verb_along(listening, gate):
    _, writer = await asyncio.open_unix_connection(listening)
    writer.write(b'{"verb": "halt"}\n')
    await writer.drain()
    writer.close()
    assert (await ask(listening, "block")).accepted
    assert [order[0] for order in gate.orders] == ["halt", "block"]


async def test_a_daemon_that_ends_while_a_person_is_connected_ends_without_noise(tmp_path, gate):
    """Found by simulation (brutal 1065): an exception in a callback of asyncio's own."""
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context))
    control = ControlSocket(tmp_path / "c.sock", a_switchboard(tmp_path, gate))
    await control.open()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "c.sock")
    writer.write(b'{"verb": "block"}\n')
    await reader.readline()
    await control.close()
    assert await reader.read() == b""
    writer.close()
    assert heard == []


async def test_without_a_daemon_the_way_around_it_is_named(tmp_path):
    with pytest.raises(BrokerUnavailable, match=r"no daemon answers \(no socket there\).*openbell rescue"):
        ask_daemon(tmp_path / "c.sock", verb="halt", scope="account")


async def test_a_daemon_that_says_nothing_is_told_apart_from_a_refusal(tmp_path):
    path = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        with pytest.raises(BrokerUnavailable, match="it says nothing"):
            ask_daemon(path, verb="halt", scope="account", wait_s=0.05)


async def test_it_is_seen_whether_anybody_listens(listening, tmp_path):
    assert await asyncio.to_thread(is_listening, listening)
    assert not is_listening(tmp_path / "other.sock")


def test_paper_and_live_have_a_socket_each(tmp_path):
    paper = socket_path(a_config(tmp_path))
    live = socket_path(a_config(tmp_path, mode="live", account="U1234567"))
    assert (paper.parent.name, live.parent.name) == ("paper", "live")
    assert paper.parent.parent == live.parent.parent
