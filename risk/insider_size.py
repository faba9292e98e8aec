"""How far insiders' purchases and sales scale a position; what is not known scales nothing."""

from __future__ import annotations

import math


def size_factor(score: float | None, *, is_long: bool, strength: float) -> float:
    """From 1 - strength to 1 + strength: more where insiders agree with the direction, else less.

    `score` from -1 (selling) to 1 (buying), see research/ingest/point_in_time/insider_scores.py; 1 where it is unknown.
    """
    if score is None or math.isnan(score):
        return 1.0
    agreement = min(max(score, -1.0), 1.0)
    return 1.0 + strength * (agreement if is_long else -agreement)
