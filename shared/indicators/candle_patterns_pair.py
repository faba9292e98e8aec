"""Candlestick patterns of two candles: the rules of TA-Lib's CDL functions of the same names.

In every rule `c` are the candles, c[0] the last one and c[1] the one before, and `a` the averages in the order
of the pattern's table. A candle of 1 is white, of -1 black; 100 is bullish, -100 bearish, 0 no pattern.
"""

# ruff: noqa: PLR2004 - the numbers are places in the tables

from __future__ import annotations

from shared.indicators.candle_pattern import Pattern, group_of
from shared.indicators.candles import SLOTS, Averages, Candle, Judged, Last, Setting
from shared.indicators.indicator import FloatArray, kernel

_HAMMER: tuple[tuple[Setting, int], ...] = (("short", 0), ("shadow_very_short", 0), ("near", 1))
_STAR: tuple[tuple[Setting, int], ...] = (("short", 0), ("shadow_very_short", 0))
_NECK: tuple[tuple[Setting, int], ...] = (("long", 1), ("equal", 1))
_KICK: tuple[tuple[Setting, int], ...] = (
    ("long", 1),
    ("shadow_very_short", 1),
    ("long", 0),
    ("shadow_very_short", 0),
)

PATTERNS = (
    Pattern("hammer", "a short body over a long lower shadow, near the low before", 11, 2, _HAMMER),
    Pattern("hangingman", "a short body over a long lower shadow, near the high before", 11, 2, _HAMMER),
    Pattern("invertedhammer", "a short body under a long upper shadow, after a gap down", 11, 2, _STAR),
    Pattern("shootingstar", "a short body under a long upper shadow, after a gap up", 11, 2, _STAR),
    Pattern("harami", "a short body inside the long one before", 11, 2, (("long", 1), ("short", 0))),
    Pattern("haramicross", "a doji inside the long body before", 11, 2, (("long", 1), ("doji", 0))),
    Pattern("kicking", "two opposite marubozu with a gap between", 11, 2, _KICK),
    Pattern("kickingbylength", "kicking, with the colour of the longer marubozu", 11, 2, _KICK),
    Pattern("inneck", "black, then white from under its low to its close", 11, 2, _NECK),
    Pattern("onneck", "black, then white from under its low to its low", 11, 2, _NECK),
    Pattern("thrusting", "black, then white from under its low into its lower half", 11, 2, _NECK),
    Pattern(
        "piercing", "black, then long white from under its low into its upper half", 11, 2, (("long", 1), ("long", 0))
    ),
    Pattern("darkcloudcover", "white, then black from over its high deep into its body", 11, 2, (("long", 1),), 0.5),
    Pattern(
        "counterattack", "two opposite long bodies with equal closes", 11, 2, (("long", 1), ("long", 0), ("equal", 1))
    ),
    Pattern("dojistar", "a doji that gaps away from a long body", 11, 2, (("long", 1), ("doji", 0))),
    Pattern("engulfing", "a body that holds the opposite one before", 2, 2, ()),
    Pattern("homingpigeon", "black: a short body inside the long one before", 11, 2, (("long", 1), ("short", 0))),
    Pattern("matchinglow", "two black candles with equal closes", 6, 2, (("equal", 1),)),
    Pattern(
        "separatinglines",
        "opposite, from the same open: a belt hold in the direction of before",
        11,
        2,
        (("long", 0), ("shadow_very_short", 0), ("equal", 1)),
    ),
)


@kernel
def hammered(c: Last, a: Averages, side: float) -> float:
    """Hammer (side 1) and hanging man (side -1)."""
    shaped = c[0].body < a[0] and c[0].lower > c[0].body and c[0].upper < a[1]
    if side > 0:
        return 100.0 if shaped and c[0].bottom <= c[1].low + a[2] else 0.0
    return -100.0 if shaped and c[0].bottom >= c[1].high - a[2] else 0.0


@kernel
def starred(c: Last, a: Averages, side: float) -> float:
    """Inverted hammer (side 1) and shooting star (side -1)."""
    shaped = c[0].body < a[0] and c[0].upper > c[0].body and c[0].lower < a[1]
    if side > 0:
        return 100.0 if shaped and c[0].top < c[1].bottom else 0.0
    return -100.0 if shaped and c[0].bottom > c[1].top else 0.0


@kernel
def harami(c: Last, a: Averages) -> float:
    """80 instead of 100 where an end of the two bodies coincides."""
    if not (c[1].body > a[0] and c[0].body <= a[1]):
        return 0.0
    if c[0].top < c[1].top and c[0].bottom > c[1].bottom:
        return -100 * c[1].colour
    return -80 * c[1].colour if c[0].top <= c[1].top and c[0].bottom >= c[1].bottom else 0.0


@kernel
def kicking(c: Last, a: Averages, by_length: bool) -> float:
    for k, long, short in ((1, a[0], a[1]), (0, a[2], a[3])):
        if not (c[k].body > long and c[k].upper < short and c[k].lower < short):
            return 0.0
    rising = c[1].colour == -1 and c[0].colour == 1 and c[0].low > c[1].high
    falling = c[1].colour == 1 and c[0].colour == -1 and c[0].high < c[1].low
    if not (rising or falling):
        return 0.0
    longer = 0 if not by_length or c[0].body > c[1].body else 1
    return 100 * c[longer].colour


@kernel
def from_under_the_low(c: Last, a: Averages, which: int) -> float:
    """In neck (8), on neck (9), thrusting (10) and piercing (11), which differ in how far the white body goes."""
    if not (c[1].colour == -1 and c[0].colour == 1 and c[1].body > a[0] and c[0].open < c[1].low):
        return 0.0
    close, before, middle = c[0].close, c[1].close, c[1].close + c[1].body * 0.5
    if which == 8:
        return -100.0 if before <= close <= before + a[1] else 0.0
    if which == 9:
        return -100.0 if c[1].low - a[1] <= close <= c[1].low + a[1] else 0.0
    if which == 10:
        return -100.0 if before + a[1] < close <= middle else 0.0
    return 100.0 if c[0].body > a[1] and middle < close < c[1].open else 0.0


@kernel
def dark_cloud_cover(c: Last, a: Averages, penetration: float) -> float:
    after = c[1].colour == 1 and c[1].body > a[0]
    over = c[0].colour == -1 and c[0].open > c[1].high
    deep = c[1].open < c[0].close < c[1].close - c[1].body * penetration
    return -100.0 if after and over and deep else 0.0


@kernel
def counterattack(c: Last, a: Averages) -> float:
    opposite = c[1].colour == -c[0].colour and c[1].body > a[0] and c[0].body > a[1]
    met = c[1].close - a[2] <= c[0].close <= c[1].close + a[2]
    return 100 * c[0].colour if opposite and met else 0.0


@kernel
def doji_star(c: Last, a: Averages) -> float:
    up = c[1].colour == 1 and c[0].bottom > c[1].top
    down = c[1].colour == -1 and c[0].top < c[1].bottom
    return -100 * c[1].colour if c[1].body > a[0] and c[0].body <= a[1] and (up or down) else 0.0


@kernel
def engulfing(c: Last) -> float:
    """80 instead of 100 where an end of the two bodies coincides."""
    o, close, o_before, c_before = c[0].open, c[0].close, c[1].open, c[1].close
    if c[0].colour == c[1].colour:
        return 0.0
    if c[0].colour == 1:
        holds = (close >= o_before and o < c_before) or (close > o_before and o <= c_before)
    else:
        holds = (o >= c_before and close < o_before) or (o > c_before and close <= o_before)
    if not holds:
        return 0.0
    return (100 if o != c_before and close != o_before else 80) * c[0].colour


@kernel
def homing_pigeon(c: Last, a: Averages) -> float:
    black = c[1].colour == -1 and c[0].colour == -1
    sized = c[1].body > a[0] and c[0].body <= a[1]
    return 100.0 if black and sized and c[0].open < c[1].open and c[0].close > c[1].close else 0.0


@kernel
def matching_low(c: Last, a: Averages) -> float:
    black = c[1].colour == -1 and c[0].colour == -1
    return 100.0 if black and c[1].close - a[0] <= c[0].close <= c[1].close + a[0] else 0.0


@kernel
def separating_lines(c: Last, a: Averages) -> float:
    same = c[1].open - a[2] <= c[0].open <= c[1].open + a[2]
    shadow = c[0].lower if c[0].colour == 1 else c[0].upper
    held = c[0].body > a[0] and shadow < a[1]
    return 100 * c[0].colour if c[1].colour == -c[0].colour and same and held else 0.0


@kernel
def verdict(which: int, c: Last, a: Averages, penetration: float) -> float:  # by place in PATTERNS
    if which <= 1:
        return hammered(c, a, 1.0 if which == 0 else -1.0)
    if which <= 3:
        return starred(c, a, 1.0 if which == 2 else -1.0)
    if which <= 5:
        return harami(c, a)
    if which <= 7:
        return kicking(c, a, which == 7)
    if which <= 11:
        return from_under_the_low(c, a, which)
    if which == 12:
        return dark_cloud_cover(c, a, penetration)
    if which == 13:
        return counterattack(c, a)
    if which == 14:
        return doji_star(c, a)
    if which == 15:
        return engulfing(c)
    if which == 16:
        return homing_pigeon(c, a)
    return matching_low(c, a) if which == 17 else separating_lines(c, a)


@kernel
def at(ring: FloatArray, slot: int, i: int) -> Candle:
    row = ring[slot % SLOTS]
    return Candle(
        row[0, i], row[1, i], row[2, i], row[3, i], row[4, i], row[5, i], row[6, i], row[7, i], row[8, i], row[9, i]
    )


@kernel
def judge(which: int, candles: Judged, penetration: float, value: FloatArray) -> None:
    """The verdict on every instrument whose candle is to be judged, into `value` (n,)."""
    ring, averages, clock, judged = candles
    for i in range(value.shape[0]):
        if judged[i]:
            t = clock[i] + SLOTS - 1
            c = (at(ring, t - 0, i), at(ring, t - 1, i))
            a = (averages[0, i], averages[1, i], averages[2, i], averages[3, i])
            value[i] = verdict(which, c, a, penetration)


SPECS = group_of(PATTERNS, judge)
