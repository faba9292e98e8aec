"""How far it is: a bar with the time left on a terminal, a line now and then elsewhere. It goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from research.experiments.job import Outcome
from research.experiments.stopwatch import seconds

LINE_EVERY_S = 10.0


class Progress(Protocol):
    """Whoever waits."""

    def begin(self, total: int, kept: int) -> None:
        """There are `total` replays, `kept` of them from an earlier run."""

    def ended(self, outcome: Outcome) -> None:
        """One more is done, or has failed."""


class Silence:
    """Nobody waits."""

    def begin(self, total: int, kept: int) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        pass


class Lines:
    """For a log: how many, how many failed, and about how long it will still take."""

    def __init__(self, command: str, every_s: float = LINE_EVERY_S) -> None:
        self._command, self._every_s = command, every_s
        self._total = self._kept = self._done = self._failed = 0
        self._began = self._said = seconds()

    def begin(self, total: int, kept: int) -> None:
        self._total, self._kept = total, kept
        self._began = self._said = seconds()
        known = f", {kept:,} of them known from before" if kept else ""
        self._say(f"{total:,} {'replay' if total == 1 else 'replays'}{known}")

    def ended(self, outcome: Outcome) -> None:
        self._done += 1
        self._failed += outcome.state == "failed"
        if seconds() - self._said >= self._every_s:
            self._said = seconds()
            left = self._total - self._kept - self._done
            left_s = (self._said - self._began) / self._done * left
            failed = f", {self._failed:,} failed" if self._failed else ""
            self._say(f"{self._kept + self._done:,} of {self._total:,} done{failed}, about {left_s:,.0f} s left")

    def _say(self, line: str) -> None:
        sys.stderr.write(f"{self._command}: {line}\n")
        sys.stderr.flush()


@contextmanager
def shown(command: str) -> Iterator[Progress]:
    """A bar where a person looks, lines elsewhere."""
    if not sys.stderr.isatty():
        yield Lines(command)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bars:
        yield _Bar(bars, command)


class _Bar:
    def __init__(self, bars: object, command: str) -> None:
        from rich.progress import Progress as RichProgress

        assert isinstance(bars, RichProgress)
        self._bars, self._failed = bars, 0
        self._task = bars.add_task(command, total=None, failed="")

    def begin(self, total: int, kept: int) -> None:
        self._bars.reset(self._task, total=total, completed=kept)

    def ended(self, outcome: Outcome) -> None:
        self._failed += outcome.state == "failed"
        failed = f"{self._failed} failed" if self._failed else ""
        self._bars.update(self._task, advance=1, failed=failed)
