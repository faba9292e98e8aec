"""The cross-sectional transforms that a feature's name may wear: `rank(rsi(14))`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from shared.indicators.cross_section import demean, rank, scale, winsorise, zscore
from shared.indicators.indicator import FloatArray
from shared.indicators.spec import Parameter


class Transform(Struct, frozen=True, kw_only=True):
    """A pure function of a panel (T, n), row by row, with some numbers."""

    parameters: tuple[Parameter, ...] = ()
    formula: str
    apply: Callable[..., FloatArray]


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
}
"""`neutralise` needs sectors, which are no numbers of a name: it is called as a function."""


def transformed(panel: FloatArray, transforms: Sequence[tuple[str, tuple[float, ...]]]) -> FloatArray:
    """`panel` (T, n) through each of them, the first one first."""
    for name, given in transforms:
        panel = TRANSFORMS[name].apply(panel, *given)
    return panel
