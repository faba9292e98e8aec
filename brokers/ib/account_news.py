"""Account values as they stream: whole, and at most every few seconds. The same again is news too: it is not old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from brokers.ib.account_values import WANTED, Told, account_of
from brokers.port import Clock
from shared.events import AccountReported, Event

log = structlog.get_logger("brokers.ib")

EVERY_S = 3.0
GATHER_S = 0.2
"""The values of one change come one by one and without an end marker: so long the others are waited for."""


class AccountNews:
    """Gathers the values of `account_id`; `emit` takes what is complete. Unknown values are no event.

    An account that stays unknown so ages in the engine's book, where it stops new risk.
    """

    def __init__(self, emit: Callable[[Event], None], clock: Clock, currency: str) -> None:
        self.account_id = ""
        self._emit = emit
        self._clock = clock
        self._currency = currency
        self._told: dict[str, Told] = {}
        self._last_s = -EVERY_S
        self._unknown = ""
        self._timer: asyncio.TimerHandle | None = None

    def value(self, account_id: str, tag: str, text: str, currency: str) -> None:
        """One value; those of other accounts and those nobody asks for are passed over."""
        if tag not in WANTED or account_id not in {"", self.account_id}:
            return
        self._told[tag] = Told(text, currency)
        self._come_back(GATHER_S)

    def learn(self, told: Mapping[str, Told]) -> None:
        """What a question was answered with: a value whose news was lost is not told again before it changes."""
        self._told |= told

    def complete(self) -> None:
        """The end of the first list."""
        if self._timer is not None and self._wait_s() <= 0:
            self.close()
            self._say()

    def close(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come_back(self, at_least_s: float) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(self._wait_s(), at_least_s), self._say)

    def _wait_s(self) -> float:
        return self._last_s + EVERY_S - asyncio.get_running_loop().time()

    def _say(self) -> None:
        self._timer = None
        account = account_of(self.account_id, self._told, self._currency)
        if isinstance(account, str):
            if account != self._unknown:
                log.warning("broker.account_unknown", reason=account)
            self._unknown = account
            return
        self._unknown = ""
        self._last_s = asyncio.get_running_loop().time()
        self._emit(AccountReported(received_at=self._clock(), account=account))
