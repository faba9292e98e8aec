"""What exchanges, the clearing house and regulators take of a US stock trade, in dollars. PURE.

IBKR Pro Tiered passes these on. Rates change, so they are a table; its defaults were looked up on 2026-11-21:
- clearing and both shares of the commission: IBKR, "Commissions Stocks" (pricing/commissions-stocks.php)
- 0.0030 a share for taking liquidity, 0.0021 back for adding it, below a dollar 0.3 % of the value for taking it: IBKR,
  "NASDAQ/Island Exchange Fees" (accounts/fees/INETstkfee.php); other venues differ
- SEC, Section 31: 20.60 per million of sales from 2026-04-04: 91 FR 10643, release 34-104909
- FINRA Trading Activity Fee of 2026: 0.000195 a share sold, at most 9.79 a trade: SR-FINRA-2024-019
- Consolidated Audit Trail: 0.000003 a share, as public projects quote the schedules of Alpaca and IBKR of 2026
"""

from __future__ import annotations

from msgspec import Struct

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
    sec_of_sale: float = 20.60e-6
    activity_of_sale: float = 0.000195
    activity_max: float = 9.79
    """Of one trade."""
    audit_trail: float = 0.000003


FEES = FeeTable()


def fees_of(
    quantity: float, price: float, commission: float, *, sells: bool, adds: bool = False, fees: FeeTable = FEES
) -> float:
    """The fees on an execution of `quantity` shares for which `commission` is charged; a rebate may outweigh them."""
    value = quantity * price
    shared = commission * (fees.nyse_of_commission + fees.finra_of_commission)
    total = _exchange(quantity, price, fees, adds=adds) + shared + quantity * (fees.clearing + fees.audit_trail)
    if sells:
        total += value * fees.sec_of_sale + min(quantity * fees.activity_of_sale, fees.activity_max)
    return total


def _exchange(quantity: float, price: float, fees: FeeTable, *, adds: bool) -> float:
    if price >= DOLLAR:
        return quantity * (fees.add if adds else fees.remove)
    return 0.0 if adds else quantity * price * fees.below_a_dollar_of_value
