"""Every plan that is drawn can be played; everything there is gets drawn; the same seed is the same plan everywhere."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.gateway.faults.catalogue import CATALOGUE
from brokers.simulated.gateway.faults.rule import rule_of
from brokers.simulated.market.synthetic import SyntheticMarket
from shared.config_rules import contradictions
from shared.market import Universe
from shared.sessions import session_of
from strategies.registry import load_strategy
from tests.scenarios.floor import a_config
from tests.simulation.plan import (
    ClockStep,
    Crash,
    DiskFault,
    GatewayFault,
    MqttFault,
    NetworkFault,
    Operator,
    Stop,
    Weather,
    decoded,
    encoded,
)
from tests.simulation.weather.configuration import STRATEGY_FILES
from tests.simulation.weather.draw import drawn, troubles_of
from tests.simulation.weather.pairs import RECIPES
from tests.simulation.weather.persons import STATES
from tests.simulation.weather.span import begins_s, calm_begins_s, ends_s, run_ends_s
from tests.simulation.weather.stage import Stage
from tests.simulation.weather.trading_days import character_of, day_of, is_near_clock_change

SEEDS = 500
WEATHERS: tuple[Weather, ...] = ("calm", "rough", "brutal", "storm")
any_plan = st.builds(drawn, st.integers(0, 10**9), st.sampled_from(WEATHERS))
a_few = settings(max_examples=60, deadline=None)


@cache
def brutal_plans():
    return tuple(drawn(seed, "brutal") for seed in range(SEEDS))


def incidents(kind):
    return [one for plan in brutal_plans() for one in plan.incidents if isinstance(one, kind)]


def hours_of(session):
    hours = session_of("XNYS", session)
    assert hours is not None
    return hours


def fault_names(plans):
    return Counter(one.rule["name"] for plan in plans for one in plan.incidents if isinstance(one, GatewayFault))


# ------------------------------------------------------------------ what is drawn can be played


@a_few
@given(any_plan)
def test_every_rule_is_one_the_gateway_takes(plan):
    mistakes = [rule_of(one.rule)[1] for one in plan.incidents if isinstance(one, GatewayFault)]
    assert [one for one in mistakes if one] == []


@a_few
@given(any_plan)
def test_every_rule_names_a_symbol_of_the_market(plan):
    named = {one.rule["symbol"] for one in plan.incidents if isinstance(one, GatewayFault) and "symbol" in one.rule}
    assert named <= set(plan.market.symbols)


@settings(max_examples=40, deadline=None)
@given(plan=any_plan)
def test_every_daemon_is_one_that_config_toml_may_describe(tmp_path_factory, plan):
    folder = tmp_path_factory.mktemp("config")
    config = a_config(folder, 4010, **plan.daemon)
    assert contradictions(config.model_dump(mode="json", by_alias=True)) == []


@settings(max_examples=40, deadline=None)
@given(plan=any_plan)
def test_every_strategy_of_a_plan_can_be_loaded(tmp_path_factory, plan):
    folder = tmp_path_factory.mktemp("strategies")
    for file in STRATEGY_FILES:
        shutil.copy(file, folder)
    config = a_config(folder, 4010, **plan.daemon)
    for strategy in config.strategies:
        wanted = config.symbols_of(strategy)
        universe = Universe(tuple(one for one in config.universe_of().instruments if one.symbol in wanted))
        assert load_strategy(strategy.kind, universe, dict(strategy.params), folder).symbols == wanted


@a_few
@given(any_plan)
def test_every_session_is_one_of_the_exchange_with_its_hours(plan):
    day = day_of(plan.market)
    hours = hours_of(day.session)
    assert (hours.opens_at.timestamp(), hours.closes_at.timestamp()) == (day.opens_at, day.closes_at)
    if day.eve is not None:
        assert hours_of(day.eve).closes_at.timestamp() == day.eve_closes_at


@a_few
@given(any_plan)
def test_nothing_lasts_into_the_calm(plan):
    assert [one for one in plan.incidents if ends_s(plan, one) > calm_begins_s(plan)] == []


@a_few
@given(any_plan)
def test_nothing_begins_before_the_run_does(plan):
    eve_s = plan.market.eve_s
    day = day_of(plan.market)
    first = day.eve_closes_at - eve_s - day.opens_at if eve_s else 0.0
    assert [one for one in plan.incidents if begins_s(plan, one) < first] == []


@a_few
@given(any_plan)
def test_incidents_stand_in_the_order_in_which_they_begin(plan):
    begins = [begins_s(plan, one) for one in plan.incidents]
    assert all(before <= after for before, after in pairwise(begins))


@a_few
@given(any_plan)
def test_whoever_stops_trading_frees_it_again(plan):
    orders = [one for one in plan.incidents if isinstance(one, Operator)]
    for stopped in (one for one in orders if one.verb in STATES):
        later = [one for one in orders if one.verb == "resume" and one.scope == stopped.scope]
        assert max(one.at_s for one in later) > stopped.at_s


@a_few
@given(any_plan)
def test_the_clock_of_the_wall_is_right_again_in_the_end(plan):
    assert sum(one.by_s for one in plan.incidents if isinstance(one, ClockStep)) == pytest.approx(0.0, abs=1e-9)


@a_few
@given(any_plan)
def test_signed_commands_are_sent_only_where_they_are_taken(plan):
    by = {one.by for one in plan.incidents if isinstance(one, Operator)}
    assert "mqtt" not in by or plan.daemon["mqtt"]["commands"]


@a_few
@given(any_plan)
def test_a_position_may_be_held_over_the_night_that_a_run_plays(plan):
    assert not plan.market.eve_s or plan.daemon["session"]["flatten_before_close_s"] == 0


@a_few
@given(any_plan)
def test_a_plan_survives_being_written_down(plan):
    assert decoded(encoded(plan)) == plan


@a_few
@given(any_plan)
def test_a_gateway_on_another_account_comes_back_on_ours(plan):
    moves = [one for one in plan.incidents if isinstance(one, GatewayFault) and one.rule.get("account")]
    assert not moves or moves[-1].rule["account"] == "DU7654321"


# ------------------------------------------------------------------ everything is drawn


@pytest.mark.parametrize("number", sorted(CATALOGUE))
def test_each_of_the_54_faults_comes_up_within_500_brutal_days(number):
    assert fault_names(brutal_plans())[CATALOGUE[number].name] >= 5


@pytest.mark.parametrize("kind", [NetworkFault, Crash, DiskFault, ClockStep, MqttFault, Operator, Stop])
def test_each_kind_of_incident_comes_up_within_500_brutal_days(kind):
    assert len(incidents(kind)) >= 100


@pytest.mark.parametrize(
    ("kind", "field", "wanted"),
    [
        (NetworkFault, "what", {"reset", "close", "deaf", "stall", "slow"}),
        (NetworkFault, "line", {"orders", "data", "both"}),
        (Crash, "where", {"step", "before_commit", "after_commit", "sending"}),
        (DiskFault, "what", {"full", "broken", "slow"}),
        (MqttFault, "what", {"down", "channel_down"}),
        (Operator, "verb", {"halt", "reduce", "resume", "flatten", "observe", "block", "reset", "accept"}),
        (Operator, "by", {"socket", "mqtt"}),
    ],
)
def test_each_manner_of_an_incident_comes_up(kind, field, wanted):
    assert {getattr(one, field) for one in incidents(kind)} == wanted


@pytest.mark.parametrize(
    ("kind", "field", "shortest", "longest"),
    [
        (Crash, "down_s", 0.2, 500.0),
        (NetworkFault, "size_s", 0.0, 20.0),
        (ClockStep, "by_s", -1800.0, 1800.0),
        (Stop, "down_s", 0.5, 400.0),
    ],
)
def test_lengths_are_drawn_over_their_whole_range(kind, field, shortest, longest):
    lengths = [getattr(one, field) for one in incidents(kind)]
    assert min(lengths) <= shortest
    assert max(lengths) >= longest


CHOICES: dict[str, set[Any]] = {
    "bars.interval_s": {5, 10, 15, 30, 60, 120, 300},
    "bars.warm_up": {0, 10, 30, 60},
    "broker.follow_gateway_clock": {True, False},
    "broker.quotes": {True, False},
    "execution.entry": {"market", "limit"},
    "execution.entries_on_reconnect": {"cancel", "keep"},
    "execution.targets_on_reconnect": {"cancel", "keep"},
    "execution.self_trade": {"refuse", "allow"},
    "session.flatten_before_close_s": {0, 60, 120, 300, 600},
    "session.entry_after_open_s": {0, 60, 300},
    "session.entry_before_close_s": {60, 300, 600, 900, 120},
    "reconcile.foreign": {"report", "adopt", "reduce"},
    "mqtt.enabled": {True, False},
    "risk.allow_short": {True, False},
    "risk.max_day_loss": {None, 20_000.0, 300.0, 1_000.0, 3_000.0},
    "risk.max_orders_per_s": {None, 20, 2, 1},
    "risk.max_orders_per_min": {None, 200, 5, 2},
    "risk.max_rejects_in_a_row": {None, 5, 2, 1},
}


@pytest.mark.parametrize("key", CHOICES)
def test_each_choice_of_the_configuration_comes_up(key):
    section, _, name = key.partition(".")
    assert {plan.daemon[section].get(name) for plan in brutal_plans()} >= CHOICES[key]


def test_each_kind_of_strategy_exit_and_size_comes_up():
    strategies = [one for plan in brutal_plans() for one in plan.daemon["strategy"]]
    assert {one["kind"] for one in strategies} == {"restless.py", "threshold.py", "sma_cross", "cross_momentum"}
    assert {one["exits"]["method"] for one in strategies} == {"percent", "atr"}
    assert {one["sizing"]["method"] for one in strategies} == {"fixed_fraction", "atr"}
    assert any(one["exits"].get("trail_pct") for one in strategies)
    assert any(one["exits"].get("trail_atr") for one in strategies)
    assert any(one["exits"]["max_holding_s"] for one in strategies)
    assert any(one["exits"].get("target_pct") == 0 for one in strategies)
    assert {len(plan.daemon["strategy"]) for plan in brutal_plans()} == {1, 2}


def test_half_days_changes_of_the_clock_nights_and_events_come_up():
    days = [day_of(plan.market) for plan in brutal_plans()]
    assert sum(day.length_s == 3.5 * 3600 for day in days) >= 15
    assert sum(is_near_clock_change(day.session) for day in days) >= 60
    assert sum(day.eve is not None for day in days) >= 25
    assert sum(plan.market.is_eventful for plan in brutal_plans()) >= 100
    assert {len(plan.market.symbols) for plan in brutal_plans()} == {1, 2, 3}


def test_nights_with_a_split_in_them_come_up():
    plans = [plan for plan in brutal_plans() if plan.market.eve_s and plan.market.is_eventful]
    assert sum(bool(_next_morning(plan.market).corporate_actions) for plan in plans) >= 10


def _next_morning(market):
    day = day_of(market)
    return SyntheticMarket(
        seed=market.seed, symbols=market.symbols, session=day.session, character=character_of(market)
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.draw.__name__)
def test_each_recipe_brings_things_together_around_its_moment(recipe):
    at_s, drawings = 5000.0, []
    for seed in range(20):
        plan = drawn(seed, "brutal")
        stage = a_stage(plan, seed)
        found = recipe.draw(stage, at_s)
        drawings.append(found)
        assert [one for one in found if ends_s(plan, one) > stage.last_s] == []
    assert max(len(found) for found in drawings) >= 2


def a_stage(plan, seed):
    day = day_of(plan.market)
    last_s = day.length_s - 400
    return Stage(chance=random.Random(seed), market=plan.market, day=day, daemon=plan.daemon, last_s=last_s)


# ------------------------------------------------------------------ how hard a weather is


def test_a_brutal_day_has_22_troubles_on_average_and_some_days_are_calm():
    counts = [len(troubles_of(plan)) for plan in brutal_plans()]
    assert mean(counts) >= 22
    assert min(counts) <= 6
    assert max(counts) <= 45


def test_a_rough_day_has_about_ten_and_a_calm_one_at_most_a_handful():
    rough = [len(troubles_of(drawn(seed, "rough"))) for seed in range(300)]
    calm = [len(troubles_of(drawn(seed, "calm"))) for seed in range(300)]
    assert 8 <= mean(rough) <= 12
    assert mean(calm) <= 3
    assert max(calm) <= 7
    assert min(calm) == 0


def test_a_storm_has_twice_the_troubles_of_a_brutal_day_and_nobody_stops_its_trading():
    storms = [drawn(seed, "storm") for seed in range(100)]
    assert mean(len(troubles_of(plan)) for plan in storms) >= 40
    said = {one.verb for plan in storms for one in plan.incidents if isinstance(one, Operator)}
    assert said == {"flatten", "resume", "reset", "accept"}


def test_a_calm_day_has_only_mild_faults():
    mild = {fault.name for fault in CATALOGUE.values() if fault.severity == "mild"}
    assert set(fault_names(drawn(seed, "calm") for seed in range(300))) <= mild


def test_long_outages_leave_half_of_every_session_to_live_in():
    """Refused, restarting, waiting for a login, or down: in half of a hundred days together."""
    out = ("wait_for_login", "refuse_connections", "nightly_reset", "restart_with_old_ids", "restart_as_another")
    shares = []
    for plan in brutal_plans()[:100]:
        rules = [one.rule for one in plan.incidents if isinstance(one, GatewayFault)]
        lost_s = sum(rule["for_s"] for rule in rules if rule["name"] in out)
        lost_s += sum(one.down_s for one in plan.incidents if isinstance(one, Crash | Stop))
        shares.append(lost_s / run_ends_s(plan))
    assert mean(shares) <= 0.25
    assert sorted(shares)[90] <= 0.5


# ------------------------------------------------------------------ the same everywhere


def test_another_seed_or_another_weather_is_another_plan():
    plans = [encoded(drawn(seed, weather)) for seed in range(20) for weather in WEATHERS]
    assert len(set(plans)) == len(plans)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_interpreters_with_other_hash_seeds_draw_the_same_plans(hash_seed):
    code = (
        "import hashlib; from tests.simulation.plan import encoded; from tests.simulation.weather.draw import drawn;"
        "print(hashlib.sha256(b''.join(encoded(drawn(seed, 'brutal')) for seed in range(40))).hexdigest())"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)},
    )
    here = hashlib.sha256(b"".join(encoded(drawn(seed, "brutal")) for seed in range(40))).hexdigest()
    assert done.stdout.strip() == here
