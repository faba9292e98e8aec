"""The order session: everything that lives as long as the connection our orders go over.

A session is connected once and lost once. It says ConnectionLost for a socket that is gone (or a peer that no
longer answers) and for TWS without its server (1100, 2110), ConnectionRestored when that server is back
(1101, 1102). No data request ever goes over it: those have a client id of their own (data_session.py).
"""

from __future__ import annotations

import asyncio

import structlog
from ib_insync import Contract
from ib_insync import Order as IbOrder

from brokers.ib import codes
from brokers.ib.account_news import AccountNews
from brokers.ib.codes import CodeClass, CodeTable
from brokers.ib.connection import Address, Connection, Pacing
from brokers.ib.contracts import Contracts
from brokers.ib.fill_news import FillNews
from brokers.ib.lanes import Budget, EntryLane
from brokers.ib.line import Line
from brokers.ib.order_ids import OrderIds
from brokers.ib.order_news import OrderNews
from brokers.ib.order_wrapper import OrderWrapper
from brokers.ib.orders import Placed, record_of, waiting_line
from brokers.ib.register import Ended, OrderRegister
from brokers.ib.requests import Requests
from brokers.ib.translate import simulated_clock
from brokers.port import BrokerListener, Clock
from shared.errors import ConfigError
from shared.events import ConnectionLost, ConnectionRestored, OrderCancelled, OrderUnknown
from shared.orders import OpenOrder

log = structlog.get_logger("brokers.ib")

QUESTIONS_PER_S = 20.0


class Session:
    """One connection to TWS for orders and questions about them, from handshake to loss."""

    def __init__(  # noqa: PLR0913 - what one connection is made of, each by name
        self,
        *,
        address: Address,
        contracts: Contracts,
        fills: FillNews,
        ids: OrderIds,
        listener: BrokerListener,
        clock: Clock,
        codes: CodeTable,
    ) -> None:
        self.account_id = ""
        self.register = OrderRegister(ids)
        self._orders = OrderNews(self.register, listener.on_event, clock, codes)
        self.account = AccountNews(listener.on_event, clock, contracts.universe.instruments[0].currency)
        self._contracts = contracts
        self._listener = listener
        self._clock = clock
        self._codes = codes
        requests, self._budget = Requests(), Budget()
        self._wrapper = OrderWrapper(
            requests=requests,
            hooks=self,
            codes=codes,
            orders=self._orders,
            fills=fills,
            account=self.account,
            contracts=contracts,
            clock=clock,
        )
        now = asyncio.get_running_loop().time
        connection = Connection(self._wrapper, address, lambda: self._budget.note(now()))
        self.line = Line(connection, requests, Pacing(QUESTIONS_PER_S))
        self._entries = EntryLane(self._budget, self._leave)
        self._highest_sent = 0
        self._is_live = False

    # ------------------------------------------------------------------ life

    async def open(self, timeout_s: float, wanted_account: str) -> None:
        """Shake hands and choose the account; BrokerUnavailable, or ConfigError if one must be named."""
        await self.line.connection.open(timeout_s)
        self.account_id = self.account.account_id = _account_of(self._wrapper.accounts, wanted_account)

    def go_live(self) -> str:
        """The synchronisation is complete: from now on losses are told, account values stream. The account id."""
        self.line.check()
        self._is_live = True
        self.line.client.reqAccountUpdates(True, self.account_id)
        return self.account_id

    async def close(self) -> None:
        """Leave without a word."""
        self._end("we have left")
        await self.line.connection.close()

    def lose(self, reason: str) -> None:
        """The peer is of no use any more: say so once and drop the socket."""
        was_live = self._is_live and not self.line.is_over
        self._end(reason)
        self.line.connection.abort()
        if was_live:
            self._say_lost(reason)

    @property
    def is_connected(self) -> bool:
        return self.line.is_connected

    def _end(self, reason: str) -> None:
        self._drop_entries(reason)
        self.line.end(reason)
        self._orders.close()
        self.account.close()

    # ------------------------------------------------------------------ Hooks

    def on_session_code(self, code: int, text: str) -> None:
        """A code without an id: the simulated clock, the server behind TWS, a farm."""
        if (clock := simulated_clock(text)) is not None:
            self._listener.on_clock(*clock)
            return
        if not self._is_live:
            self.line.connection.note_code(code, text)
        tell = log.info if self._codes.class_of(code) is CodeClass.NOTICE else log.warning
        tell("broker.message", code=code, text=text)
        if code in codes.SERVER_LOST:
            self._lose_server(f"TWS has lost its server ({code} {text})")
        elif code in codes.SERVER_BACK:
            self._regain_server()

    def on_doubt(self, reason: str) -> None:
        """What a lost message said can only be asked: lost and restored, so that all is compared."""
        if self._is_live and not self.line.is_over:
            self._say_lost(reason)
            self._say_restored()

    def on_closed(self, reason: str) -> None:
        """The socket is gone, by our will or not."""
        was_live = self._is_live and not self.line.is_over
        told = self.line.connection.last_error or reason
        self._end(told)
        if was_live:
            self._say_lost(told)

    def _lose_server(self, reason: str) -> None:
        was_lost, self.line.server_lost = self.line.server_lost, reason
        self._drop_entries(reason)  # TWS would keep them and send them whenever it can (TWS.md 3.18)
        if self._is_live and not was_lost:
            self._say_lost(reason)

    def _regain_server(self) -> None:
        self.line.server_lost = ""
        if self._is_live:
            self._say_restored()

    def _say_lost(self, reason: str) -> None:
        self._listener.on_event(ConnectionLost(received_at=self._clock(), reason=reason))

    def _say_restored(self) -> None:
        self._listener.on_event(ConnectionRestored(received_at=self._clock(), account_id=self.account_id))

    # ------------------------------------------------------------------ sending

    def next_order_id(self) -> int:
        """An id that no order has had."""
        self.never_below(self.register.ids.highest)
        return self.line.next_id()

    def never_below(self, order_id: int) -> None:
        """Never use an id up to `order_id` again, whatever nextValidId said (it rolls back; TWS.md 3.14)."""
        self.line.client.updateReqId(order_id + 1)

    def enter(self, bracket: list[Placed]) -> None:
        """Send a bracket as soon as there is room for it."""
        for placed in bracket:
            self.register.add(record_of(placed, self.register.client_id))
        self._entries.put(bracket)

    def waiting_orders(self) -> list[OpenOrder]:
        """Lines of the entries and their legs that wait for room: no broker knows them yet, they are on their way."""
        return [waiting_line(placed, self.register.client_id) for placed in self._entries.waiting()]

    def place(self, placed: Placed) -> None:
        """Send one order that reduces risk, or the change of one, now."""
        if placed.is_new:
            self.register.add(record_of(placed, self.register.client_id))
        elif self._entries.change(placed):
            return
        elif (record := self.register.by_ref(placed.order.ref)) is not None:
            record.complaint = None
        self._write(placed)

    def cancel(self, ref: str, order_id: int) -> None:
        """Ask for the cancel of an order, now. A bracket that has not left is thrown away, as a whole."""
        withdrawn = self._entries.withdraw(ref)
        for one in withdrawn:
            if (record := self.register.by_ref(one)) is not None:
                record.ended = Ended.CANCELLED
            event = OrderCancelled(received_at=self._clock(), ref=one, reason="withdrawn before it was sent")
            self._listener.on_event(event)
        if not withdrawn:
            if (record := self.register.by_ref(ref)) is not None:
                record.is_cancel_asked = True
            self.line.client.cancelOrder(order_id)

    def _leave(self, bracket: list[Placed]) -> None:
        """Order ids must rise (103, TWS.md 3.14): a bracket that an exit has overtaken gets fresh ones."""
        if bracket[0].ib_order.orderId < self._highest_sent:
            ids = [self.next_order_id() for _ in bracket]
            for placed, order_id in zip(bracket, ids, strict=True):
                placed.ib_order.orderId = order_id
                placed.ib_order.parentId = ids[0] if placed.ib_order.parentId else 0
                self.register.renumber(placed.order.ref, order_id, placed.ib_order.parentId)
        for placed in bracket:
            self._write(placed)

    def _write(self, placed: Placed) -> None:
        ib_order: IbOrder = placed.ib_order
        self._highest_sent = max(self._highest_sent, ib_order.orderId)
        ib_order.account = self.account_id
        contract: Contract = self._contracts.of(placed.order.symbol)
        self.line.client.placeOrder(ib_order.orderId, contract, ib_order)

    def _drop_entries(self, reason: str) -> None:
        """Entries that wait for room are not sent later: nobody knows what they are worth then."""
        for ref in self._entries.clear():
            unknown = OrderUnknown(received_at=self._clock(), ref=ref, reason=f"never sent: {reason}")
            self._listener.on_event(unknown)


def _account_of(accounts: tuple[str, ...], wanted: str) -> str:
    """The account to use: the wanted one if the login has it, else its only one."""
    if wanted in accounts:
        return wanted
    if len(accounts) > 1:
        raise ConfigError(f"account: the broker's login has {len(accounts)} accounts ({', '.join(accounts)}), name one")
    return accounts[0]
