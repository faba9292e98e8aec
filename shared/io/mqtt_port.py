"""What the rest of Openbell knows of MQTT: what is said, and a link that keeps itself up; mqtt.py is the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from shared.io.secrets import Secret

BACK_OFF_S = (1.0, 60.0)
"""The first wait after a loss and the longest; each is twice the one before."""


class MqttPlace(Struct, frozen=True, kw_only=True):
    """A broker and how it lets us in. TLS checks the server's name against `ca_file`, or the system's authorities."""

    host: str
    port: int
    tls: bool = False
    ca_file: str = ""
    username: str = ""
    password: Secret = Secret("")

    def __str__(self) -> str:
        return f"mqtt {self.host}:{self.port}"


class MqttMessage(Struct, frozen=True, kw_only=True):
    """What arrived; `is_retained` = the broker had kept it from before we came."""

    topic: str
    payload: bytes
    is_retained: bool


class Retained(Struct, frozen=True, kw_only=True):
    """A message the broker keeps for whoever comes later."""

    topic: str
    payload: str


class Link(Protocol):
    """One connection that comes back for ever, and never makes anybody wait or fail.

    Of retained messages the newest of each topic is published, and again after each connect; others are dropped while
    there is no connection.
    """

    is_up: bool
    connects: int
    losses: int

    def keep(self, message: Retained) -> None:
        """Publish it retained as soon as possible; an older one of its topic that waits is forgotten."""

    def send(self, topic: str, payload: str) -> None:
        """Publish it once if there is a connection."""

    async def run(self) -> None:
        """Connect, serve, and come back after each loss, until cancelled."""


class OpenLink(Protocol):
    """Makes a link that is not connected yet.

    `hello` is published after each connect, `will` by the broker when we vanish and by us when we leave.
    """

    def __call__(  # noqa: PLR0913 - one name per thing that is configured
        self,
        place: MqttPlace,
        *,
        client_id: str,
        hello: Retained | None = None,
        will: Retained | None = None,
        topics: tuple[str, ...] = (),
        on_message: Callable[[MqttMessage], None] | None = None,
        back_off_s: tuple[float, float] = BACK_OFF_S,
    ) -> Link:
        """Raises ConfigError if the file of authorities cannot be used."""
