"""Asking the broker for everything, one question at a time: on suspicion, on reconnect, by the clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from msgspec.structs import replace

from brokers.port import Broker
from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from shared.errors import BrokerUnavailable
from shared.events import BrokerReported

_log = structlog.get_logger("openbell")
FASTEST_S = 1.0
TOLD_TO_THE_SECOND_S = 2.0
"""TWS tells its time in whole seconds (TWS.md 2.3): two clocks that differ by no more may agree."""
ALL_QUESTIONS = ("fills", "open_orders", "completed_orders", "positions", "account")


class Reporter:
    """Puts BrokerReported into the inbox. To have found nobody is an answer too: nothing was answered.

    `clock_ahead_s` is kept by who asks the broker for the time: ours less his.
    """

    def __init__(self, *, broker: Broker, inbox: Inbox, clock: MarketClock, every_s: float) -> None:
        self._broker = broker
        self._inbox = inbox
        self._clock = clock
        self._every_s = every_s
        self._wanted = asyncio.Event()
        self._asking = asyncio.Lock()
        self.is_open = False
        self.clock_ahead_s = 0.0

    def ask(self) -> None:
        """Ask soon; several wishes before the question leaves are one question."""
        self._wanted.set()

    async def run(self) -> None:
        """Ask when wanted and every `every_s`, while the connection is open; for ever."""
        while True:
            with suppress(TimeoutError):  # nobody asked: it is time to ask by the clock
                async with asyncio.timeout(self._pause_s()):  # wait_for of 3.11 loses a cancel that comes with it
                    await self._wanted.wait()
            if self.is_open:
                await self.report()
            else:
                self._wanted.clear()  # every reconnect asks anyway

    def _pause_s(self) -> float:
        """Wall seconds to the next question: on an accelerated market `every_s` are its own, at most one a second."""
        return min(self._every_s, max(self._every_s / self._clock.speed, FASTEST_S))

    async def report(self) -> BrokerReported:
        """Ask now, put the answer into the inbox, and return it."""
        async with self._asking:
            self._wanted.clear()
            asked_at = self._clock.now()
            try:
                answer = await self._broker.report()
            except BrokerUnavailable as error:
                _log.warning("report_unanswered", reason=str(error))
                answer = BrokerReported(
                    received_at=self._clock.now(),
                    asked_at=asked_at,
                    positions=(),
                    open_orders=(),
                    completed_orders=(),
                    fills=(),
                    account=None,
                    unanswered=ALL_QUESTIONS,
                )
            if abs(self.clock_ahead_s) > TOLD_TO_THE_SECOND_S:
                answer = replace(answer, clock_ahead_s=self.clock_ahead_s)
            self._inbox.put(answer)
            return answer
