"""The drawings over time: equity, drawdown, rolling figures, exposure, who was held."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats
from research.measures.equity import drawdown_pct, returns_of
from research.measures.rolling import rolling_beta, rolling_sharpe
from research.tear_sheet.axis import TimeAxis, time_axis
from research.tear_sheet.chart import Chart, Label, Shape, grid, read_out, x_labels, y_labels
from research.tear_sheet.holdings import held_count
from research.tear_sheet.paths import area, bar, line
from research.tear_sheet.record import Record
from research.tear_sheet.scale import Scale, scale_of
from research.tear_sheet.words import number, percent, short, short_percent

WINDOWS = ((252, 126), (126, 63), (42, 21))
"""From so many sessions on, rolling figures look back so many."""
HELD_SHOWN = 24
BAR_HEIGHT = 0.72


class Timed(Struct, frozen=True, kw_only=True, eq=False):
    """A record laid over its time axis.

    `returns` and `benchmark` per session, shape (S,); `level` of the benchmark per row, from the starting cash on,
    shape (T,).
    """

    record: Record
    axis: TimeAxis
    returns: Floats
    benchmark: Floats | None
    level: Floats | None

    @property
    def start(self) -> float:
        return self.record.starting_cash

    @property
    def versus(self) -> str:
        return self.record.benchmark.name if self.record.benchmark else ""

    def per_row(self, values: Floats) -> Floats:
        """A series per session, each value from the session's last row on; shape (T,)."""
        ends = np.array(self.record.series.ends)
        rows = np.full(self.axis.rows, np.nan)
        rows[ends] = values
        return rows


def timed(record: Record) -> Timed:
    """The record over its time axis."""
    series = record.series
    axis = time_axis(series.closed_at, series.sessions)
    theirs = level = None
    if record.benchmark is not None:
        theirs = record.benchmark.returns
        closes = record.starting_cash * np.cumprod(1.0 + np.nan_to_num(theirs))
        level = np.interp(np.arange(axis.rows), series.ends, closes)
    return Timed(record=record, axis=axis, returns=returns_of(record.closes), benchmark=theirs, level=level)


def equity_charts(now: Timed) -> tuple[Chart, ...]:
    """Equity against the benchmark, linear and, where nothing falls to 0, logarithmic."""
    lowest = min(float(np.nanmin(now.record.series.equity)), now.start)
    return tuple(_equity(now, log=log) for log in (False, True) if not log or lowest > 0)


def _equity(now: Timed, *, log: bool) -> Chart:
    equity = now.record.series.equity
    drawn = [equity] if now.level is None else [equity, now.level]
    scale = scale_of(*drawn, include=(now.start,), log=log)
    shapes = [*grid(scale, base=now.start), *_against(now, now.level, scale)]
    final = now.record.measures.final_equity
    unit = f" {now.record.currency}"
    read_outs = [read_out("strategy", "mine", equity, now.axis, unit=unit, digits=0)]
    if now.level is not None:
        read_outs.append(read_out(now.versus, "theirs", now.level, now.axis, unit=unit, digits=0))
    return Chart(
        key="equity-log" if log else "equity",
        title="Equity",
        says=f"Equity from {number(now.start, 0)} to {number(final, 0)} {now.record.currency}"
        + (f", against {now.versus}" if now.versus else ""),
        shapes=(*shapes, Shape("mine", line(equity, now.axis, scale))),
        y=y_labels(scale, short),
        x=x_labels(now.axis),
        read_outs=tuple(read_outs),
        size="tall",
    )


def drawdown_chart(now: Timed) -> Chart:
    """Percent below the highest equity so far."""
    mine = -drawdown_pct(now.record.series.equity, now.start)
    theirs = None if now.level is None else -drawdown_pct(now.level, now.start)
    scale = scale_of(*(one for one in (mine, theirs) if one is not None), include=(0.0,))
    shapes = [*grid(scale, base=0.0), Shape("loss-area", area(mine, now.axis, scale))]
    read_outs = [read_out("strategy", "loss", mine, now.axis, unit=" %")]
    if theirs is not None:
        read_outs.append(read_out(now.versus, "theirs", theirs, now.axis, unit=" %"))
    return Chart(
        key="drawdown",
        title="Drawdown",
        says=f"At worst {percent(float(np.nanmin(mine)))} below the highest equity before",
        shapes=(*shapes, *_against(now, theirs, scale), Shape("loss", line(mine, now.axis, scale))),
        y=y_labels(scale, short_percent),
        x=x_labels(now.axis),
        read_outs=tuple(read_outs),
    )


def rolling_window(sessions: int) -> int | None:
    """How many sessions rolling figures look back in a run of so many; None for a run too short."""
    return next((back for least, back in WINDOWS if sessions >= least), None)


def rolling_charts(now: Timed) -> tuple[Chart, ...]:
    """Rolling Sharpe ratio, and beta where there is a benchmark; none for a run too short to look back."""
    window = rolling_window(len(now.returns))
    if window is None:
        return ()
    mine = rolling_sharpe(now.returns, window)
    charts = [_rolling(now, f"Sharpe ratio over {window} sessions", mine, base=0.0)]
    if now.benchmark is not None:
        beta = rolling_beta(now.returns, np.nan_to_num(now.benchmark), window)
        charts.append(_rolling(now, f"Beta to {now.versus} over {window} sessions", beta, base=1.0))
    return tuple(charts)


def _rolling(now: Timed, title: str, values: Floats, *, base: float) -> Chart:
    rows = now.per_row(values)
    scale = scale_of(rows, include=(0.0, base))
    return Chart(
        key=title.partition(" ")[0].lower(),
        title=title,
        says=f"at the end {number(float(values[-1]))}",
        shapes=(*grid(scale, base=base), Shape("mine", line(_held(rows), now.axis, scale))),
        y=y_labels(scale, short),
        x=x_labels(now.axis),
        read_outs=(read_out(title.partition(" over ")[0], "mine", _held(rows), now.axis),),
    )


def gross_exposure_pct(record: Record) -> Floats:
    """Longs plus shorts in percent of equity, shape (T,); NaN where there is no equity."""
    series = record.series
    return 100.0 * series.gross / np.where(series.equity > 0, series.equity, np.nan)


def exposure_chart(now: Timed) -> Chart:
    """Positions (longs plus shorts) in percent of equity."""
    share = gross_exposure_pct(now.record)
    scale = scale_of(share, include=(0.0,))
    return Chart(
        key="exposure",
        title="Gross exposure",
        says=f"On average {percent(float(np.nanmean(share)), 1)} of equity in positions",
        shapes=(
            *grid(scale, base=0.0),
            Shape("mine-area", area(share, now.axis, scale)),
            Shape("mine", line(share, now.axis, scale)),
        ),
        y=y_labels(scale, short_percent),
        x=x_labels(now.axis),
        read_outs=(read_out("exposure", "mine", share, now.axis, unit=" %", digits=1),),
    )


def count_chart(now: Timed) -> Chart:
    """How many symbols are held."""
    count = held_count(now.record.holdings, now.axis.rows)
    scale = scale_of(count, include=(0.0, 1.0))
    return Chart(
        key="count",
        title="Symbols held",
        says=f"At most {int(count.max())} symbols at a time",
        shapes=(*grid(scale, base=0.0), Shape("mine", line(count, now.axis, scale))),
        y=tuple(label for label in y_labels(scale, short) if "." not in label.text),
        x=x_labels(now.axis),
        read_outs=(read_out("symbols", "mine", count, now.axis, digits=0),),
    )


def held_chart(now: Timed) -> Chart | None:
    """Who was held when: a lane per symbol, the longest held first; None if nobody was."""
    held: dict[str, int] = {}
    for one in now.record.holdings:
        held[one.symbol] = held.get(one.symbol, 0) + one.last - one.first + 1
    chosen = sorted(held, key=lambda symbol: -held[symbol])[:HELD_SHOWN]
    if not chosen:
        return None
    lane = {symbol: 1.0 - (at + 0.5) / len(chosen) for at, symbol in enumerate(chosen)}
    half = 0.5 * BAR_HEIGHT / len(chosen)
    paths = {1: "", -1: ""}
    for one in now.record.holdings:
        if one.symbol in lane:
            left, right = one.first / now.axis.rows, (one.last + 1) / now.axis.rows
            middle = lane[one.symbol]
            paths[one.side] += bar(left, right - left, middle - half, middle + half)
    more = f"; the {len(chosen)} longest held of {len(held)}" if len(held) > len(chosen) else ""
    return Chart(
        key="held",
        title="Positions over time",
        says=f"Who was held when{more}",
        shapes=tuple(Shape(kind, paths[side]) for side, kind in ((1, "long"), (-1, "short")) if paths[side]),
        y=tuple(Label(place, symbol) for symbol, place in lane.items()),
        x=x_labels(now.axis),
        size="lanes",
        note="long" + (" and short" if paths[-1] else "") + more,
    )


def _against(now: Timed, values: Floats | None, scale: Scale) -> list[Shape]:
    return [] if values is None else [Shape("theirs", line(values, now.axis, scale))]


def _held(rows: Floats) -> Floats:
    """The last value stands until the next one; NaN before the first."""
    at = np.maximum.accumulate(np.where(np.isfinite(rows), np.arange(len(rows)), -1))
    return np.where(at >= 0, rows[at], np.nan)
