import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.measures.equity import daily_returns, drawdown_pct, session_closes, session_numbers, sessions_of
from tests.measures.builders import MONDAY, a_curve, a_daily_curve


def test_the_close_of_a_session_is_its_last_row():
    curve = a_curve([1.0, 2.0, 3.0], [4.0], [5.0, 6.0])
    assert session_closes(curve).tolist() == [3.0, 4.0, 6.0]
    assert session_numbers(curve).tolist() == [0, 0, 0, 1, 2, 2]
    assert sessions_of(curve)[0] == MONDAY


def test_the_first_return_is_against_the_starting_cash():
    assert daily_returns(a_curve([90.0, 110.0], [121.0]), 100.0).tolist() == pytest.approx([0.1, 0.1])


def test_who_has_nothing_left_earns_no_returns():
    returns = daily_returns(a_daily_curve(50.0, -10.0, 20.0, 40.0), 100.0)
    assert returns[:2].tolist() == pytest.approx([-0.5, -1.2])
    assert np.isnan(returns[2:]).all()


def test_a_close_that_is_no_number_has_no_return_on_either_side():
    returns = daily_returns(a_daily_curve(110.0, np.nan, 130.0, 143.0), 100.0)
    assert np.isnan(returns).tolist() == [False, True, True, False]
    assert returns[3] == pytest.approx(0.1)


def test_a_drawdown_starts_at_the_highest_equity_whatever_is_no_number():
    depth = drawdown_pct(np.array([120.0, np.nan, 90.0]), 100.0)
    assert (depth[0], depth[2]) == (0.0, 25.0)


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_the_sessions_are_found_however_long_they_are(lengths):
    curve = a_curve(*([float(number)] * length for number, length in enumerate(lengths)))
    assert session_numbers(curve).tolist() == [number for number, length in enumerate(lengths) for _ in range(length)]
    assert session_closes(curve).tolist() == [float(number) for number in range(len(lengths))]
    assert sessions_of(curve) == tuple(dict.fromkeys(curve.sessions))
