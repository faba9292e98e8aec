"""The live orders of one plan by what they are for, counted in one pass."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from shared.orders import Leg, OrderStatus, WorkingOrder


class Legs(Struct):
    """Shares that stops, targets and market exits of the plan still cover; `doubtful` = a stop is of unknown fate.

    `given_up`: those of stops that stand behind no share, and may come to work after all.
    """

    entry: WorkingOrder | None
    stops: int
    targets: int
    exits: int
    doubtful: bool
    given_up: int = 0


def legs_of(orders: Iterable[WorkingOrder]) -> Legs:
    """Count the live orders of one plan, the oldest first."""
    entry: WorkingOrder | None = None
    stops = targets = exits = given_up = 0
    doubtful = False
    for order in orders:
        leg, remaining = order.leg, order.remaining
        if leg is Leg.ENTRY:
            entry = entry or order
        elif leg is Leg.EXIT:
            exits += remaining
        elif leg is Leg.TAKE_PROFIT:
            targets += remaining
        elif order.is_given_up:
            given_up += remaining
        else:
            stops += remaining
            doubtful = doubtful or order.status is OrderStatus.UNKNOWN
    return Legs(entry, stops, targets, exits, doubtful, given_up)
