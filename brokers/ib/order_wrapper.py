# ruff: noqa: N802 - the methods carry the names by which IB's protocol calls them back
"""The raw callbacks of the order session: orders, executions, positions, account values, the broker's clock."""

from __future__ import annotations

import structlog
from ib_insync import CommissionReport, Contract, OrderState
from ib_insync import Order as IbOrder
from msgspec import Struct

from brokers.ib.account_news import AccountNews
from brokers.ib.codes import CodeTable
from brokers.ib.contracts import Contracts
from brokers.ib.fill_news import FillNews
from brokers.ib.order_news import FINAL, OrderNews
from brokers.ib.requests import COMPLETED_ORDERS, OPEN_ORDERS, POSITIONS, TIME, Requests
from brokers.ib.translate import RawExecution, completed_order_of, fill_of, open_order_of
from brokers.ib.wrapper import Hooks, Wrapper
from brokers.port import Clock
from shared.account import BrokerPosition
from shared.orders import Fill, OpenOrder

log = structlog.get_logger("brokers.ib")
LIVE = -1


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


class FilledRow(Struct, frozen=True):
    """How much of an order has been executed; its line tells that in a message of its own."""

    perm_id: int
    filled: int


class PositionRow(Struct, frozen=True):
    """One position with the account it belongs to."""

    line: BrokerPosition
    account: str


class OrderWrapper(Wrapper):
    """Each row to the question that asked for it, each change to the news."""

    def __init__(  # noqa: PLR0913 - the receivers of one connection, each by name
        self,
        *,
        requests: Requests,
        hooks: Hooks,
        codes: CodeTable,
        orders: OrderNews,
        fills: FillNews,
        account: AccountNews,
        contracts: Contracts,
        clock: Clock,
    ) -> None:
        super().__init__(requests=requests, hooks=hooks, codes=codes)
        self._orders = orders
        self._fills = fills
        self._account = account
        self._contracts = contracts
        self._clock = clock
        self._known: dict[str, tuple[RawExecution, Fill]] = {}

    def takes_error(self, req_id: int, code: int, text: str) -> bool:
        return self._orders.error(req_id, code, text)

    def currentTime(self, seconds: int) -> None:
        self._requests.add(TIME, seconds)
        self._requests.end(TIME)

    # ------------------------------------------------------------------ orders and executions

    def openOrder(self, _order_id: int, contract: Contract, order: IbOrder, state: OrderState) -> None:
        is_answer = self._requests.is_open(OPEN_ORDERS)
        self._orders.open_order(order, state.status, is_answer=is_answer)
        if state.status not in FINAL and not order.whatIf and is_answer:
            line = open_order_of(order, state.status, self._symbol(contract))
            self._requests.add(OPEN_ORDERS, OpenOrderRow(line, order.account))

    def openOrderEnd(self) -> None:
        self._requests.end(OPEN_ORDERS)

    def orderStatus(  # noqa: PLR0917 - the order of the message
        self,
        order_id: int,
        status: str,
        filled: float,
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
        if self._requests.is_open(OPEN_ORDERS):
            self._requests.add(OPEN_ORDERS, FilledRow(perm_id, round(filled)))

    def completedOrder(self, contract: Contract, order: IbOrder, state: OrderState) -> None:
        self._requests.add(COMPLETED_ORDERS, completed_order_of(order, state, self._symbol(contract)))

    def completedOrdersEnd(self) -> None:
        self._requests.end(COMPLETED_ORDERS)

    def execDetails(self, req_id: int, raw: RawExecution) -> None:
        if self.accounts and raw.account not in self.accounts:
            return
        self._orders.executed(order_id=raw.order_id, client_id=raw.client_id)
        fill = self._fill_of(raw)
        symbol = fill.symbol
        self._fills.execution(fill)
        if req_id != LIVE:
            self._requests.add(req_id, fill)
        elif fill.is_liquidation:
            self._hooks.on_doubt(f"the broker has liquidated {fill.quantity:g} {symbol}")

    def _fill_of(self, raw: RawExecution) -> Fill:
        """The same for the same word of the broker: one report tells every execution of the day again."""
        known = self._known.get(raw.exec_id)
        if known is not None and known[0] is raw:
            return known[1]
        symbol = self._contracts.symbol_of(raw.con_id, raw.symbol, raw.sec_type, raw.currency)
        fill = fill_of(raw, symbol, now=self._clock(), assumed=self._contracts.zone_of(symbol))
        self._known[raw.exec_id] = (raw, fill)
        return fill

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

    def updateAccountValue(self, tag: str, value: str, currency: str, account: str) -> None:
        self._account.value(account, tag, value, currency)

    def accountDownloadEnd(self, _account: str) -> None:
        self._account.complete()

    def _symbol(self, contract: Contract) -> str:
        return self._contracts.symbol_of(contract.conId, contract.symbol, contract.secType, contract.currency)
