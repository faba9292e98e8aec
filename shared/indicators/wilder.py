"""Wilder's smoothing and what lives on it: RSI, CMO, average true range, the directional movement family."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel


@kernel
def gains(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: RSI, Wilder's mean gain and loss, last close."""
    period = int(p[0])
    held = period - 1.0 if t > period else 1.0
    share = 1.0 / period if t >= period else 1.0
    for i in range(lo, hi):
        close = x[0, i]
        change = close - s[3, i] if t > 0 else 0.0
        gain = change if change > 0.0 else 0.0
        s[1, i] = (s[1, i] * held + gain) * share
        s[2, i] = (s[2, i] * held + (gain - change)) * share
        s[3, i] = close
    for i in range(lo, hi):
        both = s[1, i] + s[2, i]
        s[0, i] = 100.0 * s[1, i] / both if both != 0.0 else 0.0


@kernel
def rsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `gains`."""
    if t >= p[0]:
        for i in range(lo, hi):
            s[0, i] = x[0, i]


@kernel
def cmo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `gains`."""
    if t >= p[0]:
        for i in range(lo, hi):
            more, both = x[1, i] - x[2, i], x[1, i] + x[2, i]
            s[0, i] = 100.0 * more / both if both != 0.0 else 0.0


@kernel
def fading(t: int, period: int) -> float:
    """What stays of one of Wilder's running sums: `period` - 1 parts are added, then each time a share goes."""
    return 1.0 if t < period else 1.0 - 1.0 / period


@kernel
def directions(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: Wilder's sums of plus and minus movement and true range; last high, low, close."""
    stays = fading(t, int(p[0]))
    if t > 0:
        for i in range(lo, hi):
            high, low, before = x[0, i], x[1, i], s[5, i]
            up, down = high - s[3, i], s[4, i] - low
            top = high if high > before else before
            bottom = low if low < before else before
            plus = up if up > down else 0.0
            minus = down if down > up else 0.0
            s[0, i] = s[0, i] * stays + (plus if plus > 0.0 else 0.0)
            s[1, i] = s[1, i] * stays + (minus if minus > 0.0 else 0.0)
            s[2, i] = s[2, i] * stays + (top - bottom)
    for k in range(3):
        for i in range(lo, hi):
            s[3 + k, i] = x[k, i]


@kernel
def plus_di(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `directions`."""
    if t >= p[0]:
        for i in range(lo, hi):
            share, ranges = 100.0 * x[0, i] / x[2, i], x[2, i]
            s[0, i] = share if ranges != 0.0 else 0.0


@kernel
def minus_di(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `directions`."""
    if t >= p[0]:
        for i in range(lo, hi):
            share, ranges = 100.0 * x[1, i] / x[2, i], x[2, i]
            s[0, i] = share if ranges != 0.0 else 0.0


@kernel
def plus_dm(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last high, last low, sum."""
    stays = fading(t, int(p[0])) if t > 0 else 0.0
    for i in range(lo, hi):
        up, down = x[0, i] - s[1, i], s[2, i] - x[1, i]
        moved = up if up > 0.0 and up > down else 0.0
        s[3, i] = s[3, i] * stays + moved if t > 0 else 0.0
        s[1, i], s[2, i] = x[0, i], x[1, i]
    if t >= int(p[0]) - 1:
        for i in range(lo, hi):
            s[0, i] = s[3, i]


@kernel
def minus_dm(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `plus_dm`."""
    stays = fading(t, int(p[0])) if t > 0 else 0.0
    for i in range(lo, hi):
        up, down = x[0, i] - s[1, i], s[2, i] - x[1, i]
        moved = down if down > 0.0 and down > up else 0.0
        s[3, i] = s[3, i] * stays + moved if t > 0 else 0.0
        s[1, i], s[2, i] = x[0, i], x[1, i]
    if t >= int(p[0]) - 1:
        for i in range(lo, hi):
            s[0, i] = s[3, i]


@kernel
def direction_index(s: FloatArray, row: int, x: FloatArray, lo: int, hi: int) -> None:
    """DX into a row, out of `directions`; where nothing moves it stays."""
    for i in range(lo, hi):
        # Loaded before it is asked for: a load that depends on a question stops SIMD.
        plus, minus, ranges, held = x[0, i], x[1, i], x[2, i], s[row, i]
        both = plus + minus
        share = 100.0 * abs(plus - minus) / both
        s[row, i] = share if both * ranges != 0.0 else held


@kernel
def dx(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, index. On `directions`."""
    if t >= p[0]:
        direction_index(s, 1, x, lo, hi)
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def trend_strength(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """ADX into row 1, DX into row 2. A print without movement counts for nothing. Whether it is there."""
    if t < period:
        return False
    direction_index(s, 2, x, lo, hi)
    if t < 2 * period:
        for i in range(lo, hi):
            moved, index = (x[0, i] + x[1, i]) * x[2, i], s[2, i]
            s[1, i] += index if moved != 0.0 else 0.0
        if t == 2 * period - 1:
            for i in range(lo, hi):
                s[1, i] *= 1.0 / period
    else:
        for i in range(lo, hi):
            moved = (x[0, i] + x[1, i]) * x[2, i]
            held, index = s[1, i], s[2, i]
            after = (held * (period - 1) + index) * (1.0 / period)
            s[1, i] = after if moved != 0.0 else held
    return t >= 2 * period - 1


@kernel
def adx(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, strength, index. On `directions`."""
    if trend_strength(s, x, lo, hi, t, int(p[0])):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def adxr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, strength, index, ring of strengths. On `directions`."""
    period = int(p[0])
    if not trend_strength(s, x, lo, hi, t, period):
        return
    since = t - 2 * period + 1
    for i in range(lo, hi):
        s[3 + since % period, i] = s[1, i]
    if since >= period - 1:
        oldest = 3 + (since + 1) % period
        for i in range(lo, hi):
            s[0, i] = (s[1, i] + s[oldest, i]) / 2.0


@kernel
def true_range_mean(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Wilder's average true range; shape: first row, period. Rows: mean, last close. Whether it is there yet."""
    first, period = shape
    if t > 0:
        held = period - 1.0 if t > period else 1.0
        share = 1.0 / period if t >= period else 1.0
        for i in range(lo, hi):
            last = s[first + 1, i]
            top = x[0, i] if x[0, i] > last else last
            bottom = x[1, i] if x[1, i] < last else last
            s[first, i] = (s[first, i] * held + (top - bottom)) * share
    for i in range(lo, hi):
        s[first + 1, i] = x[2, i]
    return t >= period


@kernel
def atr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, mean, last close."""
    if true_range_mean(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def keltner(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: upper, middle, lower, mean typical price, its seed, mean range, last close."""
    period, ranged = int(p[0]), int(p[1])
    warm = max(period - 1, ranged)
    # Both means are seeded by the prints that end where the first band is.
    since, since_ranged = t - (warm - period + 1), t - (warm - ranged)
    if since_ranged >= 0:
        true_range_mean(s, x, lo, hi, since_ranged, (5, ranged))
    weight = 2.0 / (period + 1.0)
    if since >= 0:
        for i in range(lo, hi):
            typical = (x[0, i] + x[1, i] + x[2, i]) / 3.0
            seed = s[4, i] + typical
            s[3, i] = s[3, i] + (typical - s[3, i]) * weight if since >= period else seed / period
            s[4, i] = seed
    if t >= warm:
        for i in range(lo, hi):
            reach = p[2] * s[5, i]
            s[0, i], s[1, i], s[2, i] = s[3, i] + reach, s[3, i], s[3, i] - reach


@kernel
def supertrend(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: line, trend, upper band, lower band, mean range, last close, close before this print."""
    period = int(p[0])
    for i in range(lo, hi):
        s[6, i] = s[5, i]
    if not true_range_mean(s, x, lo, hi, t, (4, period)):
        return
    begins = t == period
    for i in range(lo, hi):
        middle, reach, close = (x[0, i] + x[1, i]) / 2.0, p[1] * s[4, i], x[2, i]
        before, held_top, held_bottom, falls = s[6, i], s[2, i], s[3, i], s[1, i] < 0.0
        top, bottom = middle + reach, middle - reach
        top = top if begins or top < held_top or before > held_top else held_top
        bottom = bottom if begins or bottom > held_bottom or before < held_bottom else held_bottom
        rising = close > top if not begins and falls else close >= bottom
        s[0, i] = bottom if rising else top
        s[1, i] = 1.0 if rising else -1.0
        s[2, i], s[3, i] = top, bottom
