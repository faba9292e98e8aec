"""Returns from row to row: what the value at risk is made of. Answers by hand."""

import numpy as np
import pytest

from daemon.engine.returns import WINDOW, Returns
from tests.engine.builders import a_started, an_engine, bars, handle_all, some_limits, some_settings

NAN = np.nan


def returns_of(*closes):
    returns = Returns.empty(2)
    for close in closes:
        returns.update(np.array(close))
    return returns


def test_the_first_row_has_no_return():
    assert returns_of((100.0, 50.0)).matrix().shape == (0, 2)


def test_a_return_is_simple_from_close_to_close():
    assert returns_of((100.0, 50.0), (101.0, 49.0)).matrix() == pytest.approx(np.array([[0.01, -0.02]]))


def test_an_instrument_that_did_not_print_has_no_return_and_then_one_over_both_rows():
    found = returns_of((100.0, 50.0), (NAN, 51.0), (110.0, 51.0)).matrix()
    assert found == pytest.approx(np.array([[NAN, 0.02], [0.1, 0.0]]), nan_ok=True)


def test_a_row_in_which_nobody_printed_leaves_nothing():
    assert returns_of((100.0, 50.0), (NAN, NAN)).matrix().shape == (0, 2)


def test_the_window_forgets_the_oldest():
    found = returns_of(*((100.0 + n, 50.0) for n in range(WINDOW + 11))).matrix()
    assert found.shape == (WINDOW, 2)
    assert found[0, 0] == pytest.approx(111.0 / 110.0 - 1)


def test_warm_up_rows_count_and_a_restart_keeps_them():
    settings = some_settings(some_limits(max_var_pct=1.0))
    engine = a_started(an_engine(settings=settings))
    handle_all(engine, [bars(60 * n, warm_up=True, SPY=100.0 + n, IBM=185.0) for n in range(1, 41)])
    again = an_engine(settings=settings)
    again.restore(engine.snapshot())
    assert again.book.returns.matrix().shape == (39, 2)
    assert np.array_equal(again.book.returns.matrix(), engine.book.returns.matrix())


def test_nobody_keeps_returns_that_no_limit_asks_for():
    assert an_engine().book.returns is None
