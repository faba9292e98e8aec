"""Ehlers's Hilbert transform and what he reads from it: the dominant cycle, its phase, MAMA.

John F. Ehlers, Rocket Science for Traders, 2001, with the choices of TA-Lib: the price is smoothed by weights 4,
3, 2, 1; everything before print `since` counts as 0.
"""
# ruff: noqa: PLR0917, PLR2004 - a step takes six; the numbers are Ehlers's

from __future__ import annotations

import math

import numpy as np

from shared.indicators.indicator import FloatArray, kernel

SMOOTH = 0  # rows behind the outputs: a ring of 50 smoothed prices,
PRICE = 50  # one of 50 prices,
DETREND = 100  # of 10 detrended,
QUADRATURE = 110  # of 7 quadratures,
CYCLE = 117  # then period, its smoothed value, last I2, last Q2, Re, Im,
PHASE = 123  # and phase, sine, lead sine, prints in trend, three averages
ROWS = 130
DEGREES = 180.0 / math.pi
LONGEST = 50  # prints of a cycle, at most
# One turn in `length` steps, by [length, step]; looked up, since a phase takes up to fifty of both at every print.
TURN = [[k * 2.0 * math.pi / max(length, 1) for k in range(LONGEST)] for length in range(LONGEST + 1)]
SINES = np.array([[math.sin(angle) for angle in angles] for angles in TURN])
COSINES = np.array([[math.cos(angle) for angle in angles] for angles in TURN])


@kernel
def transform(s: FloatArray, first: int, row: int, size: int, t: int, i: int) -> float:
    """The Hilbert transform of the values in a ring of `size` rows, as of `row` prints before `t`."""
    ring = s[first : first + size]
    now, two = ring[(t - row) % size, i], ring[(t - row - 2) % size, i]
    four, six = ring[(t - row - 4) % size, i], ring[(t - row - 6) % size, i]
    return float(0.0962 * now + 0.5769 * two - 0.5769 * four - 0.0962 * six)


@kernel
def cycle(s: FloatArray, x: FloatArray, b: int, t: int, i: int, since: int) -> None:
    """One print of instrument `i`; `b` is the first row behind the outputs."""
    s[b + PRICE + t % 50, i] = x[i]
    if t < since:
        return
    price = s[b + PRICE : b + PRICE + 50]
    smoothed = (4.0 * x[i] + 3.0 * price[(t - 1) % 50, i] + 2.0 * price[(t - 2) % 50, i] + price[(t - 3) % 50, i]) * 0.1
    period = s[b + CYCLE, i]
    adjusted = 0.075 * period + 0.54
    s[b + SMOOTH + t % 50, i] = smoothed
    detrended = transform(s, b + SMOOTH, 0, 50, t, i) * adjusted
    s[b + DETREND + t % 10, i] = detrended
    quadrature = transform(s, b + DETREND, 0, 10, t, i) * adjusted
    s[b + QUADRATURE + t % 7, i] = quadrature
    # The in-phase part is what was detrended three prints ago; its own transform looks nine prints back.
    in_phase = s[b + DETREND + (t - 3) % 10, i]
    advanced_i = transform(s, b + DETREND, 3, 10, t, i) * adjusted
    advanced_q = transform(s, b + QUADRATURE, 0, 7, t, i) * adjusted
    last_i2, last_q2 = s[b + CYCLE + 2, i], s[b + CYCLE + 3, i]
    q2 = 0.2 * (quadrature + advanced_i) + 0.8 * last_q2
    i2 = 0.2 * (in_phase - advanced_q) + 0.8 * last_i2
    re = 0.2 * (i2 * last_i2 + q2 * last_q2) + 0.8 * s[b + CYCLE + 4, i]
    im = 0.2 * (i2 * last_q2 - q2 * last_i2) + 0.8 * s[b + CYCLE + 5, i]
    s[b + CYCLE + 2, i], s[b + CYCLE + 3, i] = i2, q2
    s[b + CYCLE + 4, i], s[b + CYCLE + 5, i] = re, im
    found = 360.0 / (math.atan(im / re) * DEGREES) if im != 0.0 and re != 0.0 else period
    found = max(min(found, 1.5 * period), 0.67 * period)
    s[b + CYCLE, i] = 0.2 * min(max(found, 6.0), 50.0) + 0.8 * period
    s[b + CYCLE + 1, i] = 0.33 * s[b + CYCLE, i] + 0.67 * s[b + CYCLE + 1, i]


@kernel
def phase_of(s: FloatArray, b: int, t: int, i: int) -> float:
    """Phase of the dominant cycle in degrees; the last one lies in the state."""
    smoothed = s[b + CYCLE + 1, i]
    length = max(0, min(int(smoothed + 0.5), LONGEST))
    sines, cosines = SINES[length], COSINES[length]
    real, imag, row = 0.0, 0.0, t % 50
    for k in range(length):
        price = s[b + SMOOTH + row, i]
        real += sines[k] * price
        imag += cosines[k] * price
        row = row - 1 if row > 0 else 49
    phase = s[b + PHASE, i]
    if abs(imag) > 0.0:
        phase = math.atan(real / imag) * DEGREES
    elif real != 0.0:
        phase += 90.0 if real > 0.0 else -90.0
    phase += 90.0 + 360.0 / smoothed
    if imag < 0.0:
        phase += 180.0
    if phase > 315.0:
        phase -= 360.0
    s[b + PHASE, i] = phase
    return float(phase)


@kernel
def trendline_of(s: FloatArray, b: int, t: int, i: int) -> float:
    """Mean price of one dominant cycle, smoothed by weights 4, 3, 2, 1."""
    length = int(s[b + CYCLE + 1, i] + 0.5)
    total = 0.0
    for k in range(length):
        total += s[b + PRICE + (t - k) % 50, i]
    now = total / length if length > 0 else 0.0
    one, two, three = s[b + PHASE + 4, i], s[b + PHASE + 5, i], s[b + PHASE + 6, i]
    s[b + PHASE + 4, i], s[b + PHASE + 5, i], s[b + PHASE + 6, i] = now, one, two
    return float((4.0 * now + 3.0 * one + 2.0 * two + three) / 10.0)


@kernel
def ht_dcperiod(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, rows of the cycle."""
    for i in range(lo, hi):
        cycle(s, x[0], 1, t, i, 12)
        if t >= 32:
            s[0, i] = s[1 + CYCLE + 1, i]


@kernel
def ht_phasor(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: in phase, quadrature, rows of the cycle."""
    for i in range(lo, hi):
        cycle(s, x[0], 2, t, i, 12)
        if t >= 32:
            s[0, i] = s[2 + DETREND + (t - 3) % 10, i]
            s[1, i] = s[2 + QUADRATURE + t % 7, i]


@kernel
def ht_dcphase(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, rows of the cycle."""
    for i in range(lo, hi):
        cycle(s, x[0], 1, t, i, 37)
        if t >= 37:
            phase = phase_of(s, 1, t, i)
            s[0, i] = phase if t >= 63 else np.nan


@kernel
def ht_sine(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: sine, lead sine, rows of the cycle."""
    for i in range(lo, hi):
        cycle(s, x[0], 2, t, i, 37)
        if t >= 37:
            phase = phase_of(s, 2, t, i)
            if t >= 63:
                s[0, i], s[1, i] = math.sin(phase / DEGREES), math.sin((phase + 45.0) / DEGREES)


@kernel
def ht_trendline(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, rows of the cycle."""
    for i in range(lo, hi):
        cycle(s, x[0], 1, t, i, 37)
        if t >= 37:
            line = trendline_of(s, 1, t, i)
            s[0, i] = line if t >= 63 else np.nan


@kernel
def ht_trendmode(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, rows of the cycle."""
    b = 1
    for i in range(lo, hi):
        cycle(s, x[0], b, t, i, 37)
        if t < 37:
            continue
        last_phase, last_sine, last_lead = s[b + PHASE, i], s[b + PHASE + 1, i], s[b + PHASE + 2, i]
        phase, line = phase_of(s, b, t, i), trendline_of(s, b, t, i)
        sine, lead = math.sin(phase / DEGREES), math.sin((phase + 45.0) / DEGREES)
        s[b + PHASE + 1, i], s[b + PHASE + 2, i] = sine, lead
        crossed = (sine > lead and last_sine <= last_lead) or (sine < lead and last_sine >= last_lead)
        days = 1.0 if crossed else s[b + PHASE + 3, i] + 1.0
        s[b + PHASE + 3, i] = days
        smoothed = s[b + CYCLE + 1, i]
        pace = (phase - last_phase) * smoothed / 360.0 if smoothed != 0.0 else 0.0
        trending = not crossed and days >= 0.5 * smoothed and not 0.67 < pace < 1.5
        price = s[b + SMOOTH + t % 50, i]
        far = line != 0.0 and abs((price - line) / line) >= 0.015
        if t >= 63:
            s[0, i] = 1.0 if trending or far else 0.0


@kernel
def mama(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: mama, fama, rows of the cycle; the phase's rows hold phase, mama and fama."""
    b = 2
    for i in range(lo, hi):
        cycle(s, x[0], b, t, i, 12)
        if t < 12:
            continue
        in_phase, quadrature = s[b + DETREND + (t - 3) % 10, i], s[b + QUADRATURE + t % 7, i]
        phase = math.atan(quadrature / in_phase) * DEGREES if in_phase != 0.0 else 0.0
        moved = max(s[b + PHASE, i] - phase, 1.0)
        s[b + PHASE, i] = phase
        alpha = max(p[0] / moved, p[1]) if moved > 1.0 else p[0]
        s[b + PHASE + 1, i] = alpha * x[0, i] + (1.0 - alpha) * s[b + PHASE + 1, i]
        s[b + PHASE + 2, i] = 0.5 * alpha * s[b + PHASE + 1, i] + (1.0 - 0.5 * alpha) * s[b + PHASE + 2, i]
        if t >= 32:
            s[0, i], s[1, i] = s[b + PHASE + 1, i], s[b + PHASE + 2, i]
