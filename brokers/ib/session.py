"""Everything that lives as long as one connection: socket, open questions, order register, streams.

A session is connected once and lost once. It says ConnectionLost for a socket that is gone (or a peer that no
longer answers) and for TWS without its server (1100, 2110), ConnectionRestored when that server is back
(1101, 1102).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from ib_insync import Contract
from msgspec import Struct

from brokers.ib import codes
from brokers.ib.codes import CodeClass, class_of
from brokers.ib.connection import Connection
from brokers.ib.contracts import Contracts
from brokers.ib.fill_news import FillNews
from brokers.ib.order_news import OrderNews
from brokers.ib.orders import Placed, record_of
from brokers.ib.register import OrderRegister
from brokers.ib.requests import Key, Requests
from brokers.ib.streams import STREAM_BAR_S, BarStreams, StreamCounts
from brokers.ib.translate import simulated_clock
from brokers.ib.wrapper import Wrapper
from brokers.port import BrokerListener, Clock
from shared.errors import BrokerUnavailable, ConfigError
from shared.events import ConnectionLost, ConnectionRestored

log = structlog.get_logger("brokers.ib")


class Address(Struct, frozen=True, kw_only=True):
    """Where TWS or the gateway listens, and as whom we come."""

    host: str
    port: int
    client_id: int


class Session:
    """One connection to TWS, from handshake to loss."""

    def __init__(
        self, *, address: Address, contracts: Contracts, fills: FillNews, listener: BrokerListener, clock:
        Clock,
        counts: StreamCounts,
    ) -> None:  # fmt: skip
        self.account_id = ""
        self.register = OrderRegister(address.client_id)
        self.requests = Requests()
        self.streams = BarStreams(listener, counts)
        self._orders = OrderNews(self.register, listener.on_event, clock)
        self._contracts = contracts
        self._listener = listener
        self._clock = clock
        self._wrapper = Wrapper(
            requests=self.requests,
            orders=self._orders,
            fills=fills,
            streams=self.streams,
            contracts=contracts,
            hooks=self,
            clock=clock,
        )
        self.connection = Connection(self._wrapper, host=address.host, port=address.port, client_id=address.client_id)
        self._is_live = False
        self._server_lost = ""
        self._is_over = False
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ life

    async def open(self, timeout_s: float, wanted_account: str) -> None:
        """Shake hands and choose the account; BrokerUnavailable, or ConfigError if one must be named."""
        await self.connection.open(timeout_s)
        self.account_id = _account_of(self._wrapper.accounts, wanted_account)

    def go_live(self) -> str:
        """The synchronisation is complete: from now on losses are told. Returns the account id."""
        self.check()
        self._is_live = True
        return self.account_id

    async def close(self) -> None:
        """Leave without a word."""
        self._end("we have left")
        await self.connection.close()

    def lose(self, reason: str) -> None:
        """The peer is of no use any more: say so once and drop the socket."""
        was_live = self._is_live and not self._is_over
        self._end(reason)
        self.connection.abort()
        if was_live:
            self._say_lost(reason)

    def check(self) -> None:
        """Raise BrokerUnavailable unless orders can be sent and answers can be believed."""
        if self._is_over or not self.connection.is_ready:
            raise BrokerUnavailable("not connected to the broker")
        if self._server_lost:
            raise BrokerUnavailable(self._server_lost)

    @property
    def is_connected(self) -> bool:
        return not self._is_over and self.connection.is_ready

    def _end(self, reason: str) -> None:
        self._is_over = True
        self.requests.close(reason)
        self._orders.close()
        for task in self._tasks:
            task.cancel()

    # ------------------------------------------------------------------ Hooks

    def on_session_code(self, code: int, text: str) -> None:
        """A code without an id: the simulated clock, the server behind TWS, a farm."""
        if (clock := simulated_clock(text)) is not None:
            self._listener.on_clock(*clock)
            return
        if not self._is_live:
            self.connection.note_code(code, text)
        tell = log.info if class_of(code) is CodeClass.NOTICE else log.warning
        tell("broker.message", code=code, text=text)
        if code in codes.SERVER_LOST:
            self._lose_server(f"TWS has lost its server ({code} {text})")
        elif code in codes.SERVER_BACK:
            self._regain_server(code)

    def on_doubt(self, reason: str) -> None:
        """What a lost message said can only be asked: lost and restored, so that all is compared."""
        if self._is_live and not self._is_over:
            self._say_lost(reason)
            self._say_restored()

    def on_closed(self, reason: str) -> None:
        """The socket is gone, by our will or not."""
        was_live = self._is_live and not self._is_over
        told = self.connection.last_error or reason
        self._end(told)
        if was_live:
            self._say_lost(told)

    def _lose_server(self, reason: str) -> None:
        was_lost, self._server_lost = self._server_lost, reason
        if self._is_live and not was_lost:
            self._say_lost(reason)

    def _regain_server(self, code: int) -> None:
        self._server_lost = ""
        if not self._is_live:
            return
        if code == codes.SERVER_BACK_DATA_LOST and self.streams.is_open:
            task = asyncio.get_running_loop().create_task(self._resubscribe(), name="resubscribe")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._say_restored()

    def _say_lost(self, reason: str) -> None:
        self._listener.on_event(ConnectionLost(received_at=self._clock(), reason=reason))

    def _say_restored(self) -> None:
        self._listener.on_event(ConnectionRestored(received_at=self._clock(), account_id=self.account_id))

    # ------------------------------------------------------------------ asking and sending

    async def ask(self, name: str, key: Key, send: Callable[[], None], timeout_s: float) -> list[Any]:
        """A question in its turn. Raises what Requests.ask raises."""
        await self.connection.pacing.turn()
        self._check_socket()
        return await self.requests.ask(name, key, send, timeout_s)

    def next_id(self) -> int:
        """A fresh id: requests and orders share one sequence, so that an error's id has one meaning."""
        self._check_socket()
        return int(self.connection.client.getReqId())

    def never_below(self, order_id: int) -> None:
        """Never use an id up to `order_id` again, whatever nextValidId said (it rolls back; TWS.md 3.14)."""
        self.connection.client.updateReqId(order_id + 1)

    def place(self, placed: Placed, contract: Contract) -> None:
        """Send one order, or the change of one, now."""
        placed.ib_order.account = self.account_id
        if placed.is_new:
            self.register.add(record_of(placed, self.register.client_id))
        elif (record := self.register.by_ref(placed.order.ref)) is not None:
            record.complaint = None
        self.connection.client.placeOrder(placed.ib_order.orderId, contract, placed.ib_order)

    def cancel(self, order_id: int) -> None:
        """Ask for the cancel of an order, now."""
        self.connection.client.cancelOrder(order_id)

    async def subscribe(self) -> None:
        """Start the 5-second bars of the whole universe; streams that run are ended first."""
        for req_id in self.streams.close_all():
            await self.connection.pacing.turn()
            self._check_socket()
            self.connection.client.cancelRealTimeBars(req_id)
        for symbol in self._contracts.universe.symbols:
            await self.connection.pacing.turn()
            req_id = self.next_id()
            self.streams.open(req_id, symbol)
            contract = self._contracts.of(symbol)
            self.connection.client.reqRealTimeBars(req_id, contract, STREAM_BAR_S, "TRADES", True, [])

    async def _resubscribe(self) -> None:
        try:
            await self.subscribe()
        except BrokerUnavailable as error:
            log.warning("broker.not_resubscribed", reason=str(error))

    def _check_socket(self) -> None:
        if not self.is_connected:
            raise BrokerUnavailable("not connected to the broker")


def _account_of(accounts: tuple[str, ...], wanted: str) -> str:
    """The account to use: the wanted one if the login has it, else its only one."""
    if wanted in accounts:
        return wanted
    if len(accounts) > 1:
        raise ConfigError(f"account: the broker's login has {len(accounts)} accounts ({', '.join(accounts)}), name one")
    return accounts[0]
