"""Keeps the broker connected: back-off, one line per change of state, never a reason to exit.

Every time it comes up: the account is checked, ConnectionRestored is said, everything is asked, the rows
since the last one are fetched from history as warm-up, and the streams start. A daily row that the streams have not
seen whole is fetched once its session is over.

A gateway that has lost its own server (1100) keeps its socket: only on that socket will it say that the server is back
(1101, 1102), so it is waited for there. A new socket would reach a gateway that answers from memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

import structlog
from msgspec import Struct

from brokers.port import Broker, ClosedRow
from daemon.runtime.clock import MarketClock
from daemon.runtime.feed import DAY_S, Feed, Intervals
from daemon.runtime.guard import check_account
from daemon.runtime.inbox import Inbox
from daemon.runtime.notices import Notices
from daemon.runtime.quiet import last_weekly_login
from daemon.runtime.reports import Reporter
from daemon.runtime.session import SessionKeeper
from daemon.runtime.stored_start import StoredStart
from shared.commands import Notify
from shared.config import Config
from shared.errors import BrokerUnavailable, DataError
from shared.events import ConnectionLost, ConnectionRestored, Event
from shared.io.logging import hide

_log = structlog.get_logger("openbell")
BACK_OFF_S_FIRST = 1.0
BACK_OFF_S_MAX = 30.0
_HISTORY_ROUNDS_MAX = 3
ROW_ASKED_EVERY_S = 300.0
"""A daily row that the history does not have yet is asked for again."""
_LOGIN = (
    "the gateway cannot be reached since its weekly login ran out ({login_at:%Y-%m-%d %H:%M} UTC): log in there by "
    "hand; until then positions and orders are not known, resting stops stay at the broker ({reason})"
)


class ConnectionState(StrEnum):
    """Where the connection stands; orders can be sent while it is UP."""

    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"


class Probe(Struct):
    """The question for the broker's time: when it was last answered, how far the clocks are apart."""

    asked: int = 0
    answered_s: float | None = None
    clock_offset_s: float = 0.0


class Connection:
    """Supervises one broker; `begin` is awaited after each connect, before anything is asked.

    `account_id` is the account that the recovered book is of, empty if it is of none yet.
    """

    def __init__(  # noqa: PLR0913 - one name per part it looks after
        self,
        *,
        config: Config,
        broker: Broker,
        clock: MarketClock,
        inbox: Inbox,
        feed: Feed,
        reporter: Reporter,
        session: SessionKeeper,
        notices: Notices,
        stored_start: StoredStart | None = None,
        account_id: str = "",
    ) -> None:
        self._config = config
        self._broker = broker
        self._clock = clock
        self._inbox = inbox
        self._feed = feed
        self._reporter = reporter
        self._session = session
        self._notices = notices
        self._stored_start = stored_start
        self._last_up_at: datetime | None = None
        self.reconnects = 0
        self.is_streaming = False
        self._lost = asyncio.Event()
        self._hint = asyncio.Event()
        self._news = asyncio.Event()
        self._is_server_back = False
        self._unchecked: list[Event] | None = []
        """What a line has said before its account was known; None once that is ours."""
        self.state = ConnectionState.CONNECTING
        self.probe = Probe()
        self._account_id = account_id
        self._ask_row_from_s = 0.0

    @property
    def is_up(self) -> bool:
        return self.state is ConnectionState.UP

    async def run(self, begin: Callable[[], Awaitable[None]]) -> None:
        """Connect, watch, reconnect, for ever.

        Raises:
            ConfigError: the broker reports an account that must not be traded.
        """
        while True:
            await self._come_up(begin)
            await self._watch()
            await self._broker.disconnect()

    def on_event(self, event: Event) -> None:
        """An event of the broker: changes of the connection are judged here, all others go to the inbox."""
        match event:
            case ConnectionLost(reason=reason):
                self._lose(reason, keep_line=self._broker.is_connected)
            case ConnectionRestored():
                self._lose("TWS has its server again, its loss was not told", keep_line=self._broker.is_connected)
                self._is_server_back = True
                self._hint.set()
                self._news.set()
            case _ if self._unchecked is None:
                self._inbox.put(event)
            case _:
                self._unchecked.append(event)

    async def _come_up(self, begin: Callable[[], Awaitable[None]]) -> None:
        delay_s, said = BACK_OFF_S_FIRST, ""
        while True:
            try:
                return await self._attempt(begin)
            except BrokerUnavailable as error:
                self._lose(str(error))
                said = self._say_unreachable(str(error), said)
            await self._broker.disconnect()
            await _within(self._hint, delay_s)
            self._hint.clear()
            delay_s = min(delay_s * 2, BACK_OFF_S_MAX)

    def _say_unreachable(self, reason: str, said: str) -> str:
        """Say once why nobody is reached: as expected, for want of the weekly login, or for a reason to look at."""
        now, quiet = self._clock.now(), self._session.quiet_now()
        login_at = last_weekly_login(now)
        if self._last_up_at is not None and self._last_up_at < login_at and quiet is None:
            notice = Notify(level="critical", code="login_needed", text=_LOGIN.format(login_at=login_at, reason=reason))
        elif quiet is not None:
            text = f"broker not reachable as expected until {quiet.ends_at:%H:%M} UTC ({quiet.reason}): {reason}"
            notice = Notify(level="info", code="broker_quiet", text=text)
        else:
            text = f"broker not reachable, trying for ever: {reason}"
            notice = Notify(level="warning", code="broker_unreachable", text=text)
        if notice.code != said:
            self._notices.tell(notice)
        return notice.code

    async def _attempt(self, begin: Callable[[], Awaitable[None]]) -> None:
        self._lost.clear()
        self._is_server_back, self._unchecked = False, []
        account_id = await self._broker.connect()
        hide(account_id)
        check_account(self._config, account_id, self._account_id)
        self._believe()
        await begin()
        _log.info("connected", account=account_id, market_at=self._clock.now().isoformat())
        await self._synchronise(account_id)

    def _believe(self) -> None:
        """The line is of our account: what it has said so far was meant for us as well."""
        unchecked, self._unchecked = self._unchecked or [], None
        for event in unchecked:
            self._inbox.put(event)

    async def _synchronise(self, account_id: str) -> None:
        """Everything is asked and compared, the missed rows fetched, the streams started, in this order."""
        self.state, self._account_id = ConnectionState.UP, account_id
        self.reconnects += self._last_up_at is not None
        self._last_up_at = self._clock.now()
        self._inbox.put(ConnectionRestored(received_at=self._clock.now(), account_id=account_id))
        self._reporter.is_open = True  # what is doubted while the history is fetched is asked at once
        await self._reporter.report()
        await self._fill_from_history()
        self._feed.begin()
        await self._broker.subscribe()
        self.is_streaming = True

    async def _fill_from_history(self) -> None:
        """Rows nobody fed: before the first, or while we were away. Fetching takes time, so look again."""
        for _ in range(_HISTORY_ROUNDS_MAX):
            bars = self._rows_missing()
            if bars == 0:
                return
            try:
                rows = await self._broker.warm_up(
                    interval_s=self._config.bars.interval_s, bars=bars, before=self._feed.history_until
                )
            except (BrokerUnavailable, DataError) as error:
                # Positions and protection do not depend on it; indicators stay cold, or keep a gap.
                _log.warning("history_unavailable", reason=str(error))
                return
            if self._put_history(rows) == 0:
                return

    async def _ask_for_the_days_row(self) -> None:
        """A session's row that no stream has brought: the history has it once the session is over."""
        now_s = asyncio.get_running_loop().time()
        if self.is_up and self._feed.lacks_a_row and now_s >= self._ask_row_from_s:
            self._ask_row_from_s = now_s + ROW_ASKED_EVERY_S
            await self._fill_from_history()

    def _put_history(self, rows: list[ClosedRow]) -> int:
        """Feed what is news; what is stored of the strategies' memory comes behind the row that it ends with."""
        warmed = None if self._stored_start is None else self._stored_start.taken(rows, self._clock.now())
        if warmed is None:
            return self._feed.put_history(rows)
        remembered = [row for row in rows if row.closed_at <= warmed.closed_at]
        older = self._feed.put_history(remembered, is_remembered=True)
        self._inbox.put(warmed)
        return older + self._feed.put_history(rows)

    def _rows_missing(self) -> int:
        interval_s, warm_up = self._config.bars.interval_s, self._config.bars.warm_up
        last, now = self._feed.last_row_at, self._feed.history_until
        wanted = 0 if self._stored_start is None else self._stored_start.rows_wanted(now, last)
        intervals = Intervals(self._config.session.calendar, interval_s)
        missing = warm_up if last is None else intervals.rows_between(last, now)
        return max(0, min(max(missing, wanted), max(warm_up, DAY_S // interval_s)))

    async def _watch(self) -> None:
        """Return once the line is lost; what the gateway alone has lost is waited for."""
        while not self._lost.is_set():
            await _within(self._news, self._config.runtime.heartbeat_every_s)
            self._news.clear()
            if self._lost.is_set():
                return
            if self._is_server_back and not self.is_up:
                await self._resume()
            else:
                await self._ask_time()
                await self._ask_for_the_days_row()

    async def _resume(self) -> None:
        self._is_server_back = False
        _log.info("server_back", market_at=self._clock.now().isoformat())
        try:
            await self._synchronise(self._account_id)
        except BrokerUnavailable as error:
            self._lose(str(error))

    async def _ask_time(self) -> None:
        timeout_s = self._config.broker.request_timeout_s
        self.probe.asked += 1
        try:
            async with asyncio.timeout(timeout_s):
                broker_at = await self._broker.server_time()
        except (BrokerUnavailable, TimeoutError) as error:
            self._lose(f"no answer to the question for the time within {timeout_s:g} s ({error})")
            return
        self.probe.answered_s = asyncio.get_running_loop().time()
        self.probe.clock_offset_s = (self._clock.now() - broker_at).total_seconds()
        self._reporter.clock_ahead_s = 0.0 if self._clock.is_following else self.probe.clock_offset_s
        self._clock.observe(broker_at)

    def _lose(self, reason: str, *, keep_line: bool = False) -> None:
        """Note the loss once; attempts to come up again that fail are no further losses."""
        self._is_server_back = False
        if not keep_line:
            self._lost.set()
            self._news.set()
        if not self.is_up:
            return
        self.state = ConnectionState.DOWN
        self._last_up_at = self._clock.now()
        self._reporter.is_open = self.is_streaming = False
        self._inbox.put(ConnectionLost(received_at=self._clock.now(), reason=reason))


async def _within(happened: asyncio.Event, seconds: float) -> bool:
    """Wait for the event at most so long; whether it has happened."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for of Python 3.11 loses a cancel that comes with the event
            await happened.wait()
    return happened.is_set()
