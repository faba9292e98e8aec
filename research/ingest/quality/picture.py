"""A calendar per symbol: a row per year, a cell per week (the 52nd has the days behind it too), by its worst."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from research.ingest.quality.finding import Finding
from research.ingest.quality.table import Series, Table
from research.ingest.quality.verify import Report
from shared.io.bar_part import new_york_days

SHOWN_MAX = 12
_EMPTY, _SOUND, _MISSING, _DOUBTFUL, _WRONG = range(5)
_COLOURS = ("#f4f4f4", "#8fc79a", "#7f9fd0", "#f2c14e", "#c8102e")
_NAMES = ("no data", "sound", "bars missing", "doubtful", "wrong")
_WEEKS = 52
_EPOCH = date(1970, 1, 1)


def calendar_picture(table: Table, report: Report) -> bytes:
    """A PNG of the symbols with most findings, the worst first; the same report gives the same cells."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    chosen = worst_first(table, report)[:SHOWN_MAX]
    colours, steps = ListedColormap(_COLOURS), BoundaryNorm(np.arange(-0.5, 5), 5)
    grids = [calendar(series, report) for series in chosen]
    heights = [len(years) + 2 for years, _ in grids]
    figure = Figure(figsize=(11, 1.2 + 0.19 * sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(chosen), 1, squeeze=False, height_ratios=heights)
    for axis, series, (years, cells) in zip(axes[:, 0], chosen, grids, strict=True):
        axis.pcolormesh(cells[::-1], cmap=colours, norm=steps, edgecolors="white", linewidth=0.6)
        _label(axis, series, years)
    keys = [Patch(facecolor=colour, label=name) for colour, name in zip(_COLOURS, _NAMES, strict=True)]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(_NAMES), frameon=False, fontsize=8)
    figure.suptitle(f"{report.name}: a row per year, a cell per week, the {len(chosen)} symbols with most", fontsize=10)
    sink = BytesIO()
    figure.savefig(sink, format="png", dpi=110, metadata={"Software": "openbell"})
    return sink.getvalue()


def worst_first(table: Table, report: Report) -> list[Series]:
    """The symbols by what is wrong, then by what is doubtful, then by name."""
    wrong, all_of_it = Counter[str](), Counter[str]()
    for finding in report.findings:
        all_of_it[finding.symbol] += finding.count
        wrong[finding.symbol] += finding.count if finding.is_wrong else 0
    return sorted(table.series, key=lambda each: (-wrong[each.symbol], -all_of_it[each.symbol], each.symbol))


def calendar(series: Series, report: Report) -> tuple[list[int], npt.NDArray[np.int64]]:
    """The years of a symbol, and its cells of shape (years, 52): place in the list of colours."""
    days = np.unique(new_york_days(series.opened_at[series.opened_at > 0]))
    places = [_place(int(day)) for day in days]
    of_it = [finding for finding in report.findings if finding.symbol == series.symbol and finding.at > 0]
    marks = [(_place(day), _level(finding)) for finding in of_it for day in _days_of(finding)]
    years = sorted({year for year, _ in places} | {year for (year, _), _ in marks})
    row = {year: number for number, year in enumerate(years)}
    cells = np.full((len(years), _WEEKS), _EMPTY, dtype=np.int64)
    for year, week in places:
        cells[row[year], week] = _SOUND
    for (year, week), level in marks:
        cells[row[year], week] = max(int(cells[row[year], week]), level)
    return years, cells


def _days_of(finding: Finding) -> range:
    """The days a finding covers; a run of sessions or daily bars is drawn over as many weekdays."""
    first = int(new_york_days(np.array([finding.at]))[0])
    is_run = finding.kind in {"missing_session", "stale_run", "zero_volume"}
    return range(first, first + (max(1, finding.count * 7 // 5) if is_run else 1))


def _level(finding: Finding) -> int:
    if finding.is_wrong:
        return _WRONG
    return _MISSING if finding.kind.startswith("missing_") else _DOUBTFUL


def _place(day: int) -> tuple[int, int]:
    of_year = (_EPOCH + timedelta(days=day)).timetuple()
    return of_year.tm_year, min(_WEEKS - 1, (of_year.tm_yday - 1) // 7)


def _label(axis: Any, series: Series, years: list[int]) -> None:  # noqa: ANN401 - matplotlib has no types here
    step = max(1, len(years) // 8)
    axis.set_yticks([len(years) - number - 0.5 for number in range(0, len(years), step)], years[::step], fontsize=7)
    axis.set_xticks(
        [month * _WEEKS / 12 for month in range(12)],
        ["J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D"],
        fontsize=7,
    )
    axis.set_ylabel(series.symbol, rotation=0, ha="right", va="center", fontsize=8, fontweight="bold")
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
