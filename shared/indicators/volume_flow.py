"""What volume says about price: accumulation, flow, force, volume-weighted prices, liquidity.

The running totals (AD, OBV, PVT, NVI, PVI, VWAP from the first print) know no window, so their level depends on
where the series begins; only their changes compare. Sums over windows are those of changes.py.
"""

# ruff: noqa: ARG001, PLR0917 - a step takes six

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel


@kernel
def smooth(s: FloatArray, rows: tuple[int, int, int], lo: int, hi: int, t: int, period: int) -> bool:
    """Exponential mean of row rows[0] into rows[1], its seed in rows[2], as in ema.py. Whether it is there yet."""
    source, out, seed = rows
    if t >= period:
        weight = 2.0 / (period + 1.0)
        for i in range(lo, hi):
            s[out, i] += (s[source, i] - s[out, i]) * weight
        return True
    if t < 0:
        return False
    for i in range(lo, hi):
        s[seed, i] += s[source, i]
        s[out, i] = s[seed, i] / period
    return t == period - 1


@kernel
def rolling(s: FloatArray, new: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Sum of the last prints of `new`; shape: first row, period. Rows: sum, of the block so far, ring of the rest.

    As in changes.py. Whether the window is full.
    """
    first, period = shape
    slot = t % period
    so_far, ring = first + 1, first + 2
    here, rest = ring + slot, ring + (slot + 1) % period
    begins = slot == 0
    for i in range(lo, hi):
        left = s[rest, i]
        total = new[i] if begins else s[so_far, i] + new[i]
        s[so_far, i] = total
        s[here, i] = new[i]
        s[first, i] = left + total
    if slot == period - 1:
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
        for k in range(ring + period - 2, ring - 1, -1):
            for i in range(lo, hi):
                s[k, i] += s[k + 1, i]
    return t >= period - 1


@kernel
def flow(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: volume times where the close stands in the bar, its total, volume.

    From -1 at the low to 1 at the high; 0 without a range.
    """
    for i in range(lo, hi):
        high, low, close, volume = x[0, i], x[1, i], x[2, i], x[3, i]
        length = high - low
        s[0, i] = ((close - low) - (high - close)) / length * volume if length > 0.0 else 0.0
        s[1, i] += s[0, i]
        s[2, i] = volume


@kernel
def ad(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `flow`."""
    for i in range(lo, hi):
        s[0, i] = x[1, i]


@kernel
def adosc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, fast and slow mean of the total, which both begin with its first value. On `flow`."""
    fast, slow = 2.0 / (p[0] + 1.0), 2.0 / (p[1] + 1.0)
    for i in range(lo, hi):
        total = x[1, i]
        s[1, i] = fast * total + (1.0 - fast) * s[1, i] if t > 0 else total
        s[2, i] = slow * total + (1.0 - slow) * s[2, i] if t > 0 else total
    if t >= max(p[0], p[1]) - 1:
        for i in range(lo, hi):
            s[0, i] = s[1, i] - s[2, i]


@kernel
def cmf(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value; the sums of flow and of volume, with rings. On `flow`."""
    period = int(p[0])
    flows, volume = 1, 3 + period
    rolling(s, x[0], lo, hi, t, (flows, period))
    if rolling(s, x[2], lo, hi, t, (volume, period)):
        for i in range(lo, hi):
            s[0, i] = s[flows, i] / s[volume, i] if s[volume, i] > 0.0 else 0.0


@kernel
def obv(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, total."""
    for i in range(lo, hi):
        close, last, volume = x[0, i], s[1, i], x[1, i]
        change = volume if t == 0 or close > last else -volume
        s[2, i] += change if t == 0 or close != last else 0.0
        s[0, i], s[1, i] = s[2, i], close


@kernel
def pvt(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `obv`."""
    for i in range(lo, hi):
        last = s[1, i]
        s[2, i] += x[1, i] * ((x[0, i] - last) / last) if last != 0.0 else 0.0
        s[0, i], s[1, i] = s[2, i], x[0, i]


@kernel
def index(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, side: float) -> None:
    """Volume index: follows the close where volume times `side` rose. State: value, last close, last volume, level."""
    for i in range(lo, hi):
        last, level = s[1, i], s[3, i] if t > 0 else 1000.0
        moves = t > 0 and last != 0.0 and side * x[1, i] > side * s[2, i]
        level = level + level * ((x[0, i] - last) / last) if moves else level
        s[0, i], s[1, i], s[2, i], s[3, i] = level, x[0, i], x[1, i], level


@kernel
def nvi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `index`."""
    index(s, x, lo, hi, t, -1.0)


@kernel
def pvi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `index`."""
    index(s, x, lo, hi, t, 1.0)


@kernel
def force(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, force, its mean, seed, last close."""
    for i in range(lo, hi):
        s[1, i] = (x[0, i] - s[4, i]) * x[1, i]
        s[4, i] = x[0, i]
    if smooth(s, (1, 2, 3), lo, hi, t - 1, int(p[0])):
        for i in range(lo, hi):
            s[0, i] = s[2, i]


@kernel
def emv(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last middle, movement eased, its sum with ring."""
    period, scale = int(p[0]), p[1]
    for i in range(lo, hi):
        middle, volume = (x[0, i] + x[1, i]) / 2.0, x[2, i]
        s[2, i] = (middle - s[1, i]) * (x[0, i] - x[1, i]) / (volume / scale) if volume > 0.0 else 0.0
        s[1, i] = middle
    if t > 0 and rolling(s, s[2], lo, hi, t - 1, (3, period)):
        for i in range(lo, hi):
            s[0, i] = s[3, i] / period


@kernel
def kvo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: oscillator, signal; last sum, trend, last range, cumulated range, force; three means, three seeds."""
    fast, slow, signal = int(p[0]), int(p[1]), int(p[2])
    for i in range(lo, hi):
        total, length = x[0, i] + x[1, i] + x[2, i], x[0, i] - x[1, i]
        trend = s[3, i]
        now = 1.0 if total > s[2, i] else (-1.0 if total < s[2, i] else trend)
        turned = now != trend or t < 2  # noqa: PLR2004 - the second print has the first trend
        run = (s[4, i] if turned else s[5, i]) + length
        share = abs(2.0 * length / run - 1.0) if run > 0.0 else 0.0
        s[6, i] = x[3, i] * share * now * 100.0
        s[2, i], s[3, i], s[4, i], s[5, i] = total, now if t > 0 else 0.0, length, run
    quick = smooth(s, (6, 7, 10), lo, hi, t - 1, fast)
    slower = smooth(s, (6, 8, 11), lo, hi, t - 1, slow)
    if quick and slower:
        for i in range(lo, hi):
            s[6, i] = s[7, i] - s[8, i]
        if smooth(s, (6, 9, 12), lo, hi, t - max(fast, slow), signal):
            for i in range(lo, hi):
                s[0, i], s[1, i] = s[6, i], s[9, i]


@kernel
def vwap(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum of price times volume, sum of volume."""
    for i in range(lo, hi):
        typical = (x[0, i] + x[1, i] + x[2, i]) / 3.0
        s[1, i] += typical * x[3, i]
        s[2, i] += x[3, i]
        s[0, i] = s[1, i] / s[2, i] if s[2, i] > 0.0 else typical


@kernel
def vwap_rolling(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, price times volume; its sum and that of volume, with rings."""
    period = int(p[0])
    money, volume = 2, 4 + period
    for i in range(lo, hi):
        s[1, i] = (x[0, i] + x[1, i] + x[2, i]) / 3.0 * x[3, i]
    rolling(s, s[1], lo, hi, t, (money, period))
    if rolling(s, x[3], lo, hi, t, (volume, period)):
        for i in range(lo, hi):
            typical, spent, traded = (x[0, i] + x[1, i] + x[2, i]) / 3.0, s[money, i], s[volume, i]
            s[0, i] = spent / traded if traded > 0.0 else typical


@kernel
def amihud(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, ratio, whether it counts; sums of both, with rings."""
    period = int(p[0])
    ratios, counted = 4, 6 + period
    for i in range(lo, hi):
        last, money = s[1, i], x[0, i] * x[1, i]
        counts = last != 0.0 and money > 0.0
        s[2, i] = abs(x[0, i] / last - 1.0) / money if counts else 0.0
        s[3, i] = 1.0 if counts else 0.0
        s[1, i] = x[0, i]
    if t == 0:
        return
    rolling(s, s[2], lo, hi, t - 1, (ratios, period))
    if rolling(s, s[3], lo, hi, t - 1, (counted, period)):
        for i in range(lo, hi):
            s[0, i] = s[ratios, i] / s[counted, i] * 1e6 if s[counted, i] > 0.0 else 0.0


@kernel
def relative_volume(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum of the volumes before, with ring."""
    period = int(p[0])
    if t >= period:
        for i in range(lo, hi):
            s[0, i] = x[0, i] / (s[1, i] / period) if s[1, i] > 0.0 else 0.0
    rolling(s, x[0], lo, hi, t, (1, period))


@kernel
def turnover(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, price times volume, its sum with ring."""
    period = int(p[0])
    for i in range(lo, hi):
        s[1, i] = x[0, i] * x[1, i]
    if rolling(s, s[1], lo, hi, t, (2, period)):
        for i in range(lo, hi):
            s[0, i] = s[2, i] / period


@kernel
def market_facilitation(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        s[0, i] = (x[0, i] - x[1, i]) / x[2, i] if x[2, i] != 0.0 else 0.0
