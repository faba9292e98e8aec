"""One execution's charges by hand."""

from datetime import date

import pytest

from brokers.simulated.commission import Lot
from brokers.simulated.costs.charging import Charges, Execution, IbCharges, free_of_charge

DAY = date(2014, 6, 9)  # Section 31: 22.10 per million; Trading Activity Fee: 0.000119 a share
NOTHING = Lot(0, 0.0)


def an_execution(quantity=1_000, price=50.0, *, sells=False, adds=False, before=NOTHING, day=DAY):
    return Execution(day=day, sells=sells, adds=adds, before=before, fill=Lot(quantity, price))


def test_fixed_pays_the_broker_and_on_a_sale_the_regulators_of_that_day():
    bought, sold = (IbCharges("ib_fixed")(an_execution(sells=sells)) for sells in (False, True))
    assert bought == Charges(commission=5.0)
    assert sold.commission == 5.0
    assert sold.exchange == 0.0
    assert sold.regulatory == pytest.approx(50_000 * 22.10e-6 + 1_000 * 0.000119)


@pytest.mark.parametrize(
    ("adds", "exchange"),
    [
        # 1,000 x (0.0030 + 0.0002 + 0.000003) and 0.000735 of the 3.50 of IBKR; a limit gets 0.0021 back instead
        (False, 3.203 + 0.0025725),
        (True, -2.1 + 0.203 + 0.0025725),
    ],
)
def test_tiered_passes_on_what_the_exchange_takes_or_gives_back(adds, exchange):
    charges = IbCharges("ib_tiered")(an_execution(adds=adds))
    assert charges.commission == pytest.approx(3.5)
    assert charges.exchange == pytest.approx(exchange)
    assert charges.total == pytest.approx(3.5 + exchange)


def test_tiered_falls_with_the_shares_of_the_month_and_begins_anew_with_the_next():
    charges = IbCharges("ib_tiered")
    first = charges(an_execution(300_000))
    second = charges(an_execution(1_000))
    next_month = charges(an_execution(1_000, day=date(2014, 7, 1)))
    assert [one.commission for one in (first, second, next_month)] == pytest.approx([1_050.0, 2.0, 3.5])


@pytest.mark.parametrize(("quantity", "price", "commission"), [(10, 50.0, 1.0), (1, 5.0, 0.05)])
def test_the_minimum_holds_and_the_cap_wins_over_it(quantity, price, commission):
    assert IbCharges("ib_fixed")(an_execution(quantity, price)).commission == pytest.approx(commission)


def test_an_order_in_two_fills_pays_its_minimum_once():
    charges = IbCharges("ib_fixed")
    parts = [charges(an_execution(40)), charges(an_execution(60, before=Lot(40, 50.0)))]
    assert [one.commission for one in parts] == [1.0, 0.0]


def test_free_of_charge_charges_nothing():
    assert free_of_charge(an_execution(sells=True)).total == 0.0
