"""What one drawing of a page consists of; page.html.j2 turns it into SVG and HTML.

Places are shares of the drawing, 0 to 1, from the left and from the bottom. Words stand beside the SVG as HTML, so
that they keep their size when the drawing is stretched to a phone or a desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats
from research.tear_sheet.axis import TimeAxis, in_columns
from research.tear_sheet.paths import HEIGHT, WIDTH
from research.tear_sheet.scale import Scale


class Label(Struct, frozen=True):
    """Words at a place."""

    share: float
    text: str


class Shape(Struct, frozen=True):
    """A path and what it means (a class of page.css)."""

    kind: str
    path: str


class ReadOut(Struct, frozen=True, kw_only=True):
    """A series as it is read under the pointer: one value per column, None = nothing there."""

    name: str
    kind: str
    unit: str
    digits: int
    values: list[float | None]


class Chart(Struct, frozen=True, kw_only=True):
    """One drawing. `labels` name the columns under the pointer; empty = those of the page's time axis."""

    key: str
    title: str
    says: str
    shapes: tuple[Shape, ...]
    y: tuple[Label, ...]
    x: tuple[Label, ...]
    read_outs: tuple[ReadOut, ...] = ()
    labels: tuple[str, ...] = ()
    size: str = ""
    note: str = ""

    @property
    def hover(self) -> dict[str, object]:
        """What page.js needs to answer the pointer."""
        series = [
            {"n": one.name, "k": one.kind, "u": one.unit, "d": one.digits, "v": one.values} for one in self.read_outs
        ]
        return {"at": list(self.labels), "s": series} if self.labels else {"s": series}


def y_labels(scale: Scale, written: Callable[[float], str]) -> tuple[Label, ...]:
    """The scale's ticks in words."""
    return tuple(Label(scale.share(tick), written(tick)) for tick in scale.ticks)


def x_labels(axis: TimeAxis) -> tuple[Label, ...]:
    """The ticks of the time axis."""
    return tuple(Label(axis.share(tick.row), tick.text) for tick in axis.ticks)


def grid(scale: Scale, *, base: float | None = None) -> tuple[Shape, ...]:
    """A line at every tick, a stronger one at `base`."""
    lines = (tick for tick in scale.ticks if tick != base)
    shapes = [Shape("grid", "".join(_level(scale, tick) for tick in lines))]
    if base is not None and scale.low <= base <= scale.high:
        shapes.append(Shape("base", _level(scale, base)))
    return tuple(shapes)


def read_out(name: str, kind: str, values: Floats, axis: TimeAxis, *, unit: str = "", digits: int = 2) -> ReadOut:
    """The last known value of every column of the axis."""
    return ReadOut(
        name=name, kind=kind, unit=unit, digits=digits, values=rounded(in_columns(values, axis).last.tolist(), digits)
    )


def rounded(values: Iterable[float], digits: int) -> list[float | None]:
    """For JSON: no NaN, no digits that nobody sees."""
    return [None if not np.isfinite(value) else round(value, digits) for value in values]


def _level(scale: Scale, value: float) -> str:
    return f"M0 {round(HEIGHT * (1.0 - scale.share(value)))}h{WIDTH}"
