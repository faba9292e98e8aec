"""Work in forked processes, a batch in each, so that nothing leaks from one piece to the next for long.

A child that dies or takes too long costs the piece it was at; the others are done by another child. Nothing here
knows what the work is. The parent must run no threads of Python's: a fork copies none of them, but the locks they hold.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

from msgspec import Struct

from tests.simulation.campaign.interruption import Interruption

Piece = TypeVar("Piece")
TICK_S = 0.25
_DONE, _FAILED = b"+", b"!"
_FORK = get_context("fork")


class Limits(Struct, frozen=True, kw_only=True):
    """How many processes at once, how many pieces in each, and how long one piece may take (real seconds)."""

    jobs: int
    batch: int
    wall_s: float


class Course(Struct, frozen=True):
    """What is asked several times a second.

    An interruption ends every child at once. Once it `is_over`, nothing new is begun, and what runs is finished.
    """

    interruption: Interruption
    is_over: Callable[[], bool] = lambda: False
    on_tick: Callable[[], None] = lambda: None
    on_end: Callable[[int], None] = lambda _: None
    """Hears the id of each process that has ended, however it ended."""


class Lost(Struct, frozen=True):
    """A piece without an answer, and why."""

    why: str


class _Child(Generic[Piece]):
    """One process with the pieces it still owes; the first of them is the one it is at."""

    def __init__(self, pieces: Sequence[Piece], work: Callable[[Piece], bytes]) -> None:
        self.owed = deque(pieces)
        self.began_s = time.monotonic()
        self.has_hung_up = False
        self.answers, theirs = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_work_off, args=(theirs, list(pieces), work, os.getpid()), daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0
        theirs.close()

    def end(self) -> str:
        """Kill it if it still runs; how it ended. One that has hung up is on its way out."""
        if self.has_hung_up:
            self._process.join(TICK_S)
        self._process.kill()
        self._process.join()
        self.answers.close()
        code = self._process.exitcode or 0
        return f"its process was ended by {signal.Signals(-code).name}" if code < 0 else f"its process left with {code}"


def forked(
    pieces: Sequence[Piece],
    work: Callable[[Piece], bytes],
    limits: Limits,
    course: Course,
) -> Generator[tuple[Piece, bytes | Lost]]:
    """Each piece with its answer, as they come. Closing the generator ends every child at once."""
    crew = _Crew(pieces, work, limits, course.on_end)
    gc.freeze()  # a collection in a child would touch, and so copy, every page it shares with us
    try:
        while not course.interruption.has_come and crew.has_work(course.is_over):
            course.on_tick()
            for child in crew.heard_of():
                yield from crew.answers(child)
                if course.is_over():
                    crew.dismiss(child)
            yield from crew.overdue()
    finally:
        crew.dismiss_all()
        gc.unfreeze()


class _Crew(Generic[Piece]):
    """The children that run, and what waits for one."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        work: Callable[[Piece], bytes],
        limits: Limits,
        on_end: Callable[[int], None],
    ) -> None:
        self._work, self._limits, self._on_end = work, limits, on_end
        self._waiting = deque(tuple(pieces[at : at + limits.batch]) for at in range(0, len(pieces), limits.batch))
        self._children: list[_Child[Piece]] = []

    def has_work(self, is_over: Callable[[], bool]) -> bool:
        """Whether anything runs or shall run; begins what there are hands for."""
        while self._waiting and len(self._children) < self._limits.jobs and not is_over():
            self._children.append(_Child(self._waiting.popleft(), self._work))
        return bool(self._children)

    def heard_of(self) -> list[_Child[Piece]]:
        """Those that have answered or ended, waited for a tick long."""
        ready = wait([child.answers for child in self._children], timeout=TICK_S)
        return [child for child in self._children if child.answers in ready]

    def answers(self, child: _Child[Piece]) -> Iterator[tuple[Piece, bytes | Lost]]:
        """Its next answer; where it has ended, the piece it was at is lost and the rest is for another child."""
        try:
            said = child.answers.recv_bytes()
        except (EOFError, OSError):
            child.has_hung_up = True
            yield from self._lost(child, "")
            return
        child.began_s = time.monotonic()
        yield child.owed.popleft(), said[1:] if said[:1] == _DONE else Lost(said[1:].decode())

    def overdue(self) -> Iterator[tuple[Piece, Lost]]:
        """What has taken too long is lost, its child ended."""
        for child in list(self._children):
            if child.owed and time.monotonic() - child.began_s > self._limits.wall_s:
                yield from self._lost(child, f"no end within {self._limits.wall_s:g} s")

    def _lost(self, child: _Child[Piece], why: str) -> Iterator[tuple[Piece, Lost]]:
        ended = self.dismiss(child)
        if child.owed:
            piece = child.owed.popleft()
            if child.owed:
                self._waiting.appendleft(tuple(child.owed))
            yield piece, Lost(why or ended)

    def dismiss(self, child: _Child[Piece]) -> str:
        """End it; how it ended."""
        if child not in self._children:
            return ""
        self._children.remove(child)
        ended = child.end()
        self._on_end(child.pid)
        return ended

    def dismiss_all(self) -> None:
        for child in list(self._children):
            self.dismiss(child)


def _work_off(answers: Connection, pieces: Sequence[Piece], work: Callable[[Piece], bytes], parent: int) -> None:
    """The child's life. A Ctrl-C reaches it too, but ending it is the parent's business; without a parent it leaves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for piece in pieces:
        if os.getppid() != parent:
            return
        try:
            said = _DONE + work(piece)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to this piece
            said = _FAILED + f"{type(error).__name__}: {error}".encode()
        answers.send_bytes(said)
