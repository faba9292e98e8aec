"""An event loop whose clock jumps: time passes only when nothing is ready, and then at once to the next timer.

One thread, no file descriptors, no wall clock. Sockets are those of a Network; threads run inline. With a `chance`
given, tasks that are ready at the same moment run in an order drawn from it (callbacks of timers and transports keep
theirs: asyncio promises it). It must be the policy's loop too, because ib_insync asks the policy; and as it
never sleeps, real sockets cannot be used on it (RELIABILITY.md 2).
"""

from __future__ import annotations

import asyncio
import heapq
import random
import socket
from asyncio import events
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tests.simulation.world.process import OWNER, Process

if TYPE_CHECKING:
    from tests.simulation.world.network import Network

_T = TypeVar("_T")
STARTS_AT_S = 1_000.0
_RESOLUTION_S = 1e-9
_IDLE_STEPS_MAX = 200_000
_FIRST_STEP = "TaskStepMethWrapper"


class Stuck(RuntimeError):  # noqa: N818 - names the state of the loop
    """Nothing is ready and no timer runs, or time does not move although much runs."""


class VirtualLoop(asyncio.BaseEventLoop):
    """`now_s` may be moved on by a call that blocks (a slow disk)."""

    def __init__(self, chance: random.Random | None = None) -> None:
        super().__init__()
        self.now_s = STARTS_AT_S
        self.network: Network | None = None
        self.steps = 0
        self.dropped: list[object] = []
        self.tasks: dict[asyncio.Task[Any], None] = {}
        """Those that belong to no process and are not done, in the order in which they began (asyncio keeps a set)."""
        self._chance = chance
        self._still = 0
        self._clock_resolution = _RESOLUTION_S
        self.slow_callback_duration = float("inf")
        self.set_task_factory(_owned_task)

    def time(self) -> float:
        return self.now_s

    # ------------------------------------------------------------------ one turn

    def _run_once(self) -> None:
        """Timers that are due, then everything that was ready when the turn began."""
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]  # asyncio's own
        self._jump(ready)
        self._due(ready)
        handles = list(ready)
        ready.clear()
        if self._chance is not None and len(handles) > 1:
            _shuffle_tasks(handles, self._chance)
        for place, handle in enumerate(handles):
            if handle._cancelled:
                continue
            owner: Process | None = handle._context.get(OWNER)
            if owner is not None and not owner.may_step():
                owner.keep(handle)
                continue
            self.steps += 1
            handle._run()
            if self._stopping and place + 1 < len(handles):  # type: ignore[attr-defined]  # asyncio's own
                ready.extendleft(reversed(handles[place + 1 :]))
                return

    def _jump(self, ready: deque[Any]) -> None:
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined]  # asyncio's own
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if ready or self._stopping:  # type: ignore[attr-defined]  # asyncio's own
            self._still += 1
            if self._still > _IDLE_STEPS_MAX:
                raise Stuck(f"{self._still} turns without time passing at {self.now_s:.6f}: {list(ready)[:5]}")
            return
        if not timers:
            raise Stuck("nothing is ready and no timer runs")
        if timers[0]._when > self.now_s:
            self.now_s = timers[0]._when
            self._still = 0

    def _due(self, ready: deque[Any]) -> None:
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined]  # asyncio's own
        until = self.now_s + _RESOLUTION_S
        while timers and timers[0]._when <= until:
            handle = heapq.heappop(timers)
            handle._scheduled = False
            ready.append(handle)

    def _timer_handle_cancelled(self, handle: events.TimerHandle) -> None:
        """Cancelled timers leave the heap when their time comes."""

    # ------------------------------------------------------------------ what a loop must have

    def _write_to_self(self) -> None:
        """Nobody sleeps, nobody need be woken."""

    def _process_events(self, event_list: object) -> None:
        """There are no file descriptors."""

    def call_soon_threadsafe(  # type: ignore[override]  # asyncio's own
        self, callback: Any, *args: Any, context: Any = None
    ) -> events.Handle:
        return self.call_soon(callback, *args, context=context)

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: object) -> None:
        """Signals come from the world, by the daemon's own door."""

    def remove_signal_handler(self, sig: int) -> bool:
        del sig
        return True

    def run_in_executor(  # type: ignore[override]  # asyncio's own
        self, executor: object, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """Threads run inline: their order would be the one thing no seed repeats."""
        del executor
        done: asyncio.Future[_T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as an executor hands it on
            done.set_exception(error)
        return done

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the parent's
        """There is none."""

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    # ------------------------------------------------------------------ sockets

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        return await self._net().connect(protocol_factory, (str(host), int(port)))

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        return self._net().listen(protocol_factory, (str(host), int(port)))

    async def create_unix_server(self, protocol_factory: Any, path: Any = None, *, sock: Any = None, **_: Any) -> Any:
        owner = OWNER.get()
        if sock is not None and owner is not None:
            owner.on_end.append(sock.close)
        return self._net().listen(protocol_factory, (sock.getsockname() if sock is not None else str(path), 0))

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **_: Any) -> Any:
        return await self._net().connect(protocol_factory, (str(path), 0))

    def _net(self) -> Network:
        assert self.network is not None, "a virtual loop has no sockets but those of a Network"
        return self.network


def _owned_task(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
    """A task; its process knows of it, so that it stays as it is when the process is killed."""
    assert isinstance(loop, VirtualLoop)
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
    owner = OWNER.get()
    (loop if owner is None else owner).tasks[task] = None
    task.add_done_callback(_forget)
    return task


def _forget(task: asyncio.Task[Any]) -> None:
    owner, loop = OWNER.get(), task.get_loop()
    assert isinstance(loop, VirtualLoop)
    if owner is None:
        loop.tasks.pop(task, None)
    elif owner.is_alive:
        owner.tasks.pop(task, None)


def _shuffle_tasks(handles: list[Any], chance: random.Random) -> None:
    """Put the steps of tasks, and only those, into another order among themselves."""
    places = [place for place, handle in enumerate(handles) if _is_of_a_task(handle._callback)]
    if len(places) < 2:
        return
    chosen = [handles[place] for place in places]
    chance.shuffle(chosen)
    for place, handle in zip(places, chosen, strict=True):
        handles[place] = handle


def _is_of_a_task(callback: object) -> bool:
    return type(callback).__name__ == _FIRST_STEP or isinstance(getattr(callback, "__self__", None), asyncio.Task)
