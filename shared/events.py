"""Everything that can happen to the engine: frozen, past tense. `received_at` is the only clock the engine has."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from shared.account import Account, BrokerPosition
from shared.day_plan import LimitValue, PlannedTarget
from shared.market import BarRow, QuoteRow
from shared.orders import CompletedOrder, Fill, OpenOrder


class _Event(Struct, frozen=True, kw_only=True, tag=True, eq=False, gc=False):
    received_at: datetime


class RunStarted(_Event, frozen=True, kw_only=True, tag=True):
    """A process took over the journal; orders without an answer may or may not have left the one before."""

    run_id: str


class QuietWindow(Struct, frozen=True, kw_only=True):
    """A time in which the gateway restarts or the broker resets: no entries, and silence is expected."""

    begins_at: datetime
    ends_at: datetime
    reason: str


class SessionScheduled(_Event, frozen=True, kw_only=True, tag=True):
    """The exchange calendar's hours of the session that runs or comes next (instants in UTC), and its quiet windows."""

    session: date
    opens_at: datetime
    closes_at: datetime
    quiet: tuple[QuietWindow, ...] = ()


class BarsClosed(_Event, frozen=True, kw_only=True, tag=True):
    """One closed interval for the whole universe.

    `warm_up` rows come from history: they feed the strategies' indicators but never lead to an order. `quotes` are the
    best bid and ask at the moment the row closed, None where no quotes are streamed.
    """

    closed_at: datetime
    interval_s: int
    row: BarRow
    warm_up: bool = False
    quotes: QuoteRow | None = None


class OrderAccepted(_Event, frozen=True, kw_only=True, tag=True):
    """The broker holds the order (any working status); `quantity`, and a TRAIL's `stop_price`, where it says so."""

    ref: str
    perm_id: int
    broker_status: str
    quantity: int | None = None
    stop_price: float | None = None


class OrderFilled(_Event, frozen=True, kw_only=True, tag=True):
    """One execution, live or recovered."""

    fill: Fill


class FillCorrected(_Event, frozen=True, kw_only=True, tag=True):
    """An execution whose execId stem is known came again with a higher suffix: it replaces the first."""

    fill: Fill


class CommissionReported(_Event, frozen=True, kw_only=True, tag=True):
    """What one execution cost, in `currency`; may be late, may never come."""

    exec_id: str
    commission: float
    currency: str


class OrderCancelled(_Event, frozen=True, kw_only=True, tag=True):
    """The broker says the order is gone (or, for `reason` 'not found', that it does not know it)."""

    ref: str
    reason: str


class OrderRejected(_Event, frozen=True, kw_only=True, tag=True):
    """The broker refused the order for good (*rejected* is the broker's word; ours is *denied*).

    `is_group_filled`: only since its OCA group has done its work.
    """

    ref: str
    code: int
    text: str
    is_group_filled: bool = False


class OrderUnknown(_Event, frozen=True, kw_only=True, tag=True):
    """An order whose fate cannot be told now: silence, a code without a meaning, a lost connection."""

    ref: str
    reason: str


class AccountReported(_Event, frozen=True, kw_only=True, tag=True):
    """The broker's account values."""

    account: Account


class BrokerReported(_Event, frozen=True, kw_only=True, tag=True):
    """Everything the broker says when asked, as one answer.

    `asked_at` is when the question left. `unanswered` names the requests that could not be asked or did not end: an
    empty list next to a name in `unanswered` means "could not ask", never "nothing there". Executions carry the
    broker's time, everything else ours: `clock_ahead_s` is how far ours was ahead when last compared, 0 if it agrees.
    """

    asked_at: datetime
    positions: tuple[BrokerPosition, ...]
    open_orders: tuple[OpenOrder, ...]
    completed_orders: tuple[CompletedOrder, ...]
    fills: tuple[Fill, ...]
    account: Account | None
    unanswered: tuple[str, ...] = ()
    clock_ahead_s: float = 0.0

    @property
    def is_complete(self) -> bool:
        return not self.unanswered

    @property
    def tells_holdings(self) -> bool:
        """Whether everything about orders and shares was answered: enough to protect, not to enter."""
        return set(self.unanswered) <= {"account"}


class TradingHalted(_Event, frozen=True, kw_only=True, tag=True):
    """The exchange has paused an instrument (`code` 1 general, 2 volatility), or opened it again (0)."""

    symbol: str
    code: int


class PricesRescaled(_Event, frozen=True, kw_only=True, tag=True):
    """An instrument's prices are 1/`ratio` of what they were: a split, or a distribution that left the price.

    It says nothing of the position; that is the broker's report. What remembers prices of before takes the ratio out.
    `ex_date` makes telling it twice harmless. `changes_shares`: a split, so what is held waits for a person's `accept`.
    """

    symbol: str
    ratio: float
    ex_date: date | None = None
    changes_shares: bool = False


class DataQualityReported(_Event, frozen=True, kw_only=True, tag=True):
    """What an instrument's market data are worth; `symbol` empty = of all instruments.

    `live` ends what was said before. `delayed`: 10167, 354, market data type 3 or 4. `competing`: another login took
    them (10197). `silent`: the stream stopped or its farm is down. Positions are managed all the same.
    """

    symbol: str
    quality: Literal["live", "delayed", "frozen", "competing", "silent"]
    reason: str


class TimerFired(_Event, frozen=True, kw_only=True, tag=True):
    """A timer the engine set has run out."""

    timer_id: str


class ConnectionLost(_Event, frozen=True, kw_only=True, tag=True):
    """No orders can be sent and no answers come; what was in flight is unknown."""

    reason: str


class ConnectionRestored(_Event, frozen=True, kw_only=True, tag=True):
    """The broker answers again; nothing may be entered before a complete BrokerReported has been compared."""

    account_id: str


class OperatorCommanded(_Event, frozen=True, kw_only=True, tag=True):
    """A person's order; `scope` is 'account', 'strategy:x' or 'instrument:x'.

    Kill levels: `block` (HALTED: no entries, no strategies' exits), `halt` (the same, and every working entry is
    pulled), `flatten` (the same, and what is held is closed). `reduce` and `observe` set these states and pull entries.
    `resume` ends a state that a person set, `reset` also what an automatic limit has latched. `accept` (scope
    instrument:x) takes the broker's quantity as true and so ends a break. `nonce` is that of a signed command: none
    works twice, over restarts too.
    """

    verb: Literal["halt", "reduce", "resume", "flatten", "observe", "block", "reset", "accept"]
    scope: str
    actor: str
    nonce: str = ""


class DayPlanChecked(_Event, frozen=True, kw_only=True, tag=True):
    """The plan file for `session` was looked at: `fault` says why it is not to be traded by, empty if it is.

    `limits` can only tighten those of the configuration; `targets` are what the nightly run expects to be wanted, None
    where nothing was expected; `insider_scores` scale sizes (risk/insider_size.py).
    """

    session: date
    fault: str = ""
    limits: dict[str, LimitValue] = {}
    targets: tuple[PlannedTarget, ...] | None = ()
    insider_scores: dict[str, float] = {}


class StrategiesWarmed(_Event, frozen=True, kw_only=True, tag=True):
    """What the strategies remember of all stored bars up to the row that closed at `closed_at` (docs/features.md).

    `state` is a snapshot of an engine that has been shown these bars and nothing else.
    """

    closed_at: datetime
    state: bytes


class StopRequested(_Event, frozen=True, kw_only=True, tag=True):
    """The process is asked to end: pull entries, keep or renew protection, then leave."""

    reason: str


Event = (
    RunStarted
    | SessionScheduled
    | BarsClosed
    | OrderAccepted
    | OrderFilled
    | FillCorrected
    | CommissionReported
    | OrderCancelled
    | OrderRejected
    | OrderUnknown
    | AccountReported
    | BrokerReported
    | TradingHalted
    | PricesRescaled
    | DataQualityReported
    | TimerFired
    | ConnectionLost
    | ConnectionRestored
    | OperatorCommanded
    | DayPlanChecked
    | StrategiesWarmed
    | StopRequested
)
