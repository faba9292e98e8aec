"""Strategies of a replay that read stored features in the place of computing them: the same decisions, byte for byte.

What a strategy sees in a replay is not always what was stored: the price screen hides a bar, the replay begins later
than the features did. So it is asked of every instrument whether it has been shown the very bars that its features
were made from; where not, its values are computed from what it was shown, by the same kernels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from research.features.bar_prints import prints_of
from research.features.reading import StoredFeatures
from shared.errors import DataError, InvariantViolated
from shared.indicators.feature_name import Feature
from shared.indicators.feature_set import FeatureSet
from shared.indicators.feature_transforms import transformed
from shared.indicators.indicator import FloatArray, IntArray
from shared.io.bar_store import BarPanel
from shared.market import BarRow
from strategies.base import Strategy

_NAMED_MAX = 5


class Shown(Struct, frozen=True, kw_only=True, eq=False):
    """What a strategy is shown in the course of a replay: panels (T, n) of rows that open at `opened_at` (T,)."""

    opened_at: IntArray
    rows: BarRow


class RecalledFeatures(FeatureSet):
    """Gives the rows of `panels` (T, n), one after the other, whatever row it is told."""

    def __init__(self, n: int, panels: Mapping[str, FloatArray]) -> None:
        super().__init__(n, ())
        self.names = tuple(panels)
        self._panels = dict(panels)
        self._at = 0

    def update(self, row: BarRow) -> dict[str, FloatArray]:
        assert len(row) == self.width
        return {name: panel[0].copy() for name, panel in self._next(1).items()}

    def update_many(self, rows: BarRow) -> dict[str, FloatArray]:
        return self._next(len(rows))

    def _next(self, count: int) -> dict[str, FloatArray]:
        first, self._at = self._at, self._at + count
        found = {name: panel[first : self._at] for name, panel in self._panels.items()}
        if any(len(panel) != count for panel in found.values()):
            raise InvariantViolated(f"stored features: {self._at} rows were asked for, and there are fewer")
        return found


def recall(strategies: Iterable[tuple[Strategy, Shown]], panel: BarPanel, folder: Path) -> None:
    """Put stored features into the strategies, in the place of the `FeatureSet`s that are their attributes.

    Raises:
        NotFound: there are none, or not those that are asked for. DataError: they are not of the panel's bars, of other
            code, behind, damaged; or no strategy asks for any.
    """
    stored = StoredFeatures(folder)
    columns = _columns(stored, panel.symbols)
    _refuse_other_bars(stored, panel, columns)
    asked = 0
    for strategy, shown in strategies:
        mine = _columns(stored, strategy.symbols)
        for name, value in list(vars(strategy).items()):
            if isinstance(value, FeatureSet):
                setattr(strategy, name, _recalled(value, stored, shown, mine))
                asked += 1
    if not asked:
        raise DataError(
            f"replay: --features {folder}: no strategy asks for features, allowed: where one has a FeatureSet"
        )


def _columns(stored: StoredFeatures, symbols: Sequence[str]) -> IntArray:
    places = {symbol: place for place, symbol in enumerate(stored.symbols)}
    missing = [symbol for symbol in symbols if symbol not in places]
    if missing:
        raise DataError(f"{stored.folder}: no features of {_some(missing)}, allowed: bars of all symbols; build again")
    return np.array([places[symbol] for symbol in symbols], dtype=np.int64)


def _refuse_other_bars(stored: StoredFeatures, panel: BarPanel, columns: IntArray) -> None:
    at = _places(stored, panel.opened_at)
    before = stored.prints[at[0] - 1][columns] if at[0] else np.zeros(len(columns), dtype=np.int64)
    with np.errstate(over="ignore"):
        there = stored.prints[at][:, columns] - before
    other = (there != prints_of(panel.opened_at, panel)).any(axis=0)
    if other.any():
        names = _some([symbol for symbol, wrong in zip(panel.symbols, other, strict=True) if wrong])
        raise DataError(
            f"{stored.folder}: the features of {names} were computed from other bars than are replayed, "
            "allowed: the same; build again"
        )


def _places(stored: StoredFeatures, opened_at: IntArray) -> IntArray:
    """Where the rows that open at these instants are stored."""
    at = np.searchsorted(stored.opened_at, opened_at)
    missing = at >= len(stored.opened_at)
    missing[~missing] = stored.opened_at[at[~missing]] != opened_at[~missing]
    if missing.any():
        day = str(np.datetime64(int(opened_at[missing][0]), "ns").astype("datetime64[m]"))
        raise DataError(
            f"{stored.folder}: no row of {day} UTC and {missing.sum() - 1} more that are replayed, "
            "allowed: features of all bars; build again"
        )
    return at


def _recalled(asked: FeatureSet, stored: StoredFeatures, shown: Shown, columns: IntArray) -> RecalledFeatures:
    at = _places(stored, shown.opened_at)
    seen = prints_of(shown.opened_at, shown.rows)
    same = (stored.prints[at][:, columns] == seen).all(axis=0)
    features = asked.features()
    plain = {str(feature.untransformed): feature.untransformed for feature in features.values()}
    panels = {
        text: np.ascontiguousarray(stored.values(feature, int(at[0]), int(at[-1]) + 1)[at - at[0]][:, columns])
        for text, feature in plain.items()
    }
    if not same.all():
        rows = _taken(shown.rows, np.flatnonzero(~same))
        computed = FeatureSet(int((~same).sum()), plain).update_many(rows)
        for text, values in computed.items():
            panels[text][:, ~same] = values
    return RecalledFeatures(asked.width, _transformed(features, panels))


def _transformed(features: Mapping[str, Feature], panels: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {
        name: transformed(panels[str(feature.untransformed)], feature.transforms) for name, feature in features.items()
    }


def _taken(rows: BarRow, columns: IntArray) -> BarRow:
    return BarRow(
        open=rows.open[:, columns],
        high=rows.high[:, columns],
        low=rows.low[:, columns],
        close=rows.close[:, columns],
        volume=rows.volume[:, columns],
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more
