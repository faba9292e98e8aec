"""What a night does to an account, by hand: 100,000 in cash, one scripted order, no engine of ours."""

from datetime import timedelta

import pytest

from brokers.simulated.costs.financing import InterestRates
from shared.events import BrokerReported, OperatorCommanded, OrderCancelled, PricesRescaled, SessionScheduled
from tests.backtest.builders import a_bracket
from tests.costs.builders import MONDAY, a_daily_panel, an_action, carried, market

WEDNESDAY = MONDAY + timedelta(2)
NEXT_MONDAY = MONDAY + timedelta(7)
FLAT = [100.0] * 4


def flows(result):
    return [(flow.session, flow.kind, flow.symbol, pytest.approx(flow.amount)) for flow in result.cash_flows]


@pytest.mark.parametrize(("side", "amount"), [("BUY", 150.0), ("SELL", -150.0)])
def test_a_dividend_comes_to_longs_and_is_charged_to_shorts(side, amount):
    panel = a_daily_panel(FLAT)
    _, broker, result = carried(panel, {0: [market(side, 100)]}, an_action(WEDNESDAY, dividend=1.5))
    assert flows(result) == [(WEDNESDAY, "dividend", "SPY", amount)]
    assert broker.net_liquidation == pytest.approx(100_000 + amount)


def test_shares_bought_on_the_ex_date_bring_no_dividend():
    _, _, result = carried(a_daily_panel(FLAT), {1: [market("BUY", 100)]}, an_action(WEDNESDAY, dividend=1.5))
    assert result.cash_flows == ()


def test_shares_held_at_the_close_before_bring_it_though_they_are_sold_on_the_ex_date():
    script = {0: [market("BUY", 100)], 1: [market("SELL", 100, 2)]}
    _, broker, result = carried(a_daily_panel(FLAT), script, an_action(WEDNESDAY, dividend=1.5))
    assert flows(result) == [(WEDNESDAY, "dividend", "SPY", 150.0)]
    assert broker.ledger.held("SPY") == 0


@pytest.mark.parametrize(
    ("side", "quantity", "coefficient", "price", "held", "in_lieu"),
    [
        ("BUY", 100, 7.0, 14.0, 700, None),
        ("SELL", 100, 2.0, 49.0, -200, None),
        ("BUY", 101, 1.5, 66.0, 151, 0.5 * 100 / 1.5),  # half a share at 66.67
        ("BUY", 105, 0.1, 1_000.0, 10, 0.5 * 1_000.0),
        ("SELL", 105, 0.1, 1_000.0, -10, -0.5 * 1_000.0),
        ("BUY", 9, 0.1, 1_000.0, 0, 0.9 * 1_000.0),  # nothing but cash is left
    ],
)
def test_a_split_changes_the_shares_and_pays_the_fraction(side, quantity, coefficient, price, held, in_lieu):
    panel = a_daily_panel([100.0, 100.0, price, price], opens=[100.0, 100.0, price, price])
    split = an_action(WEDNESDAY, coefficient=coefficient)
    _, broker, result = carried(panel, {0: [market(side, quantity)]}, split)
    assert broker.ledger.held("SPY") == held
    assert flows(result) == ([] if in_lieu is None else [(WEDNESDAY, "cash_in_lieu", "SPY", in_lieu)])
    sign = 1 if side == "BUY" else -1
    assert broker.cash == pytest.approx(100_000 - sign * quantity * 100.0 + (in_lieu or 0.0))


def test_an_account_is_worth_the_same_after_a_split_before_anything_trades():
    panel = a_daily_panel([100.0, 100.0, float("nan")], opens=[100.0, 100.0, float("nan")])
    split = an_action(WEDNESDAY, coefficient=1.5)
    _, broker, result = carried(panel, {0: [market("BUY", 101)]}, split)
    assert broker.ledger.held("SPY") == 151
    assert result.curve.net_liquidation.tolist() == pytest.approx([100_000.0] * 3)


def test_the_orders_of_a_split_instrument_are_cancelled_before_the_open_and_the_engine_is_asked_and_told():
    panel = a_daily_panel([100.0, 100.0, 50.0], opens=[100.0, 100.0, 50.0])
    bracket = a_bracket(stop=90.0, target=120.0)
    engine, _, _ = carried(panel, {0: [bracket]}, an_action(WEDNESDAY, coefficient=2.0))
    last = max(at for at, event in enumerate(engine.events) if isinstance(event, SessionScheduled))
    night = [event for event in engine.events[:last] if event.received_at.date() == WEDNESDAY]
    kinds = [type(event) for event in night]
    assert kinds[:2] == [OrderCancelled, OrderCancelled]
    assert kinds[2:4] == [BrokerReported, OperatorCommanded]
    assert kinds[-1] is PricesRescaled
    assert [(line.symbol, line.quantity) for line in night[2].positions] == [("SPY", 200.0)]
    assert night[2].open_orders == ()
    assert (night[3].verb, night[3].scope) == ("accept", "instrument:SPY")
    assert night[-1].ratio == 2.0
    times = [event.received_at for event in engine.events]
    assert times == sorted(times)


def test_a_split_of_an_instrument_that_is_not_held_is_told_as_prices_alone():
    panel = a_daily_panel([100.0, 100.0, 50.0], opens=[100.0, 100.0, 50.0])
    engine, _, result = carried(panel, {}, an_action(WEDNESDAY, coefficient=2.0))
    assert [event.symbol for event in engine.events if isinstance(event, PricesRescaled)] == ["SPY"]
    assert sum(isinstance(event, BrokerReported) for event in engine.events) == 1
    assert result.cash_flows == ()


def test_two_splits_of_one_night_keep_time_running_forward():
    panel = a_daily_panel([[100.0, 40.0], [100.0, 40.0], [50.0, 20.0]], symbols=("SPY", "IBM"))
    script = {0: [market("BUY", 100), market("BUY", 50, 2, "IBM")]}
    splits = [an_action(WEDNESDAY, symbol=symbol, coefficient=2.0) for symbol in ("SPY", "IBM")]
    engine, broker, _ = carried(panel, script, *splits)
    times = [event.received_at for event in engine.events]
    assert times == sorted(times)
    assert (broker.ledger.held("SPY"), broker.ledger.held("IBM")) == (200, 100)


def test_a_distribution_is_paid_on_the_shares_that_stay():
    panel = a_daily_panel([100.0, 110.0, 100.0], opens=[100.0, 110.0, 100.0])
    _, broker, result = carried(panel, {0: [market("BUY", 100)]}, an_action(WEDNESDAY, coefficient=1.1))
    assert flows(result) == [(WEDNESDAY, "distribution", "SPY", 1_000.0)]
    assert broker.ledger.held("SPY") == 100


def test_cash_earns_and_debt_costs_every_calendar_night():
    rates = InterestRates(debit_pct=6.0, credit_pct=1.0)
    _, _, result = carried(a_daily_panel([100.0] * 6), {3: [market("BUY", 1_600)]}, rates=rates)
    nights = [(flow.kind, flow.amount) for flow in result.cash_flows]
    cash, earned = 100_000.0, 0.0
    for _ in range(4):  # Monday to Friday's open
        earned += (cash + earned) * 0.01 / 360
    assert sum(amount for kind, amount in nights if kind == "credit_interest") == pytest.approx(earned)
    owed = cash + earned - 160_000.0  # bought at Friday's open: three nights to Monday
    assert nights[-1] == ("debit_interest", pytest.approx(owed * 0.06 * 3 / 360))


def test_a_short_pays_its_fee_on_the_close_and_its_proceeds_earn_nothing():
    rates = InterestRates(debit_pct=6.0, credit_pct=1.0)
    panel = a_daily_panel([100.0] * 4 + [110.0] * 2)
    _, _, result = carried(panel, {3: [market("SELL", 100)]}, rates=rates, borrow_bps=50.0)
    fee = next(flow for flow in result.cash_flows if flow.kind == "borrow_fee")
    assert (fee.session, fee.amount) == (NEXT_MONDAY, pytest.approx(-11_000 * 0.005 * 3 / 360))
    credit = result.cash_flows[-1]
    cash_before = 100_000 + sum(flow.amount for flow in result.cash_flows[:-2])
    sold_at = 110.0
    free = cash_before + 100 * sold_at - 11_000  # collateral
    assert credit.amount == pytest.approx(free * 0.01 * 3 / 360)
