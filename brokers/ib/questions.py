"""What we ask of TWS and how its answers become ours: open orders, contracts, history, the report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

import structlog
from ib_insync import BarData, Contract, ContractDetails, ExecutionFilter
from msgspec import Struct

from brokers.ib.codes import NO_HISTORY
from brokers.ib.fill_news import latest
from brokers.ib.history import BAR_SIZES, end_text
from brokers.ib.requests import (
    COMPLETED_ORDERS,
    OPEN_ORDERS,
    POSITIONS,
    TIME,
    RequestRefused,
)
from brokers.ib.session import Session
from brokers.ib.translate import amount
from brokers.ib.wrapper import AccountRow, OpenOrderRow, PositionRow
from brokers.port import Clock
from shared.account import Account, BrokerPosition
from shared.errors import BrokerUnavailable
from shared.events import BrokerReported
from shared.orders import CompletedOrder, Fill, OpenOrder

log = structlog.get_logger("brokers.ib")

_T = TypeVar("_T")
HISTORY_TIMEOUT_S = 60.0
AT_ONCE = 8
"""History requests open at the same time; TWS allows 50."""
_TAGS = ("NetLiquidation", "TotalCashValue", "BuyingPower")


class HistoryQuestion(Struct, frozen=True, kw_only=True):
    """Which past bars: `bar_size_s` is a key of BAR_SIZES, `duration` in TWS's words."""

    bar_size_s: int
    duration: str
    before: datetime


class Questions:
    """The questions of one session, each with its own end and its own time."""

    def __init__(self, session: Session, timeout_s: float) -> None:
        self._session = session
        self._client = session.connection.client
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def time(self) -> int:
        """The broker's clock in epoch seconds."""
        rows = await self._session.ask(TIME, TIME, self._client.reqCurrentTime, self._timeout_s)
        return int(rows[-1])

    async def own_open_orders(self) -> None:
        """Let TWS tell this client id's open orders, which fills the register."""
        await self._session.ask(OPEN_ORDERS, OPEN_ORDERS, self._client.reqOpenOrders, self._timeout_s)

    async def contract_details(self, contract: Contract) -> list[ContractDetails]:
        """Every contract that fits; empty if the broker knows none."""
        try:
            return await self._by_id(
                f"contract details of {contract.symbol}",
                lambda req_id: self._client.reqContractDetails(req_id, contract),
            )
        except RequestRefused as refused:
            log.warning("broker.no_contract", symbol=contract.symbol, code=refused.code, text=refused.text)
            return []

    async def history(self, contract: Contract, question: HistoryQuestion) -> list[BarData]:
        """Past trades as bars, empty if there were none; BrokerUnavailable if the broker would not say."""
        name = f"history of {contract.symbol}"

        def send(req_id: int) -> None:
            self._client.reqHistoricalData(
                req_id, contract, end_text(question.before), question.duration,
                BAR_SIZES[question.bar_size_s], "TRADES", True, 2, False, [],
            )  # fmt: skip

        async with self._slots:
            try:
                return await self._by_id(name, send, max(self._timeout_s, HISTORY_TIMEOUT_S))
            except RequestRefused as refused:
                if refused.code == NO_HISTORY and "no data" in refused.text:
                    return []
                raise BrokerUnavailable(f"{name}: {refused}") from None

    async def report(self, clock: Clock) -> BrokerReported:
        """Five questions at once; the names of those without a complete answer are in `unanswered`."""
        asked_at = clock()
        unanswered: list[str] = []

        async def answered(name: str, question: Coroutine[Any, Any, tuple[_T, ...]]) -> tuple[_T, ...]:
            try:
                return await question
            except (BrokerUnavailable, RequestRefused) as error:
                log.warning("broker.unanswered", question=name, reason=str(error))
                unanswered.append(name)
                return ()

        fills, open_orders, completed_orders, positions, account = await asyncio.gather(
            answered("executions", self._executions()),
            answered("open_orders", self._open_orders()),
            answered("completed_orders", self._completed_orders()),
            answered("positions", self._positions()),
            answered("account", self._account()),
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
        rows: list[OpenOrderRow] = await self._session.ask(
            OPEN_ORDERS, OPEN_ORDERS, self._client.reqAllOpenOrders, self._timeout_s
        )
        # The same order may be told again while the list is sent: the last word counts.
        lines = {
            (row.line.perm_id, row.line.client_id, row.line.order_id): row.line
            for row in rows
            if self._is_ours(row.account)
        }
        return tuple(lines.values())

    async def _completed_orders(self) -> tuple[CompletedOrder, ...]:
        return tuple(
            await self._session.ask(
                COMPLETED_ORDERS,
                COMPLETED_ORDERS,
                lambda: self._client.reqCompletedOrders(True),
                self._timeout_s,
            )
        )

    async def _positions(self) -> tuple[BrokerPosition, ...]:
        rows: list[PositionRow] = await self._session.ask(
            POSITIONS, POSITIONS, self._client.reqPositions, self._timeout_s
        )
        if self._session.is_connected:
            self._client.cancelPositions()
        lines = {row.line.symbol: row.line for row in rows if self._is_ours(row.account)}
        return tuple(line for line in lines.values() if line.quantity)

    async def _account(self) -> tuple[Account]:
        asked: list[int] = []

        def send(req_id: int) -> None:
            asked.append(req_id)
            self._client.reqAccountSummary(req_id, "All", ",".join(_TAGS))

        try:
            rows: list[AccountRow] = await self._by_id("account summary", send)
        finally:
            if asked and self._session.is_connected:
                self._client.cancelAccountSummary(asked[0])
        return (self._account_of(rows),)

    def _account_of(self, rows: list[AccountRow]) -> Account:
        own = {row.tag: row for row in rows if row.account == self._session.account_id}
        values = {tag: amount(own[tag].value) if tag in own else None for tag in _TAGS}
        net, cash, power = (values[tag] for tag in _TAGS)
        if net is None or cash is None or power is None:
            missing = ", ".join(tag for tag in _TAGS if values[tag] is None)
            raise BrokerUnavailable(f"account summary: the broker did not tell {missing}")
        return Account(
            account_id=self._session.account_id,
            net_liquidation=net,
            cash=cash,
            buying_power=power,
            currency=own["NetLiquidation"].currency or "USD",
        )

    async def _by_id(self, name: str, send: Callable[[int], None], timeout_s: float | None = None) -> list[Any]:
        req_id = self._session.next_id()
        return await self._session.ask(name, req_id, lambda: send(req_id), timeout_s or self._timeout_s)

    def _is_ours(self, account: str) -> bool:
        return account in {"", self._session.account_id}
