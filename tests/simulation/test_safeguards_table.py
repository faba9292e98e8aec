"""How a safeguard is switched off, and that the table cannot outlive what it speaks of."""

import pytest

from risk import gate
from risk.checks import RULES
from shared import ids
from tests.simulation.safeguards.safeguard import (
    Part,
    Safeguard,
    SafeguardError,
    by_name,
    equal_to,
    gate_without,
    returning,
    switched_off,
)
from tests.simulation.safeguards.table import SAFEGUARDS, safeguard_of

INVARIANTS = {f"I{number}" for number in range(1, 23)}


def a_safeguard(*parts, name="one"):
    return Safeguard(name=name, guards="something", breaks=("I1",), parts=parts)


def test_there_are_more_than_the_twenty_five_that_are_asked_for():
    assert len(SAFEGUARDS) >= 30


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_every_place_still_exists_and_is_given_back(name):
    with switched_off(SAFEGUARDS[name], must_be_reached=False) as reach:
        assert len(reach.calls) == len(SAFEGUARDS[name].parts)
    with switched_off(SAFEGUARDS[name], must_be_reached=False):
        pass  # a place that was not given back would be the same thing now, or count twice


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_every_row_names_invariants_and_says_in_one_line_what_it_guards(name):
    safeguard = SAFEGUARDS[name]
    assert set(safeguard.breaks) <= INVARIANTS
    assert safeguard.breaks
    assert "\n" not in safeguard.guards


def test_a_function_is_replaced_and_given_back():
    before = ids.exec_stem
    with switched_off(a_safeguard(Part("shared.ids:exec_stem", returning("all")))) as reach:
        assert ids.exec_stem("1.2.3.4") == "all"
        assert reach.calls == {"shared.ids:exec_stem": 1}
    assert ids.exec_stem is before


def test_it_is_given_back_also_after_an_error():
    before = ids.exec_stem
    with pytest.raises(ZeroDivisionError), switched_off(a_safeguard(Part("shared.ids:exec_stem", returning("all")))):
        raise ZeroDivisionError
    assert ids.exec_stem is before


@pytest.mark.parametrize("place", ["shared.ids:no_such", "shared.ids:OrderRef.no_such", "shared.no_such:thing"])
def test_a_place_that_no_longer_exists_is_said(place):
    gone = a_safeguard(Part(place, returning(None)))
    with pytest.raises(SafeguardError, match=f"one: {place} does not exist any more"), switched_off(gone):
        pass


def test_what_stands_before_a_wrong_place_is_given_back_too():
    before = ids.exec_stem
    wrong = a_safeguard(Part("shared.ids:exec_stem", returning("all")), Part("shared.ids:gone", returning(None)))
    with pytest.raises(SafeguardError), switched_off(wrong):
        pass
    assert ids.exec_stem is before


@pytest.mark.parametrize("instead", [lambda before: before, equal_to("OB1")])
def test_what_changes_nothing_is_said(instead):
    idle = a_safeguard(Part("shared.ids:PREFIX", instead))
    with pytest.raises(SafeguardError, match="switching it off changes nothing"), switched_off(idle):
        pass


def test_a_block_that_never_came_to_the_safeguard_has_shown_nothing():
    unreached = a_safeguard(Part("shared.ids:exec_stem", returning("all")))
    with pytest.raises(SafeguardError, match="nothing came to shared"), switched_off(unreached):
        pass


def test_a_rule_counts_as_reached_only_where_it_would_have_refused():
    muted = a_safeguard(gate_without("halted"))
    with switched_off(muted, must_be_reached=False) as reach:
        assert len(vars(gate)["RULES"]) == len(RULES)
        assert not reach.is_reached


def test_a_rule_that_the_gate_does_not_have_is_said():
    with (
        pytest.raises(SafeguardError, match="no rule of the gate is called no_rule"),
        switched_off(a_safeguard(gate_without("no_rule"))),
    ):
        pass


def test_two_rows_of_one_name_are_refused():
    with pytest.raises(ValueError, match="named twice: one"):
        by_name([a_safeguard(), a_safeguard()])


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(KeyError, match="there are: reconciled_before_entries, "):
        safeguard_of("none")
