"""Figures as people read them: thousands apart, a real minus sign, n/a where a figure does not exist."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
NOTHING = "n/a"
THOUSAND, MILLION, BILLION = 1e3, 1e6, 1e9
LARGE = 100.0


def number(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """`1,234.50`, with `sign` `+1,234.50`; what rounds to 0 has no sign."""
    if value is None or not math.isfinite(value):
        return NOTHING
    rounded = round(value, digits) or 0.0
    mark = MINUS if rounded < 0 else "+" if sign and rounded > 0 else ""
    return f"{mark}{abs(rounded):,.{digits}f}"


def percent(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """`12.34 %`; from 100 % on one digit less."""
    text = number(value, max(digits - 1, 0) if value is not None and abs(value) >= LARGE else digits, sign=sign)
    return text if text == NOTHING else f"{text}\N{NO-BREAK SPACE}%"


def money(value: float | None, *, sign: bool = False) -> str:
    """Whole units; cents below 100."""
    return number(value, 2 if value is not None and abs(value) < LARGE else 0, sign=sign)


def short(value: float) -> str:
    """For axes: `950 k`, `1.25 M`, `0.5`."""
    for size, letter in ((BILLION, "B"), (MILLION, "M"), (THOUSAND, "k")):
        if abs(value) >= size:
            return f"{_plain(value / size)}\N{NO-BREAK SPACE}{letter}"
    return _plain(value)


def short_percent(value: float) -> str:
    """For axes: `25 %`."""
    return f"{_plain(value)}\N{NO-BREAK SPACE}%"


def _plain(value: float) -> str:
    return f"{value:.10g}".replace("-", MINUS) if value else "0"
