"""The setting of each window: the best of its own train replay, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from research.experiments.figures import MEASURES
from research.experiments.table import Row


def chosen(trained: Sequence[Row], measure: str, before: int) -> int:
    """Position of the best row by `measure`; of equal ones the first, and `before` if none has the measure."""
    known = [
        (MEASURES[measure] * float(value), -at)
        for at, row in enumerate(trained)
        if isinstance(value := row.figure(measure), int | float)
    ]
    return -max(known)[1] if known else before
