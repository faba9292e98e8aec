"""Slack, Discord, ntfy and plain JSON: the shape each of them takes."""

from __future__ import annotations

from collections.abc import Callable

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Message
from daemon.alerts.posting import post, post_json

_NTFY_PRIORITY = {Severity.PAGE: "5", Severity.NOTICE: "3", Severity.DIGEST: "2"}
_NTFY_TAG = {Severity.PAGE: "rotating_light", Severity.NOTICE: "warning", Severity.DIGEST: "memo"}
Send = Callable[[Message], None]


def slack(url: str, _token: str) -> Send:
    """As https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks has it."""

    def send(message: Message) -> None:
        post_json(url, {"text": _escaped(f"*{message.title}*\n{message.body()}")})

    return send


def discord(url: str, _token: str) -> Send:
    """As https://discord.com/developers/docs/resources/webhook#execute-webhook has it."""

    def send(message: Message) -> None:
        # Nothing in a text may call for everyone.
        post_json(url, {"content": f"**{message.title}**\n{message.body()}", "allowed_mentions": {"parse": []}})

    return send


def ntfy(url: str, token: str) -> Send:
    """https://docs.ntfy.sh/publish/ ; the secret, if there is one, is an access token."""

    def send(message: Message) -> None:
        headers = {
            "Title": message.title.encode("ascii", "replace").decode(),
            "Priority": _NTFY_PRIORITY[message.severity],
            "Tags": _NTFY_TAG[message.severity],
            **_bearer(token),
        }
        post(url, message.body().encode(), headers)

    return send


def webhook(url: str, token: str) -> Send:
    """One JSON object; the secret, if there is one, goes along as a bearer token."""

    def send(message: Message) -> None:
        facts: dict[str, object] = {
            "id": message.id,
            "severity": message.severity.value,
            "code": message.code,
            "title": message.title,
            "text": message.text,
            "at": message.at,
            "runbook": message.runbook,
        }
        post_json(url, facts, _bearer(token))

    return send


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _escaped(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
