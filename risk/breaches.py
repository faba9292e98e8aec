"""How a rule objects, and the arithmetic that rules share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeGuard

from risk.limits import Limits
from risk.view import RiskView
from shared.orders import Breach, OrderIntent, Side

Rule = Callable[[OrderIntent, RiskView, Limits], Breach | None]

DUST = 1e-9  # of a share: what binary fractions may lose when a limit is met exactly


def worst_case(side: Side, view: RiskView) -> float:
    """The most shares that may come to be held in the direction of `side`, with the fraction that a split has left.

    A position on the other side makes no room: its stop may close it at any moment.
    """
    return view.held_long + view.working_buy if side is Side.BUY else view.held_short + view.working_sell


def is_positive(number: float | None) -> TypeGuard[float]:
    """Whether it is a finite number above zero; NaN and None are not."""
    return number is not None and 0 < number < math.inf  # NaN is neither


def whole_shares(money: float, price: float) -> int:
    """Whole shares that `money` pays for; an amount that is met exactly counts as met."""
    shares = money / price
    return max(math.floor(shares + DUST), 0) if math.isfinite(shares) else 0


def refusal(rule: str, text: str) -> Breach:
    """A breach of a rule that knows only yes and no: 1 where 0 is allowed."""
    return Breach(rule=rule, value=1.0, limit=0.0, allowed=0, text=text)


def capped(
    rule: str, intent: OrderIntent, allowed: int, *, value: float, limit: float, text: Callable[[], str]
) -> Breach | None:
    """A breach of a rule that may let a part of the quantity pass; None if all of it fits: `text` is written if not."""
    if intent.quantity <= allowed:
        return None
    # The order matters: a NaN compares false with everything, so that it allows nothing rather than anything.
    room = max(0, allowed)
    return Breach(rule=rule, value=float(value), limit=float(limit), allowed=room, text=text())


def is_known(number: float | None) -> TypeGuard[float]:
    """Whether it is a finite number."""
    return number is not None and math.isfinite(number)
