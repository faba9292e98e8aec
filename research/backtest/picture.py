"""Equity and drawdown of a replay in one PNG. matplotlib is slow to import, so only `draw` does it."""

from __future__ import annotations

import io
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from research.backtest.result import EquityCurve, ReplayResult
from research.backtest.summary import Summary, drawdown_pct

INK, LINE, LOSS, FAINT = "#1f2933", "#1b6ca8", "#c0392b", "#8595a3"
TICKS = 7
STEPS_MIN = (1, 5, 10, 15, 30, 60, 120)
SESSIONS_PER_MONTH = 21
NEW_YORK = ZoneInfo("America/New_York")


class Tick(Struct, frozen=True):
    """A place on the time axis (the number of a row) and what is written there."""

    row: int
    text: str


def draw(result: ReplayResult, summary: Summary, title: str) -> bytes:
    """The PNG: equity above, drawdown below.

    The axis counts rows, so nights and weekends leave no gaps; its labels are New York days, or hours of a
    single session.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(
        {"font.size": 10, "axes.edgecolor": FAINT, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(11, 6.2), dpi=130, layout="constrained")
        FigureCanvasAgg(figure)
        equity, drawdown = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
        _equity_axis(equity, result)
        _drawdown_axis(drawdown, result, summary)
        ticks = time_ticks(result.curve)
        drawdown.set_xticks([tick.row for tick in ticks], [tick.text for tick in ticks])
        drawdown.set_xlim(0, max(result.rows - 1, 1))
        figure.align_ylabels((equity, drawdown))
        equity.set_title(title, loc="left", pad=26, fontsize=14, color=INK, fontweight="bold")
        equity.annotate(
            _caption(summary),
            (0, 1),
            (0, 10),
            "axes fraction",
            "offset points",
            fontsize=9.5,
            color="#52606d",
        )
        target = io.BytesIO()
        figure.savefig(target, format="png")
    return target.getvalue()


def time_ticks(curve: EquityCurve) -> list[Tick]:
    """At most TICKS labels: the first row of every k-th session, or every k-th hour of a single one."""
    starts = [at for at, day in enumerate(curve.sessions) if at == 0 or curve.sessions[at - 1] != day]
    if len(starts) > 1:
        chosen = starts[:: -(-len(starts) // TICKS)]
        years = curve.sessions[-1].year != curve.sessions[0].year or len(starts) > SESSIONS_PER_MONTH
        form = "%b %Y" if years else "%a %d %b"
        return [Tick(at, f"{curve.sessions[at]:{form}}") for at in chosen]
    times = [at.astimezone(NEW_YORK) for at in curve.closed_at]
    for step in STEPS_MIN:
        rows = [at for at, time in enumerate(times) if (60 * time.hour + time.minute) % step == 0]
        if len(rows) <= TICKS:
            break
    return [Tick(at, f"{times[at]:%H:%M}") for at in rows or [0]]


def _equity_axis(axis: Any, result: ReplayResult) -> None:  # noqa: ANN401 - matplotlib is imported late
    from matplotlib.ticker import StrMethodFormatter

    equity = result.curve.net_liquidation
    axis.axhline(result.starting_cash, color=FAINT, linewidth=0.8, linestyle=(0, (4, 4)))
    axis.annotate(
        "start",
        (1, result.starting_cash),
        (4, 0),
        ("axes fraction", "data"),
        "offset points",
        va="center",
        fontsize=9,
        color=FAINT,
    )
    axis.plot(np.arange(result.rows), equity, color=LINE, linewidth=1.3)
    axis.set_ylabel("Equity, USD")
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="x", length=0)


def _drawdown_axis(axis: Any, result: ReplayResult, summary: Summary) -> None:  # noqa: ANN401 - as above
    from matplotlib.ticker import FuncFormatter

    depth = -drawdown_pct(result.curve.net_liquidation, result.starting_cash)
    rows = np.arange(result.rows)
    axis.fill_between(rows, depth, 0.0, color=LOSS, alpha=0.25, linewidth=0)
    axis.plot(rows, depth, color=LOSS, linewidth=0.9)
    axis.set_ylabel("Drawdown")
    axis.set_ylim(-1.15 * max(summary.drawdown_pct_max, 0.01), 0.0)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g} %".replace("-0 ", "0 ")))
    axis.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axis.set_axisbelow(True)


def _caption(summary: Summary) -> str:
    period = f"{summary.first_session} to {summary.last_session}"
    if summary.sessions == 1:
        period = str(summary.first_session)
    ratio = "n/a" if summary.sharpe is None else f"{summary.sharpe:.2f}"
    return (
        f"{period}   ·   return {summary.total_return_pct:+.2f} %   ·   "
        f"Sharpe {ratio}   ·   maximum drawdown {summary.drawdown_pct_max:.2f} %   ·   "
        f"{summary.round_trips:,} round trips   ·   costs {summary.commission + summary.slippage:,.0f} USD"
    )
