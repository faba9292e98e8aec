"""A Telegram bot that only speaks: sendMessage and nothing else, no update is ever fetched."""

from __future__ import annotations

from collections.abc import Callable

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Message
from daemon.alerts.posting import post_json

API = "https://api.telegram.org"


def telegram(url: str, token: str, chat_id: str) -> Callable[[Message], None]:
    """https://core.telegram.org/bots/api#sendmessage ; `url` is another server's, empty for Telegram's own."""
    address = f"{(url or API).rstrip('/')}/bot{token}/sendMessage"

    def send(message: Message) -> None:
        post_json(
            address,
            {
                "chat_id": chat_id,
                "text": f"{message.title}\n{message.body()}",
                "disable_notification": message.severity is not Severity.PAGE,
            },
        )

    return send
