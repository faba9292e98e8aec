"""Value at risk against numpy's own quantile and scipy's normal distribution."""

import numpy as np
import pytest
from scipy import stats

from risk.portfolio import Holdings, historical, parametric, tail_of

RETURNS = np.random.default_rng(7).normal(0.0005, 0.01, (500, 3))
VALUES = np.array([100_000.0, -40_000.0, 25_000.0])


def known(holdings, added):
    tail = tail_of(holdings, added)
    assert tail is not None
    return tail


def test_the_historical_tail_is_the_empirical_quantile_and_the_mean_beyond_it():
    losses = -(RETURNS @ VALUES)
    tail = historical(RETURNS, VALUES)
    assert tail.var == np.quantile(losses, 0.99, method="inverted_cdf")
    assert tail.cvar == pytest.approx(np.sort(losses)[-6:].mean())  # 1 % of 500 and the quantile itself


def test_the_parametric_tail_is_the_normal_distributions():
    profit = RETURNS @ VALUES
    normal = stats.norm(profit.mean(), profit.std(ddof=1))
    tail = parametric(RETURNS, VALUES)
    assert tail.var == pytest.approx(-normal.ppf(0.01))
    assert tail.cvar == pytest.approx(-normal.expect(lb=-np.inf, ub=normal.ppf(0.01)) / 0.01, rel=1e-6)


def test_the_worse_of_both_counts():
    tail = known(Holdings(values=VALUES, returns=RETURNS, per_day=1.0, column=0), 0.0)
    both = (historical(RETURNS, VALUES), parametric(RETURNS, VALUES))
    assert (tail.var, tail.cvar) == (max(each.var for each in both), max(each.cvar for each in both))


def test_returns_of_minutes_are_scaled_by_the_square_root_of_time():
    day = known(Holdings(values=VALUES, returns=RETURNS, per_day=1.0, column=0), 0.0)
    minutes = known(Holdings(values=VALUES, returns=RETURNS, per_day=390.0, column=0), 0.0)
    assert minutes.var == pytest.approx(day.var * 390**0.5)


def test_an_instrument_that_is_not_held_needs_no_history():
    returns = RETURNS.copy()
    returns[:, 2] = np.nan
    values = np.array([100_000.0, -40_000.0, 0.0])
    assert tail_of(Holdings(values=values, returns=returns, per_day=1.0, column=0), 0.0) is not None
    assert tail_of(Holdings(values=values, returns=returns, per_day=1.0, column=2), 1000.0) is None


def test_holding_nothing_risks_nothing():
    tail = known(Holdings(values=np.zeros(3), returns=RETURNS, per_day=1.0, column=0), 0.0)
    assert (tail.var, tail.cvar) == (0.0, 0.0)


def test_a_holding_of_unknown_worth_is_an_unknown_risk():
    values = np.array([np.inf, 0.0, 0.0])
    assert tail_of(Holdings(values=values, returns=RETURNS, per_day=1.0, column=0), 0.0) is None
