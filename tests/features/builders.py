"""What the features' tests are made of: a small daily market with gaps, a folder, a crew that runs in this process."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from research.experiments.job import Job, Outcome, Work
from research.features.build import Built, Way, build
from research.features.reading import StoredFeatures
from shared.indicators.feature_name import feature_of
from shared.indicators.feature_set import FeatureSet
from shared.io.bar_store import BarPanel
from shared.market import BarRow
from tests.experiments.builders import InProcess, a_walk, daily_panel

SYMBOLS = ("AA", "BB", "CC", "DD")
NAMES = ("rsi(14)", "sma(20)", "macd(12, 26, 9).signal", "atr(14)", "cdl_engulfing()")


def a_market(days: int = 160, seed: int = 1) -> BarPanel:
    """Four symbols, among them one with days on which it printed nothing and one that comes late."""
    panel = daily_panel(a_walk(days, seed, len(SYMBOLS)), *SYMBOLS)
    silent = np.zeros(panel.close.shape, dtype=bool)
    silent[30:33, 1] = True
    silent[:50, 3] = True
    for values in (panel.open, panel.high, panel.low, panel.close, panel.volume):
        values[silent] = np.nan
    return panel


def first_days(panel: BarPanel, days: int) -> BarPanel:
    return BarPanel(
        symbols=panel.symbols,
        opened_at=panel.opened_at[:days],
        closed_at=panel.closed_at[:days],
        interval_s=panel.interval_s,
        open=panel.open[:days],
        high=panel.high[:days],
        low=panel.low[:days],
        close=panel.close[:days],
        volume=panel.volume[:days],
    )


def rows_of(panel: BarPanel) -> BarRow:
    return BarRow(open=panel.open, high=panel.high, low=panel.low, close=panel.close, volume=panel.volume)


def built(panel: BarPanel, folder: Path, *names: str, crew=None, anew: bool = False, rows_per_part: int = 25) -> Built:
    """In parts so small that there are as many edges as years of data would have."""
    way = Way(anew=anew, rows_per_part=rows_per_part)
    return build(panel, [feature_of(name) for name in names or NAMES], folder, crew or InProcess(), way)


def stored(folder: Path, name: str) -> np.ndarray:
    return StoredFeatures(folder).values(feature_of(name))


def streamed(panel: BarPanel, name: str) -> np.ndarray:
    """What a strategy gets live: one row after the other."""
    features = FeatureSet(len(panel.symbols), [name])
    return np.vstack([features.update(panel.row(at))[name] for at in range(len(panel))])


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file with its content, locks aside."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


class Stops:
    """A crew whose worker is gone after so many jobs."""

    def __init__(self, after: int) -> None:
        self._after = after

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        for done, job in enumerate(jobs):
            if done == self._after:
                raise KeyboardInterrupt
            yield work(panel, job)
