"""Candlestick patterns of three candles: the rules of TA-Lib's CDL functions of the same names.

In every rule `c` are the candles, c[0] the last one and c[k] the one k before, and `a` the averages in the
order of the pattern's table. A candle of 1 is white, of -1 black; 100 is bullish, -100 bearish, 0 no pattern.
"""

# ruff: noqa: PLR2004 - the numbers are places in the tables

from __future__ import annotations

from shared.indicators.candle_pattern import Pattern, group_of
from shared.indicators.candles import SLOTS, Averages, Candle, Judged, Last, Setting
from shared.indicators.indicator import FloatArray, kernel

_Measured = tuple[tuple[Setting, int], ...]
_STAR: _Measured = (("long", 2), ("short", 1), ("short", 0))
_DOJI_STAR: _Measured = (("long", 2), ("doji", 1), ("short", 0))
_INSIDE: _Measured = (("long", 2), ("short", 1))
_SOUTH: _Measured = (("long", 2), ("shadow_very_short", 1), ("short", 0), ("shadow_very_short", 0))

PATTERNS = (
    Pattern("morningstar", "long black, short under a gap, white deep into the first", 12, 3, _STAR, 0.3),
    Pattern("eveningstar", "long white, short over a gap, black deep into the first", 12, 3, _STAR, 0.3),
    Pattern("morningdojistar", "a morning star whose star is a doji", 12, 3, _DOJI_STAR, 0.3),
    Pattern("eveningdojistar", "an evening star whose star is a doji", 12, 3, _DOJI_STAR, 0.3),
    Pattern("abandonedbaby", "a doji star with gaps between all shadows", 12, 3, _DOJI_STAR, 0.3),
    Pattern("2crows", "long white, a black gap up, black back into the first", 12, 3, (("long", 2),)),
    Pattern("upsidegap2crows", "long white, short black over a gap, black around it", 12, 3, _INSIDE),
    Pattern("3inside", "a harami, confirmed by a close beyond the first open", 12, 3, _INSIDE),
    Pattern("3outside", "an engulfing, confirmed by a close beyond it", 3, 3, ()),
    Pattern("3starsinsouth", "three black candles that fall less and less", 12, 3, _SOUTH),
    Pattern(
        "stalledpattern",
        "three white candles, the last short at the end of the second",
        12,
        3,
        (("long", 2), ("long", 1), ("shadow_very_short", 1), ("short", 0), ("near", 2), ("near", 1)),
    ),
    Pattern(
        "gapsidesidewhite", "two alike white candles beside each other after a gap", 7, 3, (("near", 1), ("equal", 1))
    ),
    Pattern("sticksandwich", "white between two black candles with equal closes", 7, 3, (("equal", 2),)),
    Pattern("tasukigap", "a gap, and an opposite candle that does not close it", 7, 3, (("near", 1),)),
    Pattern("tristar", "three doji, the middle one over or under gaps", 12, 3, (("doji", 2),)),
    Pattern(
        "unique3river",
        "long black, a black harami with a lower low, short white under it",
        12,
        3,
        (("long", 2), ("short", 0)),
    ),
    Pattern("xsidegap3methods", "a gap, closed by an opposite candle from body to body", 2, 3, ()),
)


@kernel
def star(c: Last, a: Averages, side: float, penetration: float) -> float:
    """Morning (side 1) and evening star (side -1), of a short body or of a doji."""
    small = c[1].body <= a[1]
    sized = c[2].body > a[0] and small and c[0].body > a[2]
    if not (sized and c[2].colour == -side and c[0].colour == side):
        return 0.0
    if side > 0:
        deep = c[0].close > c[2].close + c[2].body * penetration
        return 100.0 if c[1].top < c[2].bottom and deep else 0.0
    deep = c[0].close < c[2].close - c[2].body * penetration
    return -100.0 if c[1].bottom > c[2].top and deep else 0.0


@kernel
def abandoned_baby(c: Last, a: Averages, penetration: float) -> float:
    if not (c[2].body > a[0] and c[1].body <= a[1] and c[0].body > a[2]):
        return 0.0
    reach = c[2].body * penetration
    falling = c[2].colour == 1 and c[0].colour == -1 and c[0].close < c[2].close - reach
    if falling and c[1].low > c[2].high and c[0].high < c[1].low:
        return -100.0
    rising = c[2].colour == -1 and c[0].colour == 1 and c[0].close > c[2].close + reach
    return 100.0 if rising and c[1].high < c[2].low and c[0].low > c[1].high else 0.0


@kernel
def two_crows(c: Last, a: Averages) -> float:
    coloured = c[2].colour == 1 and c[1].colour == -1 and c[0].colour == -1
    gapped = c[2].body > a[0] and c[1].bottom > c[2].top
    inside = c[1].close < c[0].open < c[1].open and c[2].open < c[0].close < c[2].close
    return -100.0 if coloured and gapped and inside else 0.0


@kernel
def upside_gap_two_crows(c: Last, a: Averages) -> float:
    coloured = c[2].colour == 1 and c[1].colour == -1 and c[0].colour == -1
    gapped = c[2].body > a[0] and c[1].body <= a[1] and c[1].bottom > c[2].top
    around = c[0].open > c[1].open and c[2].close < c[0].close < c[1].close
    return -100.0 if coloured and gapped and around else 0.0


@kernel
def three_inside(c: Last, a: Averages) -> float:
    sized = c[2].body > a[0] and c[1].body <= a[1]
    if not (sized and c[1].top < c[2].top and c[1].bottom > c[2].bottom):
        return 0.0
    falls = c[2].colour == 1 and c[0].colour == -1 and c[0].close < c[2].open
    rises = c[2].colour == -1 and c[0].colour == 1 and c[0].close > c[2].open
    return -100 * c[2].colour if falls or rises else 0.0


@kernel
def three_outside(c: Last) -> float:
    if c[1].colour == 1 and c[2].colour == -1:
        engulfed = c[1].close > c[2].open and c[1].open < c[2].close
        return 100.0 if engulfed and c[0].close > c[1].close else 0.0
    if c[1].colour == -1 and c[2].colour == 1:
        engulfed = c[1].open > c[2].close and c[1].close < c[2].open
        return -100.0 if engulfed and c[0].close < c[1].close else 0.0
    return 0.0


@kernel
def three_stars_in_the_south(c: Last, a: Averages) -> float:
    black = c[2].colour == -1 and c[1].colour == -1 and c[0].colour == -1
    first = c[2].body > a[0] and c[2].lower > c[2].body
    second = c[1].body < c[2].body and c[2].close < c[1].open <= c[2].high
    lows = c[2].low <= c[1].low < c[2].close and c[1].lower > a[1]
    last = c[0].body < a[2] and c[0].lower < a[3] and c[0].upper < a[3]
    inside = c[0].low > c[1].low and c[0].high < c[1].high
    return 100.0 if black and first and second and lows and last and inside else 0.0


@kernel
def stalled(c: Last, a: Averages) -> float:
    white = c[2].colour == 1 and c[1].colour == 1 and c[0].colour == 1
    rising = c[0].close > c[1].close and c[1].close > c[2].close
    long = c[2].body > a[0] and c[1].body > a[1] and c[1].upper < a[2]
    begun = c[2].open < c[1].open <= c[2].close + a[4]
    short = c[0].body < a[3] and c[0].open >= c[1].close - c[0].body - a[5]
    return -100.0 if white and rising and long and begun and short else 0.0


@kernel
def gap_side_side_white(c: Last, a: Averages) -> float:
    up = c[1].bottom > c[2].top and c[0].bottom > c[2].top
    down = c[1].top < c[2].bottom and c[0].top < c[2].bottom
    white = c[1].colour == 1 and c[0].colour == 1
    alike = c[1].body - a[0] <= c[0].body <= c[1].body + a[0]
    beside = c[1].open - a[1] <= c[0].open <= c[1].open + a[1]
    if not ((up or down) and white and alike and beside):
        return 0.0
    return 100.0 if up else -100.0


@kernel
def stick_sandwich(c: Last, a: Averages) -> float:
    coloured = c[2].colour == -1 and c[1].colour == 1 and c[0].colour == -1
    equal = c[2].close - a[0] <= c[0].close <= c[2].close + a[0]
    return 100.0 if coloured and c[1].low > c[2].close and equal else 0.0


@kernel
def tasuki_gap(c: Last, a: Averages) -> float:
    if not abs(c[1].body - c[0].body) < a[0] or c[1].colour == c[0].colour:
        return 0.0
    if c[1].colour == 1:
        inside = c[1].open < c[0].open < c[1].close
        stays = c[1].bottom > c[2].top and c[2].top < c[0].close < c[1].open
    else:
        inside = c[1].close < c[0].open < c[1].open
        stays = c[1].top < c[2].bottom and c[1].open < c[0].close < c[2].bottom
    return 100 * c[1].colour if inside and stays else 0.0


@kernel
def tristar(c: Last, a: Averages) -> float:
    """All three are measured by the average before the first."""
    if not (c[2].body <= a[0] and c[1].body <= a[0] and c[0].body <= a[0]):
        return 0.0
    if c[1].bottom > c[2].top and c[0].top < c[1].top:
        return -100.0
    return 100.0 if c[1].top < c[2].bottom and c[0].bottom > c[1].bottom else 0.0


@kernel
def unique_three_river(c: Last, a: Averages) -> float:
    coloured = c[2].colour == -1 and c[1].colour == -1 and c[0].colour == 1
    sized = c[2].body > a[0] and c[0].body < a[1]
    inside = c[1].close > c[2].close and c[1].open <= c[2].open and c[1].low < c[2].low
    return 100.0 if coloured and sized and inside and c[0].open > c[1].low else 0.0


@kernel
def side_gap_three_methods(c: Last) -> float:
    opens = c[1].bottom < c[0].open < c[1].top
    closes = c[2].bottom < c[0].close < c[2].top
    gap = c[1].bottom > c[2].top if c[2].colour == 1 else c[1].top < c[2].bottom
    coloured = c[2].colour == c[1].colour and c[1].colour == -c[0].colour
    return 100 * c[2].colour if coloured and opens and closes and gap else 0.0


@kernel
def verdict(which: int, c: Last, a: Averages, penetration: float) -> float:  # by place in PATTERNS
    if which <= 3:
        return star(c, a, 1.0 if which in (0, 2) else -1.0, penetration)
    if which == 4:
        return abandoned_baby(c, a, penetration)
    if which == 5:
        return two_crows(c, a)
    if which == 6:
        return upside_gap_two_crows(c, a)
    if which == 7:
        return three_inside(c, a)
    if which == 8:
        return three_outside(c)
    if which == 9:
        return three_stars_in_the_south(c, a)
    if which == 10:
        return stalled(c, a)
    if which == 11:
        return gap_side_side_white(c, a)
    if which == 12:
        return stick_sandwich(c, a)
    if which == 13:
        return tasuki_gap(c, a)
    if which == 14:
        return tristar(c, a)
    return unique_three_river(c, a) if which == 15 else side_gap_three_methods(c)


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
            c = (at(ring, t - 0, i), at(ring, t - 1, i), at(ring, t - 2, i))
            a = (averages[0, i], averages[1, i], averages[2, i], averages[3, i], averages[4, i], averages[5, i])
            value[i] = verdict(which, c, a, penetration)


SPECS = group_of(PATTERNS, judge)
