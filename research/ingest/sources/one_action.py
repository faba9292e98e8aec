"""A dividend and a split of one day are one action: the store keeps one per ex-date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from shared.io.stored_actions import Action


def by_day(actions: Iterable[Action], source: str) -> tuple[Action, ...]:
    """One action per ex-date, in their order: dividends of a day add up, splits multiply; what does nothing is gone."""
    found: dict[date, tuple[float, float]] = {}
    for action in actions:
        dividend, split = found.get(action.ex_date, (0.0, 1.0))
        found[action.ex_date] = (dividend + action.dividend, split * action.split)
    return tuple(
        Action(ex_date=day, dividend=dividend, split=split, source=source)
        for day, (dividend, split) in sorted(found.items())
        if (dividend, split) != (0.0, 1.0)
    )
