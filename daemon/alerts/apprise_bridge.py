"""More than a hundred services by URL, where the extra `apprise` is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Message
from daemon.alerts.posting import DeliveryFailed
from shared.errors import ConfigError

_KINDS = {Severity.PAGE: "failure", Severity.NOTICE: "warning", Severity.DIGEST: "info"}


def apprise(name: str, url: str, load: Callable[[str], Any] = import_module) -> Callable[[Message], None]:
    """Raises ConfigError if the extra is not installed or the URL is none of its services."""
    try:
        library = load("apprise")
    except ImportError:
        raise ConfigError(
            f'alert {name}: kind = "apprise" needs the extra: pip install "openbell[alerts]" (or use another kind)'
        ) from None
    bridge = library.Apprise()
    if not bridge.add(url):
        raise ConfigError(f"alert {name}: its URL is none that apprise knows")

    def send(message: Message) -> None:
        if not bridge.notify(title=message.title, body=message.body(), notify_type=_KINDS[message.severity]):
            raise DeliveryFailed("apprise: not delivered")

    return send
