"""Trying again: exponential back-off with full jitter, as long as the fault may pass.

Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: each wait is drawn evenly between nothing
and a bound that doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

import structlog

from research.ingest.sources.clock import PaceClock
from research.ingest.sources.source import SourceUnavailable, Throttled

log = structlog.get_logger("research.ingest")

T = TypeVar("T")


class Retrying:
    """At most `tries` attempts; waits grow from `first_s` to `most_s`, drawn by `chance`.

    What the source itself says about waiting is kept, but who says more than `patience_s` is not waited for.
    """

    def __init__(
        self,
        *,
        clock: PaceClock,
        chance: Random,
        tries: int = 5,
        first_s: float = 1.0,
        most_s: float = 60.0,
        patience_s: float = 300.0,
    ) -> None:
        assert tries >= 1
        self._clock = clock
        self._chance = chance
        self._tries = tries
        self._first_s = first_s
        self._most_s = most_s
        self._patience_s = patience_s

    def run(self, attempt: Callable[[], T], on_wait: Callable[[float], None] = lambda _seconds: None) -> T:
        """The attempt's result; `on_wait` hears how long the source wants to be left alone.

        Raises:
            SourceUnavailable: the last attempt's; any other error at once.
        """
        for number in range(1, self._tries + 1):
            try:
                return attempt()
            except SourceUnavailable as fault:
                wait_s = self._wait_s(fault, number)
                if number == self._tries or wait_s > self._patience_s:
                    raise
                log.info("source.again", reason=str(fault), wait_s=round(wait_s, 1), attempt=number)
                if isinstance(fault, Throttled):
                    on_wait(wait_s)
                self._clock.sleep(wait_s)
        raise AssertionError("unreachable")

    def _wait_s(self, fault: SourceUnavailable, number: int) -> float:
        drawn_s = self._chance.uniform(0.0, min(self._most_s, self._first_s * 2.0 ** (number - 1)))
        told_s = fault.retry_after_s if isinstance(fault, Throttled) else None
        return drawn_s if told_s is None else told_s + drawn_s
