"""A process of the simulated world: everything that runs in its context belongs to it, and stops at once when it is
killed.

Ownership travels by a context variable, so tasks, timers and callbacks inherit it without knowing. What a killed
process has left behind is kept, not collected: collecting a coroutine would run its `finally` blocks, and a dead
process runs nothing.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

_CLOSINGS_MAX = 50
OWNER: contextvars.ContextVar[Process | None] = contextvars.ContextVar("owner", default=None)


class Killed(BaseException):
    """Raised inside a process where it stops in the middle of a call; nobody in the daemon catches it.

    `is_durable`: it was killed right after a durable write, whose rows stand.
    """

    is_durable = False


class Process:
    """One life of the daemon, from its start to its end."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_alive = True
        self.steps = 0
        """Callbacks and task steps that have run."""
        self.dies_at_step = 0
        """The step before which it is killed; 0 = none."""
        self.watched_step = 0
        self.on_watched_step: Callable[[], None] = lambda: None
        """Hears that the watched step is about to run; it may kill the process."""
        self.on_kill: list[Callable[[], None]] = []
        self.on_end: list[Callable[[], None]] = []
        """What its kernel closes, however it ends."""
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._left: list[object] = []

    def started(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """A task that belongs to this process, with all that comes of it."""
        return self.context().run(lambda: asyncio.get_running_loop().create_task(work, name=name))

    def context(self) -> contextvars.Context:
        """A fresh context of this process."""
        context = contextvars.copy_context()
        context.run(OWNER.set, self)
        return context

    def may_step(self) -> bool:
        """Whether its next callback may run; kills it when its time has come."""
        if not self.is_alive:
            return False
        self.steps += 1
        if self.steps == self.dies_at_step:
            self.kill()
        elif self.steps == self.watched_step:
            self.on_watched_step()
        return self.is_alive

    def kill(self) -> None:
        """No instruction of it runs any more; its sockets close, as the kernel does it."""
        if not self.is_alive:
            return
        self.is_alive = False
        for hear in tuple(self.on_kill):
            hear()
        self.end()

    def end(self) -> None:
        """It is over, of itself or not: what it has left open is closed."""
        self.is_alive = False
        for close in tuple(self.on_end):  # an end that dies takes itself off the list
            close()

    def keep(self, left: object) -> None:
        """Hold what a dead process would otherwise have collected."""
        self._left.append(left)

    def bury(self) -> None:
        """After the run: let go of everything. `finally` blocks run now, in a process that can reach nothing."""
        for task in list(self.tasks):
            if not task.done():
                _close(task)
        self.tasks.clear()
        self._left.clear()


def _close(task: asyncio.Task[Any]) -> None:
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own
    work = task.get_coro()
    for _ in range(_CLOSINGS_MAX):
        try:
            work.close()
        except BaseException:  # noqa: BLE001 - a `finally` that awaits says so; the next close ends that, too
            continue
        return
