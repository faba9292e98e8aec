"""What a client wants to be told without asking again; the keys are request ids."""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec import Struct, field

from brokers.simulated.gateway.accounts.values import ValueSubscription
from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol.data_requests import ReqScannerSubscription
from brokers.simulated.gateway.protocol.message import Message


class BarSubscription(Struct):
    """A reqRealTimeBars; `regular_only` is its useRTH."""

    stock: Listed
    what: str = "TRADES"
    regular_only: bool = True


class TickSubscription(Struct):
    """A reqMktData; `sent` holds the last value per tick type and `row` all of them, for only changes are sent."""

    stock: Listed
    generic: frozenset[int] = frozenset()
    is_delayed: bool = False
    wants_frozen: bool = False
    """Whether the last quote is good enough where there is none (market data types 2 and 4)."""
    is_snapshot: bool = False
    row: tuple[float, ...] = ()
    sent: dict[int, float] = field(default_factory=dict)


class TickByTickSubscription(Struct):
    """A reqTickByTickData; `quote` is the last one sent."""

    stock: Listed
    kind: str
    ignore_size: bool = False
    quote: tuple[float, ...] = ()


class FormingBar(Struct):
    """A history kept up to date: the bar that is being made; times are epoch seconds.

    `values` are open, high, low, close, volume, and price times volume, empty before there is anything in it;
    `steps` counts what has gone into them; `quote` is the bid and the ask that stood last.
    """

    stock: Listed
    bar_s: int
    what: str
    regular_only: bool
    format_date: int
    starts_at: float
    ends_at: float
    values: list[float] = field(default_factory=list)
    steps: int = 0
    quote: tuple[float, float] = (math.nan, math.nan)


class Subscriptions(Struct):
    """All of one client's."""

    bars: dict[int, BarSubscription] = field(default_factory=dict)
    ticks: dict[int, TickSubscription] = field(default_factory=dict)
    tick_by_tick: dict[int, TickByTickSubscription] = field(default_factory=dict)
    forming: dict[int, FormingBar] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    """Requests to the history farm that wait until pacing lets them through."""
    scans: dict[int, ReqScannerSubscription] = field(default_factory=dict)
    summaries: dict[int, ValueSubscription] = field(default_factory=dict)
    account_multi: dict[int, ValueSubscription] = field(default_factory=dict)
    position_multi: dict[int, str] = field(default_factory=dict)
    """Account, empty for all."""
    profits: dict[int, Callable[[], Message]] = field(default_factory=dict)
    """What a reqPnL or reqPnLSingle is told, as it stands when called."""
    positions: bool = False
    account: ValueSubscription | None = None
    """reqAccountUpdates has one account."""

    @property
    def flow(self) -> bool:
        """Whether a step of the market has anything for this client."""
        return bool(self.bars or self.ticks or self.tick_by_tick or self.forming)

    def uses(self, req_id: int) -> bool:
        """Whether a market data subscription has this request id."""
        every = (self.bars, self.ticks, self.tick_by_tick, self.forming, self.waiting, self.scans)
        return any(req_id in one for one in every)

    def forget_market_data(self) -> None:
        """Everything that came from a market data farm is gone (TWS.md 3.40, code 1101)."""
        for subscribed in (self.bars, self.ticks, self.tick_by_tick, self.forming, self.waiting, self.scans):
            subscribed.clear()
