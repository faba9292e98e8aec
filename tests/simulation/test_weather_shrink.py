"""A plan that fails is cut to what makes it fail, in as many runs as are allowed."""

import pytest
from msgspec.structs import replace

from tests.simulation.plan import Crash, GatewayFault, Market, NetworkFault, Operator, Plan, Stop
from tests.simulation.weather.shrink import PLAIN_LATENCY_S, shrunk

KILLER = Crash(at_s=1000.0, where="after_commit", nth=3, down_s=5.0)
HALT = Operator(at_s=1002.0, verb="halt", scope="account", by="mqtt")


def a_plan(*incidents, **changes):
    plan = Plan(
        seed=1,
        weather="brutal",
        market=Market(seed=1, symbols=("SPY", "IBM"), first_session="2026-11-20", is_eventful=True),
        daemon={
            "universe": {"symbols": ["SPY", "IBM"]},
            "strategy": [{"name": "one", "symbols": []}, {"name": "two", "symbols": []}],
            "mqtt": {"enabled": True},
        },
        incidents=incidents,
        latency_s=(0.01, 0.05),
        shuffle=True,
        calm_s=300.0,
    )
    return replace(plan, **changes)


def noise(count):
    return [Stop(at_s=10.0 * number, down_s=1.0) for number in range(count)]


class Counted:
    """A predicate that counts its calls."""

    def __init__(self, fails):
        self.calls, self._fails = 0, fails

    def __call__(self, plan):
        self.calls += 1
        return self._fails(plan)


def kills(plan):
    return any(isinstance(one, Crash) for one in plan.incidents)


def kills_and_halts(plan):
    return kills(plan) and any(isinstance(one, Operator) for one in plan.incidents)


def test_the_one_incident_that_matters_is_left():
    small = shrunk(a_plan(*noise(17), KILLER, *noise(14)), kills)
    assert [type(one) for one in small.incidents] == [Crash]


def test_two_that_matter_only_together_are_left_in_their_order():
    small = shrunk(a_plan(*noise(9), KILLER, *noise(13), HALT, *noise(8)), kills_and_halts)
    assert [type(one) for one in small.incidents] == [Crash, Operator]


def test_a_plan_that_fails_without_any_incident_is_left_with_none():
    assert shrunk(a_plan(*noise(30)), lambda plan: True).incidents == ()


def test_what_does_not_matter_becomes_plain():
    small = shrunk(a_plan(KILLER, HALT), kills_and_halts)
    assert (small.shuffle, small.latency_s, small.market.is_eventful) == (False, PLAIN_LATENCY_S, False)
    assert small.market.symbols == ("SPY",)
    assert small.daemon == {
        "universe": {"symbols": ["SPY"]},
        "strategy": [{"name": "one", "symbols": []}],
        "mqtt": {"enabled": False},
    }
    assert small.incidents == (replace(KILLER, nth=1), replace(HALT, by="socket"))


def test_a_run_ends_soon_after_its_last_incident_and_keeps_its_calm():
    """1000 s, a minute for the crash to come, 5 s down, two minutes to settle, 300 s of calm."""
    small = shrunk(a_plan(*noise(3), KILLER, Stop(at_s=20_000.0, down_s=1.0)), kills)
    assert small.market.lasts_s == 1485


def test_a_run_that_fails_only_in_the_end_is_not_cut_short():
    small = shrunk(a_plan(KILLER), lambda plan: kills(plan) and not plan.market.lasts_s)
    assert small.market.lasts_s == 0


def test_what_matters_stays_as_it_is():
    plan = a_plan(KILLER, NetworkFault(at_s=5.0, what="reset", line="both"))

    def fails(tried):
        return tried.shuffle and tried.latency_s[1] > 0.04 and tried.market.is_eventful and len(tried.incidents) > 1

    small = shrunk(plan, fails)
    assert (small.shuffle, small.latency_s, small.market.is_eventful) == (True, (0.01, 0.05), True)
    assert len(small.incidents) == 2


def test_without_its_eve_a_plan_is_its_whole_session_alone():
    market = Market(seed=1, symbols=("SPY",), first_session="2026-11-20", is_eventful=False, eve_s=900)
    before = Stop(at_s=-70_000.0, down_s=1.0)
    on_the_eve = GatewayFault(rule={"name": "freeze", "day": 1, "at": "15:50:00"})
    in_session = GatewayFault(rule={"name": "freeze", "day": 2, "at": "10:00:00"})
    plan = a_plan(before, on_the_eve, in_session, KILLER, market=market)
    small = shrunk(plan, lambda tried: kills(tried) and _names(tried) >= 1)
    assert (small.market.eve_s, small.market.first_session) == (0, "2026-11-23")
    assert small.incidents == (GatewayFault(rule=in_session.rule | {"day": 1}), replace(KILLER, nth=1))


def _names(plan):
    return sum(isinstance(one, GatewayFault) and one.rule["at"] == "10:00:00" for one in plan.incidents)


def test_a_symbol_that_an_incident_names_stays():
    plan = a_plan(GatewayFault(rule={"name": "halt", "day": 1, "at": "10:00:00", "symbol": "IBM"}), KILLER)
    small = shrunk(plan, lambda tried: len(tried.incidents) == 2)
    assert small.market.symbols == ("SPY", "IBM")


@pytest.mark.parametrize("most", [0, 1, 7, 40])
def test_never_more_runs_than_allowed(most):
    fails = Counted(kills_and_halts)
    small = shrunk(a_plan(*noise(40), KILLER, *noise(40), HALT), fails, most)
    assert fails.calls <= most
    assert kills_and_halts(small)


def test_no_plan_is_played_twice():
    seen = []

    def fails(plan):
        assert plan not in seen
        seen.append(plan)
        return kills_and_halts(plan)

    shrunk(a_plan(*noise(20), KILLER, *noise(11), HALT), fails)
    assert len(seen) > 10
