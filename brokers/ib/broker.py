"""The live broker: brokers/port.py's `Broker` on TWS or IB Gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from brokers.ib.codes import code_table
from brokers.ib.connection import Address
from brokers.ib.contracts import Contracts
from brokers.ib.data_link import DataLink
from brokers.ib.data_questions import HistoryQuestion
from brokers.ib.data_session import DataSession
from brokers.ib.fill_news import FillNews
from brokers.ib.history import bar_size_of, duration_of, rows_of
from brokers.ib.market_data import MarketData
from brokers.ib.order_ids import OrderIds
from brokers.ib.orders import Cancel, Refused, plan_of
from brokers.ib.qualification import Qualification
from brokers.ib.questions import Questions
from brokers.ib.session import Session
from brokers.ib.streams import StreamCounts
from brokers.port import BrokerListener, Clock, ClosedRow
from shared.commands import OrderCommand, PlaceBracket
from shared.errors import BrokerUnavailable, ConfigError, DataError
from shared.events import BrokerReported, OrderUnknown
from shared.market import Universe
from shared.sessions import session_at_or_after, session_of

_T = TypeVar("_T")


class IbBroker:
    """Two client ids at one TWS or gateway, one for orders and one for data; connects again as often as it is told to.

    `account` chooses among several accounts of a login; whether the one reported is the configured one is for
    the caller to judge. `calendar` gives daily bars their closing time and streams their hours. `clock` is market
    time: it stamps events and questions and ages streams; every waiting here is on the event loop's own clock.
    `quotes` are asked for beside the bars. `codes_file` overrides codes.toml.

    Raises:
        ConfigError: both client ids are the same, or the codes file is wrong.
    """

    def __init__(  # noqa: PLR0913 - one name per thing that is configured
        self,
        *,
        host: str,
        port: int,
        client_id: int,
        data_client_id: int,
        universe: Universe,
        connect_timeout_s: float,
        request_timeout_s: float,
        listener: BrokerListener,
        clock: Clock,
        account: str = "",
        calendar: str = "XNYS",
        quotes: bool = True,
        codes_file: str = "",
    ) -> None:
        if data_client_id == client_id:
            raise ConfigError(f"broker.data_client_id: {data_client_id} is that of the orders, allowed is another one")
        self._address = Address(host=host, port=port, client_id=client_id)
        self._data_address = Address(host=host, port=port, client_id=data_client_id)
        self._universe = universe
        self._connect_timeout_s = connect_timeout_s
        self._request_timeout_s = request_timeout_s
        self._listener = listener
        self._clock = clock
        self._wanted_account = account
        self._calendar = calendar
        self._with_quotes = quotes
        self._codes = code_table(codes_file)
        self._contracts = Contracts(universe)
        self._qualification = Qualification(self._contracts)
        self._fills = FillNews(listener.on_event, clock)
        self._order_ids = OrderIds(client_id)
        self._session: Session | None = None
        self._questions: Questions | None = None
        self._reporting = asyncio.Lock()
        self.stream_counts = StreamCounts()
        data = MarketData(
            universe=universe,
            listener=listener,
            clock=clock,
            codes=self._codes,
            open_since=self._open_since,
            counts=self.stream_counts,
        )
        self._data = DataLink(partial(self._data_session, data), data, connect_timeout_s)

    @property
    def is_connected(self) -> bool:
        """Whether the socket for orders is up; TWS itself may still have lost its server."""
        return self._session is not None and self._session.is_connected

    async def connect(self) -> str:
        """Connect both lines, qualify every instrument, learn our open orders; the account id the broker reports.

        Once every instrument is known, neither its qualification nor the line for data is waited for again.

        Raises:
            BrokerUnavailable: nobody answers, not completely, a client id is in use, or TWS has lost its
                server.
            ConfigError: an instrument is unknown or ambiguous, its tick is wrong, or an account must be
                named.
        """
        await self.disconnect()
        session = Session(
            address=self._address,
            contracts=self._contracts,
            fills=self._fills,
            ids=self._order_ids,
            listener=self._listener,
            clock=self._clock,
            codes=self._codes,
        )
        try:
            await session.open(self._connect_timeout_s, self._wanted_account)
            await self._open_data()
            questions = Questions(session, self._request_timeout_s, self._universe.instruments[0].currency)
            await questions.own_open_orders()
            session.never_below(self._order_ids.highest)
            account_id = session.go_live()
        except BaseException:
            await session.close()
            await self._data.close()
            raise
        self._session, self._questions = session, questions
        return account_id

    async def disconnect(self) -> None:
        """Leave; harmless when not connected, and never told as a loss."""
        session, self._session, self._questions = self._session, None, None
        try:
            await self._data.close()
        finally:  # whoever ends us while we leave the one line leaves the other, too
            if session is not None:
                await session.close()

    async def warm_up(self, *, interval_s: int, bars: int, before: datetime) -> list[ClosedRow]:
        """The last `bars` closed rows of regular trading, oldest first, NaN where an instrument has no bar.

        Raises:
            BrokerUnavailable: a history was refused, did not come, cannot be read, or its pace would keep us
                waiting for minutes; "no data" is no bars.
            ConfigError: no bars of `interval_s` exist.
        """
        self._live()
        questions = self._data.session().questions
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
        """Start the 5-second bars of every instrument whose stream does not run, and the quotes.

        While the line for data is lost they start as soon as it is back.
        """
        self._live()
        await self._data.subscribe()

    async def execute(self, command: OrderCommand) -> None:
        """Send at once, never behind questions or entries; what must not be sent comes back as OrderUnknown.

        Entries leave in their turn (lanes.py); one that cannot leave any more comes back as OrderUnknown.

        Raises:
            BrokerUnavailable: not connected, or TWS has lost its server. Whether a part has left is then
                unknown.
        """
        session = self._live()
        plan = plan_of(command, session.register, session.next_order_id)
        if isinstance(plan, Refused):
            for ref in plan.refs:
                unknown = OrderUnknown(received_at=self._clock(), ref=ref, reason=plan.reason)
                self._listener.on_event(unknown)
        elif isinstance(plan, Cancel):
            session.cancel(plan.ref, plan.order_id)
        elif isinstance(command, PlaceBracket):
            session.enter(plan)
        else:
            for placed in plan:
                session.place(placed)

    def global_cancel(self) -> None:
        """Ask for the cancel of every order of the login, of other clients and those made by hand too.

        Raises:
            BrokerUnavailable: not connected, or TWS has lost its server.
        """
        self._live().line.client.reqGlobalCancel()

    async def report(self) -> BrokerReported:
        """Ask for everything; what did not come completely is named in `unanswered`.

        Executions told here and not before also arrive as events, ahead of the report's return. Entries that still wait
        for room are among the open orders, without a permId: they are not lost.

        Raises:
            BrokerUnavailable: not connected, or TWS has lost its server and would answer from memory.
        """
        async with self._reporting:
            session, questions = self._live(), self._asking()
            waiting = session.waiting_orders()
            answer = await questions.report(self._clock)
            told = {line.ref for line in answer.open_orders}
            on_their_way = {line.ref: line for line in (*waiting, *session.waiting_orders()) if line.ref not in told}
            return replace(answer, open_orders=(*answer.open_orders, *on_their_way.values()))

    async def server_time(self) -> datetime:
        """The broker's clock. Silence is a lost connection: it is told as such and the socket is dropped.

        The one proof that a socket is not half open (TWS.md 4.7: a frozen gateway takes orders and answers nothing), so
        it has to be asked every few seconds. What left into such a socket stays unknown until the next report.
        """
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
        self._session.line.check()
        return self._session

    def _asking(self) -> Questions:
        self._live()
        if self._questions is None:
            raise BrokerUnavailable("not connected to the broker")
        return self._questions

    def _data_session(self, data: MarketData, on_lost: Callable[[str], None]) -> DataSession:
        return DataSession(
            address=self._data_address,
            data=data,
            contracts=self._contracts,
            codes=self._codes,
            request_timeout_s=self._request_timeout_s,
            with_quotes=self._with_quotes,
            on_lost=on_lost,
            qualification=self._qualification,
        )

    async def _open_data(self) -> None:
        """Connect the line for data and ask what we must know before we trade; a known universe needs neither."""
        try:
            await self._data.open()
            await self._qualification.ask_unknown(self._data.session().questions)
        except BrokerUnavailable:
            if not self._qualification.knows_all:
                raise
            self._data.heal()

    def _open_since(self, now: datetime) -> datetime | None:
        hours = session_at_or_after(self._calendar, now)
        return hours.opens_at if hours.opens_at <= now else None

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
