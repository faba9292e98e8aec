"""An alert channel that keeps what arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from daemon.alerts.catalogue import Severity
from daemon.alerts.channels import Channel
from daemon.alerts.message import Message
from daemon.alerts.posting import DeliveryFailed
from shared.config import Config


class CatchingChannel:
    """The only way to a person, whatever the configuration names; `is_down` = its service is away.

    A service that is away may have taken the message all the same (`loses_answers`): the daemon then sends it again.
    """

    def __init__(
        self, name: str = "pager", level: Severity = Severity.DIGEST, hear: Callable[[Message], None] | None = None
    ) -> None:
        self.name, self.level = name, level
        self.is_down = False
        self.loses_answers = False
        self.arrived: list[Message] = []
        self.failed = 0
        self._hear = hear

    def channels(self, config: Config) -> Sequence[Channel]:
        """This, for Surroundings.channels."""
        del config
        return [Channel(name=self.name, kind="webhook", level=self.level, send=self.send)]

    def send(self, message: Message) -> None:
        """Take one message.

        Raises:
            DeliveryFailed: the service is away, or its answer is lost.
        """
        if not self.is_down:
            self.arrived.append(message)
            if self._hear is not None:
                self._hear(message)
        if self.is_down or self.loses_answers:
            self.failed += 1
            raise DeliveryFailed(f"{self.name}: simulated: {'away' if self.is_down else 'no answer'}")
