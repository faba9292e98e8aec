"""A broker in memory: says what it is told to say, remembers what it was asked to do."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from brokers.port import BrokerListener, ClosedRow
from shared.account import Account, BrokerPosition
from shared.commands import OrderCommand
from shared.errors import BrokerUnavailable
from shared.events import BrokerReported
from shared.orders import Fill, OpenOrder


class FakeBroker:
    """`is_down` makes every call fail; `log` holds the calls in their order; `streams` may keep `subscribe` waiting."""

    def __init__(self, now: Callable[[], datetime], account: str = "DU1234567") -> None:
        self.now = now
        self.account = account
        self.listener: BrokerListener | None = None
        self.is_down = False
        self.is_connected = False
        self.fails_next: list[str] = []
        self.streams: asyncio.Event | None = None
        self.log: list[str] = []
        self.sent: list[OrderCommand] = []
        self.history: list[ClosedRow] = []
        self.history_asked: list[tuple[int, int, datetime]] = []
        self.positions: tuple[BrokerPosition, ...] = ()
        self.open_orders: tuple[OpenOrder, ...] = ()
        self.fills: tuple[Fill, ...] = ()
        self.behind_s = 0.0

    async def connect(self) -> str:
        self._note("connect")
        self.is_connected = True
        return self.account

    async def disconnect(self) -> None:
        self.log.append("disconnect")
        self.is_connected = False

    async def warm_up(self, *, interval_s: int, bars: int, before: datetime) -> list[ClosedRow]:
        self._note("warm_up")
        self.history_asked.append((interval_s, bars, before))
        return self.history[-bars:]

    async def subscribe(self) -> None:
        self._note("subscribe")
        if self.streams is not None:
            await self.streams.wait()

    async def execute(self, command: OrderCommand) -> None:
        self._note("execute")
        self.sent.append(command)

    async def report(self) -> BrokerReported:
        self._note("report")
        return BrokerReported(
            received_at=self.now(),
            asked_at=self.now(),
            positions=self.positions,
            open_orders=self.open_orders,
            completed_orders=(),
            fills=self.fills,
            account=Account(account_id=self.account, net_liquidation=1e6, cash=1e6, buying_power=4e6),
        )

    async def server_time(self) -> datetime:
        self._note("server_time")
        return self.now() - timedelta(seconds=self.behind_s)

    def _note(self, call: str) -> None:
        self.log.append(call)
        if call in self.fails_next:
            self.fails_next.remove(call)
            raise BrokerUnavailable(f"{call}: no answer")
        if self.is_down:
            raise BrokerUnavailable("nobody answers")
