"""What became of every order, told by commands and events, whether of a live day or of a replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from shared.commands import Command, Flatten, PlaceBracket, ReplaceStop
from shared.ids import OrderRef, exec_correction, exec_stem, parse_ref
from shared.orders import Fill, Leg, Order

Role = Literal["entry", "stop", "target", "exit"]
ROLES: dict[Leg, Role] = {
    Leg.ENTRY: "entry",
    Leg.STOP_LOSS: "stop",
    Leg.PROTECTION: "stop",
    Leg.TAKE_PROFIT: "target",
    Leg.EXIT: "exit",
}
PriceOf = Callable[[str], float | None]
"""The last close of a symbol at the moment of a decision."""


class OrderStory(Struct, kw_only=True):
    """One order from decision to end.

    `row_at` is the close of the row it was decided on. `decision_price`: that row's close, for a stop its stop price,
    for a target its limit. Fills are kept by execId stem, so that a correction replaces what it corrects.
    """

    ref: str
    parts: OrderRef
    order: Order
    decided_at: datetime
    row_at: datetime
    decision_price: float | None
    accepted_at: datetime | None = None
    ended: str = ""
    fills: dict[str, Fill] = field(default_factory=dict)

    @property
    def role(self) -> Role:
        return ROLES[self.parts.leg]

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills.values())

    @property
    def price(self) -> float | None:
        """Average fill price; None without a fill."""
        value = math.fsum(fill.quantity * fill.price for fill in self.fills.values())
        return value / self.filled if self.filled else None

    @property
    def filled_at(self) -> datetime | None:
        """When the last share filled."""
        return max((fill.filled_at for fill in self.fills.values()), default=None)

    @property
    def accepted_s(self) -> float | None:
        """Seconds from the decision to the broker's first confirmation."""
        return None if self.accepted_at is None else (self.accepted_at - self.decided_at).total_seconds()

    @property
    def filled_s(self) -> float | None:
        """Seconds from the decision to the first fill; an execution is stamped in whole seconds."""
        first = min((fill.filled_at for fill in self.fills.values()), default=None)
        return None if first is None else max((first - self.decided_at).total_seconds(), 0.0)


class OrderLog:
    """Stories by reference, in the order of their decisions."""

    def __init__(self) -> None:
        self.stories: dict[str, OrderStory] = {}

    def decided(self, command: Command, at: datetime, row_at: datetime, price_of: PriceOf) -> None:
        """Note the orders of a command; a stop that is moved keeps its story and takes the new price."""
        for order in _orders(command):
            parts = parse_ref(order.ref)
            if parts is None:
                continue
            known = self.stories.get(order.ref)
            price = _decision_price(order, price_of)
            if known is not None:
                known.order, known.decision_price = order, price
                continue
            self.stories[order.ref] = OrderStory(
                ref=order.ref, parts=parts, order=order, decided_at=at, row_at=row_at, decision_price=price
            )

    def accepted(self, ref: str, at: datetime) -> None:
        story = self.stories.get(ref)
        if story is not None and story.accepted_at is None:
            story.accepted_at = at

    def filled(self, fill: Fill) -> None:
        """Note an execution once; a correction replaces it, a bust takes it back."""
        story, stem = self.stories.get(fill.ref), exec_stem(fill.exec_id)
        if story is None:
            return
        known = story.fills.get(stem)
        if known is None or exec_correction(fill.exec_id) > exec_correction(known.exec_id):
            story.fills[stem] = fill

    def ended(self, ref: str, why: str) -> None:
        if (story := self.stories.get(ref)) is not None:
            story.ended = why


def _orders(command: Command) -> Iterable[Order]:
    match command:
        case PlaceBracket(bracket=bracket):
            yield bracket.entry
            yield bracket.stop_loss
            if bracket.take_profit is not None:
                yield bracket.take_profit
        case Flatten(order=order) | ReplaceStop(order=order):
            yield order
        case _:
            pass


def _decision_price(order: Order, price_of: PriceOf) -> float | None:
    parts = parse_ref(order.ref)
    role = ROLES[parts.leg] if parts is not None else "entry"
    if role == "stop":
        return order.stop_price
    return order.limit_price if role == "target" else price_of(order.symbol)
