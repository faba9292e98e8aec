"""The cross-sectional transforms that a feature's name may wear: `rank(rsi(14))`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct

from shared.errors import ConfigError
from shared.indicators.cross_section import demean, neutralise, rank, scale, winsorise, zscore
from shared.indicators.indicator import FloatArray, IntArray
from shared.indicators.spec import Parameter


class Transform(Struct, frozen=True, kw_only=True):
    """A pure function of a panel (T, n), row by row, with some numbers, or with the sectors (T, n) of its cells."""

    parameters: tuple[Parameter, ...] = ()
    formula: str
    apply: Callable[..., FloatArray]
    by_sector: bool = False


def neutralised(panel: FloatArray, sectors: IntArray) -> FloatArray:
    """`neutralise` of panels (T, n) whose instruments change their sectors in the course of time."""
    edges = np.flatnonzero((sectors[1:] != sectors[:-1]).any(axis=1)) + 1
    stretches = pairwise([0, *edges.tolist(), len(panel)])
    parts = [neutralise(panel[first:end], sectors[first]) for first, end in stretches if end > first]
    return np.concatenate(parts) if parts else panel.copy()


_SHARE = Parameter("share", 0.01, 0.0, 0.49, False)
_GROSS = Parameter("gross", 1.0, 1e-6, 1e6, False)
TRANSFORMS: dict[str, Transform] = {
    "rank": Transform(apply=rank, formula="rank in the row over its count, 1 / count to 1, ties share their mean"),
    "zscore": Transform(apply=zscore, formula="(value - mean) / sample deviation of the row"),
    "demean": Transform(apply=demean, formula="value - mean of the row"),
    "winsorise": Transform(
        parameters=(_SHARE,), apply=winsorise, formula="value within the quantiles share and 1 - share of the row"
    ),
    "scale": Transform(parameters=(_GROSS,), apply=scale, formula="value * gross / sum of the row's absolute values"),
    "neutralise": Transform(
        apply=neutralised,
        by_sector=True,
        formula="value - mean of its sector in the row, NaN without a sector; sectors of [features] sectors",
    ),
}

Transforms = Sequence[tuple[str, tuple[float, ...]]]


def needs_sectors(transforms: Transforms) -> bool:
    """Whether one of them is taken within sectors."""
    return any(TRANSFORMS[name].by_sector for name, _ in transforms)


def transformed(panel: FloatArray, transforms: Transforms, sectors: IntArray | None = None) -> FloatArray:
    """`panel` (T, n) through each of them, the first one first; `sectors` (T, n) are numbers from 0, -1 unknown.

    Raises:
        ConfigError: one of them is taken within sectors, and there are none.
    """
    for name, given in transforms:
        transform = TRANSFORMS[name]
        if transform.by_sector and sectors is None:
            raise ConfigError(f"{name}: no sectors, allowed: where [features] sectors names a table")
        panel = transform.apply(panel, *((sectors,) if transform.by_sector else given))
    return panel
