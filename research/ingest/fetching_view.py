"""How a fetch is shown: a bar on a terminal, one line per symbol that failed, a summary as table or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from research.ingest.fetching import Fetched

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

SCHEMA = "openbell.data-fetch/1"
FAILED = frozenset({"failed", "not_asked"})
REASONS_MAX = 20
HOLES_MAX = 5


class Bar:
    """A Watcher: one progress bar for all symbols on standard error; elsewhere than on a terminal it is silent."""

    def __init__(self, progress: Progress, symbols: int, label: str) -> None:
        self._progress = progress
        self._lock = Lock()
        self._rows = 0
        self._label = label
        self._task: TaskID = progress.add_task(label, total=symbols)

    def chunk(self, symbol: str, until: date, bars: int) -> None:
        with self._lock:
            self._rows += bars
            self._progress.update(
                self._task, description=f"{self._label} {symbol} until {until:%Y-%m-%d}, {self._rows:,} bars"
            )

    def done(self, fetched: Fetched) -> None:
        self._progress.advance(self._task)
        if fetched.state == "failed":
            self._progress.console.print(f"failed: {fetched.reason}", markup=False, highlight=False, soft_wrap=True)


def progress_on(console: Console) -> Progress:
    """The bar's columns: what runs, how far it is, how long it has taken and will take."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        Remaining(),
        console=console,
        disable=not console.is_terminal,
    )


def facts(source: str, frequency: str, found: Sequence[Fetched]) -> dict[str, Any]:
    """What --json prints."""
    return {
        "schema": SCHEMA,
        "source": source,
        "frequency": frequency,
        "is_complete": not any(each.state in FAILED for each in found),
        "symbols": [to_builtins(each) for each in found],
    }


def summary(source: str, found: Sequence[Fetched]) -> list[str]:
    """A line of counts, then one per symbol that was not had."""
    states = Counter(each.state for each in found)
    counted = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in sorted(states.items()))
    added = sum(each.added for each in found)
    replaced = sum(each.replaced for each in found)
    dropped = sum(each.dropped for each in found)
    actions = sum(each.actions for each in found)
    more = "".join(
        f", {count:,} {name}" for name, count in (("replaced", replaced), ("bad ones dropped", dropped)) if count
    )
    lines = [f"{source}: {len(found):,} symbols: {counted}; {added:,} bars added{more}, {actions:,} actions"]
    missed = [each for each in found if each.state in FAILED]
    lines += [f"  {each.symbol}: {each.state.replace('_', ' ')}: {each.reason}" for each in missed[:REASONS_MAX]]
    lines += [f"  and {len(missed) - REASONS_MAX:,} more"] if len(missed) > REASONS_MAX else []
    return lines + _holes(found)


def _holes(found: Sequence[Fetched]) -> list[str]:
    """One line per symbol with days that should have bars and have none."""
    holed = [each for each in found if each.holes]
    lines = [
        f"  {each.symbol}: no bars of {', '.join(each.holes[:HOLES_MAX])}{', ...' * (len(each.holes) > HOLES_MAX)}, "
        "asked twice, though there are before and after: --again with --from and --to asks once more"
        for each in holed[:REASONS_MAX]
    ]
    return lines + ([f"  and {len(holed) - REASONS_MAX:,} more with such days"] if len(holed) > REASONS_MAX else [])
