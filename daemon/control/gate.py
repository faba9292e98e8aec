"""The one door from control into the engine's loop."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from daemon.runtime.clock import MarketClock
from daemon.runtime.holdings import trading_state
from daemon.runtime.loop import EngineLoop
from risk.trading_state import INSTRUMENT
from shared.errors import Refused
from shared.events import OperatorCommanded


class ControlGate(Protocol):
    """What control asks of the daemon."""

    def now(self) -> datetime:
        """Market time, for the event's stamp."""

    async def submit(self, event: OperatorCommanded) -> str:
        """The trading state after the event was handled, made durable and carried out.

        Raises:
            Refused: the engine has taken note and does not do it (a latch, no break to accept).
        """

    def state(self) -> str:
        """The trading state as text."""

    def is_spent(self, nonce: str) -> bool:
        """Whether a signed command with that nonce has been carried out, in this run or an earlier one."""


class LoopGate:
    """ControlGate on the loop that runs."""

    def __init__(self, loop: EngineLoop, clock: MarketClock) -> None:
        self._loop = loop
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def submit(self, event: OperatorCommanded) -> str:
        await self._loop.submit(event)
        if why := self._left_undone(event):
            raise Refused(why)
        return self.state()

    def state(self) -> str:
        return trading_state(self._loop.engine.book)

    def is_spent(self, nonce: str) -> bool:
        return nonce in self._loop.engine.book.nonces

    def _left_undone(self, event: OperatorCommanded) -> str:
        """Why the engine did not do it, as the book shows now; empty if it did."""
        book = self._loop.engine.book
        latched = book.breakers.latched.get(event.scope, [])
        if event.verb == "resume" and latched:
            return f"{event.scope}: latched by {', '.join(latch.rule for latch in latched)}; only reset ends that"
        symbol = event.scope.removeprefix(f"{INSTRUMENT}:")
        if event.verb == "accept" and symbol not in book.accepts and symbol not in book.breaks:
            return f"{event.scope}: there is no break to accept, open ones: {', '.join(book.breaks) or 'none'}"
        return ""
