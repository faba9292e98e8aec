"""The far end of the latency comparison: a TWS on the wire that sends one bar when told and times the order.

Requests are answered by the simulated gateway's own session; only the clock is different: nothing moves by
itself.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from bench.flat_market import OPENS_AT, PRICE, SPREAD, STEP_S, SYMBOL, FlatMarket
from brokers.simulated.gateway.protocol import layouts
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.wire import fields_of, frame, read_payload
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.runtime.dispatch import answer
from brokers.simulated.gateway.runtime.playback import play_step
from brokers.simulated.gateway.runtime.session import Session
from brokers.simulated.gateway.runtime.settings import Settings

ACCOUNT = "DU7654321"
BEGINS_AT = OPENS_AT + 600
SERVER_VERSION = 176
PLACE_ORDER = b"3\0"
REQUEST_MARKET_DATA = b"1\0"
CANCEL_ORDER = b"4\0"
ORDER_STATUS, OPEN_ORDER = b"3\0", b"5\0"
RAIN_EVERY_S = 0.01
ORDER_CLIENT = 7


class WireServer:
    """One session; `bar_to_order` is the measurement, `placed` and `cancelled` say when such requests came (ns)."""

    def __init__(self, symbols: tuple[str, ...] = (SYMBOL,)) -> None:
        self._market = FlatMarket(symbols)
        self._clock = ManualClock(BEGINS_AT)
        self._session = Session(self._market, self._clock, Settings(accounts=(ACCOUNT,)))
        self._orders: asyncio.Queue[int] = asyncio.Queue()
        self.placed: list[int] = []
        self.cancelled: list[int] = []
        self._subscribed = asyncio.Event()
        self._session.on_bars_wanted = self._subscribed.set
        self._starts_at = BEGINS_AT
        self._server: asyncio.Server | None = None
        self._quoted: list[tuple[Client, int]] = []
        self._rain: asyncio.Task[None] | None = None
        self.rained = 0
        self.repeated = 0
        self._order_news: dict[bytes, bytes] = {}
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self.rain(0)
        self._server.close()
        for client in self._session.each_client():
            client.close()

    async def until_subscribed(self) -> None:
        """Return when the client has asked for real-time bars."""
        await self._subscribed.wait()

    async def bar_to_order(self, wait_s: float) -> int | None:
        """Nanoseconds from just before the bar's bytes leave to the first placeOrder; None if none comes."""
        while not self._orders.empty():
            self._orders.get_nowait()
        started = self.bar()
        try:
            async with asyncio.timeout(wait_s):
                return await self._orders.get() - started
        except TimeoutError:
            return None

    def bar(self) -> int:
        """Send every symbol's next bar; when that began, in nanoseconds of perf_counter."""
        step = self._market.step(self._starts_at)
        self._starts_at += STEP_S
        self._clock.advance_to(self._starts_at)
        self._session.next_step_at = self._starts_at
        play_step(self._session, step)
        started = time.perf_counter_ns()
        self._session.flush()
        return started

    def open_orders(self) -> int:
        """Orders that work in the session."""
        return len(self._session.desk.open_orders())

    async def fill_in_pieces(self, pieces: int, within_s: float) -> None:
        """Fill one share after the other of the newest resting order, spread over the time."""
        order = self._session.desk.open_orders()[-1]
        for number in range(pieces):
            self._session.desk.fill(order.perm_id, 1.0, PRICE)
            if number % 10 == 0:
                self._session.flush()
                await asyncio.sleep(within_s * 10 / pieces)
        self._session.flush()

    def drop(self) -> None:
        """Cut every client's connection."""
        for client in list(self._session.each_client()):
            client.close()

    def rain(self, messages_per_s: int, repeats_per_s: int = 0) -> None:
        """From now on send so many tick messages a second to whoever has asked for quotes; 0 ends it.

        `repeats_per_s` is how often a second the latest orderStatus and openOrder are said again.
        """
        if self._rain is not None:
            self._rain.cancel()
        self._rain = asyncio.create_task(self._pour(messages_per_s, repeats_per_s)) if messages_per_s else None

    async def _pour(self, messages_per_s: int, repeats_per_s: int) -> None:
        loop = asyncio.get_running_loop()
        started, sent, repeated = loop.time(), 0, 0
        while True:
            wanted = int((loop.time() - started) * repeats_per_s)
            self._repeat(wanted - repeated)
            repeated = wanted
            due = int((loop.time() - started) * messages_per_s)
            for client, request_id in self._quoted:
                client.send_frame(b"".join(_tick(request_id, number) for number in range(sent, due)))
                client.flush()
                self.rained += due - sent
            sent = due
            await asyncio.sleep(RAIN_EVERY_S)

    def _repeat(self, messages: int) -> None:
        """What was last said of orders, in turn, once more."""
        news = [*self._order_news.values()]
        if not news or messages <= 0:
            return
        for client in self._session.each_client():
            if client.client_id == ORDER_CLIENT:
                client.send_frame(b"".join(news[number % len(news)] for number in range(messages)))
                client.flush()
                self.repeated += messages

    def _note(self, _client: Client, _direction: str, sent: bytes) -> None:
        if sent[4:6] in {ORDER_STATUS, OPEN_ORDER}:
            self._order_news[sent[4:6]] = sent

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        await read_payload(reader)
        writer.write(frame((SERVER_VERSION, "20131008 09:40:00 EST")))
        payload = await read_payload(reader)
        assert payload is not None
        client = Client(writer, int(fields_of(payload)[2]))
        client.tap = self._note
        self._session.clients[client.client_id] = client
        client.send(message(layouts.MANAGED_ACCOUNTS, accounts=ACCOUNT))
        client.send(message(layouts.NEXT_VALID_ID, orderId=1))
        client.send(self._session.notice())
        client.flush()
        while (payload := await read_payload(reader)) is not None:
            if payload.startswith(PLACE_ORDER):
                self.placed.append(time.perf_counter_ns())
                self._orders.put_nowait(self.placed[-1])
            if payload.startswith(CANCEL_ORDER):
                self.cancelled.append(time.perf_counter_ns())
            if payload.startswith(REQUEST_MARKET_DATA):
                self._quoted.append((client, int(fields_of(payload)[2])))
            answer(self._session, client, payload)
            self._session.flush()
        del self._session.clients[client.client_id]
        writer.close()


def _tick(request_id: int, number: int) -> bytes:
    """A bid or an ask near PRICE that is not the one before."""
    side, away = (1, -SPREAD / 2) if number % 2 else (2, SPREAD / 2)
    return frame(("1", "6", str(request_id), str(side), f"{PRICE + away:.2f}", str(100 + number % 900), "1"))
