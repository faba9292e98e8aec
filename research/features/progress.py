"""How far a build is: a bar with the time left on a terminal, nothing elsewhere. It goes to stderr."""

from __future__ import annotations

import sys

from research.features.build import Watcher, nobody


def watcher() -> Watcher:
    """Whoever waits in front of this terminal."""
    if not sys.stderr.isatty():
        return nobody
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("features"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    task = progress.add_task("features")

    def watch(done: int, total: int) -> None:
        if not done:
            progress.start()
        progress.update(task, completed=done, total=total)
        if done >= total:
            progress.stop()

    return watch
