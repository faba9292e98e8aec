"""Questions: each is a future that ends by its end marker, an error, silence or a lost connection.

Most questions carry a request id. Open orders, completed orders, positions and the time do not: TWS answers
them in the order in which they were asked and marks each end alike. If such a question runs out of time its
end marker is *owed*: the next question of that kind throws away the answer that the first marker closes, so
that an old answer is never taken for a new one. If only one marker comes then too, it was lost and not late,
and the debt is dropped.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from shared.errors import BrokerUnavailable, OpenbellError

Key = int | str

OPEN_ORDERS = "open orders"
COMPLETED_ORDERS = "completed orders"
POSITIONS = "positions"
TIME = "time"


class RequestRefused(OpenbellError):  # noqa: N818 - the field says what is the case
    """The broker answered a question with an error code."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}")


class _Question:
    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[Any] = []
        self.unreadable = ""
        self.saw_end = False
        self.is_ended = False
        self.answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def finish(self, error: Exception | None = None) -> None:
        self.is_ended = True
        if self.answer.done():
            return
        if error is None and self.unreadable:
            error = BrokerUnavailable(f"{self.name}: {self.unreadable}")
        if error is None:
            self.answer.set_result(self.rows)
        else:
            self.answer.set_exception(error)


class Requests:
    """The open questions of one connection."""

    def __init__(self) -> None:
        self._open: dict[Key, _Question] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._owed: set[str] = set()
        self._closed = ""

    async def ask(self, name: str, key: Key, send: Callable[[], None], timeout_s: float) -> list[Any]:
        """Send a question and return the rows of its answer.

        Raises:
            BrokerUnavailable: no end marker within `timeout_s` seconds, an unreadable row, or a lost
                connection.
            RequestRefused: the broker answered with an error code.
        """
        if isinstance(key, str):
            async with self._turns[key]:
                return await self._ask(name, key, send, timeout_s)
        return await self._ask(name, key, send, timeout_s)

    async def _ask(self, name: str, key: Key, send: Callable[[], None], timeout_s: float) -> list[Any]:
        if self._closed:
            raise BrokerUnavailable(f"{name}: {self._closed}")
        question = self._open[key] = _Question(name)
        try:
            send()
            async with asyncio.timeout(timeout_s):
                return await question.answer
        except TimeoutError:
            raise BrokerUnavailable(f"{name}: no complete answer within {timeout_s:g} s") from None
        finally:
            del self._open[key]
            # Out of time, or whoever asked has given up.
            if isinstance(key, str) and not question.is_ended and not question.saw_end:
                self._owed.add(key)

    def is_open(self, key: Key) -> bool:
        return key in self._open

    def add(self, key: Key, row: object) -> None:
        """One row of an answer; a row that nobody asked for is not kept."""
        if (question := self._open.get(key)) is not None and not question.is_ended:
            question.rows.append(row)

    def end(self, key: Key) -> None:
        """The end marker of an answer."""
        question = self._open.get(key)
        if isinstance(key, str) and key in self._owed:
            self._owed.discard(key)
            if question is not None:
                question.saw_end = True
                question.rows.clear()
        elif question is not None:
            question.finish()

    def refuse(self, key: Key, code: int, text: str) -> bool:
        """An error code on a question; False if no question has this key."""
        question = self._open.get(key)
        if question is not None:
            question.finish(RequestRefused(code, text))
        return question is not None

    def spoil(self, key: Key | None, reason: str) -> bool:
        """A row could not be read: that answer (None: every answer with a request id) is not complete."""
        spoilt = [
            question
            for asked, question in self._open.items()
            if asked == key or (key is None and isinstance(asked, int))
        ]
        for question in spoilt:
            question.unreadable = reason
        return bool(spoilt)

    def close(self, reason: str) -> None:
        """The connection is gone: every open and every later question is unanswered."""
        self._closed = reason
        for question in self._open.values():
            question.finish(BrokerUnavailable(f"{question.name}: {reason}"))
