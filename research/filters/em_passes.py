"""The expectation of EM over a panel: a filter and the way back, block after block of instruments side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from research.filters.em_rule import Series
from shared.indicators.indicator import FloatArray, IntArray

Forward = Callable[[FloatArray, IntArray, FloatArray, FloatArray, FloatArray], None]
Backward = Callable[[IntArray, FloatArray, FloatArray], None]


class Passes(Struct, frozen=True, eq=False, kw_only=True):
    """A model's two kernels; each takes `lanes` instruments, and what is kept of them lies in rows of flat memory.

    The number is fixed when they are compiled, and everything of a lane lies a known distance from its neighbours: only
    so can the compiler tell that no two arrays overlap, and use the vectors of the processor. `forward` (parameters,
    first, panel, kept, likelihood) filters and adds to the likelihood, `backward` (first, kept, sums) smooths; `kept`
    and `sums` of the fields say how many numbers per lane.
    """

    forward: Forward
    backward: Backward
    lanes: int
    kept: int
    sums: int


def expectation(passes: Passes, series: Series, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums (sums, n) and log-likelihood (n,) of every instrument of the series, parameters (k, n) given."""
    rows, n = series.panel.shape
    lanes = passes.lanes
    sums, likelihood = np.empty((passes.sums, n)), np.empty(n)
    kept, panel = np.empty((rows, passes.kept * lanes)), np.empty((rows, lanes))
    for low in range(0, n, lanes):
        block = slice(low, min(low + lanes, n))
        used = block.stop - low
        # Lanes without an instrument have no print, and no row where they begin.
        given, first = np.ones((len(parameters), lanes)), np.full(lanes, -1)
        given[:, :used], first[:used] = parameters[:, block], series.first[block]
        panel[:, :used], panel[:, used:] = series.panel[:, block], np.nan
        told, added = np.zeros(lanes), np.zeros(passes.sums * lanes)
        passes.forward(given.ravel(), first, panel, kept, told)
        passes.backward(first, kept, added)
        sums[:, block], likelihood[block] = added.reshape(passes.sums, lanes)[:, :used], told[:used]
    return sums, likelihood
