"""What stands beside the trading: alerts, figures, mirrors. It hears and tells, and can end or delay nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog
from msgspec import Struct

from daemon.runtime.heartbeat import Sink, Source

_log = structlog.get_logger("openbell")
FAREWELL_S = 3.0
Runs = Callable[[], Coroutine[Any, Any, None]]


class Companion(Struct, frozen=True, kw_only=True):
    """One of them; every part may be left out.

    `sink` hears each heartbeat, `source` adds to it, `run` works until it is cancelled, `farewell` gets the reason why
    the run ends (empty if as told) and at most FAREWELL_S seconds.
    """

    name: str
    sink: Sink | None = None
    source: Source | None = None
    run: Runs | None = None
    farewell: Callable[[str], Coroutine[Any, Any, None]] | None = None


class Companions:
    """All of them: their tasks begin with the run and end with it."""

    def __init__(self, members: Sequence[Companion], farewell_s: float = FAREWELL_S) -> None:
        self._members = tuple(members)
        self._farewell_s = farewell_s
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def sinks(self) -> list[Sink]:
        return [member.sink for member in self._members if member.sink is not None]

    @property
    def sources(self) -> list[Source]:
        return [member.source for member in self._members if member.source is not None]

    def start(self) -> None:
        """Let each work in a task of its own."""
        for member in self._members:
            if member.run is not None:
                self._tasks.append(asyncio.create_task(_guarded(member.name, member.run), name=member.name))

    async def leave(self, reason: str) -> None:
        """Say farewell to each in its time, then end all."""
        farewells = [
            asyncio.create_task(_guarded(member.name, _bounded(member.farewell, reason, self._farewell_s)))
            for member in self._members
            if member.farewell is not None
        ]
        await asyncio.gather(*farewells)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _guarded(name: str, run: Runs) -> None:
    try:
        await run()
    except TimeoutError:
        _log.warning("companion_unfinished", name=name)
    except Exception:  # noqa: BLE001 - whatever it is, the trading goes on without this companion
        _log.exception("companion_ended", name=name)


def _bounded(farewell: Callable[[str], Coroutine[Any, Any, None]], reason: str, within_s: float) -> Runs:
    async def say() -> None:
        async with asyncio.timeout(within_s):
            await farewell(reason)

    return say
