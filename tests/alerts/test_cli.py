"""openbell alerts test, openbell alerts send."""

import json
from pathlib import Path

import pytest

from tests.alerts.test_watcher import a_line
from tests.runtime.front_door import FrontDoor

SHIPPED = (Path(__file__).resolve().parents[2] / "config.toml").read_text()


@pytest.fixture
def openbell(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return FrontDoor(capsys, monkeypatch)


@pytest.fixture
def configured(tmp_path, receiver):
    """Two channels: one that works, one behind whose port nobody listens."""

    def write(*, broken):
        channels = [("hook", receiver.url), *([("dead", "http://127.0.0.1:1")] if broken else [])]
        tables = [
            f'[[alert]]\nname = "{name}"\nkind = "webhook"\nlevel = "digest"\nurl = "{url}"' for name, url in channels
        ]
        (tmp_path / "config.toml").write_text("\n".join([SHIPPED, *tables]))

    return write


def test_one_message_of_every_level_goes_over_every_channel(openbell, configured, receiver):
    configured(broken=False)
    ended = openbell("alerts", "test")
    assert (ended.code, ended.out) == (0, "hook: sent\n")
    assert [receiver.json(index)["severity"] for index in range(3)] == ["page", "notice", "digest"]


def test_a_channel_that_fails_is_a_line_and_exit_1(openbell, configured):
    configured(broken=True)
    ended = openbell("alerts", "test")
    assert (ended.code, ended.out) == (1, "hook: sent\ndead: FAILED: 127.0.0.1: Connection refused\n")


def test_one_channel_can_be_tried_alone(openbell, configured):
    configured(broken=True)
    assert openbell("alerts", "test", "--channel", "hook").out == "hook: sent\n"
    ended = openbell("alerts", "test", "--channel", "fax")
    assert (ended.code, ended.err) == (3, "--channel fax: there is no such [[alert]], there is hook, dead\n")


def test_without_any_channel_it_says_that_nobody_could_be_told(openbell, tmp_path):
    (tmp_path / "config.toml").write_text(SHIPPED)
    ended = openbell("alerts", "test")
    assert (ended.code, ended.err.split(",")[0]) == (3, "no [[alert]] in the configuration")


def test_the_facts_follow_their_schema(openbell, configured):
    configured(broken=True)
    facts = openbell("alerts", "test", "--json").facts("alerts")
    assert facts["channels"] == {"hook": None, "dead": "127.0.0.1: Connection refused"}


def test_a_failed_unit_is_a_page_with_what_the_last_heartbeat_said(openbell, configured, receiver, tmp_path):
    configured(broken=False)
    (tmp_path / "logs").mkdir()
    held = [{"symbol": "SPY", "quantity": 10}]
    (tmp_path / "logs" / "openbell-paper.jsonl").write_text(a_line(positions=held))
    assert openbell("alerts", "send", "--unit", "openbell.service").code == 0
    told = receiver.json()
    assert (told["severity"], told["code"]) == ("page", "unit_failed")
    assert told["text"].startswith("systemd: openbell.service has failed; its last heartbeat said ok, ACTIVE")
    assert "positions SPY +10" in told["text"]


def test_a_unit_that_never_beat_is_told_all_the_same(openbell, configured, receiver):
    configured(broken=False)
    assert openbell("alerts", "send", "--unit", "openbell.service\nSubject: x").code == 0
    assert receiver.json()["text"] == "systemd: openbell.serviceSubject: x has failed; it never sent a heartbeat"


def test_the_schema_is_the_published_one(openbell, configured):
    configured(broken=False)
    assert json.loads(openbell("alerts", "test", "--json").out)["schema"] == "openbell.alerts/1"
