"""Plans drawn from a seed."""

import pytest

from brokers.simulated.gateway.faults.catalogue import CATALOGUE
from brokers.simulated.gateway.faults.plan import plan_of
from brokers.simulated.gateway.faults.rule import rule_of
from brokers.simulated.gateway.faults.seeded import LEVELS, drawn_rules

DAYS = range(1, 201)
ALLOWED = {"mild": {"mild"}, "rough": {"mild", "rough"}, "brutal": {"mild", "rough", "brutal"}}


def days_of(level):
    return [drawn_rules(level, 7, day) for day in DAYS]


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_draws_the_same_plan(level):
    assert [plan_of(level, 11).rules_of(day) for day in DAYS] == [plan_of(level, 11).rules_of(day) for day in DAYS]


@pytest.mark.parametrize("level", LEVELS)
def test_another_seed_draws_another_plan(level):
    assert [plan_of(level, 11).rules_of(day) for day in DAYS] != [plan_of(level, 12).rules_of(day) for day in DAYS]


@pytest.mark.parametrize("level", LEVELS)
def test_some_days_are_calm_and_no_day_has_more_than_its_level_allows(level):
    counts = [len(rules) for rules in days_of(level)]
    assert counts.count(0) > 0
    assert max(counts) == LEVELS[level].most
    assert min(count for count in counts if count) == LEVELS[level].fewest


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_draws_nothing_that_is_worse_than_itself(level):
    assert {rule.fault.severity for rules in days_of(level) for rule in rules} == ALLOWED[level]


def test_brutal_days_have_every_fault_of_the_catalogue_sooner_or_later():
    drawn = {rule.fault.number for day in range(1, 2001) for rule in drawn_rules("brutal", 7, day)}
    assert drawn == set(CATALOGUE)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_drawn_could_have_been_written_in_a_script(level):
    rules = [rule for drawn in days_of(level) for rule in drawn]
    assert [rule_of(rule.plain()) for rule in rules] == [(rule, []) for rule in rules]
