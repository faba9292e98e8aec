"""The rates of their day, from the notices that announced them."""

from datetime import date

import pytest

from brokers.simulated.costs.regulatory_rates import ACTIVITY, SECTION_31, activity_fee_of, section_31_of
from brokers.simulated.third_party_fees import FEES, fees_on


@pytest.mark.parametrize(
    ("day", "per_million"),
    [
        (date(2000, 1, 3), 5.60),  # before the table the first rate holds
        (date(2010, 3, 31), 12.70),
        (date(2010, 4, 1), 16.90),
        (date(2014, 3, 17), 17.40),
        (date(2014, 3, 18), 22.10),
        (date(2021, 2, 24), 22.10),
        (date(2021, 2, 25), 5.10),
        (date(2025, 5, 14), 0.0),
        (date(2026, 11, 21), 20.60),
    ],
)
def test_the_sec_takes_the_rate_of_the_day(day, per_million):
    assert section_31_of(day) * 1e6 == pytest.approx(per_million)


@pytest.mark.parametrize(
    ("day", "per_share", "most"),
    [
        (date(2011, 6, 30), 0.000075, 3.75),
        (date(2011, 7, 1), 0.000090, 4.50),
        (date(2012, 3, 1), 0.000095, 4.75),
        (date(2021, 12, 31), 0.000119, 5.95),
        (date(2023, 1, 1), 0.000145, 7.27),
    ],
)
def test_finra_takes_the_rate_of_the_day(day, per_share, most):
    fee = activity_fee_of(day)
    assert (fee.per_share, fee.most) == (per_share, most)


@pytest.mark.parametrize("table", [SECTION_31, ACTIVITY])
def test_the_days_of_a_table_rise(table):
    days = [day for day, _ in table]
    assert days == sorted(set(days))


def test_the_gateways_table_is_the_latest_of_the_dated_ones():
    assert fees_on(date(2026, 11, 21)) == FEES
