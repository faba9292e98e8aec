"""Heartbeat, alerts and figures in a whole run: the real engine, journal and loop around an in-memory broker."""

import asyncio
import json
import socket
import urllib.request
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from daemon.runtime.clock import wall_now
from daemon.runtime.companion import Companion, Companions
from daemon.runtime.heartbeat import Heartbeat, status_line
from daemon.runtime.holdings import trading_state
from daemon.runtime.lifecycle import log_path
from daemon.runtime.status import last_heartbeats
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.vital_signs import Facts
from risk.trading_state import ACCOUNT, TradingState
from shared.errors import ConfigError
from shared.events import OperatorCommanded
from shared.io.logging import set_up_logging
from tests.alerts.builders import Receiver
from tests.runtime.builders import a_config, at, eventually
from tests.runtime.test_lifecycle import Running


@pytest.fixture
def receiver(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def config(tmp_path):
    config = a_config(tmp_path)
    set_up_logging(log_path(config), stderr_is_terminal=False)
    return config


@asynccontextmanager
async def a_run(config, starts_at=at(0)):  # noqa: B008 - an instant does not change
    """A daemon that is connected and streams."""
    run = Running(config, starts_at)
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    yield run
    run.daemon.request_stop("SIGTERM")
    await asyncio.wait_for(work, 20)


def a_heart(config, run, **parts):
    parts = {"surroundings": Surroundings()} | parts
    return Heartbeat(config=config, run_id="r1", organs=run.daemon._organs, **parts)


class Wall:
    """A wall clock that the test sets."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return wall_now() + self.ahead


async def test_a_beat_tells_verdict_causes_and_everything_that_is_not_to_be_relied_on(config):
    async with a_run(config) as run:
        beats: list[Facts] = []
        a_heart(config, run, sinks=[beats.append]).beat()
    (facts,) = beats
    assert (facts["verdict"], facts["causes"], facts["every_s"]) == ("ok", [], 0.05)
    for name in ("locks", "latches", "halted", "data_quality", "quiet", "opens_at", "closes_at", "commit_ms", "lag_ms",
                 "memory_mb", "tasks", "disk_free_mb", "queue", "exposure_limit", "uptime_s"):  # fmt: skip
        assert name in facts
    json.dumps(facts, allow_nan=False)


async def test_a_listener_that_fails_is_said_once_and_the_others_hear_every_beat(config):
    def broken(facts):
        raise ValueError(f"cannot take {len(facts)} facts")

    async with a_run(config) as run:
        beats: list[Facts] = []
        heart = a_heart(config, run, sinks=[broken, beats.append], sources=[lambda: {"alerts": {"mail": 1}}])
        heart.beat()
        heart.beat()
    assert [facts["alerts"] for facts in beats] == [{"mail": 1}, {"mail": 1}]
    assert log_path(config).read_text().count("heartbeat_not_passed_on") == 1


@pytest.mark.parametrize("step_s", [-3600.0, 7200.0])
async def test_a_step_of_the_wall_clock_is_seen_by_the_next_beat_only(config, step_s):
    async with a_run(config) as run:
        wall = Wall()
        beats: list[Facts] = []
        heart = a_heart(config, run, sinks=[beats.append], surroundings=Surroundings(wall=wall))
        heart.beat()
        wall.ahead = timedelta(seconds=step_s)
        heart.beat()
        heart.beat()
    assert [round(float(str(facts["wall_step_s"]))) for facts in beats] == [0, round(step_s), 0]
    assert beats[1]["causes"] == [f"wall clock stepped by {step_s:+.1f} s (set, or the machine slept)"]
    assert float(str(beats[1]["uptime_s"])) < 60


async def test_a_latched_limit_shows_as_the_trading_state_and_as_a_cause(config):
    async with a_run(config) as run:
        run.book.breakers.trip(ACCOUNT, "max_day_loss", TradingState.REDUCING, "lost 500 of 400", at(0))
        beats: list[Facts] = []
        a_heart(config, run, sinks=[beats.append]).beat()
    assert beats[0]["state"] == trading_state(run.book) == "REDUCING"
    assert beats[0]["latches"] == {"account-wide": ["lost 500 of 400"]}
    assert (beats[0]["verdict"], beats[0]["causes"]) == ("degraded", ["limit latched for account: max_day_loss"])


async def test_silence_counts_from_the_connect_not_from_the_open(config):
    async with a_run(config, at(3600)) as run:
        beats: list[Facts] = []
        a_heart(config, run, sinks=[beats.append]).beat()
    assert (beats[0]["session_open"], beats[0]["data_age_s"], beats[0]["causes"]) == (True, None, [])


async def test_a_lost_broker_while_the_session_is_open_is_critical(config):
    async with a_run(config) as run:
        run.market.is_down = True
        await eventually(lambda: not run.daemon.is_up)
        beats: list[Facts] = []
        a_heart(config, run, sinks=[beats.append]).beat()
        run.market.is_down = False
    assert (beats[0]["verdict"], beats[0]["causes"]) == ("critical", ["broker not connected"])


def test_systemctl_shows_verdict_state_and_the_first_cause():
    facts = {"verdict": "critical", "causes": ["broker not connected", "x"], "state": "ACTIVE", "connection": "down"}
    assert status_line({**facts, "positions": [1, 2]}) == (
        "critical, ACTIVE, broker down, 2 positions: broker not connected"
    )


async def test_a_lost_broker_reaches_a_person_as_a_page_through_the_running_daemon(tmp_path, receiver):
    hook = {"name": "hook", "kind": "webhook", "level": "page", "url": receiver.url}
    config = a_config(tmp_path, alert=[hook])
    set_up_logging(log_path(config), stderr_is_terminal=False)
    async with a_run(config) as run:
        run.market.is_down = True
        await eventually(lambda: receiver.requests)
        run.market.is_down = False
    assert (receiver.json(0)["code"], receiver.json(0)["text"]) == ("verdict_critical", "broker not connected")
    (beat,) = last_heartbeats(log_path(config), 1)
    told = beat["alerts"]
    assert isinstance(told, dict)
    assert told["hook"]["sent"] >= 1


async def test_what_the_engine_tells_reaches_a_person_within_five_seconds(tmp_path, receiver):
    hook = {"name": "hook", "kind": "webhook", "level": "notice", "url": receiver.url}
    async with a_run(a_config(tmp_path, alert=[hook])) as run:
        command = OperatorCommanded(received_at=at(0), verb="halt", scope="account", actor="me")
        run.daemon._organs.inbox.put(command)
        await eventually(lambda: receiver.requests, within_s=5.0)
    assert (receiver.json(0)["code"], receiver.json(0)["text"]) == ("operator", "me: halt account")


async def test_a_run_that_ends_by_an_error_pages_before_it_is_gone(tmp_path, receiver):
    hook = {"name": "hook", "kind": "webhook", "level": "page", "url": receiver.url}
    config = a_config(tmp_path, alert=[hook])
    run = Running(config, at(0))
    run.market.account = "U7654321"  # not a paper account
    with pytest.raises(ConfigError):
        await asyncio.wait_for(run.daemon.run(until_close=False), 20)
    assert [receiver.json(-1)["code"], receiver.json(-1)["severity"]] == ["run_ended", "page"]
    assert "U7654321" not in receiver.json(-1)["text"]


async def test_a_channel_without_its_secret_is_found_out_at_the_start(tmp_path):
    bot = {"name": "bot", "kind": "telegram", "to": "42", "secret": "bot_token"}
    with pytest.raises(ConfigError, match=r"^alert bot: the secret bot_token is nowhere"):
        Running(a_config(tmp_path, alert=[bot]), at(0))


def a_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_the_running_daemon_serves_its_figures(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    port = a_free_port()
    async with a_run(a_config(tmp_path, metrics={"port": port})) as run:
        await eventually(lambda: run.daemon._organs.loop.handled >= 4)
        await asyncio.sleep(0.1)  # two beats
        with await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    assert "openbell_broker_up 1.0" in text
    assert 'openbell_verdict{openbell_verdict="ok"} 1.0' in text
    assert "openbell_commit_seconds_count 0.0" not in text


async def test_figures_whose_port_is_taken_stop_no_trading(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with a_run(a_config(tmp_path, metrics={"port": taken.getsockname()[1]})) as run:
            assert run.daemon.is_up


async def a_fault():
    raise ValueError("a bug")


async def test_a_companion_that_dies_ends_nothing():
    heard = []

    async def bye(reason):
        heard.append(reason)

    companions = Companions([Companion(name="a", run=a_fault), Companion(name="b", farewell=bye)])
    companions.start()
    await asyncio.sleep(0)
    await companions.leave("why")
    assert heard == ["why"]


async def test_a_companion_that_cannot_part_is_left():
    async def never(_reason):
        await asyncio.Event().wait()

    companions = Companions([Companion(name="a", farewell=never)], farewell_s=0.01)
    with capture_logs() as lines:
        await asyncio.wait_for(companions.leave(""), 2)
    assert [(line["event"], line["name"]) for line in lines] == [("companion_unfinished", "a")]


async def test_after_a_persons_order_the_next_beat_comes_at_once(tmp_path):
    config = a_config(tmp_path, runtime={"heartbeat_every_s": 3600.0})
    set_up_logging(log_path(config), stderr_is_terminal=False)
    async with a_run(config) as run:
        loop = run.daemon._organs.loop
        await loop.submit(OperatorCommanded(received_at=at(1), verb="halt", scope="account", actor="a test"))
        await eventually(lambda: last_heartbeats(log_path(config), 1)[0]["state"] == "HALTED")
