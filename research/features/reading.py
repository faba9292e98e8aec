"""Stored features, read: a stretch of some of them, or a day of all. What does not fit its bars or code is refused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from research.features.bar_prints import digest_of
from research.features.code_hash import code_of
from research.features.parts import read_part
from research.features.record import (
    BARS_FILE,
    BarsRecord,
    CallRecord,
    axis_names,
    read_bars_record,
    read_call_record,
    read_rows,
    slug,
)
from shared.errors import DataError, NotFound
from shared.indicators.feature_name import Feature
from shared.indicators.indicator import FloatArray, IntArray


class StoredFeatures:
    """The features in a folder. `bars` says whose they are.

    Raises:
        NotFound: there are none. DataError: what is there is no record of features.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bars = read_bars_record(folder)
        if bars is None:
            raise NotFound(
                f"{folder}: no features ({BARS_FILE} is missing), allowed: what openbell features build wrote"
            )
        self.bars: BarsRecord = bars
        self._checked: dict[Feature, CallRecord] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.bars.symbols

    @cached_property
    def opened_at(self) -> IntArray:
        """Opening instant of every row, (T,) nanoseconds UTC."""
        return self._axis(0, 1)[:, 0]

    @cached_property
    def prints(self) -> IntArray:
        """Running prints of the bars (T, n), bar_prints.py."""
        return self._axis(1, self.bars.width)

    def values(self, feature: Feature, first: int = 0, end: int | None = None) -> FloatArray:
        """The rows `first` to `end` (without it; all if None) of a feature, (rows, n), NaN where not warm.

        Raises:
            NotFound: it is not stored. DataError: it is behind, of other bars, of other code, or damaged.
        """
        record = self.record(feature)
        home = self.folder / slug(record.call)
        found = read_rows(home, record, str(feature), first, record.rows if end is None else end)
        if not found:
            return np.empty((0, record.width))
        return np.asarray(found[0] if len(found) == 1 else np.concatenate(found), dtype=np.float64)

    def day(self, row: int, features: Sequence[Feature]) -> FloatArray:
        """All of `features` at one row, (k, n)."""
        return np.vstack([self.values(feature, row, row + 1) for feature in features])

    def record(self, feature: Feature) -> CallRecord:
        """What is known of the call behind a feature, once it has been found sound."""
        if feature not in self._checked:
            self._checked[feature] = self._sound(feature)
        return self._checked[feature]

    def _sound(self, feature: Feature) -> CallRecord:
        home = self.folder / slug(str(feature.call))
        record = read_call_record(home)
        if record is None or str(feature) not in record.features:
            raise NotFound(
                f"{self.folder}: no feature {feature}, allowed: those that openbell features build was given"
            )
        if record.code != code_of(feature.call):
            raise DataError(f"{home}: {feature} was computed by other code, allowed: this one's; build again")
        if record.rows != self.bars.rows and self._began_alike(record):
            behind = self.bars.rows - record.rows
            raise DataError(f"{home}: {feature} is {behind} rows behind its bars, allowed: up to date; build again")
        if record.digest != self.bars.digest:
            raise DataError(
                f"{home}: {feature} was computed from other bars, allowed: those of {BARS_FILE}; build again"
            )
        return record

    def _began_alike(self, record: CallRecord) -> bool:
        if not 0 < record.rows < self.bars.rows:
            return False
        return record.digest == digest_of(self.bars.symbols, self.bars.interval_s, self.prints, record.rows)

    def _axis(self, which: int, width: int) -> IntArray:
        found = read_part(self.folder / axis_names(self.bars.digest)[which], width, 0, self.bars.rows)
        return np.asarray(found, dtype=np.int64)
