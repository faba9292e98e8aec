"""A trading day for a journal to keep: the real engine, an in-process broker and a seeded market of two instruments."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from brokers.simulated.bar_broker import BarBroker
from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.costs.charging import Charges
from daemon.runtime.engine_port import Engine
from shared.commands import CancelOrder, Command, Flatten, PlaceBracket, ReplaceStop
from shared.config import Config
from shared.events import BarsClosed, ConnectionLost, ConnectionRestored, Event, RunStarted, SessionScheduled
from shared.market import BarRow
from tests.runtime.builders import ACCOUNT, CLOSE, OPEN, a_config

Keep = Callable[[Sequence[tuple[Event, Sequence[Command]]]], None]
"""Takes events with the commands they led to; when it returns they are durable."""
_BATCH_MAX = 4


def day_config() -> Config:
    """Two instruments, a moving-average cross that trades often; no file is read under its folder."""
    config: Config = a_config(Path("/openbell"))
    return config


class Day:
    """Feeds the engine; what is handled is kept first and carried out then, as the daemon's loop does it."""

    def __init__(self, config: Config, engine: Engine, keep: Keep, seed: int) -> None:
        self.engine = engine
        self._keep = keep
        self._chance = random.Random(seed)
        self._prices = np.array([100.0, 185.0])
        self._at = OPEN
        self._broker = BarBroker(
            universe=config.universe_of(),
            account_id=ACCOUNT,
            starting_cash=1e6,
            matcher=BarMatcher(slippage_bps=1.0, participation=0.5),
            charge=lambda _: Charges(1.0),
            slippage_bps=1.0,
        )

    def begin(self, run_id: str, *, minute: int = 0) -> None:
        """A run begins so many minutes after the open, with the broker's report."""
        self._at = OPEN + timedelta(minutes=minute)
        self._handle([RunStarted(received_at=self._at, run_id=run_id)])
        opens = SessionScheduled(received_at=self._at, session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE)
        self._handle([opens, ConnectionRestored(received_at=self._at, account_id=ACCOUNT)])
        self._handle([self._broker.report(self._at)])

    def minute(self) -> None:
        """One row of bars, what the broker fills in it, and what comes of both."""
        self._at += timedelta(minutes=1)
        row = self._row()
        self._handle([*self._broker.on_row(self._at, row), self._broker.valued(self._at)[0]])
        self._handle([BarsClosed(received_at=self._at, closed_at=self._at, interval_s=60, row=row)])

    def cut_line(self) -> None:
        """The line is lost and comes back."""
        self._handle([ConnectionLost(received_at=self._at, reason="line cut")])
        back = ConnectionRestored(received_at=self._at, account_id=ACCOUNT)
        self._handle([back, self._broker.report(self._at)])

    def _row(self) -> BarRow:
        opened = self._prices
        moves = np.array([self._chance.uniform(-0.004, 0.004) for _ in opened])
        self._prices = np.round(opened * (1 + moves), 2)
        high, low = np.maximum(opened, self._prices) + 0.03, np.minimum(opened, self._prices) - 0.03
        return BarRow(open=opened, high=high, low=low, close=self._prices, volume=np.full(2, 5_000.0))

    def _handle(self, events: Sequence[Event]) -> None:
        waiting = list(events)
        while waiting:
            count = self._chance.randint(1, _BATCH_MAX)
            batch, waiting = waiting[:count], waiting[count:]
            handled = [(event, self.engine.handle(event)) for event in batch]
            self._keep(handled)
            for _, commands in handled:
                for command in commands:
                    if isinstance(command, PlaceBracket | CancelOrder | ReplaceStop | Flatten):
                        waiting += self._broker.execute(command, self._at)
