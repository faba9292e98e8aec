"""The features a strategy asks for by name: row by row live, whole panels at night, the same values bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from shared.errors import ConfigError
from shared.indicators.feature_name import Call, Feature, feature_of, spec_of
from shared.indicators.feature_transforms import transformed
from shared.indicators.indicator import FloatArray, Indicator
from shared.indicators.spec import RowIndicator
from shared.market import BarRow


class FeatureSet(Indicator):
    """`names` over `n` instruments. Part of a strategy's state: a snapshot carries it.

    Values are keyed by the names as they were given. An instrument that printed nothing keeps its last value; a
    transform is taken over these.
    """

    def __init__(self, n: int, names: Iterable[str]) -> None:
        super().__init__(n, 1)
        self.names = tuple(names)
        for name in self.names:
            if feature_of(name).needs_sectors:
                raise ConfigError(
                    f"feature {name!r}: within sectors, which a strategy does not know, allowed: in [features] names"
                )
        self._indicators: dict[str, RowIndicator] = {}
        for call in self._calls():
            self._indicators[str(call)] = spec_of(call).make(n, **dict(call.params))

    @property
    def width(self) -> int:
        """Number of instruments."""
        return len(self._value)

    def features(self) -> dict[str, Feature]:
        """What the names mean."""
        return {name: feature_of(name) for name in self.names}

    def update(self, row: BarRow) -> dict[str, FloatArray]:
        """Values (n,) of every name after one more row; a missing bar is NaN."""
        found: dict[str, FloatArray] = {}
        values: dict[str, FloatArray] = {}
        for call in self._calls():
            inputs = [self._row(getattr(row, name)) for name in spec_of(call).inputs]
            values[str(call)] = self._indicators[str(call)].update(*inputs)
        for name, feature in self.features().items():
            found[name] = transformed(_output(values[str(feature.call)], feature)[np.newaxis], feature.transforms)[0]
        return found

    def update_many(self, rows: BarRow) -> dict[str, FloatArray]:
        """Values (T, n) of every name after each of T more rows; `rows` holds panels (T, n)."""
        values: dict[str, FloatArray] = {}
        for call in self._calls():
            inputs = [self._panel(getattr(rows, name)) for name in spec_of(call).inputs]
            values[str(call)] = self._indicators[str(call)].update_many(*inputs)
        return self._named(values)

    def _named(self, values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Every name's panel, out of those of the calls."""
        return {
            name: transformed(_output(values[str(feature.call)], feature), feature.transforms)
            for name, feature in self.features().items()
        }

    def _calls(self) -> list[Call]:
        return list(dict.fromkeys(feature.call for feature in self.features().values()))


def _output(values: FloatArray, feature: Feature) -> FloatArray:
    if not feature.output:
        return values
    found: FloatArray = values[spec_of(feature.call).outputs.index(feature.output)]
    return found
