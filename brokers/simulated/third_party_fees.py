"""What exchanges, the clearing house and regulators take of a US stock trade, in dollars. PURE.

IBKR Pro Tiered passes these on. Rates change, so they are a table; its defaults were looked up on 2026-11-21:
- clearing and both shares of the commission: IBKR, "Commissions Stocks" (pricing/commissions-stocks.php)
- 0.0030 a share for taking liquidity, 0.0021 back for adding it, below a dollar 0.3 % of the value for taking it: IBKR,
  "NASDAQ/Island Exchange Fees" (accounts/fees/INETstkfee.php); other venues differ
- SEC Section 31 and FINRA Trading Activity Fee: costs/regulatory_rates.py, dated; the defaults are the latest there
- Consolidated Audit Trail: 0.000003 a share, as public projects quote the schedules of Alpaca and IBKR of 2026
"""

from __future__ import annotations

from datetime import date
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from brokers.simulated.costs.regulatory_rates import ACTIVITY, PER_MILLION, SECTION_31, activity_fee_of, section_31_of

DOLLAR = 1.00


class FeeTable(Struct, frozen=True, kw_only=True):
    """Per share unless a name says otherwise; a negative rate is a rebate."""

    remove: float = 0.0030
    add: float = -0.0021
    below_a_dollar_of_value: float = 0.0030
    """For taking liquidity below a dollar; adding it there costs nothing."""
    clearing: float = 0.00020
    nyse_of_commission: float = 0.000175
    finra_of_commission: float = 0.00056
    sec_of_sale: float = SECTION_31[-1][1] * PER_MILLION
    activity_of_sale: float = ACTIVITY[-1][1].per_share
    activity_max: float = ACTIVITY[-1][1].most
    """Of one trade."""
    audit_trail: float = 0.000003


FEES = FeeTable()


@cache
def fees_on(day: date) -> FeeTable:
    """The table with the regulators' rates of that day; the others are today's, nobody keeps their history."""
    activity = activity_fee_of(day)
    return replace(
        FEES, sec_of_sale=section_31_of(day), activity_of_sale=activity.per_share, activity_max=activity.most
    )


def fees_of(
    quantity: float, price: float, commission: float, *, sells: bool, adds: bool = False, fees: FeeTable = FEES
) -> float:
    """The fees on an execution of `quantity` shares for which `commission` is charged; a rebate may outweigh them."""
    exchange = passed_on(quantity, price, commission, adds=adds, fees=fees)
    return exchange + (taken_of_sale(quantity, price, fees) if sells else 0.0)


def passed_on(quantity: float, price: float, commission: float, *, adds: bool = False, fees: FeeTable = FEES) -> float:
    """What exchange, clearing, the audit trail and both shares of the commission come to."""
    shared = commission * (fees.nyse_of_commission + fees.finra_of_commission)
    return _exchange(quantity, price, fees, adds=adds) + shared + quantity * (fees.clearing + fees.audit_trail)


def taken_of_sale(quantity: float, price: float, fees: FeeTable = FEES) -> float:
    """What the SEC and FINRA take of a sale, whatever the commission model."""
    return quantity * price * fees.sec_of_sale + min(quantity * fees.activity_of_sale, fees.activity_max)


def _exchange(quantity: float, price: float, fees: FeeTable, *, adds: bool) -> float:
    if price >= DOLLAR:
        return quantity * (fees.add if adds else fees.remove)
    return 0.0 if adds else quantity * price * fees.below_a_dollar_of_value
