import empyrical
import numpy as np
import pytest

from research.measures.rolling import rolling_beta, rolling_sharpe
from tests.measures.builders import random_returns


def test_a_rolling_sharpe_is_the_sharpe_of_the_last_days():
    returns = random_returns(1, days=300)
    rolled = rolling_sharpe(returns, 60)
    assert np.isnan(rolled[:59]).all()
    assert rolled[[59, 200, 299]] == pytest.approx(
        [empyrical.sharpe_ratio(returns[end - 60 : end]) for end in (60, 201, 300)], rel=1e-9
    )


def test_a_rolling_beta_is_the_beta_of_the_last_days():
    returns, benchmark = random_returns(1, days=300), random_returns(2, days=300)
    rolled = rolling_beta(returns, benchmark, 60)
    assert np.isnan(rolled[:59]).all()
    assert rolled[[59, 200, 299]] == pytest.approx(
        [empyrical.beta(returns[end - 60 : end], benchmark[end - 60 : end]) for end in (60, 201, 300)], rel=1e-9
    )


@pytest.mark.parametrize("days", [1, 50])
def test_a_window_that_does_not_fit_gives_nothing(days):
    returns = random_returns(1, days=40)
    assert np.isnan(rolling_sharpe(returns, days)).all()
    assert np.isnan(rolling_beta(returns, returns, days)).all()


def test_what_never_moves_has_neither():
    still, moving = np.zeros(30), random_returns(1, days=30)
    assert np.isnan(rolling_sharpe(still, 10)).all()
    assert np.isnan(rolling_beta(moving, still, 10)).all()
