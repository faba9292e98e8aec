"""Wilder's parabolic stop and reverse."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() and min() mind NaN, which stops SIMD

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel

SIDE, STOP, EXTREME, PACE = 1, 2, 3, 4  # rows behind the value; then last high and low
Stand = tuple[float, float, float, float]


@kernel
def follow(held: Stand, now: Stand, paces: tuple[float, float, float], offset: float) -> tuple[Stand, float]:
    """One print after the first; `held`: side, stop, extreme and pace; `now`: high and low, those of the last print.

    Paces: at the start, more at each new extreme, at most. What is held from here on, and the stop told for the
    print. A short is a long with prices upside down: `up` is the far end on the winning side, `down` on the other.
    """
    side, stop, far, pace = held[0], held[1] * held[0], held[2] * held[0], held[3]
    high, low, last_high, last_low = now
    up, down = (high, low) if side > 0.0 else (-low, -high)
    last_up, last_down = (last_high, last_low) if side > 0.0 else (-last_low, -last_high)
    start, more, most = paces
    farther = up > far
    faster = pace + more if pace + more < most else most
    new_far, new_pace = up if farther else far, faster if farther else pace
    moved = stop + new_pace * (new_far - stop)
    moved = last_down if last_down < moved else moved
    moved = down if down < moved else moved
    # Who reverses is told the farthest price, and from there on what was down is up.
    told = last_up if last_up > far else far
    told = (up if up > told else told) * side
    told += told * offset * side
    turned = -told * side + start * (-down + told * side)
    turned = -last_up if -last_up < turned else turned
    turned = -up if -up < turned else turned
    if down <= stop:
        return (-side, turned * -side, down * side, start), told
    return (side, moved * side, new_far * side, new_pace), stop * side


@kernel
def begin(s: FloatArray, x: FloatArray, i: int, side: float, stop: float) -> None:
    """Side and stop of the second print: given, or (0) the way the first two bars went and the first bar's far end."""
    if side == 0.0:
        fall, rise = s[6, i] - x[1, i], x[0, i] - s[5, i]
        side = -1.0 if fall > 0.0 and fall > rise else 1.0
        stop = s[6, i] if side > 0.0 else s[5, i]
    s[SIDE, i], s[STOP, i] = side, stop
    s[EXTREME, i] = x[0, i] if side > 0.0 else x[1, i]
    s[5, i], s[6, i] = x[0, i], x[1, i]


@kernel
def sar(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, side, stop, extreme, pace, last high, last low."""
    pace = min(p[0], p[1])
    if t == 1:
        for i in range(lo, hi):
            begin(s, x, i, 0.0, 0.0)
            s[PACE, i] = pace
    if t > 0:
        for i in range(lo, hi):
            held = (s[SIDE, i], s[STOP, i], s[EXTREME, i], s[PACE, i])
            held, told = follow(held, (x[0, i], x[1, i], s[5, i], s[6, i]), (pace, pace, p[1]), 0.0)
            s[SIDE, i], s[STOP, i], s[EXTREME, i], s[PACE, i] = held
            s[0, i] = told
    for i in range(lo, hi):
        s[5, i], s[6, i] = x[0, i], x[1, i]


@kernel
def sarext(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `sar`; the value is negative while short."""
    long_most, short_most = p[4], p[7]
    long_paces = (min(p[2], long_most), min(p[3], long_most), long_most)
    short_paces = (min(p[5], short_most), min(p[6], short_most), short_most)
    for i in range(lo, hi):
        if t == 1:
            begin(s, x, i, 1.0 if p[0] > 0.0 else (-1.0 if p[0] < 0.0 else 0.0), abs(p[0]))
            s[PACE, i] = long_paces[0] if s[SIDE, i] > 0.0 else short_paces[0]
        if t > 0:
            held = (s[SIDE, i], s[STOP, i], s[EXTREME, i], s[PACE, i])
            # Who reverses starts at the pace of the other side.
            reverses = x[1, i] <= held[1] if held[0] > 0.0 else x[0, i] >= held[1]
            paces = long_paces if (held[0] > 0.0) != reverses else short_paces
            held, told = follow(held, (x[0, i], x[1, i], s[5, i], s[6, i]), paces, p[1])
            s[SIDE, i], s[STOP, i], s[EXTREME, i], s[PACE, i] = held
            s[0, i] = told if held[0] > 0.0 else -told
        s[5, i], s[6, i] = x[0, i], x[1, i]
