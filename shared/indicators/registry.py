"""The one registry of indicators: every group file keeps a tuple SPECS, joined here."""

from __future__ import annotations

from shared.errors import NotFound
from shared.indicators import (
    average_of_periods,
    candle_patterns_long,
    candle_patterns_pair,
    candle_patterns_single,
    candle_patterns_triple,
    compound,
    cycle,
    kalman_features,
    moments,
    momentum,
    moving_average,
    oscillator_table,
    overlap,
    price,
    regimes,
    regression,
    statistic,
    trend,
    volatility,
    volume,
)
from shared.indicators.spec import IndicatorSpec, RowIndicator

# Where a group begins: a module with a tuple SPECS.
GROUPS: tuple[tuple[IndicatorSpec, ...], ...] = (
    overlap.SPECS,
    momentum.SPECS,
    trend.SPECS,
    price.SPECS,
    cycle.SPECS,
    compound.SPECS,
    moving_average.SPECS,
    average_of_periods.SPECS,
    oscillator_table.SPECS,
    kalman_features.SPECS,
    regimes.SPECS,
    volume.SPECS,
    volatility.SPECS,
    statistic.SPECS,
    moments.SPECS,
    regression.SPECS,
    candle_patterns_single.SPECS,
    candle_patterns_pair.SPECS,
    candle_patterns_triple.SPECS,
    candle_patterns_long.SPECS,
)


def _joined() -> dict[str, IndicatorSpec]:
    found: dict[str, IndicatorSpec] = {}
    for spec in (spec for group in GROUPS for spec in group):
        assert spec.name not in found, f"two indicators are called {spec.name}"
        found[spec.name] = spec
    return found


SPECS: dict[str, IndicatorSpec] = _joined()


def spec_of(name: str) -> IndicatorSpec:
    """The row of `name`; NotFound says what there is."""
    if name not in SPECS:
        raise NotFound(f"indicator {name}: not found, there is: {', '.join(sorted(SPECS))}")
    return SPECS[name]


def indicator_of(name: str, n: int, **params: object) -> RowIndicator:
    """A fresh indicator of `n` instruments; what is not in `params` has its default."""
    return spec_of(name).make(n, **params)
