"""From equity to the capital that stands behind one conviction."""

from __future__ import annotations

import math


def capital_behind(equity: float | None, allocation: float, conviction: float) -> float:
    """The strategy's share of equity, scaled by how sure it is: equity * allocation * min(|conviction|, 1).

    In the currency of `equity`; 0 where anything is missing, NaN, infinite or not positive.
    """
    if equity is None:
        return 0.0
    capital = equity * allocation * min(abs(conviction), 1.0)
    usable = 0 < capital < math.inf and equity > 0 and allocation > 0 and math.isfinite(conviction)
    return capital if usable else 0.0
