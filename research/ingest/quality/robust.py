"""How unusual a move is for its own series.

The modified z-score of Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): 0.6745 (x - median) / MAD, and
where more than half of the moves are equal, so that MAD is 0, (x - median) / (1.2533 times the mean deviation).
"""

from __future__ import annotations

import numpy as np

from shared.io.bar_checks import Floats

_MAD_TO_SIGMA, _MEAN_TO_SIGMA = 1 / 0.6745, 1.2533141373155001
_SIGMA_MIN = 1e-6


def sigma_of(moves: Floats) -> float:
    """The robust standard deviation of log moves, at least a millionth; 1 where there are fewer than eight."""
    known = moves[np.isfinite(moves)]
    if len(known) < 8:  # noqa: PLR2004 - of fewer nothing is usual
        return 1.0
    away = np.abs(known - np.median(known))
    mad = float(np.median(away))
    return max(mad * _MAD_TO_SIGMA if mad > 0 else float(away.mean()) * _MEAN_TO_SIGMA, _SIGMA_MIN)
