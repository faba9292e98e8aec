"""The drawings that are not over time: years side by side, turnover per month, how round trips ended."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from research.backtest.result import Floats
from research.tear_sheet.chart import Chart, Label, ReadOut, Shape, grid, rounded, y_labels
from research.tear_sheet.paths import bar, dots
from research.tear_sheet.periods import Year, turnover_of
from research.tear_sheet.record import Record
from research.tear_sheet.scale import Scale, scale_of
from research.tear_sheet.trips import Trip
from research.tear_sheet.words import short, short_percent

LABELS_MAX = 8
SHORT_SESSIONS = 42
BINS = 40
TAIL = 1.0
"""Percent of the round trips on each side that a histogram puts into its outermost bar."""


def years_chart(years: tuple[Year, ...], theirs: tuple[Year, ...], versus: str) -> Chart:
    """Return per year, beside the benchmark's."""
    mine = [year.total_pct for year in years]
    other = [year.total_pct for year in theirs]
    scale = scale_of(np.array(mine + other), include=(0.0,))
    width = 0.36 if other else 0.6
    shapes = [Shape("mine-bar", _bars(mine, scale, offset=0.5 - width if other else 0.2, width=width))]
    read_outs = [_values("strategy", "mine", mine, unit=" %")]
    if other:
        shapes.append(Shape("theirs-bar", _bars(other, scale, offset=0.5, width=width)))
        read_outs.append(_values(versus, "theirs", other, unit=" %"))
    names = tuple(str(year.year) for year in years)
    return Chart(
        key="years",
        title="Years",
        says="Return per year in percent" + (f", against {versus}" if other else ""),
        shapes=(*grid(scale, base=0.0), *shapes),
        y=y_labels(scale, short_percent),
        x=_names(names),
        read_outs=tuple(read_outs),
        labels=names,
    )


def turnover_chart(record: Record) -> Chart:
    """Bought and sold over the mean equity, per month, in a short run per session."""
    series = record.series
    is_short = record.measures.sessions <= SHORT_SESSIONS
    periods = turnover_of(series.sessions, series.traded, series.equity, by="%Y-%m-%d" if is_short else "%Y-%m")
    values = [share for _, share in periods]
    scale = scale_of(np.array(values), include=(0.0,))
    names = tuple(period for period, _ in periods)
    return Chart(
        key="turnover",
        title=f"Turnover per {'session' if is_short else 'month'}",
        says="Bought and sold over mean equity",
        shapes=(*grid(scale, base=0.0), Shape("mine-bar", _bars(values, scale, offset=0.1, width=0.8))),
        y=y_labels(scale, lambda value: f"{short(value)}\N{MULTIPLICATION SIGN}"),
        x=_names(names),
        read_outs=(_values("turnover", "mine", values, unit=" \N{MULTIPLICATION SIGN}"),),
        labels=names,
    )


def outcome_chart(trips: tuple[Trip, ...]) -> Chart:
    """Histogram of the round trips' returns."""
    returns = np.array([trip.return_pct for trip in trips])
    low, high = np.percentile(returns, (TAIL, 100.0 - TAIL))
    ends = scale_of(np.array([low, high]), include=(0.0,))
    per_tick = max(BINS // (len(ends.ticks) - 1), 1)  # 0 is a tick, so it is an edge too
    edges = np.linspace(ends.low, ends.high, per_tick * (len(ends.ticks) - 1) + 1)
    counts, _ = np.histogram(np.clip(returns, ends.low, ends.high), edges)
    scale = scale_of(counts.astype(float), include=(0.0,))
    middles = (edges[:-1] + edges[1:]) / 2
    return Chart(
        key="outcomes",
        title="Round trips by return",
        says=f"{len(trips):,} round trips; the outermost bars hold what lies beyond them",
        shapes=(
            *grid(scale, base=0.0),
            Shape("loss-bar", _bars(np.where(middles < 0, counts, 0).tolist(), scale, offset=0.05, width=0.9)),
            Shape("mine-bar", _bars(np.where(middles >= 0, counts, 0).tolist(), scale, offset=0.05, width=0.9)),
        ),
        y=y_labels(scale, short),
        x=y_labels(ends, short_percent),
        read_outs=(_values("round trips", "mine", counts.tolist(), digits=0),),
        labels=tuple(f"{short(round(a, 2))} to {short(round(b, 2))} %" for a, b in pairwise(edges.tolist())),
    )


def excursion_chart(trips: tuple[Trip, ...]) -> Chart | None:
    """How far each round trip was under water against what became of it; None without excursions."""
    known = [(trip.mae_pct, trip.return_pct) for trip in trips if trip.mae_pct is not None]
    if not known:
        return None
    worst, became = np.array(known).T
    across, up = scale_of(worst, include=(0.0,)), scale_of(became, include=(0.0,))
    won = became > 0
    return Chart(
        key="excursions",
        title="Worst moment against outcome",
        says="Maximum adverse excursion (across) against return (up), percent of the entry price",
        shapes=(
            *grid(up, base=0.0),
            *(Shape(kind, dots(across.place(worst[of]), up.place(became[of]))) for kind, of in _won_and_lost(won)),
        ),
        y=y_labels(up, short_percent),
        x=y_labels(across, short_percent),
    )


def _won_and_lost(won: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [(kind, of) for kind, of in (("loss-dots", ~won), ("mine-dots", won)) if of.any()]


def _bars(values: list[float], scale: Scale, *, offset: float, width: float) -> str:
    """A bar per value from 0, in slots of equal width; `offset` and `width` as shares of the slot."""
    zero, slots = scale.share(0.0), len(values)
    ends = scale.place(np.array(values, dtype=np.float64)).tolist()
    return "".join(
        bar((at + offset) / slots, width / slots, min(zero, end), max(zero, end))
        for at, (value, end) in enumerate(zip(values, ends, strict=True))
        if value
    )


def _names(names: tuple[str, ...]) -> tuple[Label, ...]:
    """Every k-th name in the middle of its slot."""
    step = -(-len(names) // LABELS_MAX)
    return tuple(Label((at + 0.5) / len(names), names[at]) for at in range(0, len(names), step))


def _values(name: str, kind: str, values: list[float] | Floats, *, unit: str = "", digits: int = 2) -> ReadOut:
    return ReadOut(name=name, kind=kind, unit=unit, digits=digits, values=rounded(values, digits))
