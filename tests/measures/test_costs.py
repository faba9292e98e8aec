import math

import pytest

from research.backtest.result import CashFlow
from research.measures.costs import cost_figures, income_figures
from shared.orders import Side
from tests.measures.builders import MONDAY, a_daily_curve, a_fill, a_result, an_instant


def a_flow(kind, amount, symbol="SPY"):
    return CashFlow(at=an_instant(1), session=MONDAY, kind=kind, symbol=symbol, amount=amount)


def test_the_lines_add_up_to_what_was_paid():
    fills = [
        a_fill(Side.BUY, 10, 100.0, commission=3.0, exchange_fees=0.5, regulatory_fees=0.25, slippage=2.0),
        a_fill(Side.SELL, 10, 100.0, session=1, slippage=4.0, slippage_spread=1.0, slippage_impact=1.5),
    ]
    result = a_result(a_daily_curve(100.0), fills, cash_flows=(a_flow("borrow_fee", -7.0),))
    lines = {line.kind: line for line in cost_figures(result)}
    assert {kind: line.amount for kind, line in lines.items()} == pytest.approx(
        {
            "commission": 2.25,
            "exchange_fees": 0.5,
            "regulatory_fees": 0.25,
            "slippage_fixed": 3.5,
            "slippage_spread": 1.0,
            "slippage_impact": 1.5,
            "borrow_fee": 7.0,
        }
    )
    assert lines["commission"].bps_of_traded == pytest.approx(11.25)
    assert lines["borrow_fee"].pct_of_start == pytest.approx(7.0)
    assert [kind for kind, line in lines.items() if line.is_in_price] == [
        "slippage_fixed",
        "slippage_spread",
        "slippage_impact",
    ]


def test_what_holding_brings_is_no_cost():
    flows = (a_flow("dividend", 5.0), a_flow("dividend", -2.0), a_flow("credit_interest", 1.0, ""))
    result = a_result(a_daily_curve(100.0), cash_flows=flows)
    assert [line.kind for line in cost_figures(result)] == ["commission", "slippage_fixed"]
    assert [(line.kind, line.amount) for line in income_figures(result)] == [
        ("dividends_received", 5.0),
        ("dividends_charged", -2.0),
        ("credit_interest", 1.0),
    ]


def test_a_run_without_fills_costs_nothing_and_not_minus_nothing():
    lines = cost_figures(a_result(a_daily_curve(100.0)))
    assert [(line.amount, line.bps_of_traded) for line in lines] == [(0.0, None), (0.0, None)]
    assert [math.copysign(1.0, line.amount) for line in lines] == [1.0, 1.0]
