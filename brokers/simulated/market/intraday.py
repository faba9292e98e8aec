"""The shape of a session: when in a day prices move and shares trade.

Volatility and volume are a U: high at the open and the close. Both are known per five-second step, for sessions
of any length that is whole quarter hours.
"""

from functools import lru_cache

import msgspec
import numpy as np

from brokers.simulated.market.bars import STEP_S
from brokers.simulated.market.source import Floats

STEPS = 4680  # of a whole session, from 09:30 to 16:00
STEPS_A_BLOCK = 180  # a quarter of an hour
OVERNIGHT_SHARE = 0.2  # of the variance of a day
OPENING_SHARE, CLOSING_SHARE = 0.01, 0.07  # of a day's volume, in the auctions
OPENING_SPREAD_S = 300  # in which the spread, three times as wide at the open, comes down by 1/e


class Shape(msgspec.Struct, frozen=True):
    """A session of k steps, arrays (k,). `deviation` is that of a step's log return, in units of a day's."""

    deviation: Floats
    volume: Floats  # share of a whole day's, auctions aside
    spread: Floats  # multiple of the usual one


@lru_cache(maxsize=4)
def shape_of(steps: int) -> Shape:
    """A shorter session moves and trades less, in proportion to its length."""
    x = np.linspace(-1, 1, steps)
    length = steps / STEPS
    variance = 0.6 + 0.8 * x**2 + 1.8 * np.exp(-(x + 1) * 12)
    curve = 0.55 + 1.2 * x**2 + 1.8 * x**8
    return Shape(
        deviation=np.sqrt((1 - OVERNIGHT_SHARE) * length * variance / variance.sum()),
        volume=(1 - OPENING_SHARE - CLOSING_SHARE) * length * curve / curve.sum(),
        spread=1 + 2 * np.exp(-STEP_S * np.arange(steps) / OPENING_SPREAD_S),
    )
