"""How high the water rises over many rows at once: the kernel behind `Watch.pass_over`."""

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel


@kernel
def highest_reached(before: FloatArray, equity: FloatArray, in_a_row: int) -> float:
    """The highest equity that `in_a_row` samples in a row have reached, -inf where there are not so many.

    `equity` (T,) follows the samples `before` (K,).
    """
    known = before.shape[0]
    highest = -float("inf")
    for last in range(in_a_row - 1, known + equity.shape[0]):
        lowest = float("inf")
        for at in range(last - in_a_row + 1, last + 1):
            lowest = min(lowest, before[at] if at < known else equity[at - known])
        highest = max(highest, lowest)
    return highest
