"""Interactive Brokers' published prices for US stocks, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.simulated.commission import commission, commission_of_next_fill, ib_fixed, ib_tiered


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        (1_000, 25.0, 5.00),  # 1000 x 0.005; IBKR's own example
        (100, 25.0, 1.00),  # 0.50 is below the minimum
        (200, 25.0, 1.00),  # exactly the minimum
        (1_000, 0.25, 2.50),  # 5.00 is above 1 % of 250
        (1, 5.0, 0.05),  # the cap wins over the minimum
        (-1_000, 25.0, 5.00),
        (0, 25.0, 0.0),
    ],
)
def test_fixed_is_half_a_cent_a_share_with_minimum_and_cap(quantity, price, expected):
    assert ib_fixed(quantity, price) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        (1_000, 25.0, 3.50),
        (50, 25.0, 0.35),
        (100, 25.0, 0.35),
        (1_000, 0.20, 2.00),
        (1, 5.0, 0.05),
        (-200, 9.0, 0.70),
    ],
)
def test_tiered_is_a_third_of_a_cent_a_share_with_minimum_and_cap(quantity, price, expected):
    assert ib_tiered(quantity, price) == pytest.approx(expected)


def test_a_model_is_found_by_its_name():
    assert commission("ib_fixed", 1_000, 25.0) == pytest.approx(5.0)
    assert commission("ib_tiered", 1_000, 25.0) == pytest.approx(3.5)


def test_the_minimum_is_paid_once_for_an_order_of_several_fills():
    assert commission_of_next_fill("ib_fixed", 0, 0.0, 100, 25.0) == pytest.approx(1.00)
    assert commission_of_next_fill("ib_fixed", 100, 25.0, 100, 25.0) == pytest.approx(0.00)
    assert commission_of_next_fill("ib_fixed", 200, 25.0, 300, 25.0) == pytest.approx(1.50)


@pytest.mark.parametrize(("quantity", "price"), [(float("nan"), 1.0), (1.0, float("nan")), (1.0, -1.0)])
def test_what_is_no_quantity_or_price_is_refused(quantity, price):
    with pytest.raises(ValueError, match="commission"):
        ib_fixed(quantity, price)


@given(st.integers(1, 100_000), st.floats(0.01, 5_000))
def test_no_order_costs_more_than_one_percent_and_tiered_never_more_than_fixed(quantity, price):
    assert 0 < ib_tiered(quantity, price) <= ib_fixed(quantity, price) <= quantity * price * 0.01 + 1e-9
