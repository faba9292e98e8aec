"""SVG path data from numbers: whole units, relative steps, so that a page stays small.

A drawing is WIDTH units wide and HEIGHT high and is stretched to its box by the browser; strokes do not stretch
with it (`vector-effect: non-scaling-stroke` in page.css).
"""

from __future__ import annotations

import numpy as np

from research.backtest.result import Floats
from research.tear_sheet.axis import TimeAxis, in_columns
from research.tear_sheet.scale import Scale

WIDTH, HEIGHT = 2000, 1000


def line(values: Floats, axis: TimeAxis, scale: Scale) -> str:
    """A line through a series of shape (T,); it breaks where a column holds no value."""
    xs, ys, breaks = _points(values, axis, scale)
    return "".join(_stroke(xs[part], ys[part]) for part in _runs(breaks))


def area(values: Floats, axis: TimeAxis, scale: Scale, base: float = 0.0) -> str:
    """The surface between a series and the value `base`."""
    xs, ys, breaks = _points(values, axis, scale)
    floor = round(HEIGHT * (1.0 - scale.share(base)))
    return "".join(
        f"M{xs[part][0]} {floor}V{ys[part][0]}{_steps(xs[part], ys[part])}V{floor}z" for part in _runs(breaks)
    )


def bar(left: float, width: float, low: float, high: float) -> str:
    """A rectangle; all four as shares (0 to 1) of the drawing, from the left and from the bottom."""
    x, y = round(WIDTH * left), round(HEIGHT * (1.0 - high))
    return f"M{x} {y}h{max(round(WIDTH * width), 1)}v{max(round(HEIGHT * (high - low)), 1)}H{x}z"


def dots(xs: Floats, ys: Floats) -> str:
    """Round dots at shares of the drawing, from the left and from the bottom: strokes without length."""
    at = np.rint(np.column_stack((WIDTH * xs, HEIGHT * (1.0 - ys)))).astype(int)
    return "".join(f"M{x} {y}h0" for x, y in sorted({(int(x), int(y)) for x, y in at}))


def _points(values: Floats, axis: TimeAxis, scale: Scale) -> tuple[list[int], list[int], list[bool]]:
    """Whole coordinates, up to four per column: first, the extremes in falling or rising order, last."""
    column = in_columns(values, axis)
    x = np.rint(WIDTH * np.arange(axis.columns) / max(axis.columns - 1, 1))
    if axis.columns == axis.rows:
        stacked = column.last[:, None]
    else:
        rising = column.last >= column.first
        middle = np.where(rising, column.low, column.high), np.where(rising, column.high, column.low)
        stacked = np.column_stack((column.first, *middle, column.last))
    ys = np.rint(HEIGHT * (1.0 - scale.place(stacked.ravel())))
    xs = np.repeat(x, stacked.shape[1])
    gaps = ~np.isfinite(ys)
    return xs.astype(int).tolist(), np.where(gaps, 0, ys).astype(int).tolist(), gaps.tolist()


def _runs(gaps: list[bool]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([True], np.array(gaps, dtype=bool), [True])).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _stroke(xs: list[int], ys: list[int]) -> str:
    if len(xs) == 1:
        return f"M{xs[0]} {ys[0]}h0"
    return f"M{xs[0]} {ys[0]}{_steps(xs, ys)}"


def _steps(xs: list[int], ys: list[int]) -> str:
    """Relative steps; those that go nowhere are left out."""
    moves = [
        (x - before_x, y - before_y)
        for before_x, before_y, x, y in zip(xs[:-1], ys[:-1], xs[1:], ys[1:], strict=True)
        if (x, y) != (before_x, before_y)
    ]
    return "".join(f"l{dx}{dy}" if dy < 0 else f"l{dx} {dy}" for dx, dy in moves)
