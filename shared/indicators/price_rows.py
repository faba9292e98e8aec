"""Prices of one bar made into one number."""

from __future__ import annotations

from shared.indicators.indicator import FloatArray, kernel


@kernel
def avgprice(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        s[0, i] = (x[0, i] + x[1, i] + x[2, i] + x[3, i]) / 4.0


@kernel
def medprice(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        s[0, i] = (x[0, i] + x[1, i]) / 2.0


@kernel
def typprice(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        s[0, i] = (x[0, i] + x[1, i] + x[2, i]) / 3.0


@kernel
def wclprice(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        s[0, i] = (x[0, i] + x[1, i] + x[2, i] * 2.0) / 4.0


@kernel
def heikin_ashi(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: open, high, low, close."""
    for i in range(lo, hi):
        opened = (s[0, i] + s[3, i]) / 2.0 if t > 0 else (x[0, i] + x[3, i]) / 2.0
        closed = (x[0, i] + x[1, i] + x[2, i] + x[3, i]) / 4.0
        s[0, i], s[3, i] = opened, closed
        s[1, i], s[2, i] = max(x[1, i], opened, closed), min(x[2, i], opened, closed)


@kernel
def bop(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _t: int) -> None:
    """State: value."""
    for i in range(lo, hi):
        width = x[1, i] - x[2, i]
        s[0, i] = (x[3, i] - x[0, i]) / width if width > 0.0 else 0.0
