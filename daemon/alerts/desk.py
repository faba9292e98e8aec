"""Takes what the daemon notices and sees that a person hears of it; its callers never wait.

Delivery itself is watched: every `check_every_s` a quiet message goes out, each channel's last success stands in the
heartbeat, and a channel that has failed for a quarter of an hour is reported over the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from daemon.alerts.beat_watch import BeatWatch
from daemon.alerts.catalogue import Severity, severity_of
from daemon.alerts.channels import Channel
from daemon.alerts.digest import DayDigest
from daemon.alerts.message import Alarm, Message, compose
from daemon.alerts.outbox import Outbox
from daemon.alerts.spool import Spool
from daemon.alerts.throttle import Throttle
from daemon.runtime.clock import wall_now
from shared.commands import Notify
from shared.config_outside import AlertsConfig

_log = structlog.get_logger("openbell")
FAILING_S_MAX = 900.0
_DRAIN_POLL_S = 0.02
_AFTER_FAULT_S = 5.0
Facts = dict[str, object]


class AlertDesk:
    """`take` and `on_beat` return at once; `run` delivers, for ever."""

    def __init__(
        self,
        *,
        section: AlertsConfig,
        channels: Sequence[Channel],
        spool: Spool,
        sender: str,
        wall: Callable[[], datetime] = wall_now,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._section = section
        self._spool = spool
        self._sender = sender
        self._wall = wall
        self._now_s = monotonic or asyncio.get_running_loop().time
        self._changed = asyncio.Event()
        self.outboxes = [Outbox(channel, self._changed.set) for channel in channels]
        self._throttle = Throttle(repeat_after_s=section.repeat_after_s, per_hour_max=section.per_hour_max)
        self._beats = BeatWatch()
        self._digest = DayDigest()
        self._number = 0
        self._checked_s = self._now_s()
        self._reported: dict[str, None] = {}

    def take(self, notice: Notify) -> None:
        """Hear one notice of the engine or the runtime."""
        self._digest.count(notice.code)
        severity = severity_of(notice)
        if severity is not Severity.DIGEST:
            self.tell(Alarm(severity=severity, code=notice.code, text=notice.text))

    def tell(self, alarm: Alarm) -> None:
        """Send the alarm, or count it if the same was sent a short while ago."""
        admitted = self._throttle.admit(alarm, self._now_s())
        if admitted is not None:
            self._post(alarm, admitted.repeats)

    def on_beat(self, facts: Facts) -> None:
        """Hear one heartbeat."""
        for alarm in self._beats.judge(facts):
            self._digest.count(alarm.code)
            self.tell(alarm)
        digest = self._digest.on_beat(facts)
        if digest is not None and self._section.digest:
            self._post(digest)
        self.tick()

    def part(self, reason: str) -> None:
        """The run ends; a reason that nobody asked for is a page."""
        if reason:
            self.tell(Alarm(severity=Severity.PAGE, code="run_ended", text=f"the daemon has ended: {reason}"))

    def tick(self) -> None:
        """What is due without news: counts of repeats, the delivery check, channels that fail."""
        for admitted in self._throttle.due(self._now_s()):
            self._post(admitted.alarm, admitted.repeats)
        self._check_delivery()

    def facts(self) -> Facts:
        """What the heartbeat tells of the channels; seconds since the last success, None = not yet."""
        return {"alerts": {box.channel.name: self._box_facts(box) for box in self.outboxes}}

    async def run(self) -> None:
        """Deliver what comes and what the last run left; a fault of its own is logged and it goes on."""
        await self._restore()
        while True:
            try:
                await self._deliver()
            except Exception:  # noqa: BLE001 - whatever it is, the trading must not end for it
                _log.exception("alerts_interrupted")
                await asyncio.sleep(_AFTER_FAULT_S)

    async def drained(self, within_s: float) -> bool:
        """Wait until everything is out, at most so long; pages that are not stay in the spool."""
        until_s = self._now_s() + within_s
        while not all(box.is_idle() for box in self.outboxes) and self._now_s() < until_s:  # noqa: ASYNC110 - looks anew
            await asyncio.sleep(_DRAIN_POLL_S)
        return all(box.is_idle() for box in self.outboxes)

    async def _deliver(self) -> None:
        tasks = [asyncio.create_task(self._keep_spool(), name="alert spool")]
        tasks += [asyncio.create_task(box.run(), name=f"alerts by {box.channel.name}") for box in self.outboxes]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _post(self, alarm: Alarm, repeats: int = 0, *, without: str = "") -> None:
        self._number += 1
        at = self._wall().isoformat()
        message = compose(alarm, sender=self._sender, number=self._number, at=at, repeats=repeats)
        for box in self.outboxes:
            if box.channel.takes(message) and box.channel.name != without:
                box.put(message)

    def _check_delivery(self) -> None:
        now_s, every_s = self._now_s(), self._section.check_every_s
        if every_s and now_s - self._checked_s >= every_s:
            self._checked_s = now_s
            text = "the way to you works; this message comes so that its absence can be noticed"
            self._post_to_all(Alarm(severity=Severity.DIGEST, code="delivery_check", text=text))
        for box in self.outboxes:
            name, since_s = box.channel.name, box.failing_since_s
            if since_s is None:
                self._reported.pop(name, None)
            elif now_s - since_s >= FAILING_S_MAX and name not in self._reported:
                self._reported[name] = None
                text = f"nothing has got out over {name} for {(now_s - since_s) / 60:.0f} min"
                self._post(Alarm(severity=Severity.PAGE, code="alert_channel_failing", text=text), without=name)

    def _post_to_all(self, alarm: Alarm) -> None:
        """A check goes over every channel, also over those that only take pages."""
        self._number += 1
        message = compose(alarm, sender=self._sender, number=self._number, at=self._wall().isoformat())
        for box in self.outboxes:
            box.put(message)

    def _box_facts(self, box: Outbox) -> Facts:
        since_s, now_s = box.last_success_s, self._now_s()
        return {
            "last_success_age_s": None if since_s is None else round(now_s - since_s),
            "failing_for_s": None if box.failing_since_s is None else round(now_s - box.failing_since_s),
            "waiting": len(box),
            "sent": box.sent,
            "failed": box.failed,
            "dropped": box.dropped,
        }

    async def _restore(self) -> None:
        try:
            left = await asyncio.to_thread(self._spool.read)
        except (OSError, ValueError) as error:
            _log.warning("alert_spool_unreadable", reason=str(error))
            return
        for box in self.outboxes:
            for message in left.pop(box.channel.name, []):
                box.put(message)
        orphans: list[Message] = [message for messages in left.values() for message in messages]
        for box in self.outboxes[:1]:  # their channel is no longer configured
            for message in orphans:
                box.put(message)

    async def _keep_spool(self) -> None:
        has_failed = False
        while True:
            await self._changed.wait()
            self._changed.clear()
            pending = {box.channel.name: box.pages() for box in self.outboxes}
            try:
                await asyncio.to_thread(self._spool.write, pending)
                has_failed = False
            except OSError as error:
                if not has_failed:
                    _log.warning("alert_spool_not_written", reason=error.strerror)
                has_failed = True
