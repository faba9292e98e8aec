"""Splits and distributions of the table in `[bars] actions`, told to the engine before the first row they change.

An action is due from midnight of its ex-date on, by the exchange's clock, and is told once: the book knows what it was
told, so a kill at any moment is no second time. One that becomes known when rows of its day have been taken already is
not told, for the memory of the indicators is of two scales then; a person is. What is held is the broker's to say
(daemon/engine/corporate_action.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from daemon.engine.book import Book
from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from daemon.runtime.notices import Notices
from shared.commands import Notify
from shared.config import Config
from shared.corporate_actions import CorporateAction, DueAction, due_action
from shared.errors import ConfigError, DataError
from shared.events import PricesRescaled
from shared.io.action_table import load_actions
from shared.sessions import zone_of

LOOK_EVERY_S = 60.0
_LATE_TOLD = timedelta(days=7)


class ActionKeeper:
    """Reads the table whenever it has changed; `book` is looked at, never written."""

    def __init__(
        self, config: Config, clock: MarketClock, inbox: Inbox, notices: Notices, book: Callable[[], Book]
    ) -> None:
        self._config = config
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._book = book
        self._columns = {symbol: column for column, symbol in enumerate(config.universe.symbols)}
        self._actions: list[CorporateAction] = []
        self._read_of: tuple[int, int] | None = None
        self._fault = ""
        self._told: set[tuple[str, date] | str] = set()

    def at_start(self) -> list[PricesRescaled]:
        """What happened since the last row of the journal.

        Raises:
            ConfigError: the table cannot be read.
        """
        self._take(actions_of(self._config))
        return list(self._due())

    async def run(self) -> None:
        """Look for what has become due, for ever."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Tell the engine what has become due; a table that cannot be read twice in a row is told to a person."""
        try:
            written = self._written()
            if written != self._read_of:
                self._take(actions_of(self._config))
                self._read_of = written
            self._fault = ""
        except ConfigError as error:
            if str(error) == self._fault:  # it may have been read while it was written
                self._tell(str(error), f"{error}; what was read before goes on to be used")
            self._fault = str(error)
        for event in self._due():
            self._inbox.put(event)

    def _written(self) -> tuple[int, int]:
        try:
            found = _path(self._config).stat()
        except OSError as error:
            raise ConfigError(f"bars.actions: {_path(self._config)}: cannot be read: {error.strerror}") from None
        return found.st_mtime_ns, found.st_size

    def _take(self, actions: tuple[CorporateAction, ...]) -> None:
        mine = [action for action in actions if action.symbol in self._columns]
        self._actions = sorted(mine, key=lambda action: (action.ex_date, action.symbol))

    def _due(self) -> Iterator[PricesRescaled]:
        now, book, zone = self._clock.now(), self._book(), zone_of(self._config.session.calendar)
        prices = {symbol: book.prices.price(column) or 0.0 for symbol, column in self._columns.items()}
        for action in self._actions:
            begins_at = datetime.combine(action.ex_date, time.min, tzinfo=zone)
            known = book.rescaled.get(action.symbol, date.min)
            is_news = book.first_row_came_at is not None and book.first_row_came_at < begins_at <= now
            if not is_news or action.ex_date <= known:
                continue
            due = due_action(action, action.coefficient, prices[action.symbol])
            if due.price_ratio == 1:
                continue
            if book.last_row_at is not None and book.last_row_at >= begins_at:
                self._tell_late(due, now - begins_at)
                continue
            prices[action.symbol] /= due.price_ratio
            yield PricesRescaled(
                received_at=now,
                symbol=due.symbol,
                ratio=due.price_ratio,
                ex_date=due.ex_date,
                changes_shares=due.ratio != 1,
            )

    def _tell_late(self, due: DueAction, age: timedelta) -> None:
        if age < _LATE_TOLD:
            text = (
                f"{due.symbol}: prices are 1/{due.price_ratio:g} since {due.ex_date}, which became known when bars of "
                "that day had been taken: its indicators hold prices of two scales until their windows have passed"
            )
            self._tell((due.symbol, due.ex_date), text)

    def _tell(self, key: tuple[str, date] | str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._notices.tell(Notify(level="critical", code="action_not_told", text=text))


def actions_of(config: Config) -> tuple[CorporateAction, ...]:
    """The rows of the table in `[bars] actions`.

    Raises:
        ConfigError: it cannot be read, with the line that says where and why.
    """
    try:
        return load_actions(_path(config))
    except DataError as error:
        raise ConfigError(f"bars.actions: {error}") from None


def _path(config: Config) -> Path:
    return config.base_dir / config.bars.actions
