"""The live broker: brokers/port.py's `Broker` on TWS or IB Gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from brokers.ib.contracts import Contracts
from brokers.ib.fill_news import FillNews
from brokers.ib.history import bar_size_of, duration_of, rows_of
from brokers.ib.orders import Placed, Refused, plan_of
from brokers.ib.questions import HistoryQuestion, Questions
from brokers.ib.session import Address, Session
from brokers.ib.streams import StreamCounts
from brokers.port import BrokerListener, Clock, ClosedRow
from shared.commands import OrderCommand
from shared.errors import BrokerUnavailable, DataError
from shared.events import BrokerReported, OrderUnknown
from shared.market import Universe
from shared.sessions import session_of

_T = TypeVar("_T")


class IbBroker:
    """One client id at one TWS or gateway; connects again as often as it is told to.

    `account` chooses among several accounts of a login; whether the one reported is the configured one is for
    the caller to judge. `calendar` gives daily bars their closing time. `clock` is market time: it stamps
    events and questions; every waiting here is on the event loop's own clock.
    """

    def __init__(  # noqa: PLR0913 - one name per thing that is configured
        self,
        *,
        host: str,
        port: int,
        client_id: int,
        universe: Universe,
        connect_timeout_s: float,
        request_timeout_s: float,
        listener: BrokerListener,
        clock: Clock,
        account: str = "",
        calendar: str = "XNYS",
    ) -> None:
        self._address = Address(host=host, port=port, client_id=client_id)
        self._universe = universe
        self._connect_timeout_s = connect_timeout_s
        self._request_timeout_s = request_timeout_s
        self._listener = listener
        self._clock = clock
        self._wanted_account = account
        self._calendar = calendar
        self._contracts = Contracts(universe)
        self._fills = FillNews(listener.on_event, clock)
        self._session: Session | None = None
        self._questions: Questions | None = None
        self._reporting = asyncio.Lock()
        self.stream_counts = StreamCounts()

    @property
    def is_connected(self) -> bool:
        """Whether the socket is up; TWS itself may still have lost its server."""
        return self._session is not None and self._session.is_connected

    async def connect(self) -> str:
        """Connect, qualify every instrument, learn our open orders; the account id the broker reports.

        Raises:
            BrokerUnavailable: nobody answers, not completely, the client id is in use, or TWS has lost its
                server.
            ConfigError: an instrument is unknown or ambiguous, its tick is wrong, or an account must be
                named.
        """
        await self.disconnect()
        session = Session(
            address=self._address,
            contracts=self._contracts,
            fills=self._fills,
            listener=self._listener,
            clock=self._clock,
            counts=self.stream_counts,
        )
        try:
            await session.open(self._connect_timeout_s, self._wanted_account)
            questions = Questions(session, self._request_timeout_s)
            await self._qualify(questions)
            await questions.own_open_orders()
            session.never_below(session.register.highest_order_id())
            account_id = session.go_live()
        except BaseException:
            await session.close()
            raise
        self._session, self._questions = session, questions
        return account_id

    async def disconnect(self) -> None:
        """Leave; harmless when not connected, and never told as a loss."""
        session, self._session, self._questions = self._session, None, None
        if session is not None:
            await session.close()

    async def warm_up(self, *, interval_s: int, bars: int, before: datetime) -> list[ClosedRow]:
        """The last `bars` closed rows of regular trading, oldest first, NaN where an instrument has no bar.

        Raises:
            BrokerUnavailable: a history was refused, did not come or cannot be read; "no data" is no bars.
            ConfigError: no bars of `interval_s` exist.
        """
        questions = self._asking()
        question = HistoryQuestion(
            bar_size_s=bar_size_of(interval_s), duration=duration_of(interval_s, bars), before=before
        )
        answers = await _all(
            [questions.history(self._contracts.of(symbol), question) for symbol in self._universe.symbols]
        )
        try:
            return rows_of(answers, interval_s=interval_s, bars=bars, before=before, closes_at=self._closes_at)
        except DataError as error:
            raise BrokerUnavailable(str(error)) from error

    async def subscribe(self) -> None:
        """Start the 5-second bars of every instrument (again, if they run already)."""
        await self._live().subscribe()

    async def execute(self, command: OrderCommand) -> None:
        """Send at once, never behind questions; what must not be sent comes back as OrderUnknown.

        Raises:
            BrokerUnavailable: not connected, or TWS has lost its server. Whether a part has left is then
                unknown.
        """
        session = self._live()
        plan = plan_of(command, session.register, session.next_id)
        if isinstance(plan, Refused):
            for ref in plan.refs:
                unknown = OrderUnknown(received_at=self._clock(), ref=ref, reason=plan.reason)
                self._listener.on_event(unknown)
        elif isinstance(plan, int):
            session.cancel(plan)
        else:
            self._place(session, plan)

    async def report(self) -> BrokerReported:
        """Ask for everything; what did not come completely is named in `unanswered`.

        Executions told here and not before also arrive as events, ahead of the report's return.

        Raises:
            BrokerUnavailable: not connected, or TWS has lost its server and would answer from memory.
        """
        async with self._reporting:
            questions = self._asking()
            return await questions.report(self._clock)

    async def server_time(self) -> datetime:
        """The broker's clock. Silence is a lost connection: it is told as such and the socket is dropped."""
        session, questions = self._session, self._questions
        if session is None or questions is None or not session.is_connected:
            raise BrokerUnavailable("not connected to the broker")
        try:
            return datetime.fromtimestamp(await questions.time(), UTC)
        except BrokerUnavailable as error:
            session.lose(f"the broker does not answer ({error})")
            raise

    # ------------------------------------------------------------------ leaves

    def _live(self) -> Session:
        if self._session is None:
            raise BrokerUnavailable("not connected to the broker")
        self._session.check()
        return self._session

    def _asking(self) -> Questions:
        self._live()
        if self._questions is None:
            raise BrokerUnavailable("not connected to the broker")
        return self._questions

    async def _qualify(self, questions: Questions) -> None:
        instruments = self._universe.instruments
        answers = await _all(
            [questions.contract_details(self._contracts.question(instrument)) for instrument in instruments]
        )
        for instrument, details in zip(instruments, answers, strict=True):
            if not details and self._contracts.knows(instrument.symbol):
                # During its nightly reset TWS denies what it knew (TWS.md 3.39).
                raise BrokerUnavailable(f"contract details of {instrument.symbol}: denied, though known before")
            self._contracts.accept(instrument, details)

    def _place(self, session: Session, placed: list[Placed]) -> None:
        for one in placed:
            session.place(one, self._contracts.of(one.order.symbol))

    def _closes_at(self, session: date) -> datetime | None:
        hours = session_of(self._calendar, session)
        return None if hours is None else hours.closes_at


async def _all(questions: list[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Every answer, in order; the first error after all have ended, so that none goes on unwatched."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
