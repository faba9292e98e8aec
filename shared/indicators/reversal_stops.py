"""Wilder's parabolic stop and reverse."""
# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel

SIDE, STOP, EXTREME, PACE = 1, 2, 3, 4  # rows behind the value; then last high and low


@kernel
def follow(s: FloatArray, x: FloatArray, i: int, paces: tuple[float, float, float], offset: float) -> float:
    """One print after the first; paces: at the start, more at each new extreme, at most. The stop told for it.

    A short is a long with prices upside down: `up` is the far end on the winning side, `down` on the other.
    """
    start, more, most = paces
    side = s[SIDE, i]
    high, low = x[0, i], x[1, i]
    up, down = (high, low) if side > 0.0 else (-low, -high)
    last_up, last_down = (s[5, i], s[6, i]) if side > 0.0 else (-s[6, i], -s[5, i])
    stop = s[STOP, i] * side
    if down <= stop:
        told = max(s[EXTREME, i] * side, last_up, up) * side
        told += told * offset * side
        s[SIDE, i] = -side
        s[PACE, i] = start
        s[EXTREME, i] = down * side
        # From here on upside down: what was down is up.
        stop = min(-told * side + start * (-down + told * side), -last_up, -up)
        s[STOP, i] = stop * -side
        return float(told)
    told = stop * side
    if up > s[EXTREME, i] * side:
        s[EXTREME, i] = up * side
        s[PACE, i] = min(s[PACE, i] + more, most)
    stop += s[PACE, i] * (s[EXTREME, i] * side - stop)
    s[STOP, i] = min(stop, last_down, down) * side
    return float(told)


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
    for i in range(lo, hi):
        if t == 1:
            begin(s, x, i, 0.0, 0.0)
            s[PACE, i] = pace
        if t > 0:
            s[0, i] = follow(s, x, i, (pace, pace, p[1]), 0.0)
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
            held = s[SIDE, i]
            # Who reverses starts at the pace of the other side.
            reverses = x[1, i] <= s[STOP, i] if held > 0.0 else x[0, i] >= s[STOP, i]
            told = follow(s, x, i, long_paces if (held > 0.0) != reverses else short_paces, p[1])
            s[0, i] = told if s[SIDE, i] > 0.0 else -told
        s[5, i], s[6, i] = x[0, i], x[1, i]
