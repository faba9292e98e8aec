"""What the gate sees of the world at the moment of one intent."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from risk.trading_state import TradingState


class RiskView(Struct, frozen=True, kw_only=True):
    """Facts about one intent's instrument and the account; None means not known, and not known means refused.

    Prices in the instrument's currency, quantities in shares, durations in seconds, instants aware in UTC.
    """

    now: datetime
    price: float | None  # what the order is expected to pay
    price_at: datetime | None  # when that price was printed
    reference_price: float | None  # the last good price
    price_is_suspect: bool  # a jump not yet confirmed, or a crossed quote
    equity: float | None
    position: int  # signed, this instrument: the whole account for an entry, the plan it closes for an exit
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
    has_unknown: bool  # an order of unknown fate in this instrument
    is_locked: bool  # a break in this instrument
    operator_flatten: bool = False  # a person asked for this exit
