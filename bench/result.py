"""What a comparison found, and how it is printed."""

from __future__ import annotations

from msgspec import Struct


class Measured(Struct, frozen=True):
    """One figure of one contestant."""

    who: str
    unit: str
    value: float


class Comparison(Struct, frozen=True, kw_only=True):
    """The figures of one comparison and the ratio that is the finding."""

    title: str
    measured: tuple[Measured, ...]
    ratio: float
    ratio_says: str
    notes: tuple[str, ...] = ()


def lines_of(comparison: Comparison) -> list[str]:
    """A small table."""
    width = max(len(entry.who) for entry in comparison.measured)
    return [
        comparison.title,
        *(f"  {entry.who:<{width}}  {entry.value:>14,.1f} {entry.unit}" for entry in comparison.measured),
        *(f"  {note}" for note in comparison.notes),
        f"  ratio {comparison.ratio:.2f}: {comparison.ratio_says}",
    ]
