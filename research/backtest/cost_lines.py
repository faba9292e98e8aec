"""What trading and holding cost in a replay, one line per kind.

Starting cash + price profit + every line that is not in a price = final equity: the identity holds by arithmetic and a
test holds it against an account kept by hand. Slippage is in the prices of the fills already; its lines tell how much
of the price profit it took.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import get_args

from msgspec import Struct

from research.backtest.result import CashFlowKind, ReplayResult


class CostLine(Struct, frozen=True, kw_only=True):
    """What one kind of cost did to equity, in currency: negative took, positive gave."""

    name: str
    amount: float
    is_in_price: bool = False


def cost_lines(result: ReplayResult) -> tuple[CostLine, ...]:
    """Every kind there is, in one order, those that are zero too; dividends of longs and of shorts apart."""
    fills = result.fills
    exchange, regulatory = fsum(one.exchange_fees for one in fills), fsum(one.regulatory_fees for one in fills)
    spread, impact = fsum(one.slippage_spread for one in fills), fsum(one.slippage_impact for one in fills)
    charged = (
        ("commission", fsum(one.commission for one in fills) - exchange - regulatory),
        ("exchange_fees", exchange),
        ("regulatory_fees", regulatory),
    )
    slipped = (
        ("slippage_fixed", fsum(one.slippage for one in fills) - spread - impact),
        ("slippage_spread", spread),
        ("slippage_impact", impact),
    )
    return (
        *(CostLine(name=name, amount=-cost) for name, cost in charged),
        *(CostLine(name=name, amount=-cost, is_in_price=True) for name, cost in slipped),
        *_flows(result),
    )


def price_profit(result: ReplayResult) -> float:
    """What prices alone earned, slippage included: final equity less starting cash and all lines not in a price."""
    final = float(result.curve.net_liquidation[-1])
    return final - result.starting_cash - fsum(line.amount for line in cost_lines(result) if not line.is_in_price)


def _flows(result: ReplayResult) -> Iterable[CostLine]:
    kinds: tuple[str, ...] = get_args(CashFlowKind)
    for kind in kinds:
        amounts = [flow.amount for flow in result.cash_flows if flow.kind == kind]
        if kind == "dividend":
            yield CostLine(name="dividends_received", amount=fsum(amount for amount in amounts if amount > 0))
            yield CostLine(name="dividends_charged", amount=fsum(amount for amount in amounts if amount < 0))
        else:
            yield CostLine(name=kind, amount=fsum(amounts))
