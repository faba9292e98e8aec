"""Splits and dividends in the prices of the days before them, by hand."""

import datetime as dt

import numpy as np
import pytest

from brokers.simulated.market.adjustment import Adjustment, adjusted
from brokers.simulated.market.folder import split_ratio
from brokers.simulated.market.source import HistoryBars

FRIDAY, MONDAY = dt.date(2014, 6, 6), dt.date(2014, 6, 9)
SPLIT = Adjustment(ex_date=MONDAY, ratio=7.0)
DIVIDEND = Adjustment(ex_date=MONDAY, kept=0.99)


def a_bar(price=700.0, volume=100.0):
    return HistoryBars(*(np.array([value]) for value in (0.0, price, price, price, price, volume)))


def test_a_split_divides_earlier_prices_and_multiplies_earlier_volumes():
    shown = adjusted(a_bar(), FRIDAY, [SPLIT], "TRADES")
    assert (shown.close[0], shown.volume[0]) == (100.0, 700.0)


def test_from_its_day_on_a_split_changes_nothing():
    assert adjusted(a_bar(), MONDAY, [SPLIT], "TRADES").close[0] == 700.0


def test_dividends_are_taken_off_the_adjusted_last_only():
    assert adjusted(a_bar(), FRIDAY, [DIVIDEND], "TRADES").close[0] == 700.0
    shown = adjusted(a_bar(), FRIDAY, [DIVIDEND, SPLIT], "ADJUSTED_LAST")
    assert (shown.close[0], shown.volume[0]) == (99.0, 700.0)


def test_bars_of_quotes_keep_their_missing_volume():
    assert adjusted(a_bar(volume=-1.0), FRIDAY, [SPLIT], "BID").volume[0] == -1.0


@pytest.mark.parametrize(
    ("coefficient", "ratio"),
    [
        (7.00000700001, 7.0),  # Apple 2014
        (1.5, 1.5),
        (0.1, 0.1),  # a reverse split
        (1.0, 1.0),
        (1.0431, 1.0),  # a spin-off changes no number of shares
        (1.3333, 4 / 3),
    ],
)
def test_a_split_is_a_ratio_of_small_numbers(coefficient, ratio):
    assert split_ratio(coefficient) == pytest.approx(ratio, abs=1e-12)
