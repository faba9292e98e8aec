"""Adjusted prices from raw ones, computed when they are read and never stored.

A price before an ex-date is multiplied with
  split   1 / split_coefficient
  total   that, times 1 - dividend / (close of the session before / split_coefficient)
which is how CRSP (Data Descriptions Guide: cumulative factors) and Yahoo adjust. Volume is multiplied with the split
coefficient where it changes the number of shares; a spin-off, which vendors write as an odd coefficient, does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from fractions import Fraction
from math import log

import numpy as np
from msgspec import Struct

from shared.errors import DataError
from shared.io.bar_checks import Floats, Integers
from shared.io.bar_files import NEW_YORK, at_new_york
from shared.io.stored_actions import Action

_NEAR = 1e-4
_RATIOS = (*range(1, 21), 25, 30, 40, 50, 100, Fraction(3, 2), Fraction(4, 3), Fraction(5, 4), Fraction(5, 2))


class Factors(Struct, frozen=True, eq=False):
    """What prices and volumes are multiplied with, shape (n,)."""

    price: Floats
    volume: Floats


def applied(actions: Iterable[Action], as_of: datetime | None) -> tuple[Action, ...]:
    """The actions that an adjusted price contains at `as_of`: gone ex by then and known by then; None: all."""
    if as_of is None:
        return tuple(actions)
    today = as_of.astimezone(NEW_YORK).date()
    return tuple(action for action in actions if action.ex_date <= today and action.is_known_at <= as_of)


def factors(where: str, opened_at: Integers, close: Floats, actions: Iterable[Action], *, dividends: bool) -> Factors:
    """The factors of the bars of one instrument, raw closes given.

    An ex-date before the first bar or without a bar on or after it changes nothing.

    Raises:
        DataError: a dividend is no less than the price it is paid from; `where` is named.
    """
    price, volume = np.ones(len(opened_at)), np.ones(len(opened_at))
    for action in actions:
        ex = int(np.searchsorted(opened_at, at_new_york(action.ex_date, time.min)))
        if ex in {0, len(opened_at)}:
            continue
        before = close[ex - 1] / action.split
        if dividends and action.dividend >= before:
            raise DataError(
                f"{where}: {action.ex_date}: dividend {action.dividend:g} of a share at {before:g}, "
                "allowed: less than its price (is the price adjusted already?)"
            )
        price[:ex] *= (1 - action.dividend / before if dividends else 1.0) / action.split
        if changes_shares(action.split):
            volume[:ex] *= action.split
    return Factors(price, volume)


def changes_shares(split: float) -> bool:
    """Whether the coefficient is a split of shares: below one, or a usual ratio; else it is a spin-off.

    As research/backtest/corporate_actions.py, to which a test holds it.
    """
    return split < 1 or any(abs(log(split / ratio)) <= _NEAR for ratio in _RATIOS)
