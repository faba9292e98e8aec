"""One execution's charges, each with its own figure: the broker's, the venue's and the regulators'. PURE.

IBKR Pro Fixed has exchange and clearing in it, Tiered passes them on. Sales pay the SEC and FINRA under both, at the
rates of their day. A limit order's execution is taken as adding liquidity, every other one as removing it; under
Tiered the rate falls with the shares traded in the calendar month.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from brokers.simulated.commission import CommissionModel, Lot, commission_of_next_fill
from brokers.simulated.third_party_fees import fees_on, passed_on, taken_of_sale


class Execution(Struct, frozen=True, kw_only=True):
    """One fill of an order: `before` is what the order had filled already."""

    day: date
    sells: bool
    adds: bool
    before: Lot
    fill: Lot


class Charges(Struct, frozen=True):
    """Dollars of one execution; `exchange` may be negative (a rebate)."""

    commission: float = 0.0
    exchange: float = 0.0
    """Exchange, clearing house, audit trail: what Tiered passes on."""
    regulatory: float = 0.0
    """SEC Section 31 and FINRA's Trading Activity Fee."""

    @property
    def total(self) -> float:
        return self.commission + self.exchange + self.regulatory


class FillCosts(Struct, frozen=True, gc=False):
    """One execution's cost in currency: the charges, and the parts of the slippage that is in its price."""

    charges: Charges
    slippage: float
    slippage_spread: float = 0.0
    slippage_impact: float = 0.0


FREE = Charges()


def free_of_charge(_execution: Execution) -> Charges:
    """No charges at all, as `commission = "none"` has it."""
    return FREE


class IbCharges:
    """What IBKR charges of one execution after the other; it remembers the shares of the running month."""

    def __init__(self, model: CommissionModel) -> None:
        self._model = model
        self._month = (0, 0)
        self._traded = 0.0

    def __call__(self, execution: Execution) -> Charges:
        month = (execution.day.year, execution.day.month)
        if month != self._month:
            self._month, self._traded = month, 0.0
        before, fill = execution.before, execution.fill
        of_other_orders = max(self._traded - before.quantity, 0.0)
        commission = commission_of_next_fill(self._model, *before, *fill, traded=of_other_orders)
        self._traded += fill.quantity
        fees = fees_on(execution.day)
        return Charges(
            commission=commission,
            exchange=passed_on(*fill, commission, adds=execution.adds, fees=fees)
            if self._model == "ib_tiered"
            else 0.0,
            regulatory=taken_of_sale(*fill, fees) if execution.sells else 0.0,
        )
