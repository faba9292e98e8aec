# ruff: noqa: N802 - the methods carry the names by which IB's protocol calls them back
"""The raw callbacks of one connection: each row to the question that asked for it, each change to the news.

Nothing is decided here and nothing waits. ib_insync's own wrapper and its `Trade` are not used: under errors
10349, 201, 110, 104, 135 and 161 they say what is not so (TWS.md 4).
"""

from __future__ import annotations

from typing import Protocol

import structlog
from ib_insync import BarData, CommissionReport, Contract, ContractDetails, OrderState
from ib_insync import Order as IbOrder
from msgspec import Struct

from brokers.ib.codes import CodeClass, class_of
from brokers.ib.contracts import Contracts
from brokers.ib.decoder import MESSAGES
from brokers.ib.fill_news import FillNews
from brokers.ib.order_news import FINAL, OrderNews
from brokers.ib.requests import COMPLETED_ORDERS, OPEN_ORDERS, POSITIONS, TIME, Requests
from brokers.ib.streams import BarStreams
from brokers.ib.translate import RawExecution, completed_order_of, fill_of, open_order_of
from brokers.port import Clock
from shared.account import BrokerPosition
from shared.orders import OpenOrder

log = structlog.get_logger("brokers.ib")

NO_REQUEST = -1
LIVE = -1
_LISTS = {5: OPEN_ORDERS, 61: POSITIONS, 101: COMPLETED_ORDERS, 49: TIME}
"""Unreadable message id to the question whose answer it was part of."""
_REQ_ID_AT = {10: 1, 11: 1, 17: 1, 63: 2}
"""Message id to the field that holds its request id."""
_CHANGES = frozenset({3, 4, 5, 11})
"""Messages that may tell a change of one of our orders: lost, they leave us in doubt."""
HISTORY = 17


class AccountRow(Struct, frozen=True):
    """One account value as text."""

    account: str
    tag: str
    value: str
    currency: str


class OpenOrderRow(Struct, frozen=True):
    """One open order with the account it belongs to."""

    line: OpenOrder
    account: str


class PositionRow(Struct, frozen=True):
    """One position with the account it belongs to."""

    line: BrokerPosition
    account: str


class Hooks(Protocol):
    """What concerns the connection as a whole."""

    def on_session_code(self, code: int, text: str) -> None:
        """A code that belongs to no request and no order."""

    def on_doubt(self, reason: str) -> None:
        """A message about orders was lost; what we believe of them may be wrong."""

    def on_closed(self, reason: str) -> None:
        """The socket is gone."""


class Wrapper:
    """What ib_insync's Client and our RawDecoder call; one per connection."""

    def __init__(  # noqa: PLR0913 - the receivers of one connection, each by name
        self,
        *,
        requests: Requests,
        orders: OrderNews,
        fills: FillNews,
        streams: BarStreams,
        contracts: Contracts,
        hooks: Hooks,
        clock: Clock,
    ) -> None:
        self.accounts: tuple[str, ...] = ()
        self._requests = requests
        self._orders = orders
        self._fills = fills
        self._streams = streams
        self._contracts = contracts
        self._hooks = hooks
        self._clock = clock

    # ------------------------------------------------------------------ connection

    def connectAck(self) -> None:
        """The version is agreed; accounts and the next order id follow."""

    def managedAccounts(self, accounts: str) -> None:
        self.accounts = tuple(name.strip() for name in accounts.split(",") if name.strip())

    def nextValidId(self, order_id: int) -> None:
        """ib_insync's Client has taken the id before it calls here."""
        log.debug("broker.next_order_id", order_id=order_id)

    def setEventsDone(self) -> None:
        """The socket is closed, by whomever."""
        self._hooks.on_closed("the broker closed the connection")

    def connectionClosed(self) -> None:
        """Called right after setEventsDone, which has said it."""

    def currentTime(self, seconds: int) -> None:
        self._requests.add(TIME, seconds)
        self._requests.end(TIME)

    def error(self, req_id: int, code: int, text: str, _advanced_reject: str = "") -> None:
        """Errors, warnings and notices share this door; the id may be an order's, a request's or none."""
        if req_id == NO_REQUEST:
            self._hooks.on_session_code(code, text)
        elif self._requests.is_open(req_id):
            log.info("broker.request_message", code=code, text=text)
            if class_of(code) is not CodeClass.NOTICE:
                self._requests.refuse(req_id, code, text)
        elif (symbol := self._streams.symbol_of(req_id)) is not None:
            log.warning("broker.stream_message", symbol=symbol, code=code, text=text)
        elif not self._orders.error(req_id, code, text):
            log.info("broker.message", id=req_id, code=code, text=text)

    def unreadable(self, fields: list[str], error: Exception) -> None:
        """A message could not be decoded or handled: its answer is incomplete, its change lost."""
        kind = int(fields[0]) if fields and fields[0].isdigit() else 0
        what = MESSAGES.get(kind, "unknown message")
        log.error("broker.unreadable", message=what, fields=fields[:12], exc_info=error)
        key = _LISTS.get(kind) or _request_id(kind, fields)
        was_answer = self._requests.spoil(key, f"{what} could not be read")
        if kind == HISTORY and isinstance(key, int):
            self._requests.end(key)
        if kind in _CHANGES and not was_answer:
            self._hooks.on_doubt(f"a message ({what}) could not be read")

    # ------------------------------------------------------------------ orders and executions

    def openOrder(self, _order_id: int, contract: Contract, order: IbOrder, state: OrderState) -> None:
        self._orders.open_order(order, state.status)
        if state.status not in FINAL and not order.whatIf and self._requests.is_open(OPEN_ORDERS):
            line = open_order_of(order, state.status, self._symbol(contract))
            self._requests.add(OPEN_ORDERS, OpenOrderRow(line, order.account))

    def openOrderEnd(self) -> None:
        self._requests.end(OPEN_ORDERS)

    def orderStatus(
        self,
        order_id: int,
        status: str,
        _filled: float,
        _remaining: float,
        _average_price: float,
        perm_id: int,
        _parent_id: int,
        _last_price: float,
        client_id: int,
        why_held: str,
        _cap_price: float = 0.0,
    ) -> None:
        self._orders.status(order_id=order_id, client_id=client_id, perm_id=perm_id, status=status, why_held=why_held)

    def completedOrder(self, contract: Contract, order: IbOrder, state: OrderState) -> None:
        self._requests.add(COMPLETED_ORDERS, completed_order_of(order, state, self._symbol(contract)))

    def completedOrdersEnd(self) -> None:
        self._requests.end(COMPLETED_ORDERS)

    def execDetails(self, req_id: int, raw: RawExecution) -> None:
        if self.accounts and raw.account not in self.accounts:
            return
        symbol = self._contracts.symbol_of(raw.con_id, raw.symbol, raw.sec_type, raw.currency)
        fill = fill_of(raw, symbol, now=self._clock(), assumed=self._contracts.zone_of(symbol))
        self._fills.execution(fill)
        if req_id != LIVE:
            self._requests.add(req_id, fill)

    def execDetailsEnd(self, req_id: int) -> None:
        self._requests.end(req_id)

    def commissionReport(self, report: CommissionReport) -> None:
        self._fills.commission(report)

    # ------------------------------------------------------------------ account

    def position(self, account: str, contract: Contract, quantity: float, average_cost: float) -> None:
        line = BrokerPosition(symbol=self._symbol(contract), quantity=float(quantity), average_cost=float(average_cost))
        self._requests.add(POSITIONS, PositionRow(line, account))

    def positionEnd(self) -> None:
        self._requests.end(POSITIONS)

    def accountSummary(self, req_id: int, account: str, tag: str, value: str, currency: str) -> None:
        self._requests.add(req_id, AccountRow(account, tag, value, currency))

    def accountSummaryEnd(self, req_id: int) -> None:
        self._requests.end(req_id)

    # ------------------------------------------------------------------ instruments and bars

    def contractDetails(self, req_id: int, details: ContractDetails) -> None:
        self._requests.add(req_id, details)

    def contractDetailsEnd(self, req_id: int) -> None:
        self._requests.end(req_id)

    def historicalData(self, req_id: int, bar: BarData) -> None:
        self._requests.add(req_id, bar)

    def historicalDataEnd(self, req_id: int, _start: str, _end: str) -> None:
        self._requests.end(req_id)

    def realtimeBar(  # noqa: PLR0913, PLR0917 - the protocol's
        self,
        req_id: int,
        time: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        _average: float,
        _count: int,
    ) -> None:
        bar = BarData(open=open_, high=high, low=low, close=close, volume=volume)
        self._streams.take(req_id, time, bar)

    def _symbol(self, contract: Contract) -> str:
        return self._contracts.symbol_of(contract.conId, contract.symbol, contract.secType, contract.currency)


def _request_id(kind: int, fields: list[str]) -> int | None:
    """The request id in an unreadable message, None if even that is unreadable."""
    place = _REQ_ID_AT.get(kind)
    if place is None:
        return NO_REQUEST
    try:
        return int(fields[place])
    except (IndexError, ValueError):
        return None
