"""Averages that forget by a weight, and what is built of them alone: EMA, DEMA, TEMA, T3, TRIX, MACD, TSI and kin."""
# ruff: noqa: PLR0917, PLR0913, PLR2004 - a step takes six; 12 and 26 are Appel's

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel


@kernel
def smooth(x: FloatArray, total: FloatArray, value: FloatArray, lo: int, hi: int, t: int, period: int) -> None:
    """Exponential mean of `x` at its print `t` (none below 0): the mean of `period`, then weight 2 / (period + 1)."""
    weight = 2.0 / (period + 1.0)
    if t >= period:
        for i in range(lo, hi):
            value[i] += (x[i] - value[i]) * weight
    elif t >= 0:
        for i in range(lo, hi):
            total[i] += x[i]
        if t == period - 1:
            for i in range(lo, hi):
                value[i] = total[i] / period


@kernel
def ema(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, seed."""
    smooth(x[0], s[1], s[0], lo, hi, t, int(p[0]))


@kernel
def rma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, seed. Wilder's weight 1 / period is that of an exponential mean over 2 period - 1."""
    period = int(p[0])
    if t >= period:
        for i in range(lo, hi):
            s[0, i] = (s[0, i] * (period - 1) + x[0, i]) / period
    else:
        smooth(x[0], s[1], s[0], lo, hi, t, period)


@kernel
def dema(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, two means, two seeds."""
    period = int(p[0])
    smooth(x[0], s[3], s[1], lo, hi, t, period)
    smooth(s[1], s[4], s[2], lo, hi, t - period + 1, period)
    if t >= 2 * period - 2:
        for i in range(lo, hi):
            s[0, i] = 2.0 * s[1, i] - s[2, i]


@kernel
def cascade(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, int]) -> None:
    """Means of means: `depth` of them from row `first` on, their seeds behind them; shape: first, depth, period."""
    first, depth, period = shape
    smooth(x, s[first + depth], s[first], lo, hi, t, period)
    for k in range(1, depth):
        smooth(s[first + k - 1], s[first + depth + k], s[first + k], lo, hi, t - k * (period - 1), period)


@kernel
def tema(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, three means, three seeds."""
    period = int(p[0])
    cascade(s, x[0], lo, hi, t, (1, 3, period))
    if t >= 3 * (period - 1):
        for i in range(lo, hi):
            s[0, i] = 3.0 * s[1, i] - 3.0 * s[2, i] + s[3, i]


@kernel
def t3(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, six means, six seeds."""
    period, v = int(p[0]), p[1]
    cascade(s, x[0], lo, hi, t, (1, 6, period))
    if t >= 6 * (period - 1):
        c1, c2 = -v * v * v, 3.0 * (v * v + v * v * v)
        c3, c4 = -6.0 * v * v - 3.0 * (v + v * v * v), 1.0 + 3.0 * v + v * v * v + 3.0 * v * v
        for i in range(lo, hi):
            s[0, i] = c1 * s[6, i] + c2 * s[5, i] + c3 * s[4, i] + c4 * s[3, i]


@kernel
def trix(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, three means, three seeds, the last third mean."""
    period = int(p[0])
    start = 3 * (period - 1)
    if t > start:
        for i in range(lo, hi):
            s[7, i] = s[3, i]
    cascade(s, x[0], lo, hi, t, (1, 3, period))
    if t > start:
        for i in range(lo, hi):
            s[0, i] = (s[3, i] / s[7, i] - 1.0) * 100.0 if s[7, i] != 0.0 else 0.0


@kernel
def difference(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, int]) -> bool:
    """Fast and slow mean in rows `first` and `first + 1`, seeds behind; both begin when the slow one does."""
    first, fast, slow = shape
    smooth(x, s[first + 2], s[first], lo, hi, t - max(slow - fast, 0), fast)
    smooth(x, s[first + 3], s[first + 1], lo, hi, t - max(fast - slow, 0), slow)
    return t >= max(fast, slow) - 1


@kernel
def signal_line(s: FloatArray, lo: int, hi: int, t: int, period: int, line: int) -> None:
    """MACD's three outputs, from the line in row `line` and its mean behind it, whose seed is the row after."""
    smooth(s[line], s[line + 2], s[line + 1], lo, hi, t, period)
    if t >= period - 1:
        for i in range(lo, hi):
            s[0, i], s[1, i], s[2, i] = s[line, i], s[line + 1, i], s[line, i] - s[line + 1, i]


@kernel
def macd(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: three values, line, its mean, its seed, two means, two seeds."""
    low, high = int(min(p[0], p[1])), int(max(p[0], p[1]))
    if difference(s, x[0], lo, hi, t, (6, low, high)):
        for i in range(lo, hi):
            s[3, i] = s[6, i] - s[7, i]
        signal_line(s, lo, hi, t - high + 1, int(p[2]), 3)


@kernel
def fixed(x: FloatArray, value: FloatArray, lo: int, hi: int, weight: float) -> None:
    """An exponential mean that is told its weight once the mean of its seed is there."""
    for i in range(lo, hi):
        value[i] += (x[i] - value[i]) * weight


@kernel
def macdfix(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `macd`; 26 and 12 prints with Appel's rounded weights 0.075 and 0.15."""
    if t < 26:
        difference(s, x[0], lo, hi, t, (6, 12, 26))
    else:
        fixed(x[0], s[6], lo, hi, 0.15)
        fixed(x[0], s[7], lo, hi, 0.075)
    if t >= 25:
        for i in range(lo, hi):
            s[3, i] = s[6, i] - s[7, i]
        signal_line(s, lo, hi, t - 25, int(p[0]), 3)


@kernel
def two_means(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Fast and slow mean in rows 1 and 2, each from the first print on, seeds behind; whether both are there."""
    fast, slow = shape
    smooth(x, s[3], s[1], lo, hi, t, fast)
    smooth(x, s[4], s[2], lo, hi, t, slow)
    return t >= slow - 1


@kernel
def apo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, two means, two seeds."""
    if two_means(s, x[0], lo, hi, t, (int(min(p[0], p[1])), int(max(p[0], p[1])))):
        for i in range(lo, hi):
            s[0, i] = s[1, i] - s[2, i]


@kernel
def ppo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `apo`."""
    if two_means(s, x[0], lo, hi, t, (int(min(p[0], p[1])), int(max(p[0], p[1])))):
        for i in range(lo, hi):
            s[0, i] = (s[1, i] - s[2, i]) / s[2, i] * 100.0 if s[2, i] != 0.0 else 0.0


@kernel
def tsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, change, its size, two means of each, four seeds."""
    first, second = int(p[0]), int(p[1])
    if t > 0:
        for i in range(lo, hi):
            s[2, i] = x[0, i] - s[1, i]
            s[3, i] = abs(s[2, i])
        for k in range(2):
            smooth(s[2 + k], s[8 + k], s[4 + k], lo, hi, t - 1, first)
            smooth(s[4 + k], s[10 + k], s[6 + k], lo, hi, t - first, second)
    for i in range(lo, hi):
        s[1, i] = x[0, i]
    if t >= first + second - 1:
        for i in range(lo, hi):
            s[0, i] = 100.0 * s[6, i] / s[7, i] if s[7, i] != 0.0 else 0.0


@kernel
def elder_ray(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: bull, bear, mean, seed."""
    period = int(p[0])
    smooth(x[2], s[3], s[2], lo, hi, t, period)
    if t >= period - 1:
        for i in range(lo, hi):
            s[0, i], s[1, i] = x[0, i] - s[2, i], x[1, i] - s[2, i]


@kernel
def zlema(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, seed, corrected close, ring of closes."""
    period = int(p[0])
    lag = (period - 1) // 2
    slot = 3 + t % (lag + 1)
    for i in range(lo, hi):
        s[slot, i] = x[0, i]
    if t >= lag:
        oldest = 3 + (t + 1) % (lag + 1)
        for i in range(lo, hi):
            s[2, i] = 2.0 * x[0, i] - s[oldest, i]
        smooth(s[2], s[1], s[0], lo, hi, t - lag, period)


@kernel
def mcginley(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        before = s[0, i] if t > 0 else x[0, i]
        ratio = x[0, i] / before
        pace = p[0] * ratio * ratio * ratio * ratio
        step = (x[0, i] - before) / pace
        # From zero, or to a share of the mean that has no fourth power, no step can be told.
        s[0, i] = before + step if abs(step) < abs(x[0, i] - before) else x[0, i]


@kernel
def mass_index(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, range, two means, two seeds, ring of ratios."""
    period, window = int(p[0]), int(p[1])
    for i in range(lo, hi):
        s[1, i] = x[0, i] - x[1, i]
    cascade(s, s[1], lo, hi, t, (2, 2, period))
    k = t - 2 * (period - 1)
    if k < 0:
        return
    slot = 6 + k % window
    for i in range(lo, hi):
        s[slot, i] = s[2, i] / s[3, i] if s[3, i] != 0.0 else 1.0
    if k >= window - 1:
        for i in range(lo, hi):
            s[0, i] = 0.0
        for j in range(window):
            for i in range(lo, hi):
                s[0, i] += s[6 + j, i]
