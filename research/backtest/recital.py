"""A strategy that has said everything beforehand, and repeats it row by row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from daemon.engine.desk import Desk
from shared.indicators.indicator import FloatArray, kernel
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Decisions, Strategy


class Recital(Strategy):
    """Says on every row what `decisions` hold for it; `row` is the number of the one that comes next.

    `said` is the last conviction of every instrument mentioned since the replay began.
    """

    _decisions: Decisions

    def __init__(self, universe: Universe) -> None:
        super().__init__(universe)
        self.row = 0
        self.said: dict[str, float] = {}

    @classmethod
    def of(cls, universe: Universe, decisions: Decisions) -> Recital:
        """A recital of these decisions."""
        recital = cls(universe)
        recital._decisions = decisions
        return recital

    def on_row(self, _row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        signals = self._decisions.at(self.row)
        said = self.said
        for signal in signals:
            said[signal.symbol] = signal.conviction
        return signals

    def news(self, first: int) -> npt.NDArray[np.bool_]:
        """Of every row (T,): whether an instrument is mentioned otherwise than last time, or for the first time.

        Rows before `first` are none, and what they mention counts for nothing: it led to no position.
        """
        convictions = np.require(self._decisions.convictions, dtype=np.float64, requirements=["C", "W"])
        found = np.zeros(len(convictions), dtype=np.bool_)
        _find_news(convictions, first, found)
        return found


def recitals_of(desks: Sequence[Desk], rows: BarRow) -> dict[str, Recital] | None:
    """Every desk's strategy asked for its decisions on the panels (T, n), and replaced by their recital.

    None if one of them speaks only row by row; others may have been used up by then.
    """
    recitals: dict[str, Recital] = {}
    for desk in desks:
        decisions = desk.strategy.decisions(desk.mine(rows))
        if decisions is None:
            return None
        recitals[desk.name] = Recital.of(desk.strategy.universe, decisions)
    for desk in desks:
        desk.strategy = recitals[desk.name]
    return recitals


@kernel
def _find_news(convictions: FloatArray, first: int, found: npt.NDArray[np.bool_]) -> None:
    last = np.full(convictions.shape[1], np.nan)
    for t in range(first, convictions.shape[0]):
        for i in range(convictions.shape[1]):
            conviction = convictions[t, i]
            if not np.isnan(conviction) and conviction != last[i]:
                found[t] = True
                last[i] = conviction
