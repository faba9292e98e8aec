"""Questions: each is a future that ends by its end marker, an error, silence or a lost connection.

Most questions carry a request id. Open orders, completed orders, positions and the time do not: TWS answers
them in the order in which they were asked, marks each end alike, and says nothing by which an answer could be
told from the one before. If such a question runs out of time its end marker is *owed*: it may be late, or lost.
So the next question of that kind throws away what the first marker closes and is asked once more, for each
marker owed: what the last of them closes was asked by it, and not by another. After that a marker that is late
comes by itself, soon; one that was lost never does, and is forgotten a time-out later. So is one while the line
passes other answers: what was asked a time-out after it and came with its id came behind it.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from shared.errors import BrokerUnavailable, OpenbellError

Key = int | str
OWED_MAX = 3
"""A line on which more questions in a row are late is dead, and found so: what is still missing was lost."""

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


class _Debt(Struct):
    """When each question left whose end marker may still come, oldest first; `lapses_at_s`: then all of them were lost.

    Instants are the loop's.
    """

    left_s: list[float] = field(default_factory=list)
    lapses_at_s: float = math.inf

    def owed(self, now_s: float, lost_before_s: float) -> int:
        """How many may still come: no more for questions that had left by `lost_before_s`."""
        if now_s >= self.lapses_at_s:
            self.left_s = []
        self.left_s = [each for each in self.left_s if each > lost_before_s][-OWED_MAX:]
        return len(self.left_s)


class _Question:
    """`passes` is how many answers of questions before it may come first."""

    def __init__(self, name: str, send: Callable[[], None], passes: int) -> None:
        self.name = name
        self.send = send
        self.passes = passes
        self.rows: list[Any] = []
        self.unreadable = ""
        self.is_ended = False
        self.answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def take_end(self) -> None:
        """The end of this answer, or of one to a question before it: then this one is asked again."""
        if not self.passes:
            self.finish()
        elif not self.is_ended:
            self.passes -= 1
            self.rows.clear()
            self.unreadable = ""
            self.send()

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
            self.answer.exception()  # nobody may be waiting for it: the line died while the question left


class Requests:
    """The open questions of one connection."""

    def __init__(self) -> None:
        self._open: dict[Key, _Question] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._debts: defaultdict[Key, _Debt] = defaultdict(_Debt)
        self._heard_s = -math.inf
        """When the last question was asked whose answer came with its id."""
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
        now_s = asyncio.get_running_loop().time
        asked_s, debt = now_s(), self._debts[key] if isinstance(key, str) else _Debt()

        def leave() -> None:
            debt.left_s.append(now_s())
            send()

        question = self._open[key] = _Question(name, leave, debt.owed(asked_s, self._heard_s - timeout_s))
        try:
            leave()
            async with asyncio.timeout(timeout_s):
                return await question.answer
        except TimeoutError:
            raise BrokerUnavailable(f"{name}: no complete answer within {timeout_s:g} s") from None
        finally:
            del self._open[key]
            # Else it is out of time, or whoever asked has given up.
            debt.lapses_at_s = now_s() + timeout_s if question.is_ended else math.inf
            if question.is_ended and not isinstance(key, str):
                self._heard_s = max(self._heard_s, asked_s)

    def is_open(self, key: Key) -> bool:
        return key in self._open

    def add(self, key: Key, row: object) -> None:
        """One row of an answer; a row that nobody asked for is not kept."""
        if (question := self._open.get(key)) is not None and not question.is_ended:
            question.rows.append(row)

    def end(self, key: Key) -> None:
        """The end marker of an answer."""
        if (debt := self._debts.get(key)) is not None:
            del debt.left_s[:1]  # whose marker it is nobody knows: the youngest are taken to be still missing
        if (question := self._open.get(key)) is not None:
            question.take_end()

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
