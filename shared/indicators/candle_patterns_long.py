"""Candlestick patterns of three soldiers or crows and of more candles: the rules of TA-Lib's CDL functions.

In every rule `c` are the candles, c[0] the last one and c[k] the one k before, and `a` the averages in the
order of the pattern's table. A candle of 1 is white, of -1 black; 100 is bullish, -100 bearish, 0 no pattern.
"""

# ruff: noqa: PLR2004 - the numbers are places in the tables

from __future__ import annotations

from shared.indicators.candle_pattern import Pattern, group_of
from shared.indicators.candles import SLOTS, Averages, Candle, Judged, Last, Setting
from shared.indicators.indicator import FloatArray, kernel

_Measured = tuple[tuple[Setting, int], ...]
_BARE: _Measured = (("shadow_very_short", 2), ("shadow_very_short", 1), ("shadow_very_short", 0))
_SOLDIERS: _Measured = (*_BARE, ("near", 2), ("near", 1), ("far", 2), ("far", 1), ("short", 0))
_BLOCK: _Measured = (
    ("long", 2),
    ("shadow_short", 2),
    ("shadow_short", 1),
    ("shadow_short", 0),
    ("near", 2),
    ("near", 1),
    ("far", 2),
    ("far", 1),
)
_SWALLOW: _Measured = (("shadow_very_short", 3), ("shadow_very_short", 2), ("shadow_very_short", 1))
_FIVE: _Measured = (("long", 4), ("short", 3), ("short", 2), ("short", 1))
_TRAP: _Measured = (("near", 2), ("near", 3), ("near", 4), ("near", 5))

PATTERNS = (
    Pattern(
        "3whitesoldiers", "three white candles, each opening in the one before and closing higher", 12, 3, _SOLDIERS
    ),
    Pattern("advanceblock", "three white candles that weaken", 12, 3, _BLOCK),
    Pattern("3blackcrows", "three black candles after a white one, each opening in the one before", 13, 4, _BARE),
    Pattern(
        "identical3crows",
        "three black candles, each opening at the close before",
        12,
        3,
        (*_BARE, ("equal", 2), ("equal", 1)),
    ),
    Pattern(
        "3linestrike", "three candles of a colour, and one back over all of them", 8, 4, (("near", 3), ("near", 2))
    ),
    Pattern("concealbabyswall", "four black candles, the last swallowing the third", 13, 4, _SWALLOW),
    Pattern("breakaway", "a gap in a trend, then an opposite candle back into it", 14, 5, (("long", 4),)),
    Pattern(
        "ladderbottom",
        "three falling black candles, one with an upper shadow, white over it",
        14,
        5,
        (("shadow_very_short", 1),),
    ),
    Pattern("mathold", "long white, three small ones that hold, white over them", 14, 5, _FIVE, 0.5),
    Pattern(
        "risefall3methods",
        "a long candle, three small ones against it inside, a long one on",
        14,
        5,
        (*_FIVE, ("long", 0)),
    ),
    Pattern(
        "hikkake", "an inside bar broken to one side; 200 when close comes back over the other within three", 5, 6, ()
    ),
    Pattern(
        "hikkakemod", "two inside bars broken to one side; 200 when confirmed within three", 10, 7, _TRAP, sums_from=0
    ),
)


@kernel
def three_white_soldiers(c: Last, a: Averages) -> float:
    for k in range(3):
        if c[k].colour != 1 or not c[k].upper < a[2 - k]:
            return 0.0
    higher = c[0].close > c[1].close and c[1].close > c[2].close
    second = c[2].open < c[1].open <= c[2].close + a[3] and c[1].body > c[2].body - a[5]
    third = c[1].open < c[0].open <= c[1].close + a[4] and c[0].body > c[1].body - a[6]
    return 100.0 if higher and second and third and c[0].body > a[7] else 0.0


@kernel
def advance_block(c: Last, a: Averages) -> float:
    white = c[2].colour == 1 and c[1].colour == 1 and c[0].colour == 1
    if not (white and c[0].close > c[1].close and c[1].close > c[2].close):
        return 0.0
    second = c[2].open < c[1].open <= c[2].close + a[4]
    third = c[1].open < c[0].open <= c[1].close + a[5]
    if not (second and third and c[2].body > a[0] and c[2].upper < a[1]):
        return 0.0
    first, middle, last = c[2].body, c[1].body, c[0].body
    stopped = (middle < first - a[6] and last < middle + a[5]) or last < middle - a[7]
    shrinking = last < middle and middle < first and (c[0].upper > a[3] or c[1].upper > a[2])
    capped = last < middle and c[0].upper > last
    return -100.0 if stopped or shrinking or capped else 0.0


@kernel
def bare_black_three(c: Last, a: Averages) -> bool:
    """The last three candles are black, without lower shadows, with falling closes."""
    for k in range(3):
        if c[k].colour != -1 or not c[k].lower < a[2 - k]:
            return False
    return c[2].close > c[1].close and c[1].close > c[0].close


@kernel
def three_black_crows(c: Last, a: Averages) -> float:
    second = c[2].close < c[1].open < c[2].open
    third = c[1].close < c[0].open < c[1].open
    after = c[3].colour == 1 and c[3].high > c[2].close
    return -100.0 if bare_black_three(c, a) and second and third and after else 0.0


@kernel
def identical_three_crows(c: Last, a: Averages) -> float:
    second = c[2].close - a[3] <= c[1].open <= c[2].close + a[3]
    third = c[1].close - a[4] <= c[0].open <= c[1].close + a[4]
    return -100.0 if bare_black_three(c, a) and second and third else 0.0


@kernel
def three_line_strike(c: Last, a: Averages) -> float:
    side = c[1].colour
    if not (c[3].colour == side and c[2].colour == side and c[0].colour == -side):
        return 0.0
    for k in (3, 2):
        if not c[k].bottom - a[3 - k] <= c[k - 1].open <= c[k].top + a[3 - k]:
            return 0.0
    # Times the colour, both directions are one: falling prices rise when their sign is turned.
    lined = side * c[3].close < side * c[2].close and side * c[2].close < side * c[1].close
    struck = side * c[0].open > side * c[1].close and side * c[0].close < side * c[3].open
    return 100 * side if lined and struck else 0.0


@kernel
def concealing_baby_swallow(c: Last, a: Averages) -> float:
    for k in range(4):
        if c[k].colour != -1:
            return 0.0
    for k in (3, 2):
        if not (c[k].lower < a[3 - k] and c[k].upper < a[3 - k]):
            return 0.0
    third = c[1].top < c[2].bottom and c[1].upper > a[2] and c[1].high > c[2].close
    return 100.0 if third and c[0].high > c[1].high and c[0].low < c[1].low else 0.0


@kernel
def breakaway(c: Last, a: Averages) -> float:
    side = c[4].colour
    coloured = c[3].colour == side and c[1].colour == side and c[0].colour == -side
    if not (coloured and c[4].body > a[0]):
        return 0.0
    gap = c[3].bottom > c[4].top if side > 0 else c[3].top < c[4].bottom
    for k in (2, 1):
        if not side * c[k].high > side * c[k + 1].high or not side * c[k].low > side * c[k + 1].low:
            return 0.0
    back = side * c[4].close < side * c[0].close and side * c[0].close < side * c[3].open
    return -100 * side if gap and back else 0.0


@kernel
def ladder_bottom(c: Last, a: Averages) -> float:
    for k in (4, 3, 2, 1):
        if c[k].colour != -1:
            return 0.0
    falling = c[4].open > c[3].open and c[3].open > c[2].open
    falling = falling and c[4].close > c[3].close and c[3].close > c[2].close
    over = c[0].colour == 1 and c[0].open > c[1].open and c[0].close > c[1].high
    return 100.0 if falling and c[1].upper > a[0] and over else 0.0


@kernel
def mat_hold(c: Last, a: Averages, penetration: float) -> float:
    small = c[3].body < a[1] and c[2].body < a[2] and c[1].body < a[3]
    coloured = c[4].colour == 1 and c[3].colour == -1 and c[0].colour == 1
    if not (c[4].body > a[0] and small and coloured and c[3].bottom > c[4].top):
        return 0.0
    floor = c[4].close - c[4].body * penetration
    for k in (2, 1):
        if not floor < c[k].bottom < c[4].close:
            return 0.0
    falling = c[2].top < c[3].open and c[1].top < c[2].top
    highest = max(c[3].high, c[2].high, c[1].high)
    return 100.0 if falling and c[0].open > c[1].close and c[0].close > highest else 0.0


@kernel
def rise_or_fall_three_methods(c: Last, a: Averages) -> float:
    side = c[4].colour
    if not (c[4].body > a[0] and c[0].body > a[4] and c[0].colour == side):
        return 0.0
    for k in (3, 2, 1):
        if c[k].colour != -side or not c[k].body < a[4 - k]:
            return 0.0
        if not (c[k].bottom < c[4].high and c[k].top > c[4].low):
            return 0.0
    against = side * c[2].close < side * c[3].close and side * c[1].close < side * c[2].close
    on = side * c[0].open > side * c[1].close and side * c[0].close > side * c[4].close
    return 100 * side if against and on else 0.0


@kernel
def broken(c: Last, ago: int) -> float:
    """Lower high and low at the candle `ago` than at the one before: 1; higher high and low: -1; else 0."""
    if c[ago].high < c[ago + 1].high and c[ago].low < c[ago + 1].low:
        return 1.0
    return -1.0 if c[ago].high > c[ago + 1].high and c[ago].low > c[ago + 1].low else 0.0


@kernel
def inside(c: Last, ago: int) -> bool:
    return c[ago].high < c[ago + 1].high and c[ago].low > c[ago + 1].low


@kernel
def trapped(c: Last, a: Averages, ago: int, modified: bool) -> float:
    """Whether a hikkake ended `ago` candles before: 1 bullish, -1 bearish, 0 none."""
    side = broken(c, ago) if inside(c, ago + 1) else 0.0
    if not modified or side == 0.0:
        return side
    close, near = c[ago + 2].close, a[ago]
    placed = close <= c[ago + 2].low + near if side > 0 else close >= c[ago + 2].high - near
    return side if inside(c, ago + 2) and placed else 0.0


@kernel
def confirmed(c: Last, ago: int, began: int, side: float) -> bool:
    """Whether the close `ago` candles before lies beyond the candle before the end of the hikkake `began` before."""
    close = c[ago].close
    return close > c[began + 1].high if side > 0 else close < c[began + 1].low


@kernel
def hikkake(c: Last, a: Averages, modified: bool) -> float:
    """The latest hikkake counts, and is confirmed once."""
    for ago in range(4):
        side = trapped(c, a, ago, modified)
        if side == 0.0:
            continue
        if ago == 0:
            return 100 * side
        for since in range(ago - 1, 0, -1):
            if confirmed(c, since, ago, side):
                return 0.0
        return 200 * side if confirmed(c, 0, ago, side) else 0.0
    return 0.0


@kernel
def verdict(which: int, c: Last, a: Averages, penetration: float) -> float:  # by place in PATTERNS
    if which == 0:
        return three_white_soldiers(c, a)
    if which == 1:
        return advance_block(c, a)
    if which == 2:
        return three_black_crows(c, a)
    if which == 3:
        return identical_three_crows(c, a)
    if which == 4:
        return three_line_strike(c, a)
    if which == 5:
        return concealing_baby_swallow(c, a)
    if which == 6:
        return breakaway(c, a)
    if which == 7:
        return ladder_bottom(c, a)
    if which == 8:
        return mat_hold(c, a, penetration)
    if which == 9:
        return rise_or_fall_three_methods(c, a)
    return hikkake(c, a, which == 11)


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
            c = (
                at(ring, t - 0, i),
                at(ring, t - 1, i),
                at(ring, t - 2, i),
                at(ring, t - 3, i),
                at(ring, t - 4, i),
                at(ring, t - 5, i),
                at(ring, t - 6, i),
            )
            a = (
                averages[0, i],
                averages[1, i],
                averages[2, i],
                averages[3, i],
                averages[4, i],
                averages[5, i],
                averages[6, i],
                averages[7, i],
            )
            value[i] = verdict(which, c, a, penetration)


SPECS = group_of(PATTERNS, judge)
