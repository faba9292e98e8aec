"""EM over a panel: it climbs, it stops, it keeps its bounds, and says where a series tells nothing."""

import numpy as np
import pytest

from research.filters.em_rule import EmRule, series_of
from research.filters.general_model import fit_general
from research.filters.level_em import fit_level
from research.filters.level_em import step as level_step
from research.filters.trend_em import fit_trend
from research.filters.trend_em import step as trend_step
from shared.errors import ConfigError, DataError
from tests.indicators.panels import same_bits

NAN = float("nan")


def levels(rows=1500, n=3, *, moves=0.5, noise=2.0, seed=1):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(0, moves, (rows, n)), axis=0) + rng.normal(0, noise, (rows, n))


def test_the_noise_that_made_a_series_is_found_again():
    fit = fit_level(levels(n=30, moves=0.5, noise=2.0))
    assert fit.converged.all()
    assert np.median(fit.parameters[0]) == pytest.approx(0.25, rel=0.1)
    assert np.median(fit.parameters[1]) == pytest.approx(4.0, rel=0.05)


def test_the_noise_of_a_trend_is_found_again():
    rng = np.random.default_rng(2)
    slopes = np.cumsum(rng.normal(0, 0.1, (1500, 20)), axis=0)
    panel = np.cumsum(slopes + rng.normal(0, 1, (1500, 20)), axis=0) + rng.normal(0, 2, (1500, 20))
    fit = fit_trend(panel, rule=EmRule(iterations_max=400))
    assert np.median(fit.parameters[1]) == pytest.approx(0.01, rel=0.3)
    assert np.median(fit.parameters[3]) == pytest.approx(4.0, rel=0.1)
    assert (fit.parameters[2] == 0).all()


@pytest.mark.parametrize(("step", "rows"), [(level_step, [0.3, 1.0, 0.0, 5.0]), (trend_step, None)])
def test_no_step_lowers_the_likelihood(step, rows):
    series = series_of(levels(200))
    start = np.array(rows or [0.3, 0.1, 0.0, 1.0, 0.0, 0.0, 5.0, 0.0, 1.0])
    parameters, reached = np.repeat(start[:, None], 3, axis=1), []
    for _ in range(30):
        parameters, likelihood = step(series, parameters, np.full(3, 1e-12))
        reached.append(likelihood)
    assert (np.diff(reached, axis=0) > -1e-9).all()


def test_an_instrument_in_a_panel_is_fitted_as_if_alone():
    panel = levels(150, 70)
    whole, alone = fit_level(panel), fit_level(panel[:, 66:67])
    np.testing.assert_allclose(whole.parameters[:, 66], alone.parameters[:, 0], rtol=1e-12)
    assert whole.iterations[66] == alone.iterations[0]


def test_rows_before_the_first_and_after_the_last_print_are_left_out():
    series = levels(100, 1)
    wide = np.vstack([np.full((30, 1), NAN), series, np.full((20, 1), NAN)])
    assert same_bits(fit_level(wide).parameters, fit_level(series).parameters)
    np.testing.assert_allclose(fit_trend(wide).parameters, fit_trend(series).parameters, rtol=1e-9)


def test_what_tells_nothing_is_nan_and_the_others_are_fitted():
    panel = levels(100, 4)
    panel[:, 1], panel[:, 2] = 7.0, NAN
    panel[4:, 3] = NAN
    fit = fit_level(panel)
    assert np.isnan(fit.parameters[:, 1:]).all()
    assert not fit.converged[1:].any()
    assert fit.converged[0]
    assert np.isfinite(fit.parameters[:, 0]).all()


def test_variances_stay_above_their_bound():
    rng = np.random.default_rng(4)
    noise_only = rng.normal(size=(300, 1))
    changes = np.mean(np.diff(noise_only[:, 0]) ** 2)
    fit = fit_level(noise_only, rule=EmRule(iterations_max=5000, tolerance=0.0, floor=1e-3))
    assert fit.parameters[0, 0] == pytest.approx(1e-3 * changes, rel=1e-9)


def test_the_steps_end_with_the_rule_and_say_so():
    fit = fit_level(levels(300), rule=EmRule(iterations_max=2, tolerance=0.0))
    assert fit.iterations.tolist() == [2, 2, 2]
    assert not fit.converged.any()


@pytest.mark.parametrize("params", [{"iterations_max": 0}, {"tolerance": -1.0}, {"floor": 0.0}, {"tolerance": NAN}])
def test_a_rule_that_is_none_is_refused(params):
    with pytest.raises(ConfigError, match=r"EM: iterations_max .* allowed: from 1, from 0, and between 0 and 1"):
        EmRule(**params)


def test_panels_that_are_none_are_refused_with_the_place():
    with pytest.raises(DataError, match="EM: inf in row 2, column 1, allowed: finite numbers or NaN"):
        fit_level([[1.0, 2.0], [1.0, 2.0], [1.0, np.inf]])
    with pytest.raises(DataError, match=r"EM: panel of shape \(3,\), allowed: \(T, n\)"):
        fit_level([1.0, 2.0, 3.0])
    with pytest.raises(ConfigError, match="fit_trend: prior of 2 numbers, allowed: 5"):
        fit_trend(levels(20), prior=(0.0, 1.0))


def test_the_general_door_takes_what_pykalman_takes_and_names_what_it_does_not():
    rng = np.random.default_rng(6)
    common = np.cumsum(rng.normal(size=60))
    two = np.column_stack([common, 2 * common]) + rng.normal(size=(60, 2))
    two[10, 0] = NAN
    model = {"transition_matrices": [[1.0]], "observation_matrices": [[1.0], [1.0]]}
    fit = fit_general(two, model, estimate=("observation_matrices", "observation_covariance"), iterations_max=8)
    loadings = fit.matrices["observation_matrices"][:, 0]
    assert loadings[1] / loadings[0] == pytest.approx(2.0, rel=0.1)
    with pytest.raises(ConfigError, match="general model: noise, allowed: transition_matrices"):
        fit_general(two, {"noise": [[1.0]]})
    with pytest.raises(DataError, match="general model: observations of shape"):
        fit_general([NAN, NAN], model)
