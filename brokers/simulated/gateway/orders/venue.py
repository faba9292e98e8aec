"""What the desk knows of the world around it: the hour, the standing prices, and when to be called again."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from brokers.simulated.gateway.protocol.answers import ZONE

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.order import GatewayOrder

SATURDAY = 5


class Prices(Protocol):
    """The last known prices, arrays in the order of the market's instruments; NaN until there is one."""

    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    last: NDArray[np.float64]


class Schedule(Protocol):
    """Calls later, in market seconds."""

    def at(self, instant: float, call: Callable[[], None]) -> None: ...

    def after(self, delay_s: float, call: Callable[[], None]) -> None: ...


class Venue:
    """Times are market time in epoch seconds; `opens_at` and `closes_at` are today's regular hours."""

    def __init__(self, now: Callable[[], float], prices: Prices, schedule: Schedule) -> None:
        self.now = now
        self.prices = prices
        self.schedule = schedule
        self.opens_at = -math.inf
        self.closes_at = math.inf

    def open_session(self, opens_at: float, closes_at: float) -> None:
        """Take the regular hours of the trading day that begins."""
        self.opens_at, self.closes_at = opens_at, closes_at

    def is_open(self, at: float) -> bool:
        return self.opens_at <= at < self.closes_at

    def next_open(self, at: float) -> float:
        """The next regular opening: today's, otherwise the next weekday's at the same hour (holidays unknown)."""
        if at < self.opens_at or not math.isfinite(self.opens_at):
            return self.opens_at
        local = datetime.fromtimestamp(self.opens_at, UTC).astimezone(ZONE) + timedelta(days=1)
        while local.weekday() >= SATURDAY:
            local += timedelta(days=1)
        return local.timestamp()

    def market_price(self, order: GatewayOrder) -> float:
        """What the order would meet now: the other side of the quote, otherwise the last trade; NaN if neither."""
        index = order.stock.index
        quoted = self.prices.ask[index] if order.request.side == "BUY" else self.prices.bid[index]
        return float(quoted if quoted > 0 else self.prices.last[index])

    def midnight(self, at: float) -> float:
        """The beginning of the exchange's day in which `at` lies."""
        local = datetime.fromtimestamp(at, UTC).astimezone(ZONE)
        return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()

    def quarter_end_after(self, at: float) -> float:
        """The end of the calendar quarter after the one in which `at` lies."""
        local = datetime.fromtimestamp(at, UTC).astimezone(ZONE)
        months = (local.month - 1) // 3 * 3 + 6
        return datetime(local.year + months // 12, months % 12 + 1, 1, tzinfo=ZONE).timestamp()
