"""Each channel against a real server on loopback: the shape of the service, and nothing secret in an error."""

import pytest

from daemon.alerts.apprise_bridge import apprise
from daemon.alerts.catalogue import Severity
from daemon.alerts.channels import channels_of
from daemon.alerts.message import TEXT_CHARACTERS_MAX
from daemon.alerts.posting import DeliveryFailed
from daemon.alerts.telegram import telegram
from daemon.alerts.webhook import discord, ntfy, slack, webhook
from shared.errors import ConfigError
from tests.alerts.builders import Pigeon, a_message
from tests.runtime.builders import a_config

TOKEN = "123456:AAbbCCddEE"


def test_slack_gets_its_text_with_markup_taken_out(receiver):
    slack(f"{receiver.url}/services/T0/B0/x", "")(a_message(text="SPY < 100 & falling"))
    assert receiver.json() == {
        "text": "*[PAGE] openbell paper: unprotectable*\nSPY &lt; 100 &amp; falling\n\n"
        "2026-11-20T15:04:05 UTC, runbook: docs/runbook.md#unprotectable"
    }


def test_discord_gets_its_content_and_may_call_for_nobody(receiver):
    discord(receiver.url, "")(a_message(text="@everyone"))
    assert receiver.json()["allowed_mentions"] == {"parse": []}
    assert receiver.json()["content"].startswith("**[PAGE] openbell paper: unprotectable**\n@everyone")


@pytest.mark.parametrize(("severity", "priority"), [("page", "5"), ("notice", "3"), ("digest", "2")])
def test_ntfy_gets_plain_text_and_a_priority(receiver, severity, priority):
    ntfy(f"{receiver.url}/topic", TOKEN)(a_message(Severity(severity)))
    path, headers, body = receiver.requests[0]
    assert (path, headers["Priority"], headers["Authorization"]) == ("/topic", priority, f"Bearer {TOKEN}")
    assert body.decode().startswith("SPY has no stop")


def test_a_webhook_gets_one_json_object(receiver):
    webhook(receiver.url, TOKEN)(a_message())
    assert receiver.json() == {
        "id": "20261120T150405-1",
        "severity": "page",
        "code": "unprotectable",
        "title": "[PAGE] openbell paper: unprotectable",
        "text": "SPY has no stop",
        "at": "2026-11-20T15:04:05.123456+00:00",
        "runbook": "docs/runbook.md#unprotectable",
    }
    assert receiver.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(("severity", "is_silent"), [("page", False), ("digest", True)])
def test_telegram_sends_one_message_and_rings_only_for_a_page(receiver, severity, is_silent):
    telegram(receiver.url, TOKEN, "42")(a_message(Severity(severity)))
    assert receiver.requests[0][0] == f"/bot{TOKEN}/sendMessage"
    assert (receiver.json()["chat_id"], receiver.json()["disable_notification"]) == ("42", is_silent)


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_anything_but_success_is_a_failure_that_names_host_and_answer_only(receiver, status):
    receiver.status, receiver.location = status, "/elsewhere"
    with pytest.raises(DeliveryFailed) as failed:
        telegram(receiver.url, TOKEN, "42")(a_message())
    assert str(failed.value) == f"127.0.0.1: HTTP {status}"
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://127.0.0.1:1/a b", "http://[::1", "http://127.0.0.1:x", "no url"]
)
def test_no_error_shows_the_token(url, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DeliveryFailed) as failed:
        telegram(url, TOKEN, "42")(a_message())
    assert TOKEN not in str(failed.value)
    assert "AAbb" not in repr(failed.value.__cause__)


def test_an_account_number_does_not_leave_with_a_message():
    assert a_message(text="DU1234567 is short").text == "DU***67 is short"


def test_a_text_longer_than_the_services_take_is_cut():
    assert len(a_message(text="x" * 9_000).body()) < TEXT_CHARACTERS_MAX + 200


def test_a_channel_takes_its_level_and_what_is_more_urgent():
    phone = Pigeon(level=Severity.NOTICE).channel
    assert [phone.takes(a_message(Severity(level))) for level in ("page", "notice", "digest")] == [True, True, False]


def a_file_of(tmp_path, **channel):
    return a_config(tmp_path, alert=[{"name": "c1", **channel}])


def test_the_secret_is_the_url_where_there_is_no_other(tmp_path, receiver):
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "hook").write_text(f"{receiver.url}/services/T0\n")
    (secrets / "hook").chmod(0o600)
    (channel,) = channels_of(a_file_of(tmp_path, kind="slack", secret="hook"))
    channel.send(a_message())
    assert receiver.requests[0][0] == "/services/T0"


def test_a_missing_secret_is_one_line_that_says_where_to_put_it(tmp_path):
    with pytest.raises(ConfigError, match=r"^alert c1: the secret bot is nowhere, put it into secrets/bot$"):
        channels_of(a_file_of(tmp_path, kind="telegram", to="42", secret="bot"))


def no_library(name):
    raise ImportError(name)


def test_apprise_without_its_extra_is_one_line_that_names_it():
    with pytest.raises(ConfigError, match=r'^alert c1: kind = "apprise" needs the extra: pip install'):
        apprise("c1", "pover://user@token", no_library)


class Services:
    """The shape of apprise's own object."""

    Apprise = None

    def __init__(self, knows, delivers):
        self.Apprise = lambda: self
        self.add = lambda url: knows
        self.notified: list[dict[str, str]] = []
        self.delivers = delivers

    def notify(self, **words):
        self.notified.append(words)
        return self.delivers


def test_apprise_is_handed_title_body_and_kind():
    services = Services(knows=True, delivers=True)
    apprise("c1", "pover://user@token", lambda name: services)(a_message())
    assert services.notified[0]["notify_type"] == "failure"
    with pytest.raises(DeliveryFailed, match="not delivered"):
        apprise("c1", "pover://user@token", lambda name: Services(knows=True, delivers=False))(a_message())


def test_a_url_that_apprise_does_not_know_is_refused_without_being_shown():
    with pytest.raises(ConfigError, match=r"^alert c1: its URL is none that apprise knows$"):
        apprise("c1", "secret://x", lambda name: Services(knows=False, delivers=True))
