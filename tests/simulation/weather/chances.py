"""Numbers that a draw needs beside those of `random`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import TypeVar

_Key = TypeVar("_Key")


def between(chance: Random, lowest: float, highest: float, digits: int = 3) -> float:
    """Log-uniform, so that a tenth of a second is drawn as often as a minute; both above 0."""
    drawn = math.exp(chance.uniform(math.log(lowest), math.log(highest)))
    return min(max(round(drawn, digits), lowest), highest)


def weighted(chance: Random, weights: Mapping[_Key, float]) -> _Key:
    """A key, as often as its weight says; the mapping's order is part of the draw."""
    return chance.choices(list(weights), list(weights.values()))[0]


def whether(chance: Random, probability: float) -> bool:
    return chance.random() < probability
