"""Daily bars in the weather: laid over what was drawn, so that nothing else of a day changes."""

from msgspec.structs import replace

from tests.simulation.weather.daily import DAILY_SHARE, DAY_S, with_daily_bars
from tests.simulation.weather.draw import drawn

EVENINGS = [plan for plan in (drawn(seed, "brutal") for seed in range(600)) if plan.market.eve_s]


def is_daily(plan):
    return plan.daemon["bars"]["interval_s"] == DAY_S


def test_a_part_of_the_evenings_is_traded_with_daily_bars_and_no_other_day():
    share = sum(map(is_daily, EVENINGS)) / len(EVENINGS)
    assert abs(share - DAILY_SHARE) < 0.15
    assert not any(is_daily(plan) for plan in (drawn(seed, "brutal") for seed in range(100)) if not plan.market.eve_s)


def test_what_goes_wrong_and_when_is_as_drawn():
    plan = next(plan for plan in EVENINGS if not is_daily(plan))
    daily = next(
        with_daily_bars(replace(plan, seed=seed))
        for seed in range(100)
        if is_daily(with_daily_bars(replace(plan, seed=seed)))
    )
    assert (daily.incidents, daily.market, daily.latency_s) == (plan.incidents, plan.market, plan.latency_s)
    changed = {name for name in plan.daemon if plan.daemon[name] != daily.daemon[name]}
    assert changed <= {"bars", "session", "risk", "strategy"}
