"""Trading pauses by limit up, limit down (LULD), as they follow from a path of prices.

The rule is that of the NMS plan for Tier 1: a price more than 5 % away from the mean of the last five minutes
(20 % from 0.75 to 3 dollars, below that the lesser of 0.15 dollars and 75 %), twice as much in the last 25
minutes, pauses trading for five minutes. The fifteen seconds of limit state before a pause are left out: the
step that would have left the band is the first without a trade. A pause that would last into the close ends in
the closing auction. After a pause the mean begins anew.
"""

import msgspec
import numpy as np

from brokers.simulated.market.source import Floats

WINDOW = PAUSE = 60  # steps: five minutes
DOUBLED = 300  # steps: the last 25 minutes
TINY = 1e-9  # dollars; a price on the band is inside it
VOLATILITY_HALT = 2
"""Code of tick 49 (TWS.md 3.32)."""


class Pause(msgspec.Struct, frozen=True):
    """Steps `first` to `resumes` - 1 have no trade."""

    first: int
    resumes: int


def pauses_in(close: Floats) -> list[Pause]:
    """The pauses of one symbol's session; `close` (k,) holds a price for every step."""
    found: list[Pause] = []
    began, step, last = 0, 1, len(close) - 1
    while step < last:
        means = _means(close, began)
        limits = _bands(means) * np.where(np.arange(len(close)) >= len(close) - DOUBLED, 2.0, 1.0)
        outside = np.flatnonzero(np.abs(close - means)[step:last] > limits[step:last] + TINY)
        if not len(outside):
            break
        first = step + int(outside[0])
        began = min(first + PAUSE, last)
        found.append(Pause(first, began))
        step = began + 1
    return found


def _means(close: Floats, began: int) -> Floats:
    """Per step the mean of the closes in the five minutes before it, none from before `began`."""
    sums = np.concatenate([[0.0], np.cumsum(close)])
    ends = np.maximum(np.arange(len(close)), began + 1)
    starts = np.maximum(ends - WINDOW, began)
    means: Floats = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def _bands(means: Floats) -> Floats:
    bands: Floats = np.where(
        means > 3.0,  # noqa: PLR2004 - the plan's price classes
        0.05 * means,
        np.where(means >= 0.75, 0.20 * means, np.minimum(0.15, 0.75 * means)),  # noqa: PLR2004 - the rule's bands
    )
    return bands
