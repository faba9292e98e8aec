"""Interest and borrow fees by hand: actual days over 360."""

from datetime import date

import pytest

from brokers.simulated.costs.financing import BorrowFees, InterestRates, borrow_fee, interest

FRIDAY, MONDAY, TUESDAY = date(2014, 6, 6), date(2014, 6, 9), date(2014, 6, 10)
RATES = InterestRates(debit_pct=6.0, credit_pct=1.0)


@pytest.mark.parametrize(
    ("balance", "since", "until", "expected"),
    [
        (-36_000.0, MONDAY, TUESDAY, -6.0),
        (-36_000.0, FRIDAY, MONDAY, -18.0),  # a weekend is three nights
        (36_000.0, FRIDAY, MONDAY, 3.0),
        (0.0, FRIDAY, MONDAY, 0.0),
    ],
)
def test_every_calendar_day_counts(balance, since, until, expected):
    assert interest(RATES, balance, since=since, until=until) == pytest.approx(expected)


def test_a_benchmark_is_the_latest_that_was_known_when_the_night_began():
    rates = InterestRates(debit_pct=1.5, credit_pct=-0.5, benchmark=((FRIDAY, 2.0), (MONDAY, 3.0)))
    assert (rates.debit_on(FRIDAY), rates.debit_on(MONDAY)) == (3.5, 4.5)
    assert (rates.credit_on(date(2014, 6, 8)), rates.credit_on(TUESDAY)) == (1.5, 2.5)


def test_credit_is_never_negative_and_debit_never_below_its_spread():
    rates = InterestRates(debit_pct=1.5, credit_pct=-0.5, benchmark=((FRIDAY, -0.2),))
    assert (rates.debit_on(MONDAY), rates.credit_on(MONDAY)) == (1.5, 0.0)


def test_borrowed_shares_cost_their_fee_on_their_value():
    assert borrow_fee(50.0, 72_000.0, since=FRIDAY, until=MONDAY) == pytest.approx(72_000 * 0.005 * 3 / 360)


def test_a_symbol_of_the_table_has_its_own_fee_by_day():
    fees = BorrowFees(default_bps=50.0, by_symbol={"TSLA": ((FRIDAY, 900.0), (TUESDAY, 100.0))})
    assert [fees.fee_on("TSLA", day) for day in (FRIDAY, MONDAY, TUESDAY)] == [900.0, 900.0, 100.0]
    assert fees.fee_on("SPY", MONDAY) == 50.0
