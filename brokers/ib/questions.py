"""What we ask over the order session and how the answers become ours: the time, open orders, the report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from ib_insync import ExecutionFilter
from msgspec.structs import replace

from brokers.ib.account_values import WANTED, Told, account_of
from brokers.ib.fill_news import latest
from brokers.ib.order_wrapper import AccountRow, FilledRow, OpenOrderRow, PositionRow
from brokers.ib.requests import (
    COMPLETED_ORDERS,
    OPEN_ORDERS,
    POSITIONS,
    TIME,
    RequestRefused,
)
from brokers.ib.session import Session
from brokers.port import Clock
from shared.account import Account, BrokerPosition
from shared.errors import BrokerUnavailable
from shared.events import BrokerReported
from shared.orders import CompletedOrder, Fill, OpenOrder

log = structlog.get_logger("brokers.ib")

_T = TypeVar("_T")


class Questions:
    """The questions of one session, each with its own end and its own time."""

    def __init__(self, session: Session, timeout_s: float, currency: str) -> None:
        self._session = session
        self._line = session.line
        self._client = session.line.client
        self._timeout_s = timeout_s
        self._currency = currency

    async def time(self) -> int:
        """The broker's clock in epoch seconds; asked at once, because silence is judged by the wait."""
        self._line.check_socket()
        rows = await self._line.requests.ask(TIME, TIME, self._client.reqCurrentTime, self._timeout_s)
        return int(rows[-1])

    async def own_open_orders(self) -> None:
        """Let TWS tell this client id's open orders, which fills the register."""
        await self._line.ask(OPEN_ORDERS, OPEN_ORDERS, self._client.reqOpenOrders, self._timeout_s)

    async def report(self, clock: Clock) -> BrokerReported:
        """Five questions at once; the names of those without a complete answer are in `unanswered`."""
        asked_at = clock()
        unanswered: list[str] = []

        async def answered(name: str, ask: Callable[[], Coroutine[Any, Any, tuple[_T, ...]]]) -> tuple[_T, ...]:
            try:
                return await ask()
            except (BrokerUnavailable, RequestRefused) as error:
                log.warning("broker.unanswered", question=name, reason=str(error))
                unanswered.append(name)
                return ()

        fills, open_orders, completed_orders, positions, account = await asyncio.gather(
            answered("executions", self._executions),
            answered("open_orders", self._open_orders),
            answered("completed_orders", self._completed_orders),
            answered("positions", self._positions),
            answered("account", self._account),
        )
        return BrokerReported(
            received_at=clock(),
            asked_at=asked_at,
            positions=positions,
            open_orders=open_orders,
            completed_orders=completed_orders,
            fills=fills,
            account=account[0] if account else None,
            unanswered=tuple(sorted(unanswered)),
        )

    # ------------------------------------------------------------------ leaves

    async def _executions(self) -> tuple[Fill, ...]:
        # Client id 0 in the filter: those of every client.
        rows: list[Fill] = await self._by_id(
            "executions", lambda req_id: self._client.reqExecutions(req_id, ExecutionFilter())
        )
        return latest(rows)

    async def _open_orders(self) -> tuple[OpenOrder, ...]:
        rows: list[OpenOrderRow | FilledRow] = await self._line.ask(
            OPEN_ORDERS, OPEN_ORDERS, self._client.reqAllOpenOrders, self._timeout_s
        )
        filled = {row.perm_id: row.filled for row in rows if isinstance(row, FilledRow)}
        # The same order may be told again while the list is sent: the last word counts.
        lines = {
            (row.line.perm_id, row.line.client_id, row.line.order_id): replace(
                row.line, filled=filled.get(row.line.perm_id)
            )
            for row in rows
            if isinstance(row, OpenOrderRow) and self._is_ours(row.account)
        }
        return tuple(lines.values())

    async def _completed_orders(self) -> tuple[CompletedOrder, ...]:
        return tuple(
            await self._line.ask(
                COMPLETED_ORDERS,
                COMPLETED_ORDERS,
                lambda: self._client.reqCompletedOrders(True),
                self._timeout_s,
            )
        )

    async def _positions(self) -> tuple[BrokerPosition, ...]:
        rows: list[PositionRow] = await self._line.ask(POSITIONS, POSITIONS, self._client.reqPositions, self._timeout_s)
        if self._line.is_connected:
            self._client.cancelPositions()
        lines = {row.line.symbol: row.line for row in rows if self._is_ours(row.account)}
        return tuple(line for line in lines.values() if line.quantity)

    async def _account(self) -> tuple[Account]:
        asked: list[int] = []

        def send(req_id: int) -> None:
            asked.append(req_id)
            self._client.reqAccountSummary(req_id, "All", ",".join(WANTED))

        try:
            rows: list[AccountRow] = await self._by_id("account summary", send)
        finally:
            if asked and self._line.is_connected:
                self._client.cancelAccountSummary(asked[0])
        return (self._account_of(rows),)

    def _account_of(self, rows: list[AccountRow]) -> Account:
        own = {row.tag: Told(row.value, row.currency) for row in rows if row.account == self._session.account_id}
        account = account_of(self._session.account_id, own, self._currency)
        if isinstance(account, str):
            raise BrokerUnavailable(f"account summary: {account}")
        self._session.account.learn(own)
        return account

    async def _by_id(self, name: str, send: Callable[[int], None]) -> list[Any]:
        return await self._line.ask_by_id(name, send, self._timeout_s)

    def _is_ours(self, account: str) -> bool:
        return account in {"", self._session.account_id}
