"""What is examined, a strategy or a feature, and what it said to every row of a panel."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from research.backtest.moments import instant
from shared.io.bar_store import BarPanel
from shared.market import BarRow
from strategies.base import Strategy

Floats = npt.NDArray[np.float64]
Feature = Callable[[BarPanel], npt.ArrayLike]
"""Values of shape (T, n), or (T,) for one value per row, from a panel of T rows and n instruments."""
HandOut = Callable[[BarPanel, int], BarRow]
"""How row `index` of a panel is given to a strategy."""


class Raised(Struct, frozen=True):
    """The row at which the subject raised (None: before the first), and the error in one line."""

    row: int | None
    error: str


class Said(Struct, kw_only=True, eq=False):
    """What a subject said to R rows of n instruments.

    `values` float64 (R, n): convictions or feature values, NaN where it said nothing. `words`: per row the (symbol,
    reason) pairs in the order in which they were said, empty for a feature. `states`: row -> snapshot after it.
    """

    symbols: tuple[str, ...]
    values: Floats
    words: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    states: dict[int, bytes] = field(default_factory=dict)
    raised: Raised | None = None


class Subject(Protocol):
    """Something that may leak. `exact`: its values must be equal to the bit, not only to rounding."""

    name: str
    exact: bool
    source: Path

    def answer(self, panel: BarPanel, *, rows: int | None = None, states_at: Collection[int] = ()) -> Said:
        """What it says to the first `rows` rows (all if None), from a fresh start."""
        ...


def as_view(panel: BarPanel, index: int) -> BarRow:
    """A row as a careless replay would hand it out: whoever reaches through it to the panel gives itself away."""
    return panel.row(index)


class StrategySubject:
    """A strategy, made anew for every run."""

    exact = True

    def __init__(self, name: str, make: Callable[[], Strategy], hand_out: HandOut = as_view) -> None:
        self.name = name
        self.make = make
        self._hand_out = hand_out
        self.source = _source_of(type(make()))

    def handing_out(self, hand_out: HandOut) -> StrategySubject:
        """The same strategy with its rows handed out in another way."""
        return StrategySubject(self.name, self.make, hand_out)

    def answer(self, panel: BarPanel, *, rows: int | None = None, states_at: Collection[int] = ()) -> Said:
        count = len(panel) if rows is None else rows
        said = Said(symbols=panel.symbols, values=np.full((count, len(panel.symbols)), np.nan))
        try:
            strategy = self.make()
        except Exception as error:  # noqa: BLE001 - a user's file may raise anything
            said.raised = Raised(None, one_line(error, self.source))
            return said
        for row, closed_at in _rows(panel, count):
            try:
                self._hear(strategy, said, self._hand_out(panel, row), (row, closed_at))
                if row in states_at:
                    said.states[row] = strategy.snapshot()
            except Exception as error:  # noqa: BLE001 - as above
                said.raised = Raised(row, one_line(error, self.source))
                break
        return said

    @staticmethod
    def _hear(strategy: Strategy, said: Said, bars: BarRow, when: tuple[int, datetime]) -> None:
        row, closed_at = when
        signals = strategy.on_row(bars, closed_at)
        for signal in signals:
            said.values[row, said.symbols.index(signal.symbol)] = signal.conviction
        said.words.append(tuple((signal.symbol, signal.reason) for signal in signals))


class FeatureSubject:
    """A function of a panel. Its values may differ in the last places: vectorised sums are added in blocks."""

    exact = False

    def __init__(self, name: str, feature: Feature, source: Path) -> None:
        self.name = name
        self._feature = feature
        self.source = source

    def answer(self, panel: BarPanel, *, rows: int | None = None, states_at: Collection[int] = ()) -> Said:  # noqa: ARG002 - a function has no state
        count = len(panel) if rows is None else rows
        try:
            # Of a short past there may be no deviation or no mean: NaN is an answer, a warning is none.
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                values = _one_per_row(self._feature(panel), len(panel))
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            empty = np.full((count, len(panel.symbols)), np.nan)
            return Said(symbols=panel.symbols, values=empty, raised=Raised(None, one_line(error, self.source)))
        symbols = panel.symbols if values.shape[1] == len(panel.symbols) else ("",) * values.shape[1]
        return Said(symbols=symbols, values=values[:count])


def _one_per_row(computed: npt.ArrayLike, rows: int) -> Floats:
    values = np.array(computed, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2 or len(values) != rows:  # noqa: PLR2004 - time and instrument
        raise ValueError(f"values of shape {values.shape} for {rows} rows, allowed: one per row, (T, n) or (T,)")
    return values


def one_line(error: BaseException, source: Path) -> str:
    """Kind and text of the error, with the last line of `source` that it passed through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == source]
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"{said} ({source.name}:{lines[-1]})" if lines else said


def _rows(panel: BarPanel, count: int) -> Iterator[tuple[int, datetime]]:
    return ((row, instant(int(panel.closed_at[row]))) for row in range(count))


def _source_of(kind: type) -> Path:
    import inspect

    return Path(inspect.getsourcefile(kind) or "unknown")
