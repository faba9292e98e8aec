"""Plays one plan from beginning to end and gives its history."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.simulation.history import Record
from tests.simulation.plan import Plan
from tests.simulation.world.lines import heard
from tests.simulation.world.loop import VirtualLoop
from tests.simulation.world.process import OWNER, Killed
from tests.simulation.world.site import Site

_IN_MEMORY = Path("/dev/shm")


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan; `digest` is that of the history, `took_s` the wall's seconds."""

    plan: Plan
    history: list[Record]
    digest: str
    took_s: float


def played(plan: Plan) -> Outcome:
    """Play it. The same plan gives the same history in every process."""
    return played_by(plan, lambda _: None)


def played_by(plan: Plan, on_ready: Callable[[Site], None]) -> Outcome:
    """Play it; `on_ready` is shown the world before the daemon's first start and may watch it."""
    began = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix=folder_prefix(os.getpid()), dir=place_of_folders()))
    loop = VirtualLoop(random.Random(f"{plan.seed}:tasks") if plan.shuffle else None)
    asyncio.set_event_loop(loop)
    try:
        site = Site(plan, loop, folder)
        site.on_ready = on_ready
        loop.set_exception_handler(lambda _, context: _report(site, context))
        with heard(site.lines):
            try:
                loop.run_until_complete(site.play())
            finally:
                site.lines.is_open = False
                _drain(loop, site)
                _bury(site)
                folder = site.folder
        return Outcome(
            plan=plan,
            history=site.recorder.records,
            digest=site.recorder.digest(without=str(folder)),
            took_s=time.perf_counter() - began,
        )
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)


def place_of_folders() -> Path:
    """Where each run has a folder of its own while it lasts."""
    return _IN_MEMORY if _IN_MEMORY.is_dir() else Path(tempfile.gettempdir())


def folder_prefix(pid: int) -> str:
    """How the folders of a process's runs begin, so that what a killed one has left can be found."""
    return f"openbell-sim-{pid}-"


def _report(site: Site, context: dict[str, Any]) -> None:
    """What asyncio could tell nobody: in a living process it is a task that died silently (I16).

    What was cancelled did not die: of a killed process it is a gather that nobody was left to wait for.
    """
    error = context.get("exception")
    if isinstance(error, Killed | asyncio.CancelledError):
        return
    owner = OWNER.get()
    if owner is not None and not owner.is_alive:
        return
    site.recorder.checked("task", "I16", False, f"{context.get('message')}: {error!r}")


def _bury(site: Site) -> None:
    """Let go of the killed processes; what their `finally` blocks complain of is heard by nobody."""
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # coroutines that a killed process never came to await
            site.lives.bury()
            gc.collect()
    finally:
        sys.unraisablehook = before


def _drain(loop: VirtualLoop, site: Site) -> None:
    """End what still runs of the gateway and the world; what killed processes have left stays as it is."""
    left = list(loop.tasks)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
