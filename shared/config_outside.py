"""The sections of config.toml for what stands around the trading: journal, people, alarms, figures. All have defaults.

No secret stands here, only the name under which it is kept (shared/io/secrets.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from shared.config_fields import choice, number, positive, switch, text, whole
from shared.config_section import Section

_SECRET = text("the name of a secret", "mqtt_password", r"^[a-z0-9_]{1,48}$")
_REFRESH = choice("", "ib", "alphavantage", "alpaca", "yfinance")


class JournalConfig(Section):
    """[journal]: where events and commands are kept; empty = SQLite in state_dir."""

    url: Annotated[str, text("empty, or a URL postgresql://USER@HOST:PORT/DATABASE without password", "", "")] = ""
    password_secret: Annotated[str, _SECRET] = "journal_password"  # noqa: S105 - its name


class ReconcileConfig(Section):
    """[reconcile]: what is done about orders and positions that are not ours, and how far money may drift."""

    foreign: Annotated[Literal["report", "adopt", "reduce"], choice("report", "adopt", "reduce")] = "report"
    adopted_stop_pct: Annotated[float, positive(50, 2)] = 2.0


class ControlConfig(Section):
    """[control]: the local socket, <state_dir>/<mode>/control.sock, reached by whoever may write that file."""

    enabled: Annotated[bool, switch(True)] = True


class MqttConfig(Section):
    """[mqtt]: heartbeats to a broker, and signed commands from it."""

    enabled: Annotated[bool, switch(False)] = False
    host: Annotated[str, text("a host name or address", "127.0.0.1")] = "127.0.0.1"
    port: Annotated[int, whole(1, 65_535, 1_883)] = 1_883
    tls: Annotated[bool, switch(False)] = False
    ca_file: Annotated[str, text("a PEM file, or empty for the system's", "ca.pem", "")] = ""
    username: Annotated[str, text("a user name, or empty", "openbell", "")] = ""
    password_secret: Annotated[str, _SECRET] = "mqtt_password"  # noqa: S105 - its name
    topic: Annotated[str, text("a topic without wildcards", "openbell", r"^[^#+\s/][^#+\s]*$")] = "openbell"
    commands: Annotated[bool, switch(False)] = False
    command_key_secret: Annotated[str, _SECRET] = "command_key"  # noqa: S105 - its name
    home_assistant: Annotated[bool, switch(False)] = False


class AlertChannelConfig(Section):
    """[[alert]]: one way to reach a person."""

    name: Annotated[str, text("1 to 24 of a-z, 0-9 and _", "mail", r"^[a-z0-9_]{1,24}$")]
    kind: Annotated[
        Literal["email", "slack", "discord", "ntfy", "webhook", "telegram", "apprise"],
        choice("email", "slack", "discord", "ntfy", "webhook", "telegram", "apprise"),
    ]
    level: Annotated[Literal["page", "notice", "digest"], choice("page", "notice", "digest")] = "notice"
    url: Annotated[str, text("a URL; for email smtp://HOST:PORT; empty where the secret is the URL", "", "")] = ""
    to: Annotated[str, text("an address or chat id, or empty", "you@example.org", "")] = ""
    sender: Annotated[str, text("an address, or empty", "openbell@example.org", "")] = ""
    username: Annotated[str, text("a user name, or empty", "you", "")] = ""
    secret: Annotated[str, text("the name of a secret, or empty", "mail_password", r"^[a-z0-9_]{0,48}$")] = ""


class AlertsConfig(Section):
    """[alerts]: how often a person may be spoken to."""

    repeat_after_s: Annotated[float, positive(604_800, 3_600)] = 3_600.0
    per_hour_max: Annotated[int, whole(1, 1_000, 20)] = 20
    digest: Annotated[bool, switch(True)] = True
    check_every_s: Annotated[float, number(0, 604_800, 86_400)] = 86_400.0


class NightlyConfig(Section):
    """[nightly]: the run after the close, and whether the daemon trades by its plan only."""

    plan: Annotated[Literal["off", "require"], choice("off", "require")] = "off"
    plan_age_max_s: Annotated[float, positive(2_592_000, 432_000)] = 432_000.0
    data: Annotated[str, text("a .parquet or .csv file or a folder of them, or empty", "bars", "")] = ""
    refresh: Annotated[Literal["", "ib", "alphavantage", "alpaca", "yfinance"], _REFRESH] = ""
    sessions: Annotated[int, whole(1, 10_000, 252)] = 252


class MetricsConfig(Section):
    """[metrics]: Prometheus figures on 127.0.0.1; 0 = off."""

    port: Annotated[int, whole(0, 65_535, 9_464)] = 0
