"""The strategy of the simulated days: its views turn with the rows, whatever the prices do."""

import pytest

from shared.errors import ConfigError
from tests.simulation.weather.restless import Restless
from tests.strategies.rows import a_row, a_universe, said

NAN = float("nan")
ANY = a_row(100.0)


def test_views_turn_every_so_many_rows_and_begin_again():
    strategy = Restless(a_universe("SPY"), every=2, views="+0-h")
    views = [view for row in said(strategy, [ANY] * 10) for _, view in row]
    assert views == [1, 1, 0, 0, -1, -1, 0.5, 0.5, 1, 1]


def test_each_instrument_is_a_turn_ahead_of_the_one_before():
    strategy = Restless(a_universe("SPY", "IBM"), every=1, views="+0-")
    rows = [a_row(100.0, 50.0)] * 3
    assert said(strategy, rows) == [
        [("SPY", 1), ("IBM", 0)],
        [("SPY", 0), ("IBM", -1)],
        [("SPY", -1), ("IBM", 1)],
    ]


def test_there_is_no_view_of_what_printed_nothing():
    strategy = Restless(a_universe("SPY", "IBM"), every=1, views="+")
    assert said(strategy, [a_row(NAN, 50.0)]) == [[("IBM", 1)]]


def test_a_strategy_restored_in_mid_turn_goes_on_as_the_other_would():
    one = Restless(a_universe("SPY"), every=3, views="+-")
    said(one, [ANY] * 4)
    other = Restless(a_universe("SPY"), every=3, views="+-")
    other.restore(one.snapshot())
    assert said(other, [ANY] * 6) == said(one, [ANY] * 6)


@pytest.mark.parametrize(("every", "views"), [(0, "+"), (1, ""), (1, "+x")])
def test_senseless_parameters_are_refused_in_one_line(every, views):
    with pytest.raises(ConfigError, match=r"allowed: from 1, a text of \+ - 0 h"):
        Restless(a_universe("SPY"), every=every, views=views)
