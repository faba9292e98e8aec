"""Wilder's smoothing and what lives on it: RSI, CMO, average true range, the directional movement family."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel


@kernel
def gains(s: FloatArray, close: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Wilder's mean gain and loss; shape: first row, period. Rows: gain, loss, last close. Whether they are there."""
    first, period = shape
    held = period - 1.0 if t > period else 1.0
    share = 1.0 / period if t >= period else 1.0
    for i in range(lo, hi):
        change = close[i] - s[first + 2, i] if t > 0 else 0.0
        gain = change if change > 0.0 else 0.0
        s[first, i] = (s[first, i] * held + gain) * share
        s[first + 1, i] = (s[first + 1, i] * held + (gain - change)) * share
        s[first + 2, i] = close[i]
    return t >= period


@kernel
def rsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, gain, loss, last close."""
    if gains(s, x[0], lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            both = s[1, i] + s[2, i]
            s[0, i] = 100.0 * s[1, i] / both if both != 0.0 else 0.0


@kernel
def cmo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, gain, loss, last close."""
    if gains(s, x[0], lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            both = s[1, i] + s[2, i]
            s[0, i] = 100.0 * (s[1, i] - s[2, i]) / both if both != 0.0 else 0.0


@kernel
def fading(t: int, period: int) -> float:
    """What stays of one of Wilder's running sums: `period` - 1 parts are added, then each time a share goes."""
    return 1.0 if t < period else 1.0 - 1.0 / period


@kernel
def directions(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Wilder's sums of plus and minus movement and true range in the rows from `first` on; then last high, low, close.

    Whether an index can be told.
    """
    first, period = shape
    last, stays = first + 3, fading(t, period)
    if t > 0:
        for i in range(lo, hi):
            high, low, before = x[0, i], x[1, i], s[last + 2, i]
            up, down = high - s[last, i], s[last + 1, i] - low
            top = high if high > before else before
            bottom = low if low < before else before
            plus = up if up > down else 0.0
            minus = down if down > up else 0.0
            s[first, i] = s[first, i] * stays + (plus if plus > 0.0 else 0.0)
            s[first + 1, i] = s[first + 1, i] * stays + (minus if minus > 0.0 else 0.0)
            s[first + 2, i] = s[first + 2, i] * stays + (top - bottom)
    for k in range(3):
        for i in range(lo, hi):
            s[last + k, i] = x[k, i]
    return t >= period


@kernel
def plus_di(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `directions`."""
    if directions(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = 100.0 * s[1, i] / s[3, i] if s[3, i] != 0.0 else 0.0


@kernel
def minus_di(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `plus_di`."""
    if directions(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = 100.0 * s[2, i] / s[3, i] if s[3, i] != 0.0 else 0.0


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
def direction_index(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """DX into row `first`, `directions` behind; where nothing moves it stays."""
    first, period = shape
    if not directions(s, x, lo, hi, t, (first + 1, period)):
        return False
    for i in range(lo, hi):
        # Loaded before it is asked for: a load that depends on a question stops SIMD.
        plus, minus, ranges, held = s[first + 1, i], s[first + 2, i], s[first + 3, i], s[first, i]
        both = plus + minus
        share = 100.0 * abs(plus - minus) / both
        s[first, i] = share if both * ranges != 0.0 else held
    return True


@kernel
def dx(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, index, `directions`."""
    if direction_index(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def trend_strength(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """ADX into row `first`, DX and its like behind. A print without movement counts for nothing."""
    first, period = shape
    if not direction_index(s, x, lo, hi, t, (first + 1, period)):
        return False
    if t < 2 * period:
        for i in range(lo, hi):
            moved = (s[first + 2, i] + s[first + 3, i]) * s[first + 4, i]
            index = s[first + 1, i]
            s[first, i] += index if moved != 0.0 else 0.0
        if t == 2 * period - 1:
            for i in range(lo, hi):
                s[first, i] *= 1.0 / period
    else:
        for i in range(lo, hi):
            moved = (s[first + 2, i] + s[first + 3, i]) * s[first + 4, i]
            held, index = s[first, i], s[first + 1, i]
            after = (held * (period - 1) + index) * (1.0 / period)
            s[first, i] = after if moved != 0.0 else held
    return t >= 2 * period - 1


@kernel
def adx(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, strength, index, `directions`."""
    if trend_strength(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def adxr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, strength, index, `directions`, ring of strengths."""
    period = int(p[0])
    if not trend_strength(s, x, lo, hi, t, (1, period)):
        return
    since = t - 2 * period + 1
    for i in range(lo, hi):
        s[9 + since % period, i] = s[1, i]
    if since >= period - 1:
        oldest = 9 + (since + 1) % period
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
