"""What trading cost and what holding brought, line by line, for a reader: costs positive, income positive."""

from __future__ import annotations

from msgspec import Struct

from research.backtest.cost_lines import cost_lines
from research.backtest.result import ReplayResult
from research.measures.series import PERCENT
from research.measures.trading import traded_value

BPS = 1e4
ALWAYS = ("commission", "slippage_fixed")
INCOME = ("dividends_received", "dividends_charged", "distribution", "cash_in_lieu", "credit_interest")
"""The lines that come with holding; dividends charged to a short are income with a minus. All others are costs."""


class CostLine(Struct, frozen=True, kw_only=True):
    """One kind of cost: `amount` in currency, positive is paid. What `is_in_price` is in the fills' prices already.

    `bps_of_traded` is it per 10,000 of the value bought and sold, `pct_of_start` per hundred of the starting cash.
    """

    kind: str
    amount: float
    is_in_price: bool
    bps_of_traded: float | None
    pct_of_start: float


class IncomeLine(Struct, frozen=True, kw_only=True):
    """Money that positions and cash brought: `amount` in currency, negative where it was paid."""

    kind: str
    amount: float
    pct_of_start: float


def cost_figures(result: ReplayResult) -> tuple[CostLine, ...]:
    """Commission and slippage always, every other line where there is something on it; they add up to what was paid."""
    traded = traded_value(result.fills)
    return tuple(
        CostLine(
            kind=line.name,
            amount=0.0 - line.amount,  # a plain minus would make -0.0 of nothing
            is_in_price=line.is_in_price,
            bps_of_traded=BPS * -line.amount / traded if traded else None,
            pct_of_start=PERCENT * -line.amount / result.starting_cash,
        )
        for line in cost_lines(result)
        if line.name not in INCOME and (line.amount or line.name in ALWAYS)
    )


def income_figures(result: ReplayResult) -> tuple[IncomeLine, ...]:
    """Dividends, distributions, cash in lieu and credit interest, each where there was some."""
    return tuple(
        IncomeLine(kind=line.name, amount=line.amount, pct_of_start=PERCENT * line.amount / result.starting_cash)
        for line in cost_lines(result)
        if line.name in INCOME and line.amount
    )
