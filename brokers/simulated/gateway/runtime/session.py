"""One login of the gateway: market, clock, accounts, order desk and the clients around them.

Everything a request handler needs. Market time never passes the start of the next step that is not played
yet, so that nobody can ask for, or trade on, what has not happened.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brokers.simulated.gateway.accounts.accounts import Accounts
from brokers.simulated.gateway.accounts.ledger import Ledger
from brokers.simulated.gateway.accounts.records import (
    DividendPaid,
    Execution,
    ExecutionCorrected,
    Record,
    SplitApplied,
)
from brokers.simulated.gateway.accounts.statements import push_account
from brokers.simulated.gateway.data.feed import Feed
from brokers.simulated.gateway.data.listing import Listed, Listings
from brokers.simulated.gateway.data.tape import Tape
from brokers.simulated.gateway.orders.desk import Desk
from brokers.simulated.gateway.orders.venue import Venue
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.runtime.agenda import Agenda
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.clock import MarketClock
from brokers.simulated.gateway.runtime.settings import Settings
from brokers.simulated.gateway.runtime.standing_quotes import AttentiveMatcher
from brokers.simulated.market.source import MarketSource

if TYPE_CHECKING:
    from brokers.simulated.gateway.protocol.request_shapes import Request

ACCOUNT_VALUES_EVERY_S = 180.0
NOTICE_CODE = 2199
"""Ours, in the range that clients take for warnings: tells that this is a simulation, and where its clock
stands."""
FARMS = {"usfarm": 2104, "ushmds": 2106, "secdefil": 2158}
"""The data farms a client hears of when it connects, with the code that says they are well."""
TOLD_TO_MASTER = frozenset(("openOrder", "orderStatus", "execDetails", "commissionReport"))
PRE_MARKET_S, POST_MARKET_S = 5.5 * 3600, 4 * 3600
"""Trading outside regular hours begins at 04:00 and ends at 20:00, after a half day at 17:00."""


class Session:
    """The state behind the socket; knows clients, not sockets."""

    def __init__(
        self,
        market: MarketSource,
        clock: MarketClock,
        settings: Settings | None = None,
        ledgers: Sequence[Ledger] = (),
    ) -> None:
        """`ledgers` are those of a run before; without them the accounts are new."""
        self.settings = settings = settings or Settings()
        self.market = market
        self.clock = clock
        self.begins_at = clock.now()
        self.next_step_at = -math.inf
        self.listings = _listings_of(market)
        self.tape = Tape(len(market.symbols))
        self.accounts = Accounts(ledgers or [Ledger(name, settings.cash) for name in settings.accounts])
        self.agenda = Agenda(self.instant)
        self.agenda.on_earlier = clock.wake
        matcher = AttentiveMatcher(self.show_market, participation=settings.participation)
        self.desk = Desk(self.accounts, self.listings, matcher, self.tell, Venue(self.instant, self.tape, self.agenda))
        self.desk.settings = replace(
            self.desk.settings, commission_model=settings.commission_model, read_only=settings.read_only
        )
        self.desk.open_session(market.opens_at, market.closes_at)
        self.feed = Feed(self)
        self.clients: dict[int, Client] = {}
        self.master_client_id = settings.master_client_id
        self.pacing = settings.pacing
        self.messages_per_s = settings.messages_per_s
        self.is_connected = True
        """Whether this TWS reaches IB's servers: not between 1100 and 1101 or 1102."""
        self.farms = dict(FARMS)
        self.clock_skew_s = 0.0
        self.changes = 0
        """Counts what a restart must not forget."""
        self.answering: Client | None = None
        self.on_request: Callable[[Client, Request], bool] | None = None
        """Asked before a handler; True swallows the request."""
        self.on_failure: Callable[[Exception], None] = lambda _: None
        """Hears of each exception that is the gateway's own mistake, beside the log and what a client is told (322)."""
        self.on_records: Callable[[Sequence[Record]], None] = lambda _: None
        self.on_bars_wanted: Callable[[], None] = lambda: None
        self._shown: set[int] = set()
        self._step_played = asyncio.Event()
        self._records_told = {ledger: len(ledger.records) for ledger in self.accounts}
        self._values_at = -math.inf
        self._untold: dict[Ledger, dict[int, None]] = {}
        """Positions that have moved since the accounts were last told, by account."""

    @property
    def ledger(self) -> Ledger:
        """The default account's."""
        return self.accounts.default

    # ------------------------------------------------------------------ time

    def now(self) -> float:
        """Market time as clients may know it, in epoch seconds."""
        return min(self.clock.now(), max(self.next_step_at, self.begins_at))

    def instant(self) -> float:
        """Market time inside the step that is under way; delays count from here."""
        return min(self.clock.now(), max(self.next_step_at + self.market.step_s, self.begins_at))

    def server_time(self) -> float:
        """What reqCurrentTime says: the time inside the step under way, unless a fault has put TWS's clock wrong."""
        return self.instant() + self.clock_skew_s

    def stepped_to(self, at: float) -> None:
        """The market has been played up to `at`."""
        self.next_step_at = at
        self.stirred()

    def stirred(self) -> None:
        """Let those look who wait for something to have been played."""
        self._step_played.set()
        self._step_played = asyncio.Event()

    async def stirs(self) -> None:
        """Return when something has been played."""
        await self._step_played.wait()

    async def played_to(self, at: float) -> None:
        """Return once every step that ends by `at` has been played, and all that was due by then has happened."""
        while self.next_step_at < at or (self.agenda.next_at() or math.inf) <= min(at, self.clock.now()):
            await self.stirs()

    @property
    def is_open(self) -> bool:
        return self.phase == "regular"

    @property
    def phase(self) -> str:
        """`closed`, `pre`, `regular` or `post`."""
        now, market = self.now(), self.market
        if market.opens_at <= now < market.closes_at:
            return "regular"
        if market.opens_at - PRE_MARKET_S <= now < market.opens_at:
            return "pre"
        return "post" if market.closes_at <= now < market.closes_at + POST_MARKET_S else "closed"

    def begin_day(self, market: MarketSource, at: float) -> None:
        """Go over to the next trading day, whose steps have not begun."""
        assert market.symbols == self.market.symbols, "sessions of one market have the same instruments"
        self.market = market
        self.begins_at = self.next_step_at = at
        self.tape.volume[:] = 0.0
        self.desk.open_session(market.opens_at, market.closes_at)
        self.feed.begin_day()
        answers.forget_repeated()

    def notice(self) -> Message:
        """The visible mark that this is a simulation, with the clock a client may follow."""
        at = datetime.fromtimestamp(self.now(), UTC).isoformat()
        return answers.error(answers.NO_REQUEST, NOTICE_CODE, f"SIMULATED gateway: clock={at} speed={self.clock.speed}")

    def hours(self) -> str:
        """The session's hours as contract details show them."""
        opens = answers.local_time(self.market.opens_at, "%Y%m%d:%H%M")
        return f"{opens}-{answers.local_time(self.market.closes_at, '%Y%m%d:%H%M')}"

    # ------------------------------------------------------------------ market

    def quotes_stand(self, *, at: float, regular: bool) -> None:
        """A step has ended: what stands now is shown to the desk wherever an order works."""
        self._shown.clear()
        for index in sorted(self.desk.working_indexes()):
            self._show(index, at=at, regular=regular)

    def show_market(self, index: int) -> None:
        """Let the desk know an instrument's standing quote, unless it has seen it: what we took of it is gone."""
        if index not in self._shown:
            self._show(index, at=self.now(), regular=self.is_open)

    def _show(self, index: int, *, at: float, regular: bool) -> None:
        self._shown.add(index)
        tape = self.tape
        bid, ask, bid_size, ask_size = (
            float(side[index]) for side in (tape.bid, tape.ask, tape.bid_size, tape.ask_size)
        )
        self.desk.on_quote(index, bid, ask, at=at, regular=regular, sizes=(bid_size, ask_size))

    # ------------------------------------------------------------------ clients

    def tell(self, client_id: int, message: Message) -> None:
        """Send to a client if it is there, and to the master client what concerns orders.

        A client that is away asks when it comes back (TWS.md 3.29). While the servers are out of reach a
        client hears only answers to its own requests.
        """
        owner = self.clients.get(client_id)
        if owner is not None and (self.is_connected or owner is self.answering):
            owner.send(message)
        if self.master_client_id in {None, client_id} or message.name not in TOLD_TO_MASTER:
            return
        master = self.clients.get(self.master_client_id or 0)
        if master is not None and self.is_connected:
            master.send(message)

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
        fresh = {ledger: self._fresh(ledger) for ledger in self.accounts}
        if any(fresh.values()):
            self.changes += 1
            self.on_records([record for records in fresh.values() for record in records])
        for ledger, records in fresh.items():
            for con_id in _moved(records):
                self._untold.setdefault(ledger, {})[con_id] = None
        if self.is_connected and (self._untold or self.now() >= self._values_at):
            self._values_at = self.now() + ACCOUNT_VALUES_EVERY_S
            changed = {ledger.account: list(moved) for ledger, moved in self._untold.items()}
            self._untold.clear()
            for client in self.each_client():
                push_account(self, client, changed)

    def _fresh(self, ledger: Ledger) -> list[Record]:
        told = self._records_told[ledger]
        self._records_told[ledger] = len(ledger.records)
        return ledger.records[told:]


def _listings_of(market: MarketSource) -> Listings:
    return Listings(
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


def _moved(records: list[Record]) -> Iterator[int]:
    """The conIds whose position these records changed."""
    for record in records:
        match record:
            case Execution(con_id=con_id) | SplitApplied(con_id=con_id) | DividendPaid(con_id=con_id):
                yield con_id
            case ExecutionCorrected(execution=execution):
                yield execution.con_id
