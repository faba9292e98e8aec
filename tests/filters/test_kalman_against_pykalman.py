"""pykalman is the reference: means, covariances, likelihood and steps of EM, on series good and bad."""

import numpy as np
import pytest
from pykalman import KalmanFilter

from research.filters.em_rule import EmRule
from research.filters.general_model import fit_general
from research.filters.level_em import fit_level
from research.filters.trend_em import fit_trend
from shared.indicators.kalman import log_likelihood
from shared.indicators.kalman_level import KalmanLevel
from shared.indicators.kalman_regression import KalmanRegression
from shared.indicators.kalman_trend import KalmanTrend
from tests.filters.builders import (
    SERIES,
    TREND,
    a_walk,
    masked,
    near,
    pykalman_level,
    pykalman_trend,
    recorded_closes,
    unit_of,
)
from tests.indicators.panels import needs_recorded_data

STEPS = EmRule(iterations_max=4, tolerance=0.0)
NOISES = ["transition_covariance", "observation_covariance"]


@pytest.fixture(params=[*SERIES, pytest.param("recorded", marks=needs_recorded_data)])
def series(request):
    return recorded_closes()[:, 1] if request.param == "recorded" else SERIES[request.param]


@pytest.mark.parametrize("ratio", [0.01, 3.0])
def test_a_level_is_pykalmans(series, ratio):
    unit, size = unit_of(series), np.nanmax(np.abs(series))
    theirs = pykalman_level(ratio * unit, unit, size, 2 * unit + ratio * unit)
    ours = KalmanLevel(1, level_variance=ratio * unit, observation_variance=unit, prior=(size, 2 * unit))
    level, variance, error, expected = ours.update_fields(series[:, None], KalmanLevel.FIELDS)[:, :, 0]
    means, covariances = theirs.filter(masked(series))
    assert near(level, means[:, 0], scale=size)
    assert near(variance, covariances[:, 0, 0])
    assert near(log_likelihood(error, expected).sum(), theirs.loglikelihood(masked(series)))


def test_a_trend_is_pykalmans(series):
    unit, size = unit_of(series), np.nanmax(np.abs(series))
    noise = np.array([[0.3, 0.02], [0.02, 0.1]]) * unit
    start, spread = np.array([size, 0.0]), np.array([[2.0, 0.5], [0.5, 1.0]]) * unit
    across = np.array(TREND)
    theirs = pykalman_trend(noise, unit, across @ start, across @ spread @ across.T + noise)
    ours = KalmanTrend(
        1,
        level_variance=noise[0, 0],
        slope_variance=noise[1, 1],
        noise_covariance=noise[0, 1],
        observation_variance=unit,
        prior=(size, 0.0, spread[0, 0], spread[0, 1], spread[1, 1]),
    )
    found = ours.update_fields(series[:, None], KalmanTrend.FIELDS)[:, :, 0]
    means, covariances = theirs.filter(masked(series))
    assert near(found[:2], means.T, scale=size)
    assert near(found[2:5], covariances[:, [0, 0, 1], [0, 1, 1]].T)
    assert near(log_likelihood(found[5], found[6]).sum(), theirs.loglikelihood(masked(series)))


def test_what_begins_at_its_first_print_is_pykalman_begun_there():
    series = a_walk()
    ours = KalmanLevel(1, level_variance=0.3, observation_variance=1.5).update_many(series[:, None])[1:, 0]
    theirs = pykalman_level(0.3, 1.5, series[0], 1.5 + 0.3).filter(series[1:])[0][:, 0]
    assert near(ours, theirs)


def test_a_regression_is_pykalmans(series):
    other = a_walk(len(series), seed=11) / 100
    unit = unit_of(series)
    ours = KalmanRegression(
        1,
        intercept_variance=0.1 * unit,
        slope_variance=0.2 * unit,
        observation_variance=unit,
        prior_variances=(5 * unit, 7 * unit),
    )
    found = ours.update_fields(series[:, None], other[:, None], KalmanRegression.FIELDS)[:, :, 0]
    theirs = KalmanFilter(
        transition_matrices=np.eye(2),
        observation_matrices=np.stack([np.ones(len(other)), other], axis=1)[:, None, :],
        transition_covariance=np.diag([0.1, 0.2]) * unit,
        observation_covariance=[[unit]],
        initial_state_mean=[0, 0],
        initial_state_covariance=np.diag([5.1, 7.2]) * unit,
    )
    means, covariances = theirs.filter(masked(series))
    assert near(found[:2], means.T, scale=np.nanmax(np.abs(series)))
    assert near(found[2:5], covariances[:, [0, 0, 1], [0, 1, 1]].T, scale=unit)
    assert near(log_likelihood(found[5], found[6]).sum(), theirs.loglikelihood(masked(series)))


@pytest.mark.parametrize("kind", ["random walk", "huge jumps", "tiny prices", "large prices", "alternating", "gaps"])
def test_steps_of_em_for_a_level_are_pykalmans(kind):
    series = SERIES[kind]
    whole = series[np.flatnonzero(~np.isnan(series))[0] : np.flatnonzero(~np.isnan(series))[-1] + 1]
    unit = unit_of(whole)
    fit = fit_level(series[:, None], start=(0.2 * unit, unit), prior=(whole[0], 3 * unit), rule=STEPS)
    theirs = pykalman_level(0.2 * unit, unit, whole[0], 3 * unit)
    theirs.em(masked(whole), n_iter=4, em_vars=NOISES)
    assert near(fit.parameters[0, 0], theirs.transition_covariance[0, 0])
    assert near(fit.parameters[1, 0], theirs.observation_covariance[0, 0])
    assert near(fit.log_likelihood[0], theirs.loglikelihood(masked(whole)))


@pytest.mark.parametrize("kind", ["random walk", "huge jumps", "tiny prices", "large prices", "alternating", "gaps"])
def test_steps_of_em_for_a_trend_are_pykalmans(kind):
    series = SERIES[kind]
    whole = series[np.flatnonzero(~np.isnan(series))[0] : np.flatnonzero(~np.isnan(series))[-1] + 1]
    unit = unit_of(whole)
    fit = fit_trend(
        series[:, None],
        start=(0.3 * unit, 0.1 * unit, unit),
        prior=(whole[0], 0.0, 3 * unit, 0.0, unit),
        correlated=True,
        rule=STEPS,
    )
    theirs = pykalman_trend(np.diag([0.3, 0.1]) * unit, unit, [whole[0], 0.0], np.diag([3.0, 1.0]) * unit)
    theirs.em(masked(whole), n_iter=4, em_vars=NOISES)
    noise = theirs.transition_covariance
    assert near(fit.parameters[:3, 0], np.array([noise[0, 0], noise[1, 1], noise[0, 1]]))
    assert near(fit.parameters[3, 0], theirs.observation_covariance[0, 0])
    assert near(fit.log_likelihood[0], theirs.loglikelihood(masked(whole)))


@needs_recorded_data
def test_steps_of_em_on_recorded_prices_are_pykalmans():
    panel = recorded_closes()
    unit = unit_of(panel[:, 0])
    fit = fit_level(panel, start=(unit, unit / 2), prior=(panel[0], unit), rule=STEPS)
    theirs = pykalman_level(unit, unit / 2, panel[0, 2], unit).em(panel[:, 2], n_iter=4, em_vars=NOISES)
    assert near(fit.parameters[0, 2], theirs.transition_covariance[0, 0])
    assert near(fit.parameters[1, 2], theirs.observation_covariance[0, 0])


def test_the_general_door_climbs_to_where_the_kernel_climbs():
    series = a_walk()
    model = {
        "transition_matrices": [[1.0]],
        "observation_matrices": [[1.0]],
        "transition_covariance": [[0.5]],
        "observation_covariance": [[0.5]],
        "initial_state_mean": [series[0]],
        "initial_state_covariance": [[100.0]],
    }
    general = fit_general(series, model, tolerance=1e-5)
    panel = fit_level(series[:, None], start=(0.5, 0.5), prior=(series[0], 100.0), rule=EmRule(tolerance=1e-5))
    assert general.converged
    assert abs(general.log_likelihood - panel.log_likelihood[0]) < 2e-5 * len(series)
    assert general.filter().loglikelihood(series) == pytest.approx(general.log_likelihood, rel=1e-12)
