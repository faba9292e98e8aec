"""A timer inside a daemon process: how late its event loop is, written down every 100 ms."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

TICK_S, WRITE_EVERY_S = 0.005, 0.1


class LagMeter(asyncio.DefaultEventLoopPolicy):
    """Every loop made under this policy measures itself; a line of `path` is one WRITE_EVERY_S: [until_s, lag_ms].

    `until_s` is CLOCK_MONOTONIC, which all processes of a machine share.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._worst_s = self._write_at = 0.0

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        loop.call_soon(self._tick, loop, loop.time())
        return loop

    def _tick(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        now_s = loop.time()
        self._worst_s = max(self._worst_s, now_s - due_s)
        if now_s >= self._write_at:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([now_s, 1000 * self._worst_s]) + "\n")
            self._worst_s, self._write_at = 0.0, now_s + WRITE_EVERY_S
        loop.call_later(TICK_S, self._tick, loop, loop.time() + TICK_S)


def worst_lag_ms(path: Path, since_s: float, until_s: float) -> float:
    """The longest delay between two instants of CLOCK_MONOTONIC; RuntimeError if nothing was measured."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = [lag_ms for at_s, lag_ms in lines if since_s <= at_s <= until_s + WRITE_EVERY_S]
    if not found:
        raise RuntimeError(f"{path}: no lag was measured")
    return float(max(found))
