"""Candlestick patterns of one candle: the rules of TA-Lib's CDL functions of the same names.

In every rule `c[0]` is the last candle, and `a` are the averages in the order of the pattern's table.
A candle of 1 is white, of -1 black; 100 is bullish, -100 bearish, 0 no pattern.
"""

# ruff: noqa: ARG001, PLR2004 - every judge takes a penetration; the numbers are places in the table PATTERNS

from __future__ import annotations

from shared.indicators.candle_pattern import Pattern, group_of
from shared.indicators.candles import SLOTS, Averages, Candle, Judged, Last
from shared.indicators.indicator import FloatArray, kernel

PATTERNS = (
    Pattern("belthold", "a long body without a shadow where it opens", 10, 1, (("long", 0), ("shadow_very_short", 0))),
    Pattern(
        "closingmarubozu",
        "a long body without a shadow where it closes",
        10,
        1,
        (("long", 0), ("shadow_very_short", 0)),
    ),
    Pattern("doji", "open and close about equal", 10, 1, (("doji", 0),)),
    Pattern(
        "dragonflydoji",
        "a doji without an upper shadow, with a lower one",
        10,
        1,
        (("doji", 0), ("shadow_very_short", 0)),
    ),
    Pattern(
        "gravestonedoji",
        "a doji without a lower shadow, with an upper one",
        10,
        1,
        (("doji", 0), ("shadow_very_short", 0)),
    ),
    Pattern("highwave", "a short body with two very long shadows", 10, 1, (("short", 0),)),
    Pattern("longleggeddoji", "a doji with a long shadow", 10, 1, (("doji", 0),)),
    Pattern("longline", "a long body with two short shadows", 10, 1, (("long", 0), ("shadow_short", 0))),
    Pattern("marubozu", "a long body without shadows", 10, 1, (("long", 0), ("shadow_very_short", 0))),
    Pattern("rickshawman", "a doji amid two long shadows", 10, 1, (("doji", 0), ("near", 0))),
    Pattern("shortline", "a short body with two short shadows", 10, 1, (("short", 0), ("shadow_short", 0))),
    Pattern("spinningtop", "a short body with two shadows longer than it", 10, 1, (("short", 0),)),
    Pattern(
        "takuri",
        "a doji with a very long lower and without an upper shadow",
        10,
        1,
        (("doji", 0), ("shadow_very_short", 0)),
    ),
)


@kernel
def opening_or_closing_without_shadow(c: Last, a: Averages, side: float) -> float:
    """Belt hold (side 1: no shadow at the open) and closing marubozu (side -1: none at the close)."""
    shadow = c[0].lower if c[0].colour == side else c[0].upper
    return 100 * c[0].colour if c[0].body > a[0] and shadow < a[1] else 0.0


@kernel
def doji_on_a_stick(c: Last, a: Averages, side: float) -> float:
    """Dragonfly (side 1: the lower shadow is the stick) and gravestone doji (side -1)."""
    stick, bare = (c[0].lower, c[0].upper) if side > 0 else (c[0].upper, c[0].lower)
    return 100.0 if c[0].body <= a[0] and bare < a[1] and stick > a[1] else 0.0


@kernel
def longer_shadows(c: Last, a: Averages, times: float) -> float:
    """Spinning top (shadows longer than the body) and high wave (than twice the body)."""
    length = times * c[0].body
    found = c[0].body < a[0] and c[0].upper > length and c[0].lower > length
    return 100 * c[0].colour if found else 0.0


@kernel
def long_legged_doji(c: Last, a: Averages) -> float:
    body = c[0].body
    return 100.0 if body <= a[0] and (c[0].lower > body or c[0].upper > body) else 0.0


@kernel
def lined(c: Last, a: Averages, side: float) -> float:
    """Long line and marubozu (side 1: a long body), short line (side -1: a short one); the shadows are short."""
    sized = c[0].body > a[0] if side > 0 else c[0].body < a[0]
    return 100 * c[0].colour if sized and c[0].upper < a[1] and c[0].lower < a[1] else 0.0


@kernel
def rickshaw_man(c: Last, a: Averages) -> float:
    body, middle = c[0].body, c[0].low + (c[0].high - c[0].low) / 2
    legged = body <= a[0] and c[0].lower > body and c[0].upper > body
    amid = c[0].bottom <= middle + a[1] and c[0].top >= middle - a[1]
    return 100.0 if legged and amid else 0.0


@kernel
def takuri(c: Last, a: Averages) -> float:
    body = c[0].body
    return 100.0 if body <= a[0] and c[0].upper < a[1] and c[0].lower > 2 * body else 0.0


@kernel
def verdict(which: int, c: Last, a: Averages) -> float:  # the rules by their place in PATTERNS
    if which == 0:
        return opening_or_closing_without_shadow(c, a, 1.0)
    if which == 1:
        return opening_or_closing_without_shadow(c, a, -1.0)
    if which == 2:
        return 100.0 if c[0].body <= a[0] else 0.0
    if which == 3:
        return doji_on_a_stick(c, a, 1.0)
    if which == 4:
        return doji_on_a_stick(c, a, -1.0)
    if which == 5:
        return longer_shadows(c, a, 2.0)
    if which == 6:
        return long_legged_doji(c, a)
    if which in (7, 8):
        return lined(c, a, 1.0)
    if which == 9:
        return rickshaw_man(c, a)
    if which == 10:
        return lined(c, a, -1.0)
    if which == 11:
        return longer_shadows(c, a, 1.0)
    return takuri(c, a)


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
            c = (at(ring, t - 0, i),)
            a = (averages[0, i], averages[1, i])
            value[i] = verdict(which, c, a)


SPECS = group_of(PATTERNS, judge)
