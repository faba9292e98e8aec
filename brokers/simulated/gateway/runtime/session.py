"""One trading session of the gateway: market, clock, account, order desk and the clients around them.

Everything a request handler needs. Market time never passes the start of the next step that is not played
yet, so that nobody can ask for, or trade on, what has not happened.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from brokers.simulated.gateway.accounts.accounts import Accounts
from brokers.simulated.gateway.accounts.ledger import Execution, Ledger, Record
from brokers.simulated.gateway.accounts.statements import push_account
from brokers.simulated.gateway.data.listing import Listed, Listings
from brokers.simulated.gateway.orders.desk import Desk
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.runtime.agenda import Agenda
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.clock import MarketClock
from brokers.simulated.market.source import MarketSource
from brokers.simulated.matching import Matcher

ACCOUNT_VALUES_EVERY_S = 180.0
NOTICE_CODE = 2199
"""Ours, in the range that clients take for warnings: tells that this is a simulation, and where its clock
stands."""


class Tape:
    """The last known prices, arrays in the order of the market's symbols; NaN until there is one."""

    def __init__(self, size: int) -> None:
        self.bid = np.full(size, math.nan)
        self.ask = np.full(size, math.nan)
        self.last = np.full(size, math.nan)
        self.last_size = np.zeros(size)
        self.volume = np.zeros(size)


class Session:
    """The state behind the socket; knows clients, not sockets."""

    def __init__(
        self,
        market: MarketSource,
        clock: MarketClock,
        account: str,
        cash: float,
        participation: float | None = 1.0,
    ) -> None:
        self.market = market
        self.clock = clock
        self.begins_at = clock.now()
        self.listings = Listings(
            Listed(
                index=index,
                con_id=market.con_id(symbol),
                symbol=symbol,
                long_name=market.long_name(symbol),
                exchange=market.exchange(symbol),
                min_tick=market.min_tick(symbol),
            )
            for index, symbol in enumerate(market.symbols)
        )
        self.accounts = Accounts([Ledger(account, cash)])
        self.agenda = Agenda(self.now)
        self.desk = Desk(self.ledger, self.listings, Matcher(participation=participation), self.tell)
        self.tape = Tape(len(market.symbols))
        self.clients: dict[int, Client] = {}
        self.next_step_at = -math.inf
        self.on_records: Callable[[Sequence[Record]], None] = lambda _: None
        self.on_bars_wanted: Callable[[], None] = lambda: None
        self._step_played = asyncio.Event()
        self._records_told = 0
        self._values_at = -math.inf

    @property
    def ledger(self) -> Ledger:
        """The default account's."""
        return self.accounts.default

    # ------------------------------------------------------------------ time

    def now(self) -> float:
        """Market time in epoch seconds."""
        return min(self.clock.now(), max(self.next_step_at, self.begins_at))

    def stepped_to(self, at: float) -> None:
        """The market has been played up to `at`."""
        self.next_step_at = at
        self._step_played.set()
        self._step_played = asyncio.Event()

    async def played_to(self, at: float) -> None:
        """Return once every step that ends by `at` has been played."""
        while self.next_step_at < at:
            await self._step_played.wait()

    @property
    def is_open(self) -> bool:
        return self.market.opens_at <= self.now() < self.market.closes_at

    def notice(self) -> Message:
        """The visible mark that this is a simulation, with the clock a client may follow."""
        at = datetime.fromtimestamp(self.now(), UTC).isoformat()
        return answers.error(answers.NO_REQUEST, NOTICE_CODE, f"SIMULATED gateway: clock={at} speed={self.clock.speed}")

    def hours(self) -> str:
        """The session's hours as contract details show them."""
        opens = answers.local_time(self.market.opens_at, "%Y%m%d:%H%M")
        return f"{opens}-{answers.local_time(self.market.closes_at, '%Y%m%d:%H%M')}"

    # ------------------------------------------------------------------ clients

    def tell(self, client_id: int, message: Message) -> None:
        """Send to a client if it is there; a client that is away asks when it comes back (TWS.md 3.29)."""
        client = self.clients.get(client_id)
        if client is not None:
            client.send(message)

    def tell_all(self, message: Message) -> None:
        for client in self.clients.values():
            client.send(message)

    def each_client(self) -> Iterator[Client]:
        """The clients as they are now; the registry may change while they are served."""
        return iter(tuple(self.clients.values()))

    def flush(self) -> None:
        for client in self.each_client():
            client.flush()

    # ------------------------------------------------------------------ consequences

    def settle(self) -> None:
        """After anything that may have changed the books: ledger file and account subscriptions."""
        fresh = self.ledger.records[self._records_told :]
        self._records_told = len(self.ledger.records)
        if fresh:
            self.on_records(fresh)
        changed = list(dict.fromkeys(record.con_id for record in fresh if isinstance(record, Execution)))
        if changed or self.now() >= self._values_at:
            self._values_at = self.now() + ACCOUNT_VALUES_EVERY_S
            for client in self.each_client():
                push_account(self, client, changed)
