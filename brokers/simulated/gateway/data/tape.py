"""The last known prices of a session."""

from __future__ import annotations

import math

import numpy as np


class Tape:
    """Arrays in the order of the market's symbols; NaN until there is a price."""

    def __init__(self, size: int) -> None:
        self.bid = np.full(size, math.nan)
        self.ask = np.full(size, math.nan)
        self.bid_size = np.zeros(size)
        self.ask_size = np.zeros(size)
        self.last = np.full(size, math.nan)
        self.last_size = np.zeros(size)
        self.volume = np.zeros(size)
