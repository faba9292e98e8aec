import numpy as np
import pytest

from brokers.simulated.valuation import Alarm, first_reached, mark, pass_rows, worth

NAN = np.nan
HELD = np.array([10.0, -4.0, 0.0])


def an_account(cash=1_000.0):
    return cash, HELD.copy(), np.array([100.0, 50.0, 7.0])


def passed(closes, alarm=None):
    account, panel = an_account(), np.array(closes, dtype=np.float64)
    out = np.full(len(panel), NAN), np.full(len(panel), NAN)
    count = pass_rows(account, panel, alarm or Alarm(), out)
    return count, out[0].tolist(), out[1].tolist(), account[2].tolist()


def test_a_row_that_says_nothing_of_an_instrument_leaves_its_last_price():
    last = np.array([100.0, 50.0])
    mark(last, np.array([NAN, 51.0]))
    assert last.tolist() == [100.0, 51.0]


def test_worth_is_longs_less_shorts_and_both_together():
    assert worth(HELD, np.array([100.0, 50.0, NAN])) == (800.0, 1_200.0)


def test_rows_are_valued_at_their_closes_and_the_last_prices_follow():
    count, equity, gross, last = passed([[101.0, NAN, NAN], [NAN, 49.0, 8.0]])
    assert (count, equity, gross) == (2, [1_810.0, 1_814.0], [1_210.0, 1_206.0])
    assert last == [101.0, 49.0, 8.0]


@pytest.mark.parametrize(
    "alarm",
    [
        pytest.param(Alarm(floor=1_700.0), id="equity falls to the floor"),
        pytest.param(Alarm(keep=0.95), id="equity falls below its share of the highest"),
        pytest.param(Alarm(peak=2_000.0, keep=0.86), id="the highest lies before the stretch"),
        pytest.param(Alarm(room=100.0), id="prices have moved as far as they may"),
    ],
)
def test_the_row_that_rings_is_not_passed(alarm):
    count, equity, _, last = passed([[100.0, 50.0, NAN], [90.0, 50.0, 9.0], [100.0, 50.0, NAN]], alarm)
    assert count == 1
    assert np.isnan(equity[1])
    assert last == [100.0, 50.0, 7.0]


def test_two_prices_that_move_against_each_other_both_count():
    # 10 x 5 up and 4 x 12.5 up: equity stands still, no limit of a single instrument does.
    assert passed([[105.0, 62.5, NAN]], Alarm(room=100.0))[0] == 0


LOWS = np.array([[99.0, NAN], [98.0, 49.0], [97.0, 48.0]])
HIGHS = np.array([[101.0, NAN], [102.0, 51.0], [103.0, 52.0]])


@pytest.mark.parametrize(
    ("below", "above", "row"),
    [
        ([-np.inf, -np.inf], [np.inf, np.inf], 3),
        ([98.0, -np.inf], [np.inf, np.inf], 1),
        ([-np.inf, -np.inf], [103.0, np.inf], 2),
        ([-np.inf, np.inf], [np.inf, np.inf], 1),
        ([99.5, -np.inf], [np.inf, np.inf], 0),
    ],
)
def test_the_first_row_that_reaches_a_level_is_found_and_a_gap_reaches_none(below, above, row):
    assert first_reached((np.array(below), np.array(above)), LOWS, HIGHS) == row
