"""The documented, deterministic path inside a bar.

A bar does not say in which order its prices came. Here it is: open, then the low and the high if the bar did
not fall (close >= open), the high and the low if it did, then the close. A minute is split into twelve steps
along that same path.
"""

import itertools
import math

import msgspec
import numpy as np

from brokers.simulated.market.source import Floats
from shared.market import Bar

STEPS_PER_MINUTE = 12
FIRST_EXTREME, SECOND_EXTREME, LAST = 3, 7, 11  # the steps that close on them

FourPoints = tuple[float, float, float, float]


class FiveSecondSteps(msgspec.Struct, frozen=True):
    """Bars of five seconds; every array has the shape (..., 12) for minutes of shape (...)."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def path_inside(bar: Bar) -> tuple[FourPoints, FourPoints]:
    """Prices and sizes of the four points of a bar, for `Matcher.on_trade`.

    The sizes are whole shares that add up to the volume; a volume below four shares is cut into equal
    fractions, so that each point still counts as traded.
    """
    first, second = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    quarter = math.floor(bar.volume / 4) if bar.volume >= 4 else bar.volume / 4  # noqa: PLR2004 - four points
    return (bar.open, first, second, bar.close), (quarter, quarter, quarter, bar.volume - 3 * quarter)


def five_second_steps(minutes: FiveSecondSteps | Bar, *, tick: float = 0.01) -> FiveSecondSteps:
    """Split minutes into twelve steps whose aggregate is exactly the minute.

    `minutes` is one Bar, or arrays of any shape (...). The first extreme is reached at the close of the
    fourth step, the second at the close of the eighth, the close at the end; between them the price moves in
    equal parts, rounded to `tick` and held inside the minute's range. Each step opens where the one before
    closed. The volume is cut into whole shares, the remainder going one by one to the steps that hold open,
    extremes and close, then to the others; a volume below twelve is cut into equal parts. NaN minutes give
    NaN steps.
    """
    opened, high, low, closed, volume = (
        np.asarray(getattr(minutes, name), dtype=np.float64) for name in ("open", "high", "low", "close", "volume")
    )
    rises = closed >= opened
    first, second = np.where(rises, low, high), np.where(rises, high, low)
    closes = np.empty((*opened.shape, STEPS_PER_MINUTE))
    waypoints = ((-1, opened), (FIRST_EXTREME, first), (SECOND_EXTREME, second), (LAST, closed))
    for (start, begin), (end, goal) in itertools.pairwise(waypoints):
        for step in range(start + 1, end):
            between = begin + (goal - begin) * ((step - start) / (end - start))
            on_tick = np.round(np.round(between / tick) * tick, 8)
            closes[..., step] = np.minimum(np.maximum(on_tick, low), high)
        closes[..., end] = goal
    opens = np.concatenate([opened[..., None], closes[..., :-1]], axis=-1)
    return FiveSecondSteps(
        open=opens,
        high=np.maximum(opens, closes),
        low=np.minimum(opens, closes),
        close=closes,
        volume=_split_volume(volume),
    )


def _split_volume(volume: Floats) -> Floats:
    is_small = volume < STEPS_PER_MINUTE
    whole = np.where(is_small, volume / STEPS_PER_MINUTE, np.floor(volume / STEPS_PER_MINUTE))
    parts = np.repeat(whole[..., None], STEPS_PER_MINUTE, axis=-1)
    left = np.where(is_small, 0.0, volume - STEPS_PER_MINUTE * whole)
    order = (0, FIRST_EXTREME, SECOND_EXTREME, LAST, 1, 2, 4, 5, 6, 8, 9, 10)
    for place, step in enumerate(order):
        parts[..., step] += np.clip(left - place, 0.0, 1.0)
    return parts
