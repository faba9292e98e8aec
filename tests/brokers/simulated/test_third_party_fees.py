"""IBKR's own comparison of Fixed and Tiered, to the cent, and the rates of 2026 by hand."""

import pytest

from brokers.simulated.commission import Lot, cost_of_next_fill, ib_tiered
from brokers.simulated.third_party_fees import FeeTable, fees_of

RATES_OF_2023 = FeeTable(sec_of_sale=8e-6, activity_of_sale=0.000145, activity_max=7.27, audit_trail=0.0)
"""Those of IBKR's page "Stock and ETF Fixed vs. Tiered Pricing Comparison Examples" (index.php?f=713)."""


@pytest.mark.parametrize(
    ("quantity", "adds", "total"),
    [(30_000_000, True, -13_811.90), (30_000_000, False, 139_188.10), (200_000, False, 1_355.78)],
)
def test_ibkrs_own_examples_come_out_to_the_cent(quantity, adds, total):
    own = ib_tiered(quantity, 5.0)
    fees = fees_of(quantity, 5.0, own, sells=True, adds=adds, fees=RATES_OF_2023)
    assert own + fees == pytest.approx(total, abs=0.01)


@pytest.mark.parametrize(
    ("traded", "quantity", "expected"),
    [
        (0, 300_000, 1_050.0),
        (0, 30_000_000, 1_050.0 + 5_400.0 + 25_500.0 + 10_000.0),  # IBKR's example, tier by tier
        (300_000, 1_000, 2.0),
        (299_500, 1_000, 500 * 0.0035 + 500 * 0.0020),
        (100_000_000, 10_000, 5.0),
        (100_000_000, 100, 0.35),  # the minimum stays
    ],
)
def test_the_rate_falls_for_the_shares_in_the_next_tier_only(traded, quantity, expected):
    assert ib_tiered(quantity, 50.0, traded) == pytest.approx(expected)


def test_a_purchase_pays_the_exchange_clearing_and_the_audit_trail():
    # 100 x (0.0030 + 0.0002 + 0.000003), and 0.000735 of the 0.35 that IBKR takes
    assert fees_of(100, 50.0, 0.35, sells=False) == pytest.approx(0.3203 + 0.00025725)


def test_a_sale_also_pays_the_sec_and_finra():
    # 5,000 dollars x 20.60 per million, 100 x 0.000195
    bought = fees_of(100, 50.0, 0.35, sells=False)
    assert fees_of(100, 50.0, 0.35, sells=True) - bought == pytest.approx(0.103 + 0.0195)


def test_finras_fee_on_a_trade_has_a_maximum():
    sold, bought = (fees_of(1_000_000, 50.0, 0.0, sells=sells) for sells in (True, False))
    assert sold - bought == pytest.approx(1_030.0 + 9.79)


@pytest.mark.parametrize(("adds", "expected"), [(False, 1_000 * 0.5 * 0.003), (True, 0.0)])
def test_below_a_dollar_the_exchange_takes_a_share_of_the_value(adds, expected):
    rest = 1_000 * 0.000203
    assert fees_of(1_000, 0.5, 0.0, sells=False, adds=adds) == pytest.approx(expected + rest)


def test_fixed_has_no_fees_on_top():
    assert cost_of_next_fill("ib_fixed", Lot(0.0, 0.0), Lot(1_000, 25.0), sells=True) == pytest.approx(5.0)


def test_an_order_in_two_fills_costs_what_it_costs_in_one():
    first, second, whole = Lot(600, 25.0), Lot(400, 25.0), Lot(1_000, 25.0)
    nothing = Lot(0.0, 0.0)
    one = cost_of_next_fill("ib_tiered", nothing, first, sells=True, traded=299_800)
    two = cost_of_next_fill("ib_tiered", first, second, sells=True, traded=300_400)
    assert one + two == pytest.approx(cost_of_next_fill("ib_tiered", nothing, whole, sells=True, traded=299_800))
