"""The ways to a person, as [[alert]] of config.toml lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from daemon.alerts.apprise_bridge import apprise
from daemon.alerts.catalogue import URGENCY, Severity
from daemon.alerts.mail import Mailbox, mail
from daemon.alerts.message import Message
from daemon.alerts.telegram import telegram
from daemon.alerts.webhook import Send, discord, ntfy, slack, webhook
from shared.config import Config
from shared.config_outside import AlertChannelConfig
from shared.errors import ConfigError
from shared.io.secrets import read_secret

_WEBHOOKS: dict[str, Callable[[str, str], Send]] = {
    "slack": slack,
    "discord": discord,
    "ntfy": ntfy,
    "webhook": webhook,
}


class Channel(Struct, frozen=True, kw_only=True):
    """One way to a person; `send` blocks (it runs in a thread) and raises DeliveryFailed."""

    name: str
    kind: str
    level: Severity
    send: Send

    def takes(self, message: Message) -> bool:
        """Whether messages of that urgency go here."""
        return URGENCY[message.severity] >= URGENCY[self.level]


def channels_of(config: Config) -> list[Channel]:
    """Every channel, in the order of the file.

    Raises:
        ConfigError: one line per channel that cannot be built (a secret is missing or open to others, no apprise).
    """
    built: list[Channel] = []
    faults: list[str] = []
    for section in config.alert_channels:
        try:
            built.append(_channel(section, config.base_dir))
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return built


def _channel(section: AlertChannelConfig, base_dir: Path) -> Channel:
    secret = read_secret(section.secret, base_dir) if section.secret else ""
    if section.secret and not secret:
        raise ConfigError(
            f"alert {section.name}: the secret {section.secret} is nowhere, put it into secrets/{section.secret}"
        )
    return Channel(name=section.name, kind=section.kind, level=Severity(section.level), send=_send(section, secret))


def _send(section: AlertChannelConfig, secret: str) -> Send:
    match section.kind:
        case "email":
            box = Mailbox(
                url=section.url, sender=section.sender, to=section.to, username=section.username, password=secret
            )
            return mail(box)
        case "telegram":
            return telegram(section.url, secret, section.to)
        case "apprise":
            return apprise(section.name, section.url or secret)
        case kind:
            # Without a URL the secret is the URL; with one it is a token for it.
            return _WEBHOOKS[kind](section.url or secret, secret if section.url else "")
