"""What a dividend or a split does to a share: to its number and to its price. A coefficient is new shares per old.

One that is a ratio of small numbers, or below one, changes the number of shares. Any other one above one is how vendors
write a spin-off or another distribution in kind: the shares stay, and what left the price, (1 - 1/coefficient) of the
last close, is paid in cash, for the shares of the other company are not in the panel.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import log

from msgspec import Struct

_FORWARD = [Fraction(many) for many in range(2, 21)] + [Fraction(3, 2), Fraction(4, 3), Fraction(5, 4), Fraction(5, 2)]
_REVERSE = [1 / ratio for ratio in _FORWARD] + [Fraction(1, many) for many in (25, 30, 40, 50, 100)]
RATIOS = tuple(_FORWARD + _REVERSE)
"""By which a position that jumps is believed to have split."""
LARGE_DIVIDEND = 0.10
"""Of the last close: from here on a dividend is a distribution, whose price drop strategies do not see."""
_NEAR, _FINEST = 1e-4, 1_000
_ALL_RATIOS = (*RATIOS, *(Fraction(many) for many in (25, 30, 40, 50, 100)), *(Fraction(1, n) for n in range(2, 201)))


class CorporateAction(Struct, frozen=True, kw_only=True):
    """One row of the table; `where` is its place in the file. The dividend is per share after a split of that day."""

    symbol: str
    ex_date: date
    dividend: float
    coefficient: float
    where: str = ""


class DueAction(Struct, frozen=True, kw_only=True):
    """What happens to one instrument before a session opens.

    `ratio` of new shares for old (1: none). `dividend` in dollars per share held then, `distribution` likewise for what
    left the price otherwise. `price_ratio` is what strategies must not see: old price over new.
    """

    symbol: str
    ex_date: date
    ratio: Fraction = Fraction(1)
    dividend: float = 0.0
    distribution: float = 0.0
    price_ratio: float = 1.0


def share_ratio(coefficient: float) -> Fraction | None:
    """New shares for old, exactly; None where the coefficient is no change of shares (module text)."""
    nearest = min(_ALL_RATIOS, key=lambda ratio: abs(log(coefficient / ratio)))
    if abs(log(coefficient / nearest)) <= _NEAR:
        return nearest
    if coefficient < 1:
        return Fraction(coefficient).limit_denominator(_FINEST)
    return Fraction(1) if abs(coefficient - 1) <= _NEAR else None


def due_action(action: CorporateAction, coefficient: float, before: float) -> DueAction:
    """What the action does, by the coefficient that is believed; `before` is the last price, not positive = unknown."""
    ratio = share_ratio(coefficient)
    known = before if before > 0 else 0.0
    distribution = 0.0 if ratio is not None else known * (1 - 1 / coefficient)
    dividend, ex_split = action.dividend, known / coefficient
    price_ratio = coefficient if ratio is None else float(ratio)
    if ex_split > dividend > LARGE_DIVIDEND * ex_split:
        price_ratio *= ex_split / (ex_split - dividend)
        dividend, distribution = 0.0, distribution + dividend
    return DueAction(
        symbol=action.symbol,
        ex_date=action.ex_date,
        ratio=ratio or Fraction(1),
        dividend=dividend,
        distribution=distribution,
        price_ratio=price_ratio,
    )
