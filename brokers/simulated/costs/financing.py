"""Interest on cash and the fee of borrowed shares. PURE.

Accrued for every calendar day from one session's close to the next one's open, on the balances of that close, over a
year of 360 days as IBKR counts US dollars ("Interest Paid on Idle Cash Balances", "Short Stock Borrow Fees"). The
proceeds of short sales are the lender's collateral: they earn no credit interest and pay no debit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

DAYS_OF_YEAR = 360
PERCENT, BASIS_POINT = 1e-2, 1e-4


class InterestRates(Struct, frozen=True, kw_only=True):
    """Percent a year: constants, or spreads over the latest benchmark known by the day the night begins.

    With a benchmark the credit rate is never below zero, and the debit rate never below its spread. `benchmark` is in
    rising order of days; before its first day the first rate holds.
    """

    debit_pct: float
    credit_pct: float
    benchmark: Sequence[tuple[date, float]] = ()

    def debit_on(self, day: date) -> float:
        """Percent a year on what is owed."""
        return self.debit_pct + max(_latest(self.benchmark, day), 0.0)

    def credit_on(self, day: date) -> float:
        """Percent a year on free cash."""
        rate = self.credit_pct + _latest(self.benchmark, day)
        return max(rate, 0.0) if self.benchmark else rate


class BorrowFees(Struct, frozen=True, kw_only=True):
    """Basis points a year of the market value of a short position: of all stocks, and of single ones by day."""

    default_bps: float
    by_symbol: Mapping[str, Sequence[tuple[date, float]]] = {}

    def fee_on(self, symbol: str, day: date) -> float:
        known = self.by_symbol.get(symbol, ())
        return _latest(known, day) if known else self.default_bps


def interest(rates: InterestRates, balance: float, *, since: date, until: date) -> float:
    """What the nights from `since` to `until` bring (positive) or cost on a balance of free cash."""
    rate = rates.credit_on(since) if balance > 0 else rates.debit_on(since)
    return balance * rate * PERCENT * (until - since).days / DAYS_OF_YEAR


def borrow_fee(fee_bps: float, short_value: float, *, since: date, until: date) -> float:
    """What the nights cost on short shares worth `short_value` (>= 0); >= 0 for a fee that is not negative."""
    return short_value * fee_bps * BASIS_POINT * (until - since).days / DAYS_OF_YEAR


def _latest(table: Sequence[tuple[date, float]], day: date) -> float:
    if not table:
        return 0.0
    return table[max(bisect_right([since for since, _ in table], day) - 1, 0)][1]
