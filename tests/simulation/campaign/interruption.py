"""Ctrl-C and SIGTERM: heard as a fact, not as an exception in the middle of whatever runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """A context in which both signals only set `has_come`.

    An exception would be lost where Python cannot raise one: in the callbacks of a fork, in a finaliser.
    """

    def __init__(self) -> None:
        self.has_come = False

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._hear) for number in _SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _hear(self, _signal: int, _frame: object) -> None:
        self.has_come = True


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
