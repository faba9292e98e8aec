"""An execution of before a split in shares of after it: whole ones, but fractions of several add up to a share.

What an order of 35 shares bought is 3.5 after a split of 1:10, of which the plan has 3. Taken back it is 3 too, and not
the 4 that 3.5 rounds to; of two executions of 15 shares the one is 2 beside the other, and 1 without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from daemon.engine.plan import Plan
from shared.ids import exec_stem, own_ref
from shared.orders import Fill

_DUST = 1e-6
"""Shares below this are rounding."""


def shares_of_now(plan: Plan, fill: Fill, counted: Mapping[str, Fill], split_since: Mapping[str, float]) -> int:
    """By how many whole shares `fill` changes what the plan's other executions among `counted` have left open.

    `split_since` is, by stem, how many shares of now one of the execution's is.
    """
    stem = exec_stem(fill.exec_id)
    others = sum(
        _signed(plan, other) * split_since.get(name, 1.0)
        for name, other in counted.items()
        if name != stem and own_ref(other.ref).plan_id == plan.plan_id
    )
    return abs(_whole(others + _signed(plan, fill) * split_since[stem]) - _whole(others))


def _signed(plan: Plan, fill: Fill) -> int:
    return fill.quantity if fill.side is plan.side else -fill.quantity


def _whole(shares: float) -> int:
    """Towards zero: a fraction is nobody's."""
    return int(math.copysign(abs(shares) + _DUST, shares))
