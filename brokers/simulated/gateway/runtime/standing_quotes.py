"""A matcher that learns an instrument's market when an order in it arrives; until then nobody needs to tell it.

A step of a thousand instruments would otherwise be a thousand quotes for two working orders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from brokers.simulated.matching import Matcher, Outcome, SimOrder
from brokers.simulated.working_orders import Terms

Show = Callable[[int], None]


class AttentiveMatcher(Matcher):
    """`show` tells it what stands in an instrument, once per step and only where no order works yet."""

    def __init__(self, show: Show, *, participation: float | None) -> None:
        super().__init__(participation=participation)
        self._show = show

    def submit(self, order: SimOrder, *, market_open: bool) -> list[Outcome]:
        self._show(order.instrument)
        return super().submit(order, market_open=market_open)

    def modify(self, key: int, *, transmit: bool | None = None, **terms: Unpack[Terms]) -> list[Outcome]:
        self._show(self.order(key).instrument)
        return super().modify(key, transmit=transmit, **terms)
