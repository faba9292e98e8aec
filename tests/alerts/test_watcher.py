"""The outside watcher: silence is an alarm, however it came about (F21, I18)."""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asyncio_mqtt import Client

from daemon.alerts.desk import AlertDesk
from daemon.alerts.mqtt_follower import MqttFollower
from daemon.alerts.spool import Spool
from daemon.alerts.watcher import LogFollower, SilenceWatch, watch
from tests.alerts.builders import Pigeon, Receiver, a_section, said
from tests.control.builders import an_amqtt_broker, free_port
from tests.runtime.builders import a_config, eventually

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "config.toml").read_text()


def a_beat(number=0, **changes):
    return {"event": "heartbeat", "every_s": 10.0, "run": f"r{number}", "verdict": "ok", "state": "ACTIVE",
            "connection": "up", "positions": [], "at": "2026-11-20T15:00:00Z", **changes}  # fmt: skip


def a_line(number=0, **changes):
    return json.dumps(a_beat(number, **changes)) + "\n"


def runs(beats):
    return [beat["run"] for beat in beats]


def test_silence_is_noticed_within_thirty_seconds_at_ten_second_beats():
    watch = SilenceWatch(every_s=10.0, now_s=0.0)
    watch.on_beat(a_beat(), 100.0)
    assert watch.check(128.9) is None
    alarm = said(watch.check(129.0))
    assert (alarm.code, alarm.severity) == ("heartbeat_lost", "page")
    assert "no heartbeat for 29 s; the last one said ok, ACTIVE, broker up, positions none" in alarm.text


def test_it_is_said_once_and_so_is_the_return():
    watch = SilenceWatch(every_s=10.0, now_s=0.0)
    watch.on_beat(a_beat(), 0.0)
    assert [watch.check(now_s) is None for now_s in (30.0, 31.0, 300.0)] == [False, True, True]
    assert said(watch.on_beat(a_beat(), 301.0)).code == "heartbeat_back"
    assert watch.on_beat(a_beat(), 311.0) is None


def test_a_daemon_that_never_beat_is_missed_too():
    watch = SilenceWatch(every_s=10.0, now_s=0.0)
    assert "none was ever seen" in said(watch.check(30.0)).text


def test_a_beat_that_was_old_when_the_watch_began_does_not_count_as_fresh():
    watch = SilenceWatch(every_s=10.0, now_s=0.0)
    watch.on_beat(a_beat(), 0.0, age_s=3600.0)
    assert said(watch.check(0.0)).code == "heartbeat_lost"


def test_a_daemon_that_was_told_to_stop_is_a_notice():
    watch = SilenceWatch(every_s=10.0, now_s=0.0)
    watch.on_beat(a_beat(stopping=True), 0.0)
    alarm = said(watch.check(30.0))
    assert (alarm.code, alarm.severity) == ("daemon_stopped", "notice")


def test_the_interval_is_the_one_that_the_daemon_tells():
    watch = SilenceWatch(every_s=10.0, now_s=0.0)
    watch.on_beat(a_beat(every_s=60.0), 0.0)
    assert watch.check(100.0) is None
    assert said(watch.check(179.0)).code == "heartbeat_lost"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "openbell-paper.jsonl"


@pytest.fixture
def follower(log):
    following = LogFollower(log)
    yield following
    following.close()


def test_following_begins_with_the_newest_beat_and_goes_on_with_what_comes(log, follower):
    log.write_text(a_line(1) + a_line(2))
    assert runs(follower.fresh()) == ["r2"]
    with log.open("a") as growing:
        growing.write('{"event": "sent"}\n' + a_line(3) + a_line(4))
    assert runs(follower.fresh()) == ["r3", "r4"]
    assert follower.fresh() == []


def test_half_a_line_is_read_once_it_is_whole(log, follower):
    log.write_text("")
    follower.fresh()
    with log.open("a") as growing:
        growing.write(a_line(1)[:20])
        growing.flush()
        assert follower.fresh() == []
        growing.write(a_line(1)[20:])
    assert runs(follower.fresh()) == ["r1"]


def test_a_log_that_is_rotated_loses_no_beat(log, follower):
    log.write_text(a_line(1))
    follower.fresh()
    with log.open("a") as growing:
        growing.write(a_line(2))
    log.rename(log.with_suffix(".1"))
    log.write_text(a_line(3))
    assert runs(follower.fresh()) == ["r2", "r3"]


def test_a_log_that_is_cut_is_read_from_its_start(log, follower):
    log.write_text(a_line(1) * 5)
    follower.fresh()
    log.write_text(a_line(6))
    assert runs(follower.fresh()) == ["r6"]


def test_a_log_that_is_not_there_yet_is_waited_for(log, follower):
    assert follower.fresh() == []
    log.write_text(a_line(1))
    assert runs(follower.fresh()) == ["r1"]


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.close()


def until(holds, within_s):
    ends_s = time.monotonic() + within_s
    while not holds() and time.monotonic() < ends_s:
        time.sleep(0.02)
    return holds()


@pytest.mark.process
def test_a_daemon_that_was_killed_is_reported_by_the_process_outside(tmp_path, receiver, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    config, log = tmp_path / "config.toml", tmp_path / "logs" / "openbell-paper.jsonl"
    quick = SHIPPED.replace("port = 4010", "port = 1").replace("heartbeat_every_s = 10 ", "heartbeat_every_s = 0.5 ")
    config.write_text(f'{quick}\n[[alert]]\nname = "hook"\nkind = "webhook"\nlevel = "page"\nurl = "{receiver.url}"\n')
    door = [sys.executable, "-m", "openbell"]
    with subprocess.Popen([*door, "run", "--config", config], cwd=ROOT, stderr=subprocess.DEVNULL) as daemon:
        assert until(lambda: log.is_file() and '"heartbeat"' in log.read_text(), 30)
        with subprocess.Popen([*door, "watch", "--config", config], cwd=ROOT, stdout=subprocess.PIPE) as watcher:
            assert watcher.stdout is not None
            said = watcher.stdout.readline()
            daemon.kill()
            killed_s = time.monotonic()
            is_told = until(lambda: [r for r in receiver.requests if b"heartbeat_lost" in r[2]], 10)
            noticed_s = time.monotonic() - killed_s
            watcher.terminate()  # whatever was found: nobody waits for it for ever
    assert said.startswith(b"watching ")
    assert is_told
    assert noticed_s < 3 * 0.5 + 1.0  # three intervals and the way to the receiver


async def test_a_silent_broker_is_noticed_by_the_watcher_that_follows_mqtt(tmp_path):
    port = free_port()
    config = a_config(tmp_path, mqtt={"enabled": True, "port": port}, runtime={"heartbeat_every_s": 0.4})
    pigeon = Pigeon()
    said_lines: list[str] = []
    desk = AlertDesk(section=a_section(), channels=[pigeon.channel], spool=Spool(tmp_path / "s.json"), sender="watch")
    follower = MqttFollower(config, back_off_s=(0.02, 0.1))
    old = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    async with an_amqtt_broker(port), Client("127.0.0.1", port) as daemon:
        await daemon.publish("openbell/state", a_line(1, every_s=0.4, at=old), retain=True)
        works = [follower.run(), desk.run()]
        works.append(watch(follower, desk, every_s=0.4, say=said_lines.append, wall=lambda: datetime.now(UTC)))
        tasks = [asyncio.create_task(work) for work in works]
        await eventually(lambda: pigeon.codes == ["heartbeat_lost"])  # what the broker had kept is no sign of life
        await daemon.publish("openbell/state", b"no json")
        await daemon.publish("openbell/state", a_line(2, every_s=0.4), retain=True)
        await eventually(lambda: pigeon.codes == ["heartbeat_lost", "heartbeat_back"])
        await eventually(lambda: len(said_lines) == 3)  # and then nothing came
        await gone(tasks)
    assert said_lines[0].startswith("page: heartbeat_lost: no heartbeat for 3")


async def gone(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
