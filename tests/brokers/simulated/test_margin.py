"""Regulation T and FINRA 4210, by hand."""

import math

import pytest

from brokers.simulated.margin import Margin, margin_of


@pytest.mark.parametrize(
    ("quantity", "price", "initial", "maintenance"),
    [
        (100, 100.0, 5000.0, 2500.0),
        (-100, 100.0, 5000.0, 3000.0),
        (-100, 10.0, 500.0, 500.0),  # 30 % would be 300, five dollars a share are more
        (-100, 4.0, 400.0, 400.0),  # below five dollars the whole value
        (-100, 2.0, 250.0, 250.0),  # and at least 2.50 a share
        (0, 100.0, 0.0, 0.0),
        (100, math.nan, 0.0, 0.0),
    ],
)
def test_a_position_ties_up_what_the_rules_say(quantity, price, initial, maintenance):
    assert margin_of([(quantity, price)]) == Margin(initial, maintenance)


def test_positions_do_not_set_each_other_off():
    assert margin_of([(100, 100.0), (-100, 100.0)]) == Margin(10_000.0, 5500.0)
