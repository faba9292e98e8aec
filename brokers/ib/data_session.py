"""The data session: bars, quotes, history and contracts, over a client id of their own.

Its loss is not a lost connection: orders go on, the data are told to be silent, and data_link.py brings it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from brokers.ib import codes
from brokers.ib.codes import CodeClass, CodeTable
from brokers.ib.connection import Address, Connection, Pacing
from brokers.ib.contracts import Contracts
from brokers.ib.data_questions import DataQuestions, asked_of
from brokers.ib.data_wrapper import DataWrapper
from brokers.ib.line import Line
from brokers.ib.market_data import MarketData
from brokers.ib.qualification import Qualification
from brokers.ib.requests import Requests
from brokers.ib.stream_care import LOOK_EVERY_S
from brokers.ib.streams import STREAM_BAR_S
from brokers.ib.translate import simulated_clock
from shared.errors import BrokerUnavailable

log = structlog.get_logger("brokers.ib")

REQUESTS_PER_S = 40.0
_BARS = "real-time bars"


class DataSession:
    """One connection for data, from handshake to loss; `on_lost` hears of a loss that is not our will."""

    def __init__(  # noqa: PLR0913 - one name per part
        self,
        *,
        address: Address,
        data: MarketData,
        contracts: Contracts,
        codes: CodeTable,
        request_timeout_s: float,
        with_quotes: bool,
        on_lost: Callable[[str], None],
        qualification: Qualification,
    ) -> None:
        self._data = data
        self._contracts = contracts
        self._codes = codes
        self._with_quotes = with_quotes
        self._on_lost = on_lost
        self._qualification = qualification
        requests = Requests()
        wrapper = DataWrapper(requests=requests, hooks=self, codes=codes, data=data)
        self.line = Line(Connection(wrapper, address), requests, Pacing(REQUESTS_PER_S))
        self.questions = DataQuestions(self.line, request_timeout_s, data.ledger)
        self._subscribing = asyncio.Lock()
        self._is_subscribed = False
        self._tasks: dict[asyncio.Task[None], None] = {}

    # ------------------------------------------------------------------ life

    async def open(self, timeout_s: float) -> None:
        """Shake hands; BrokerUnavailable with one line that says that it is the data's line."""
        try:
            await self.line.connection.open(timeout_s)
        except BrokerUnavailable as error:
            raise type(error)(f"{error} (the line for data)") from None

    async def close(self) -> None:
        """Leave without a word."""
        self._end("we have left")
        await self.line.connection.close()

    def _end(self, reason: str) -> None:
        self.line.end(reason)
        for task in self._tasks:
            task.cancel()

    # ------------------------------------------------------------------ Hooks

    def on_session_code(self, code: int, text: str) -> None:
        """A code without an id: what concerns the data; the rest is heard by the order session too."""
        if simulated_clock(text) is not None:
            return
        if not self.line.connection.is_ready:
            self.line.connection.note_code(code, text)
        log.debug("broker.data_message", code=code, text=text, notice=self._codes.class_of(code) is CodeClass.NOTICE)
        if code in codes.SERVER_LOST:
            self.line.server_lost = f"TWS has lost its server ({code} {text})"
            self._data.on_server_lost(self.line.server_lost)
        elif code in codes.SERVER_BACK:
            self.line.server_lost = ""
            if code == codes.SERVER_BACK_DATA_LOST and self._is_subscribed:
                self._start(self._renew, "resubscribe")
            self._data.on_server_back()
        else:
            self._data.on_farm(code, text)

    def on_doubt(self, reason: str) -> None:
        """A message could not be read: of data, one bar or tick is lost."""
        log.warning("broker.data_lost", reason=reason)

    def on_closed(self, reason: str) -> None:
        """The socket is gone, by our will or not."""
        was_live = not self.line.is_over
        told = self.line.connection.last_error or reason
        self._end(told)
        if was_live:
            self._on_lost(told)

    # ------------------------------------------------------------------ streams

    async def subscribe(self) -> None:
        """Start the bars of every instrument whose stream does not run, then the quotes, and watch over them."""
        async with self._subscribing:
            was_subscribed, self._is_subscribed = self._is_subscribed, True
            for symbol in self._contracts.universe.symbols:
                if not self._data.streams.runs(symbol):
                    await self._ask_bars(symbol)
        if not was_subscribed:
            self._start(self._watch, "watch streams")
            self._start(partial(self._qualification.ask_known, self.questions), "ask for contracts again")
        if self._with_quotes:
            self._start(self._subscribe_quotes, "subscribe quotes")

    async def _ask_bars(self, symbol: str) -> None:
        """Ask for a stream, again if it runs already."""
        contract = self._contracts.of(symbol)
        await self._wait_for_pace(symbol)
        if (old := self._data.streams.close(symbol)) is not None:
            await self.line.turn()
            self.line.client.cancelRealTimeBars(old)
        await self.line.turn()
        req_id = self.line.next_id()
        self._data.streams.open(req_id, symbol)
        self._data.care.asked(symbol, self._data.now())
        self.line.client.reqRealTimeBars(req_id, contract, STREAM_BAR_S, "TRADES", True, [])

    async def _wait_for_pace(self, symbol: str) -> None:
        """Streams are on the ledger of history too, but wait for it only once TWS has complained."""
        ledger, asked = self._data.ledger, asked_of(self._contracts.of(symbol), _BARS)
        now_s = asyncio.get_running_loop().time()
        at_s = ledger.allowed_at_s(asked, now_s) if ledger.is_strict else now_s
        ledger.take(asked, at_s)
        if at_s > now_s:
            log.info("broker.stream_paced", symbol=symbol, wait_s=round(at_s - now_s, 1))
            await asyncio.sleep(at_s - now_s)

    async def _subscribe_quotes(self) -> None:
        async with self._subscribing:
            for symbol in self._data.quotes.wanted(self._contracts.universe.symbols):
                await self._ask_quotes(symbol)

    async def _ask_quotes(self, symbol: str) -> None:
        await self.line.turn()
        req_id = self.line.next_id()
        if (old := self._data.quotes.open(req_id, symbol)) is not None:
            self.line.client.cancelMktData(old)
        # No generic ticks: the halted tick (49) comes with every line.
        self.line.client.reqMktData(req_id, self._contracts.of(symbol), "", False, False, [])

    async def _watch(self) -> None:
        """Ask again for what has fallen silent or was refused, as long as the session stands."""
        wait_s, loop = LOOK_EVERY_S, asyncio.get_running_loop()
        while True:
            looked_at, began_s = self._data.now(), loop.time()
            await asyncio.sleep(wait_s)
            passed_s, now = loop.time() - began_s, self._data.now()
            speed = max((now - looked_at).total_seconds() / passed_s, 1.0) if passed_s > 0 else 1.0
            wait_s = max(self._data.care.look_again_s(now) / speed, LOOK_EVERY_S)  # a simulated market may run fast
            if self.line.server_lost:
                continue
            for symbol in self._data.silent_streams():
                await self._ask_bars(symbol)
            for symbol in self._data.quotes.due(self._data.now()):
                await self._ask_quotes(symbol)

    async def _renew(self) -> None:
        """TWS has lost every stream; should it still know one, it is not to come twice."""
        client = self.line.client
        bars, quotes = self._data.streams.close_all(), self._data.quotes.close_all()
        cancels = [partial(client.cancelRealTimeBars, req_id) for req_id in bars]
        cancels += [partial(client.cancelMktData, req_id) for req_id in quotes]
        for cancel in cancels:
            await self.line.turn()
            cancel()
        await self.subscribe()

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        task = asyncio.get_running_loop().create_task(_until_lost(work), name=name)
        self._tasks[task] = None
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        """What nobody watches over any more is worth nothing: such a line is dropped, and comes back whole."""
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("broker.data_line_unattended", work=task.get_name(), exc_info=error)
            self.line.connection.abort()


async def _until_lost(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await work()
    except BrokerUnavailable as error:
        log.warning("broker.not_subscribed", reason=str(error))
