"""Forks the world at the moments of a day and kills the daemon in each copy."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.simulation.history import Record
from tests.simulation.judge.explaining import explained
from tests.simulation.judge.judging import breaches_of
from tests.simulation.plan import Plan
from tests.simulation.world.disk import kept_copy
from tests.simulation.world.process import Process
from tests.simulation.world.run import played_by
from tests.simulation.world.site import Site

HEALS_S = 100.0
"""What a copy gets after its kill: a start, a report, and the 60 s of I16."""
MOMENTS = ("step", "before_commit", "after_commit", "sync", "sending")


class Found(Struct, frozen=True, kw_only=True):
    """A copy in which something broke; `moment` and `nth` name the kill, `text` has the events before."""

    moment: str
    nth: int
    text: str


class Counts(Struct, kw_only=True):
    """How many moments there were and how many copies were made, by kind."""

    seen: Counter[str]
    killed: Counter[str]
    found: list[Found]


class Enumerator:
    """`every` says by kind how many moments make one copy (0: none). At most `jobs` copies live at a time."""

    def __init__(self, every: dict[str, int], jobs: int, on_copy: Callable[[int], None] = lambda _: None) -> None:
        self.counts = Counts(seen=Counter(), killed=Counter(), found=[])
        self._every, self._jobs, self._on_copy = every, jobs, on_copy
        self._site: Site
        self._children: dict[int, tuple[str, int, Path]] = {}
        self._mine: tuple[str, int, Path] | None = None
        self._results = Path(tempfile.mkdtemp(prefix="openbell-kills-", dir=tempfile.gettempdir()))

    def run(self, plan: Plan) -> Counts:
        """Play the plan's day once, with a copy at each chosen moment. In a copy this does not return."""
        try:
            outcome = played_by(plan, self._watch)
            if self._mine is not None:
                self._report(outcome.history)
            while self._children:
                self._reap()
        except BaseException as error:
            if self._mine is not None:
                self._write(f"the copy ended of {type(error).__name__}: {error}")
                os._exit(1)
            raise
        else:
            return self.counts
        finally:
            shutil.rmtree(self._results, ignore_errors=True)

    # ------------------------------------------------------------------ in the world

    def _watch(self, site: Site) -> None:
        self._site = site
        site.disk.on_write = self._moment
        site.on_order = lambda: self._moment("sending")
        site.lives.on_start = self._watch_steps

    def _watch_steps(self, process: Process) -> None:
        every = self._every.get("step", 0)
        if not every or self._mine is not None:
            return
        process.watched_step = every

        def at_step() -> None:
            process.watched_step = process.steps + every
            self.counts.seen["step"] += every - 1
            self._moment("step", chosen=True)

        process.on_watched_step = at_step

    def _moment(self, kind: str, *, chosen: bool = False) -> None:
        process = self._site.lives.process
        if self._mine is not None or process is None or not process.is_alive:
            return
        self.counts.seen[kind] += 1
        every = self._every.get(kind, 0)
        if chosen or (every and self.counts.seen[kind] % every == 0):
            self._branch(kind)

    def _branch(self, kind: str) -> None:
        while len(self._children) >= self._jobs:
            self._reap()
        nth, site = self.counts.seen[kind], self._site
        copy = site.config.base_dir.with_name(f"copy-{kind}-{nth}") / "daemon"
        kept_copy(site.lives.config.base_dir, copy)
        result = self._results / f"{kind}-{nth}"
        pid = os.fork()
        if pid:
            self._children[pid] = (kind, nth, copy.parent)
            self.counts.killed[kind] += 1
            self._on_copy(self.counts.killed.total())
            return
        self._mine = (kind, nth, result)
        self._children.clear()
        asyncio._set_running_loop(site.loop)
        site.folder, site.lives.config = copy.parent, site.lives.config.based_at(copy)
        assert site.lives.process is not None
        site.lives.process.kill()
        site.rest_in_calm(HEALS_S)

    # ------------------------------------------------------------------ results

    def _report(self, history: list[Record]) -> None:
        breaches = breaches_of(history)
        self._write(explained(history, breaches[0]) if breaches else "")
        os._exit(0)

    def _write(self, text: str) -> None:
        assert self._mine is not None
        kind, nth, path = self._mine
        path.write_bytes(msgspec.json.encode(Found(moment=kind, nth=nth, text=text)))

    def _reap(self) -> None:
        pid, _ = os.wait()
        kind, nth, copy = self._children.pop(pid)
        shutil.rmtree(copy, ignore_errors=True)  # unless the copy has done so itself
        path = self._results / f"{kind}-{nth}"
        if not path.exists():
            self.counts.found.append(Found(moment=kind, nth=nth, text="the copy died without a word"))
            return
        found = msgspec.json.decode(path.read_bytes(), type=Found)
        path.unlink()
        if found.text:
            self.counts.found.append(found)
