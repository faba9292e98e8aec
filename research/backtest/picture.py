"""The tear sheet as one PNG, for a terminal or a message. matplotlib is slow to import, so only `draw` does it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from research.backtest.result import Floats
from research.measures.equity import drawdown_pct
from research.measures.rolling import rolling_sharpe
from research.tear_sheet.axis import TimeAxis, in_columns
from research.tear_sheet.figures import tiles_of
from research.tear_sheet.periods import years_of
from research.tear_sheet.record import Record
from research.tear_sheet.tables import MONTHS
from research.tear_sheet.time_charts import Timed, gross_exposure_pct, rolling_window, timed
from research.tear_sheet.words import number, short, short_percent

INK, SOFT, GRID, MINE, THEIRS, LOSS = "#18212b", "#55606d", "#e7eaee", "#0b62a8", "#6f7780", "#ad4500"
FALLING, STILL, RISING = "#e88a45", "#ffffff", "#4d97d3"
STYLE: dict[Any, Any] = {  # keys are matplotlib's
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}
TILES_IN_A_ROW, BAND_LETTERS = 5, 40
YEARS_ROOM, YEARS_SHOWN = 5, 12
BINS = 40


def draw(record: Record) -> bytes:
    """The PNG, 11 by 11 inches at 130 dots each."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    now = timed(record)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 11), dpi=130)
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            4, 2, height_ratios=(3.2, 1.4, 2.2, 1.6), left=0.075, right=0.975, top=0.815, bottom=0.035, hspace=0.42
        )
        headline(figure, record)
        _equity(figure.add_subplot(grid[0, :]), now)
        _drawdown(figure.add_subplot(grid[1, :]), now)
        _months(figure.add_subplot(grid[2, :]), now)
        _sharpe(figure.add_subplot(grid[3, 0]), now)
        _exposure(figure.add_subplot(grid[3, 1]), now)
        target = io.BytesIO()
        figure.savefig(target, format="png", metadata={"Software": "openbell"})
    return target.getvalue()


def headline(figure: Any, record: Record) -> None:  # noqa: ANN401 - matplotlib is imported late
    """The title and the tiles below it, each with its band of values in a line of its own."""
    measures = record.measures
    figure.text(0.025, 0.965, record.title, fontsize=16, fontweight="bold")
    period = f"{measures.first_session} to {measures.last_session}, {measures.sessions:,} sessions"
    figure.text(0.025, 0.945, period, color=SOFT)
    for at, tile in enumerate(tiles_of(record)):
        x, y = 0.025 + 0.955 * (at % TILES_IN_A_ROW) / TILES_IN_A_ROW, 0.925 - 0.049 * (at // TILES_IN_A_ROW)
        figure.text(x, y, tile.name, fontsize=7.5, color=SOFT)
        figure.text(x, y - 0.018, tile.text, fontsize=11.5, fontweight="bold")
        band = tile.band if len(tile.band) <= BAND_LETTERS else f"{tile.band[: BAND_LETTERS - 1]}…"
        figure.text(x, y - 0.031, band, fontsize=6.5, color=SOFT)


def _equity(axes: Any, now: Timed) -> None:  # noqa: ANN401 - as above
    axes.axhline(now.start, color=SOFT, linewidth=0.7)
    if now.level is not None:
        _line(axes, now.level, now.axis, color=THEIRS, linewidth=0.9, linestyle=(0, (5, 2)), label=now.versus)
    _line(axes, now.record.series.equity, now.axis, color=MINE, linewidth=1.3, label="strategy")
    if now.level is not None:
        axes.legend(loc="upper left", frameon=False)
    _over_time(axes, now, f"Equity, {now.record.currency}", short)


def _drawdown(axes: Any, now: Timed) -> None:  # noqa: ANN401 - as above
    depth = -drawdown_pct(now.record.series.equity, now.start)
    low = in_columns(depth, now.axis).low
    axes.fill_between(now.axis.ends, low, 0.0, color=LOSS, alpha=0.2, linewidth=0)
    axes.plot(now.axis.ends, low, color=LOSS, linewidth=0.9)
    axes.set_ylim(1.1 * min(float(np.nanmin(depth)), -0.01), 0.0)
    _over_time(axes, now, "Drawdown", short_percent)


def _months(axes: Any, now: Timed) -> None:  # noqa: ANN401 - as above
    from matplotlib.colors import LinearSegmentedColormap

    years = years_of(now.record.session_days, now.returns)[-YEARS_SHOWN:]
    cells = np.array([[year.months.get(month, np.nan) for month in range(1, 13)] for year in years])
    full = max(float(np.nanpercentile(np.abs(cells), 90)), 1e-9)
    colours = LinearSegmentedColormap.from_list("months", (FALLING, STILL, RISING))
    axes.imshow(cells, aspect="auto", cmap=colours, vmin=-full, vmax=full)
    for row, column in np.argwhere(np.isfinite(cells)):
        axes.text(column, row, number(cells[row, column], 1), ha="center", va="center", fontsize=7)
    for row, year in enumerate(years):
        axes.text(len(MONTHS) - 0.35, row, number(year.total_pct, 1), va="center", fontsize=7, fontweight="bold")
    axes.set_xlim(-0.5, len(MONTHS) + 0.35)
    axes.set_ylim(max(len(years), YEARS_ROOM) - 0.5, -0.5)
    axes.set_xticks(range(len(MONTHS)), MONTHS)
    axes.set_yticks(range(len(years)), [str(year.year) for year in years])
    axes.set_title("Return per month and year, percent")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _sharpe(axes: Any, now: Timed) -> None:  # noqa: ANN401 - as above
    window = rolling_window(len(now.returns))
    if window is None:
        _outcomes(axes, now.record)
        return
    axes.axhline(0.0, color=SOFT, linewidth=0.7)
    rows = now.per_row(rolling_sharpe(now.returns, window))
    _line(axes, rows, now.axis, color=MINE, linewidth=1.0)
    _over_time(axes, now, f"Sharpe ratio over {window} sessions", short)


def _outcomes(axes: Any, record: Record) -> None:  # noqa: ANN401 - as above
    """A run too short to look back on still has its round trips."""
    axes.hist([trip.return_pct for trip in record.trips], bins=BINS, color=MINE)
    axes.set_title(f"{len(record.trips):,} round trips by return, percent")


def _exposure(axes: Any, now: Timed) -> None:  # noqa: ANN401 - as above
    _line(axes, gross_exposure_pct(now.record), now.axis, color=MINE, linewidth=1.0)
    axes.set_ylim(bottom=0.0)
    _over_time(axes, now, "Gross exposure", short_percent)


def _line(axes: Any, values: Floats, axis: TimeAxis, **style: Any) -> None:  # noqa: ANN401 - as above
    """A line through the extremes of every column: no peak is lost, however many rows there are."""
    column = in_columns(values, axis)
    ys = np.column_stack((column.low, column.high)).ravel() if axis.columns < axis.rows else column.last
    xs = np.repeat(axis.ends, 2) if axis.columns < axis.rows else axis.ends
    known = np.isfinite(ys)
    axes.plot(xs[known], ys[known], **style)


def _over_time(axes: Any, now: Timed, title: str, written: Callable[[float], str]) -> None:  # noqa: ANN401 - as above
    from matplotlib.ticker import FuncFormatter

    axes.set_title(title)
    axes.set_xlim(0, max(now.axis.rows - 1, 1))
    axes.set_xticks([tick.row for tick in now.axis.ticks], [tick.text for tick in now.axis.ticks])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
