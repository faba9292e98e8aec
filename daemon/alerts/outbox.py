"""One channel's queue: sent in a thread, tried again with back-off for ever, pages first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from daemon.alerts.catalogue import Severity
from daemon.alerts.channels import Channel
from daemon.alerts.message import Message
from daemon.alerts.posting import DeliveryFailed

_log = structlog.get_logger("openbell")
BACK_OFF_S_FIRST = 1.0
BACK_OFF_S_MAX = 60.0
WAITING_MAX = 200


class Outbox:
    """`on_change` is called whenever a page came or went: what waits must be kept for a restart."""

    def __init__(self, channel: Channel, on_change: Callable[[], None]) -> None:
        self.channel = channel
        self.sent = 0
        self.failed = 0
        self.dropped = 0
        self.last_success_s: float | None = None
        self.failing_since_s: float | None = None
        self._on_change = on_change
        self._waiting: deque[Message] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Queue it; a page goes ahead of all that is none."""
        if message.severity is Severity.PAGE:
            pages = sum(waiting.severity is Severity.PAGE for waiting in self._waiting)
            self._waiting.insert(pages, message)
            self._on_change()
        else:
            self._waiting.append(message)
            self._make_room()
        self._filled.set()

    def pages(self) -> list[Message]:
        """The pages that wait, oldest first."""
        return [message for message in self._waiting if message.severity is Severity.PAGE]

    def is_idle(self) -> bool:
        return not self._waiting

    async def run(self) -> None:
        """Send what comes, for ever. What fails goes to the end, so that one bad message holds up no other."""
        delay_s = BACK_OFF_S_FIRST
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            message = self._waiting[0]
            if await self._try(message):
                delay_s = BACK_OFF_S_FIRST
                self._remove(message)
                continue
            self._waiting.remove(message)
            self._waiting.append(message)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, BACK_OFF_S_MAX)

    async def _try(self, message: Message) -> bool:
        now_s = asyncio.get_running_loop().time
        try:
            await asyncio.to_thread(self.channel.send, message)
        except Exception as error:  # noqa: BLE001 - a channel's fault, of whatever kind, is tried again
            self.failed += 1
            if self.failing_since_s is None:
                self.failing_since_s = now_s()
                reason = str(error) if isinstance(error, DeliveryFailed) else type(error).__name__
                _log.warning("alert_not_sent", channel=self.channel.name, code=message.code, reason=reason)
            return False
        if self.failing_since_s is not None:
            _log.info("alert_channel_back", channel=self.channel.name)
        self.sent, self.failing_since_s, self.last_success_s = self.sent + 1, None, now_s()
        _log.info("alert_sent", channel=self.channel.name, code=message.code, severity=message.severity.value)
        return True

    def _remove(self, message: Message) -> None:
        self._waiting.remove(message)
        if message.severity is Severity.PAGE:
            self._on_change()

    def _make_room(self) -> None:
        """Drop the oldest that is no page."""
        if len(self._waiting) > WAITING_MAX:
            oldest = next((waiting for waiting in self._waiting if waiting.severity is not Severity.PAGE), None)
            if oldest is not None:
                self._waiting.remove(oldest)
                self.dropped += 1
