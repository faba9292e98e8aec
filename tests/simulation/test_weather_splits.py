"""A split is drawn as in life: while nobody trades, once a day and company, not with the news of an order."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.plan import GatewayFault
from tests.simulation.weather.draw import SETTLING_S, drawn
from tests.simulation.weather.span import begins_s, calm_begins_s, ends_s

brutal_plans = st.builds(drawn, st.integers(0, 10**9), st.just("brutal"))
many = settings(max_examples=150, deadline=None)


def rules(plan, name):
    return [one for one in plan.incidents if isinstance(one, GatewayFault) and one.rule["name"] == name]


def is_halted(plan, symbol, from_s, to_s):
    halts = [one for one in rules(plan, "halt") if one.rule.get("symbol") == symbol]
    return any(begins_s(plan, halt) <= from_s and to_s <= ends_s(plan, halt) for halt in halts)


def splits_of(plan):
    return [(one.rule["symbol"], begins_s(plan, one)) for one in rules(plan, "split")]


@many
@given(brutal_plans)
def test_nobody_trades_around_a_split(plan):
    troubles_end_s = calm_begins_s(plan) - SETTLING_S
    for symbol, at_s in splits_of(plan):
        assert is_halted(plan, symbol, at_s - 59, min(at_s + 89, troubles_end_s - 1))


@many
@given(brutal_plans)
def test_a_company_splits_its_shares_once_a_day(plan):
    assert set(Counter(symbol for symbol, _ in splits_of(plan)).values()) <= {1}


@many
@given(brutal_plans)
def test_a_split_waits_for_no_message(plan):
    assert [one.rule for one in rules(plan, "split") if "message" in one.rule] == []


def test_splits_come_up():
    assert sum(bool(splits_of(drawn(seed, "brutal"))) for seed in range(200)) >= 10
