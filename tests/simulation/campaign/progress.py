"""The bar of a long campaign: on stderr, only on a terminal.

It is drawn by the campaign's own ticks: a thread of its own would not survive the forks.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.simulation.campaign.carrying_out import Watch
from tests.simulation.campaign.day import Day


class ProgressBar:
    """A context: `watch` feeds it, and leaving it leaves the last state on the screen."""

    def __init__(self, weather: str, total: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("days"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[found]}"),
            console=Console(file=sys.stderr),
            auto_refresh=False,
            disable=not sys.stderr.isatty(),
        )
        self._bar = self._progress.add_task(weather, total=total, found="")
        self._broken = self._lost = 0

    @property
    def watch(self) -> Watch:
        return Watch(self._day, self._progress.refresh)

    def advance(self, *, is_broken: bool, is_lost: bool = False) -> None:
        """One more is done."""
        self._broken += is_broken
        self._lost += is_lost
        found = [f"{self._broken} broken"] * bool(self._broken) + [f"{self._lost} lost"] * bool(self._lost)
        self._progress.update(self._bar, advance=1, found=", ".join(found), refresh=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.refresh()
        self._progress.stop()

    def _day(self, day: Day) -> None:
        """A day that went wrong is said at once: a campaign takes long."""
        self.advance(is_broken=bool(day.findings), is_lost=bool(day.lost))
        what = [finding.invariant for finding in day.findings] + [f"lost, {day.lost}"] * bool(day.lost)
        if what:
            self._progress.console.print(f"seed {day.seed} ({day.weather}): {', '.join(what)}", markup=False)
