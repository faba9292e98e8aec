"""What the gate sees of the world at the moment of one intent."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from risk.portfolio import Holdings
from risk.trading_state import TradingState


class GroupExposure(Struct, frozen=True, kw_only=True):
    """Gross worst-case exposure in currency of one sector or correlation group."""

    name: str
    gross: float


class RiskView(Struct, frozen=True, kw_only=True):
    """Facts about one intent's instrument and the account; None means not known, and not known means refused.

    Prices in the instrument's currency, quantities in shares, durations in seconds, instants aware in UTC.
    """

    now: datetime
    row_at: datetime | None  # when the bars closed that it was decided on
    price: float | None  # what the order is expected to pay
    price_at: datetime | None  # when that price was printed
    reference_price: float | None  # the last good price
    price_is_suspect: bool  # a jump not yet confirmed, or a crossed quote
    equity: float | None
    position: int  # signed, this instrument: ours in the whole account for an entry, the plan it closes for an exit
    held_long: float  # this instrument, worst case: shares of long plans, and what the broker holds beyond ours
    held_short: float  # the same of the other side; fractions, which a split leaves, count for both
    working_buy: int  # what entries may still buy, unknown orders included
    working_sell: int  # what entries may still sell, unknown orders included
    exits_working: int  # what exits (not protective legs) may still close
    gross_exposure: float | None  # currency, worst case: every absolute position and working entry
    opens_at: datetime | None
    closes_at: datetime | None
    entry_after_open_s: float
    entry_before_close_s: float
    trading_state: TradingState
    is_reconciled: bool
    has_unknown: bool  # an order of unknown fate in this instrument, or shares whose stop is gone
    is_locked: bool  # a break in this instrument
    account_at: datetime | None  # when the broker told equity and buying power last
    buying_power: float | None  # currency, as the broker reports it
    working_notional: float | None  # currency that working entries may still take
    net_long: float | None  # currency, worst case: longs minus shorts if every working buy fills
    net_short: float | None  # the same the other way round: shorts minus longs if every working sell fills
    beta: float | None  # the instrument's, from risk.groups_file
    beta_long: float | None  # net_long weighted by beta
    beta_short: float | None
    groups: tuple[GroupExposure, ...]  # the groups the instrument is in; empty = none
    unpriced: tuple[str, ...]  # held instruments without a good price: what they lose cannot be told
    holdings: Holdings | None  # for the value at risk; None = too little is known
    bid: float | None  # best bid when the last row closed; None where no quotes are streamed, NaN if nobody shows one
    ask: float | None
    is_halted: bool  # by the exchange
    data_quality: str  # live, delayed, frozen, competing or silent
    quiet_reason: str | None  # why silence is expected now; None = it is not
    sent_last_s: int | None  # entries
    sent_last_min: int | None
    sent_today: int | None
    is_duplicate: bool | None
    entries_in_window: int | None
    is_self_trade: bool | None
    operator_flatten: bool = False  # a person asked for this exit

    @classmethod
    def of_exit(
        cls,
        now: datetime,
        *,
        position: int,
        exits_working: int,
        trading_state: TradingState,
        operator_flatten: bool,
    ) -> RiskView:
        """All that the rules for exits read (risk/checks.py); everything else is not known."""
        return replace(
            _NOTHING_KNOWN,
            now=now,
            position=position,
            exits_working=exits_working,
            trading_state=trading_state,
            operator_flatten=operator_flatten,
        )


_NOTHING_KNOWN = RiskView(
    now=datetime.min.replace(tzinfo=UTC),
    row_at=None,
    price=None,
    price_at=None,
    reference_price=None,
    price_is_suspect=True,
    equity=None,
    position=0,
    held_long=0.0,
    held_short=0.0,
    working_buy=0,
    working_sell=0,
    exits_working=0,
    gross_exposure=None,
    opens_at=None,
    closes_at=None,
    entry_after_open_s=0.0,
    entry_before_close_s=0.0,
    trading_state=TradingState.OBSERVE,
    is_reconciled=False,
    has_unknown=True,
    is_locked=True,
    account_at=None,
    buying_power=None,
    working_notional=None,
    net_long=None,
    net_short=None,
    beta=None,
    beta_long=None,
    beta_short=None,
    groups=(),
    unpriced=(),
    holdings=None,
    bid=None,
    ask=None,
    is_halted=True,
    data_quality="silent",
    quiet_reason=None,
    sent_last_s=None,
    sent_last_min=None,
    sent_today=None,
    is_duplicate=None,
    entries_in_window=None,
    is_self_trade=None,
)
"""What refuses every entry."""
