"""What is believed: the fields of the book, which a snapshot holds as they are.

Everything here is encodable; `index` follows from it and is not.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from math import prod

from msgspec import Struct, field

from daemon.engine.account_ledger import AccountLedger
from daemon.engine.book_index import BookIndex, is_settlement
from daemon.engine.breakers import Breakers
from daemon.engine.day_plan import DayPlanInForce
from daemon.engine.locks import Break, Lock, SplitTaken, shares_of_after
from daemon.engine.market_state import MarketState
from daemon.engine.pace import Pace
from daemon.engine.plan import Plan
from daemon.engine.prices import Prices
from daemon.engine.returns import Returns
from daemon.engine.watch_state import WatchState
from risk.trading_state import TradingStates
from shared.account import Account
from shared.events import QuietWindow
from shared.ids import exec_stem
from shared.market import QuoteRow
from shared.orders import Fill, OrderStatus, WorkingOrder
from shared.signals import TargetPosition


class Hours(Struct, frozen=True, kw_only=True):
    """The session that runs or comes next."""

    session: date
    opens_at: datetime
    closes_at: datetime
    quiet: tuple[QuietWindow, ...] = ()

    def quiet_reason(self, now: datetime) -> str | None:
        """Why silence is expected at `now`; None if it is not."""
        return next((window.reason for window in self.quiet if window.begins_at <= now < window.ends_at), None)


class Beliefs(Struct, kw_only=True, dict=True):
    """The whole belief. Dictionaries keep insertion order, which is the order in which things were decided."""

    prices: Prices
    plans: dict[str, Plan] = field(default_factory=dict)
    retired: dict[str, Plan] = field(default_factory=dict)  # over, but late news may still concern them
    orders: dict[str, WorkingOrder] = field(default_factory=dict)
    closed_orders: dict[str, OrderStatus] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    commissions: dict[str, float] = field(default_factory=dict)
    plan_numbers: dict[str, int] = field(default_factory=dict)
    convictions: dict[str, dict[str, float]] = field(default_factory=dict)
    targets: dict[str, dict[str, TargetPosition]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    flatten_wishes: dict[str, str] = field(default_factory=dict)  # scope to reason, kept until the broker answers
    locks: dict[str, Lock] = field(default_factory=dict)
    breaks: dict[str, Break] = field(default_factory=dict)
    agreed: dict[str, datetime] = field(default_factory=dict)  # when both last agreed about it, by his clock
    strangers: dict[str, dict[str, int]] = field(default_factory=dict)  # then: stems of others' fills, signed shares
    restated: dict[str, dict[str, int]] = field(default_factory=dict)  # of those just corrected: what they were
    booked: dict[str, int] = field(default_factory=dict)  # then: how many executions were in the book, of all
    nonces: dict[str, str] = field(default_factory=dict)  # of signed commands, to the instant they came
    accepts: dict[str, float] = field(default_factory=dict)  # broker's quantity that a person has called true
    rescaled: dict[str, date] = field(default_factory=dict)  # the last ex-date whose scale is taken out
    unsplit: dict[str, float] = field(default_factory=dict)  # held: old price over new, prices have it, plans have not
    legs_gone: dict[str, datetime] = field(default_factory=dict)  # gone unasked, settlement gave way: not told since
    splits: dict[str, list[SplitTaken]] = field(default_factory=dict)  # that persons have accepted, in that order
    split_since: dict[str, float] = field(default_factory=dict)  # stems of fills of before it: shares now for one then
    sent_before: dict[str, list[str]] = field(default_factory=dict)  # stems of settlements: orders that had left then
    unlent: dict[str, datetime] = field(default_factory=dict)  # TWS held back what closes: no shares to borrow
    foreign_positions: dict[str, float] = field(default_factory=dict)  # signed shares the broker holds beyond ours
    foreign_costs: dict[str, float] = field(default_factory=dict)  # and their average cost per share
    ledger: AccountLedger = field(default_factory=AccountLedger)
    suspicions: dict[str, str] = field(default_factory=dict)
    questions: dict[str, datetime] = field(default_factory=dict)  # that the last report left open: since when
    noted: dict[str, str] = field(default_factory=dict)
    trading_states: TradingStates = field(default_factory=TradingStates)
    market: MarketState = field(default_factory=MarketState)
    breakers: Breakers = field(default_factory=Breakers)
    watch: WatchState = field(default_factory=WatchState)
    pace: Pace = field(default_factory=Pace)
    day_plan: DayPlanInForce | None = None
    account: Account | None = None
    account_at: datetime | None = None
    quotes: QuoteRow | None = None
    returns: Returns | None = None
    hours: Hours | None = None
    last_row_at: datetime | None = None
    first_row_came_at: datetime | None = None  # the units of prices are those of then, but for `rescaled`
    connected_at: datetime | None = None
    is_connected: bool = False
    is_reconciled: bool = False
    clock_ahead_s: float = 0.0  # ours of the broker's, as the last report said
    holdings_asked_at: datetime | None = None  # of the last report on this line that told all orders and shares
    is_stopping: bool = False
    day_start_equity: float | None = None
    realized_profit: float = 0.0

    @property
    def knows_holdings(self) -> bool:
        """Reconciled, but perhaps for the account's figures."""
        return self.holdings_asked_at is not None

    def in_broker_time(self, at: datetime) -> datetime:
        """An instant of our clock by the broker's, which executions are told in."""
        return at - timedelta(seconds=self.clock_ahead_s)

    def take_holdings(self, asked_at: datetime, received_at: datetime) -> None:
        """The broker has told all orders and shares: of stops that went while it was asked that says nothing."""
        self.holdings_asked_at = asked_at
        self.legs_gone = {symbol: at for symbol, at in self.legs_gone.items() if asked_at < at <= received_at}

    def is_split_shown(self, symbol: str) -> bool:
        """Whether the broker's report shows what looks like a split, and no person has answered it."""
        lock = self.locks.get(symbol)
        return lock is not None and lock.kind == "corporate_action"

    def shares_in(self, symbol: str, price: float) -> float:
        """How many shares of such a price one of the plans' is: another number while a split waits for a person."""
        return self.unsplit.get(symbol) or shares_of_after(self.locks.get(symbol), price)

    def split_taken_at(self, symbol: str) -> datetime | None:
        """When a person last accepted a split of it."""
        taken = self.splits.get(symbol)
        return taken[-1].taken_at if taken else None

    def shares_for(self, fill: Fill) -> float:
        """Shares of now for one of the execution's, booked or not: more or less than one if its symbol has split since.

        A split took all orders of before it, so what executes of a later order is of now. Of one that left after a
        person had accepted the split that is sure whatever the clocks say: ours alone tells it, and never goes back.
        """
        stem = exec_stem(fill.exec_id)
        if stem in self.fills or stem in self.split_since or is_settlement(fill):
            return self.split_since.get(stem, 1.0)
        working = self.orders.get(fill.ref)
        return prod(
            split.ratio
            for split in self.splits.get(fill.symbol, ())
            if fill.filled_at < split.happened_at and (working is None or self._left_before(working.sent_at, split))
        )

    def _left_before(self, sent_at: datetime, split: SplitTaken) -> bool:
        return sent_at < split.taken_at and self.in_broker_time(sent_at) < split.happened_at

    def forget_splits(self, since_at: datetime) -> None:
        """After the executions of before `since_at` have been dropped."""
        self.splits = {symbol: each for symbol, each in self.splits.items() if each[-1].taken_at >= since_at}
        self.split_since = {stem: ratio for stem, ratio in self.split_since.items() if stem in self.fills}

    @cached_property
    def index(self) -> BookIndex:
        """Where things are found, and what is at rest; built at first use, so also after a restore."""
        index = BookIndex(self.plans, self.orders, self.targets, self.fills)
        for ref in self.closed_orders:
            index.note_closed(ref)
        return index
