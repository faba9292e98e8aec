"""History for the store: any kind of past bars over a client id of its own, for as long as whoever asks wants them.

Nothing is streamed and nothing is ordered. The pace of history is kept by whoever asks (history_pacing.py), because
it has to outlive this line and even this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import structlog
from ib_insync import BarData, Contract
from msgspec import Struct

from brokers.ib import codes
from brokers.ib.codes import NO_HISTORY, CodeTable
from brokers.ib.connection import Address, Connection, Pacing
from brokers.ib.contracts import Contracts
from brokers.ib.data_questions import OPEN_MAX, PACING_VIOLATION
from brokers.ib.data_wrapper import DataWrapper
from brokers.ib.history import BAR_SIZES, instant_text
from brokers.ib.line import Line
from brokers.ib.requests import RequestRefused, Requests
from brokers.ib.translate import simulated_clock
from shared.errors import BrokerUnavailable, DataError
from shared.market import Instrument, Universe

log = structlog.get_logger("brokers.ib")

REQUESTS_PER_S = 40.0
NO_CONTRACT = 200
What = Literal["TRADES", "BID", "ASK", "MIDPOINT"]
OnClock = Callable[[datetime, float], None]
"""Hears market time and speed of a simulated gateway."""


class TooFast(BrokerUnavailable):
    """TWS speaks of a pacing violation."""


class NoHistory(DataError):  # noqa: N818 - the field says what is the case
    """TWS says that it has no data for this; said once it may be wrong (TWS.md 4.45)."""


class PastQuestion(Struct, frozen=True, kw_only=True):
    """Which bars: `bar_size_s` is a key of history.BAR_SIZES, `duration` in TWS's words, `before` an instant."""

    bar_size_s: int
    duration: str
    before: datetime
    what: What = "TRADES"
    regular_hours: bool = True


class PastBar(Struct, frozen=True):
    """A bar as it came: `date` is yyyymmdd for a daily bar, else epoch seconds of its start; volume -1: none told."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: float


class PastBars:
    """One connection for history, from handshake to loss; made anew after a loss."""

    def __init__(self, address: Address, code_table: CodeTable, *, answer_within_s: float, on_clock: OnClock) -> None:
        requests = Requests()
        wrapper = DataWrapper(requests=requests, hooks=self, codes=code_table, data=_NoStreams())
        self._line = Line(Connection(wrapper, address), requests, Pacing(REQUESTS_PER_S))
        self._answer_within_s = answer_within_s
        self._on_clock = on_clock
        self._slots = asyncio.Semaphore(OPEN_MAX)

    @property
    def stands(self) -> bool:
        """Whether questions can be asked."""
        return self._line.is_connected

    async def open(self, timeout_s: float) -> None:
        """Shake hands. Raises BrokerUnavailable."""
        await self._line.connection.open(timeout_s)

    async def close(self) -> None:
        self._line.end("we have left")
        await self._line.connection.close()

    async def contract(self, instrument: Instrument) -> Contract:
        """The one contract that the instrument is.

        Raises:
            DataError: TWS knows none or several.
            BrokerUnavailable: it did not say.
        """
        self._line.check()
        question = Contracts(Universe((instrument,))).question(instrument)
        name = f"contract details of {instrument.symbol}"
        client = self._line.client
        try:
            details = await self._line.ask_by_id(
                name, lambda req_id: client.reqContractDetails(req_id, question), self._answer_within_s
            )
        except RequestRefused as refused:
            if refused.code != NO_CONTRACT:
                raise BrokerUnavailable(f"{name}: {refused}") from None
            details = []
        con_ids = {detail.contract.conId: detail.contract.primaryExchange for detail in details if detail.contract}
        if len(con_ids) != 1:
            several = ", ".join(f"{exchange} ({con_id})" for con_id, exchange in con_ids.items())
            what = f"fits several contracts: {several}" if con_ids else "is unknown to TWS"
            raise DataError(f"{instrument.symbol} ({instrument.currency}) {what}, allowed: exactly one contract")
        question.conId = next(iter(con_ids))
        return question

    async def bars(self, contract: Contract, question: PastQuestion) -> list[PastBar]:
        """The answer as it came.

        Raises:
            NoHistory: TWS says that there is none.
            TooFast: it says that it was asked too fast.
            BrokerUnavailable: no complete answer, or any other refusal.
        """
        self._line.check()
        name = f"history of {contract.symbol}"
        asked: list[int] = []

        def send(req_id: int) -> None:
            asked.append(req_id)
            self._line.client.reqHistoricalData(
                req_id, contract, instant_text(question.before), question.duration, BAR_SIZES[question.bar_size_s],
                question.what, question.regular_hours, 2, False, [],
            )  # fmt: skip

        async with self._slots:
            try:
                return [_as_told(raw) for raw in await self._line.ask_by_id(name, send, self._answer_within_s)]
            except RequestRefused as refused:
                raise _as_error(name, refused) from None
            except BrokerUnavailable:
                if asked and self.stands:  # TWS counts an unanswered question as open
                    self._line.client.cancelHistoricalData(asked[0])
                raise

    # ------------------------------------------------------------------ Hooks

    def on_session_code(self, code: int, text: str) -> None:
        """Only whether TWS can be believed matters here, and whose clock it follows."""
        told = simulated_clock(text)
        if told is not None:
            self._on_clock(*told)
        elif not self._line.connection.is_ready:
            self._line.connection.note_code(code, text)
        if code in codes.SERVER_LOST:
            self._line.server_lost = f"TWS has lost its server ({code} {text})"
        elif code in codes.SERVER_BACK:
            self._line.server_lost = ""

    def on_doubt(self, reason: str) -> None:
        """A message could not be read; the question it belonged to is answered as unreadable."""
        log.warning("broker.data_lost", reason=reason)

    def on_closed(self, reason: str) -> None:
        self._line.end(self._line.connection.last_error or reason)


class _NoStreams:
    """Nothing was subscribed to."""

    def on_bar(self, req_id: int, starts_at_s: int, bar: BarData) -> None: ...

    def on_price(self, req_id: int, tick_type: int, price: float) -> None: ...

    def on_figure(self, req_id: int, tick_type: int, value: float) -> None: ...

    def on_data_type(self, req_id: int, data_type: int) -> None: ...

    def on_stream_error(self, req_id: int, code: int, text: str) -> bool:  # noqa: ARG002 - the protocol's
        return False


def _as_told(raw: BarData) -> PastBar:
    return PastBar(str(raw.date), float(raw.open), float(raw.high), float(raw.low), float(raw.close), float(raw.volume))


def _as_error(name: str, refused: RequestRefused) -> Exception:
    if PACING_VIOLATION in refused.text:
        return TooFast(f"{name}: {refused}")
    if refused.code == NO_HISTORY and "no data" in refused.text:
        return NoHistory(f"{name}: {refused}")
    return BrokerUnavailable(f"{name}: {refused}")
