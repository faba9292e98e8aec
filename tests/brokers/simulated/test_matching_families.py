"""Families and OCA groups: what the fill of one order does to the others."""

import pytest

from brokers.simulated.matching import Cancelled, Filled, Reduced, StatusChanged
from tests.brokers.simulated.builders import a_matcher, an_order, fills
from tests.brokers.simulated.test_matching import a_bracket

# ---- families


def test_untransmitted_orders_are_invisible_until_the_last_leg_transmits_the_family():
    entry, stop, target = a_bracket()
    matcher = a_matcher(entry, stop)
    assert matcher.on_trade(0, 90.0, 500) == []
    assert list(matcher.working()) == []
    assert matcher.submit(target, market_open=True) == [
        StatusChanged(1, "Submitted", ""),
        StatusChanged(2, "PreSubmitted", "child"),
        StatusChanged(3, "PreSubmitted", "child"),
    ]
    assert [order.key for order in matcher.working()] == [1, 2, 3]


def test_a_modify_can_transmit_a_family():
    matcher = a_matcher(an_order(1, transmit=False))
    assert matcher.modify(1, limit_price=99.0) == []
    assert matcher.modify(1, transmit=True) == [StatusChanged(1, "Submitted", "")]
    assert matcher.on_trade(0, 99.0, 100) == [Filled(1, 100, 99.0)]


def test_a_fill_of_the_parent_wakes_the_limit_and_leaves_the_stop_waiting_for_its_trigger():
    matcher = a_matcher(*a_bracket())
    assert matcher.on_trade(0, 100.0, 500) == [
        Filled(1, 100, 100.0),
        StatusChanged(2, "PreSubmitted", "trigger"),
        StatusChanged(3, "Submitted", ""),
    ]


def test_children_are_not_filled_before_their_parent():
    matcher = a_matcher(*a_bracket())
    assert matcher.on_trade(0, 115.0, 500) == []


def test_children_fill_no_more_than_the_parent_has_filled():
    matcher = a_matcher(*a_bracket())
    matcher.on_trade(0, 100.0, 60)
    assert matcher.on_trade(0, 111.0, 500) == [Filled(3, 60, 110.0), Reduced(2, 40)]
    assert fills(matcher.on_trade(0, 94.0, 500)) == [Filled(1, 40, 100.0)]
    assert fills(matcher.on_trade(0, 94.0, 500)) == [Filled(2, 40, 94.0)]


def test_cancelling_an_unfilled_parent_cancels_its_children():
    matcher = a_matcher(*a_bracket())
    assert matcher.cancel(1, "by hand") == [
        Cancelled(1, "by hand"),
        Cancelled(2, "the parent order was cancelled"),
        Cancelled(3, "the parent order was cancelled"),
    ]


def test_cancelling_a_partly_filled_parent_leaves_children_for_the_filled_part():
    matcher = a_matcher(*a_bracket())
    matcher.on_trade(0, 100.0, 60)
    assert matcher.cancel(1) == [Cancelled(1, ""), Reduced(2, 60), Reduced(3, 60)]
    assert fills(matcher.on_trade(0, 94.0, 500)) == [Filled(2, 60, 94.0)]
    assert list(matcher.working()) == []


def test_cancelling_a_parent_whose_filled_part_is_closed_cancels_the_children():
    matcher = a_matcher(*a_bracket())
    matcher.on_trade(0, 100.0, 60)
    matcher.on_trade(0, 111.0, 500)
    assert matcher.cancel(1) == [
        Cancelled(1, ""),
        Cancelled(2, "nothing left to close"),
        Cancelled(3, "nothing left to close"),
    ]


def test_a_child_transmitted_after_its_parent_ended_is_cut_to_what_the_parent_filled():
    matcher = a_matcher(an_order(1))
    matcher.submit(an_order(2, "SELL", parent_key=1, transmit=False), market_open=True)
    matcher.on_trade(0, 100.0, 60)
    assert matcher.cancel(1) == [Cancelled(1, "")]
    assert matcher.modify(2, transmit=True) == [StatusChanged(2, "Submitted", ""), Reduced(2, 60)]


def test_a_child_of_a_cancelled_parent_is_cancelled_on_arrival():
    matcher = a_matcher(an_order(1))
    matcher.cancel(1)
    outcomes = matcher.submit(an_order(2, "SELL", parent_key=1), market_open=True)
    assert outcomes == [Cancelled(2, "the parent order is not working")]


def test_a_child_of_a_filled_parent_is_live_on_arrival_for_what_is_open():
    matcher = a_matcher(an_order(1))
    matcher.on_trade(0, 100.0, 100)
    outcomes = matcher.submit(an_order(2, "SELL", 130, limit_price=110.0, parent_key=1), market_open=True)
    assert outcomes == [StatusChanged(2, "Submitted", ""), Reduced(2, 100)]


def test_a_same_sized_child_of_a_filled_parent_is_not_changed():
    matcher = a_matcher(an_order(1))
    matcher.on_trade(0, 100.0, 100)
    outcomes = matcher.submit(an_order(2, "SELL", 100, limit_price=110.0, parent_key=1), market_open=True)
    assert outcomes == [StatusChanged(2, "Submitted", "")]


def test_a_closed_position_cancels_children_of_other_groups_too():
    entry, stop, target = a_bracket()
    stop.oca_group, target.oca_group = "a", "b"
    matcher = a_matcher(entry, stop, target)
    matcher.on_trade(0, 100.0, 100)
    assert matcher.on_trade(0, 111.0, 40) == [Filled(3, 40, 110.0)]
    assert matcher.on_trade(0, 111.0, 60) == [Filled(3, 60, 110.0), Cancelled(2, "position closed")]


# ---- OCA


@pytest.mark.parametrize("oca_type", [2, 3])
def test_reducing_groups_lose_what_a_member_fills(oca_type):
    matcher = a_matcher(*a_bracket(oca_type=oca_type))
    matcher.on_trade(0, 100.0, 100)
    assert matcher.on_trade(0, 110.0, 40) == [Filled(3, 40, 110.0), Reduced(2, 60)]
    assert matcher.on_trade(0, 110.0, 60) == [Filled(3, 60, 110.0), Cancelled(2, "OCA: order 3 filled")]


def test_a_cancelling_group_goes_on_the_first_fill():
    matcher = a_matcher(*a_bracket(oca_type=1))
    matcher.on_trade(0, 100.0, 100)
    assert matcher.on_trade(0, 110.0, 40) == [Filled(3, 40, 110.0), Cancelled(2, "OCA: order 3 filled")]


@pytest.mark.parametrize("oca_type", [1, 2])
def test_one_trade_that_reaches_two_members_overfills_neither(oca_type):
    group = {"oca_group": "g", "oca_type": oca_type}
    matcher = a_matcher(an_order(1, **group), an_order(2, limit_price=101.0, **group))
    assert matcher.on_trade(0, 99.0, 500) == [Filled(2, 100, 101.0), Cancelled(1, "OCA: order 2 filled")]


def test_a_group_is_filled_when_a_member_filled_and_none_lives():
    matcher = a_matcher(an_order(1, oca_group="g"), an_order(2, limit_price=99.0, oca_group="g"))
    assert not matcher.group_is_filled("g")
    matcher.on_trade(0, 100.0, 500)
    assert matcher.group_is_filled("g")
    assert not matcher.group_is_filled("unheard of")
