"""What a page shows per month and year. Returns are simple, from session close to session close."""

from __future__ import annotations

from datetime import date

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats


class Year(Struct, frozen=True, kw_only=True):
    """Returns in percent: of each month (1 to 12) that has a session, and of the year."""

    year: int
    months: dict[int, float]
    total_pct: float


def years_of(sessions: tuple[date, ...], returns: Floats) -> tuple[Year, ...]:
    """Returns compounded per month and year; `returns` of shape (S,), a NaN counts as no change."""
    years: dict[int, dict[int, float]] = {}
    for day, change in zip(sessions, np.nan_to_num(returns).tolist(), strict=True):
        months = years.setdefault(day.year, {})
        months[day.month] = months.get(day.month, 1.0) * (1.0 + change)
    return tuple(
        Year(
            year=year,
            months={month: 100.0 * (growth - 1.0) for month, growth in months.items()},
            total_pct=100.0 * (float(np.prod(list(months.values()))) - 1.0),
        )
        for year, months in years.items()
    )


def turnover_of(
    sessions: tuple[date, ...], traded: Floats, equity: Floats, *, by: str
) -> tuple[tuple[str, float], ...]:
    """Period and bought plus sold over its mean equity; arrays per row, `by` is a strftime form such as `%Y-%m`."""
    periods: dict[str, list[int]] = {}
    for row, day in enumerate(sessions):
        periods.setdefault(day.strftime(by), []).append(row)
    return tuple((period, float(traded[rows].sum() / equity[rows].mean())) for period, rows in periods.items())
