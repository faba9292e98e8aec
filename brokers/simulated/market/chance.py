"""The numbers of a seed, each with an address.

Philox is a generator with a counter (Salmon et al., Parallel random numbers: as easy as 1, 2, 3; SC 2011): any
stretch of numbers can be had without those before it. An address is a symbol (the market factor has the empty
name), a lane for the purpose, a day and a block. The bits hold for one version of numpy.
"""

import hashlib
from enum import IntEnum

import numpy as np

from shared.errors import DataError

UINT64 = 2**64


class Lane(IntEnum):
    """What numbers are drawn for; each purpose has its own, so that none disturbs another."""

    YEAR = 0  # the moves of whole days
    NEWS = 1  # splits, dividends and jumps of a year
    BLOCKS = 2  # the moves of a day's blocks
    STEPS = 3  # what happens inside a block
    BARS = 4  # bars that are withheld


class Chance:
    """One seed. The generator returned is good until the next is asked for."""

    def __init__(self, seed: int) -> None:
        if not 0 <= seed < UINT64:
            raise DataError(f"synthetic market: seed {seed}, allowed is 0 to 2**64 - 1")
        self._seed = seed
        self._bits = np.random.Philox(key=0)
        self._numbers = np.random.Generator(self._bits)
        self._keys: dict[str, int] = {}

    def of(self, symbol: str, lane: Lane, day: int, block: int = 0) -> np.random.Generator:
        """The numbers at an address; `day` is an ordinal, or a year."""
        if symbol not in self._keys:
            digest = hashlib.blake2b(symbol.encode(), digest_size=8).digest()
            self._keys[symbol] = int.from_bytes(digest, "little")
        self._bits.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": np.array([0, block, day, int(lane)], dtype=np.uint64),
                "key": np.array([self._seed, self._keys[symbol]], dtype=np.uint64),
            },
            "buffer": np.zeros(4, dtype=np.uint64),
            "buffer_pos": 4,  # empty: the next number is made from the counter
            "has_uint32": 0,
            "uinteger": 0,
        }
        return self._numbers
