"""Starting cash + price profit + all lines = final equity, against an account kept apart from the code under test."""

from datetime import date, timedelta
from math import trunc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.costs.charging import IbCharges
from brokers.simulated.costs.financing import InterestRates
from research.backtest.cost_lines import cost_lines, price_profit
from tests.costs.builders import MONDAY, a_daily_panel, an_action, carried, market, weekdays

RATES = InterestRates(debit_pct=6.0, credit_pct=1.0)
COEFFICIENTS = (1.0, 1.0, 2.0, 7.0, 0.1, 1.5, 1.105)


def lines_of(result):
    return {line.name: line.amount for line in cost_lines(result)}


def test_the_lines_of_one_round_trip_by_hand():
    """100 long from 100 to 104, sold; 2:1 between, a dividend of 0.50 per new share, fixed commission, no interest."""
    panel = a_daily_panel([100.0, 100.0, 51.0, 52.0, 52.0], opens=[100.0, 100.0, 51.0, 52.0, 52.0])
    script = {0: [market("BUY", 100)], 2: [market("SELL", 200, 2)]}
    split = an_action(MONDAY + timedelta(2), dividend=0.5, coefficient=2.0)
    _, broker, result = carried(panel, script, split, charge=IbCharges("ib_fixed"))
    sold = 200 * 52.0
    regulators = sold * 22.10e-6 + 200 * 0.000119
    assert lines_of(result) == pytest.approx(
        {
            "commission": -2.0,
            "exchange_fees": 0.0,
            "regulatory_fees": -regulators,
            "slippage_fixed": 0.0,
            "slippage_spread": 0.0,
            "slippage_impact": 0.0,
            "dividends_received": 100.0,
            "dividends_charged": 0.0,
            "distribution": 0.0,
            "cash_in_lieu": 0.0,
            "borrow_fee": 0.0,
            "debit_interest": 0.0,
            "credit_interest": 0.0,
        }
    )
    assert price_profit(result) == pytest.approx(sold - 100 * 100.0)
    assert broker.cash == pytest.approx(100_000 + 400.0 - 2.0 - regulators + 100.0)


def kept_by_hand(panel, result, actions):
    """Equity at the last close: cash by fills and flows, shares by fills and splits."""
    due = {action.ex_date: action for action in actions}
    cash, held = 100_000.0, 0
    for day in weekdays(len(panel)):
        ratio = due[day].coefficient if day in due and day != MONDAY else 1.0
        held = trunc(round(held * (1.0 if ratio == 1.105 else ratio), 9))
        cash += sum(flow.amount for flow in result.cash_flows if flow.session == day)
        for entry in result.fills:
            if entry.fill.filled_at.date() == day:
                signed = entry.fill.quantity if entry.fill.side == "BUY" else -entry.fill.quantity
                cash -= signed * entry.fill.price + entry.commission
                held += signed
    return cash + held * float(panel.close[-1, 0])


@st.composite
def histories(draw):
    """Ten days of opens and closes that show what the table says, orders on any of them."""
    steps = st.floats(0.97, 1.03)
    opens, closes, actions, price = [], [], [], 100.0
    for number, day in enumerate(weekdays(10)):
        coefficient = draw(st.sampled_from(COEFFICIENTS)) if number else 1.0
        dividend = draw(st.sampled_from((0.0, 0.0, 0.01))) if price > 10 else 0.0  # a large one is a distribution
        if number and (coefficient != 1.0 or dividend):
            actions.append(an_action(day, dividend=dividend, coefficient=coefficient))
        price /= coefficient
        opens.append(price)
        price *= draw(steps)
        closes.append(price)
    orders = draw(st.dictionaries(st.integers(0, 9), st.tuples(st.sampled_from(("BUY", "SELL")), st.integers(1, 999))))
    script = {at: [market(side, quantity, at)] for at, (side, quantity) in orders.items()}
    return a_daily_panel(closes, opens=opens, spread=0.0), script, actions


@settings(max_examples=40, deadline=None)
@given(histories())
def test_equity_is_what_a_second_account_says_to_the_cent(history):
    panel, script, actions = history
    charge = IbCharges("ib_tiered")
    _, broker, result = carried(panel, script, *actions, rates=RATES, borrow_bps=50.0, charge=charge)
    assert broker.net_liquidation == pytest.approx(kept_by_hand(panel, result, actions), abs=0.005)
    paid = sum(line.amount for line in cost_lines(result) if not line.is_in_price)
    assert 100_000 + price_profit(result) + paid == pytest.approx(broker.net_liquidation, abs=0.005)


@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_dividend_is_paid_on_the_shares_of_the_morning(history):
    """Per share of the ex-date, whoever holds it: the flow over the shares held then is the dividend itself."""
    panel, script, actions = history
    _, _, result = carried(panel, script, *actions)
    paid = {flow.session: flow.amount for flow in result.cash_flows if flow.kind == "dividend"}
    held = 0
    for day in weekdays(len(panel)):
        action = next((one for one in actions if one.ex_date == day), None)
        if action is not None:
            held = trunc(round(held * (1.0 if action.coefficient == 1.105 else action.coefficient), 9))
            assert paid.get(day, 0.0) == pytest.approx(held * action.dividend)
        held += sum(
            entry.fill.quantity if entry.fill.side == "BUY" else -entry.fill.quantity
            for entry in result.fills
            if entry.fill.filled_at.date() == day
        )


def test_the_first_day_has_no_night_before_it():
    _, _, result = carried(a_daily_panel([100.0]), {}, an_action(date(2014, 6, 2), dividend=1.0), rates=RATES)
    assert result.cash_flows == ()
