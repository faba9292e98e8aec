"""The hidden Markov model: hmmlearn is the reference of its EM, and live it never looks back."""

from itertools import pairwise

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from research.filters.hmm_em import HmmRule, expectation, fit_gaussian_hmm, maximisation
from shared.errors import ConfigError, DataError, InvariantViolated
from shared.indicators.gaussian_hmm import GaussianHmm, HmmParameters
from tests.filters.builders import recorded_closes
from tests.indicators.panels import needs_recorded_data, same_bits

NAN = float("nan")
FIXED = HmmRule(iterations_max=12, tolerance=-np.inf, floor=1e-12)


def a_model(states=2, inputs=1):
    transition = np.full((states, states), 0.1 / (states - 1))
    np.fill_diagonal(transition, 0.9)
    spreads = np.arange(1, states + 1)[:, None, None] ** 2 * (np.eye(inputs) + 0.3 * (1 - np.eye(inputs)))
    means = np.linspace(-0.3, 0.4, states)[:, None] * np.ones(inputs)
    return HmmParameters(start=np.full(states, 1 / states), transition=transition, means=means, covariances=spreads)


def rows_of(states=2, inputs=1, rows=300, *, seed=1):
    """Rows that switch between spreads of 1, 3, 5 ..., a block at a time."""
    rng = np.random.default_rng(seed)
    state = (np.arange(rows) // 40) % states
    return rng.normal(size=(rows, inputs)) * (1 + 2 * state)[:, None]


def hmmlearns(start, covariance, iterations):
    model = GaussianHMM(
        len(start.start), covariance, n_iter=iterations, tol=-np.inf, init_params="", covars_prior=0, min_covar=1e-12
    )
    model.startprob_, model.transmat_, model.means_ = start.start, start.transition, start.means
    diagonal = np.diagonal(start.covariances, axis1=1, axis2=2)
    model.covars_ = start.covariances if covariance == "full" else diagonal
    return model


@pytest.mark.parametrize("covariance", ["diag", "full"])
@pytest.mark.parametrize(("states", "inputs"), [(2, 1), (3, 2), (4, 3)])
def test_steps_of_em_are_hmmlearns(covariance, states, inputs):
    rows, start = rows_of(states, inputs), a_model(states, inputs)
    if covariance == "diag":
        kept = start.covariances * np.eye(inputs)
        start = HmmParameters(start=start.start, transition=start.transition, means=start.means, covariances=kept)
    ours = fit_gaussian_hmm(rows, states, covariance=covariance, start=start, rule=FIXED)
    theirs = hmmlearns(start, covariance, 12).fit(rows)
    order = np.argsort(np.trace(theirs.covars_, axis1=1, axis2=2))
    np.testing.assert_allclose(ours.parameters.means, theirs.means_[order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.parameters.covariances, theirs.covars_[order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        ours.parameters.transition, theirs.transmat_[np.ix_(order, order)], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(ours.parameters.start, theirs.startprob_[order], rtol=1e-9, atol=1e-12)
    assert ours.log_likelihood == pytest.approx(theirs.score(rows), rel=1e-9)
    assert ours.iterations == 12


@needs_recorded_data
def test_steps_of_em_on_recorded_returns_are_hmmlearns():
    rows = np.diff(recorded_closes(rows=800), axis=0)[:, :1]
    start = a_model()
    start = HmmParameters(
        start=start.start, transition=start.transition, means=start.means / 100, covariances=start.covariances / 1e4
    )
    ours, theirs = fit_gaussian_hmm(rows, 2, start=start, rule=FIXED), hmmlearns(start, "diag", 12).fit(rows)
    order = np.argsort(theirs.covars_[:, 0, 0])
    np.testing.assert_allclose(ours.parameters.covariances, theirs.covars_[order], rtol=1e-9)
    assert ours.log_likelihood == pytest.approx(theirs.score(rows), rel=1e-9)


def test_smoothed_probabilities_are_hmmlearns_and_the_last_one_is_the_live_one():
    rows, model = rows_of(3, 2), a_model(3, 2)
    smoothed, _, told = expectation(rows.T.copy(), np.ones(len(rows), dtype=np.bool_), model)
    theirs = hmmlearns(model, "full", 1)
    np.testing.assert_allclose(smoothed.T, theirs.predict_proba(rows), rtol=1e-9, atol=1e-12)
    assert told == pytest.approx(theirs.score(rows), rel=1e-12)
    live = GaussianHmm(1, model).update_many(rows[:, :1], rows[:, 1:])
    np.testing.assert_allclose(live[:, -1, 0], smoothed[:, -1], rtol=1e-12)


@pytest.mark.parametrize("jump", [1.0, 30.0], ids=["a calm series", "wide jumps"])
@pytest.mark.parametrize("states", [2, 3])
def test_a_long_series_with_jumps_keeps_hmmlearns_probabilities(states, jump):
    # 3,000 rows multiply to far below the smallest number; a jump does so at once.
    rows, model = rows_of(states, 1, 3000), a_model(states)
    rows[::97] *= jump
    smoothed, moves, told = expectation(rows.T.copy(), np.ones(3000, dtype=np.bool_), model)
    theirs = hmmlearns(model, "full", 1)
    np.testing.assert_allclose(smoothed.T, theirs.predict_proba(rows), rtol=1e-9, atol=1e-11)
    assert told == pytest.approx(theirs.score(rows), rel=1e-12)
    assert moves.sum() == pytest.approx(2999, rel=1e-12)


def test_live_probabilities_are_those_of_a_series_that_ends_there():
    rows, model = rows_of(2, 2, 60), a_model(2, 2)
    live = GaussianHmm(1, model).update_many(rows[:, :1], rows[:, 1:])[:, :, 0]
    theirs = hmmlearns(model, "full", 1)
    ends = np.array([theirs.predict_proba(rows[: t + 1])[-1] for t in range(60)])
    np.testing.assert_allclose(live.T, ends, rtol=1e-9, atol=1e-12)


def test_the_future_changes_no_filtered_probability_and_would_change_smoothed_ones():
    rows, model = rows_of(), a_model()
    changed = rows.copy()
    changed[200:] /= 20
    live, other = (GaussianHmm(1, model).update_many(one)[:, :200] for one in (rows, changed))
    assert same_bits(live.copy(), other.copy())
    there = np.ones(300, dtype=np.bool_)
    smoothed, otherwise = (expectation(one.T.copy(), there, model)[0][:, :200] for one in (rows, changed))
    assert np.abs(smoothed - otherwise).max() > 0.01


def test_the_log_density_of_the_rows_sums_to_the_likelihood():
    rows, model = rows_of(3, 1), a_model(3, 1)
    densities = GaussianHmm(1, model).update_with_density(rows)[-1, :, 0]
    assert densities.sum() == pytest.approx(hmmlearns(model, "diag", 1).score(rows), rel=1e-12)


def test_stream_and_batch_give_the_same_bits_through_gaps():
    rng = np.random.default_rng(8)
    first, second = rng.normal(size=(2, 80, 5)) * 3
    first[rng.random((80, 5)) < 0.3] = NAN
    live, batch = GaussianHmm(5, a_model(3, 2)), GaussianHmm(5, a_model(3, 2))
    streamed = np.array([live.update(x, y) for x, y in zip(first, second, strict=True)])
    assert same_bits(np.ascontiguousarray(streamed.transpose(1, 0, 2)), batch.update_many(first, second))


def test_a_missing_row_moves_the_probabilities_by_the_transition_alone():
    model = a_model(2)
    found = GaussianHmm(1, model).update_many([[NAN], [0.5], [NAN], [np.inf]])[:, :, 0].T
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[2], found[1] @ model.transition, rtol=1e-14)
    np.testing.assert_allclose(found[3], found[2] @ model.transition, rtol=1e-14)


def test_one_step_by_hand():
    model = HmmParameters(
        start=np.array([0.5, 0.5]),
        transition=np.array([[0.9, 0.1], [0.2, 0.8]]),
        means=np.zeros((2, 1)),
        covariances=np.array([[[1.0]], [[4.0]]]),
    )
    found = GaussianHmm(1, model).update_many([[0.0], [2.0]])[0, :, 0]
    first = 1 / (1 + 0.5)  # densities of 0 are as 1 to 1/2
    ahead = first * 0.9 + (1 - first) * 0.2
    calm, wild = np.exp(-2.0), 0.5 * np.exp(-0.5)
    np.testing.assert_allclose(found, [first, ahead * calm / (ahead * calm + (1 - ahead) * wild)], rtol=1e-14)


def test_a_row_that_no_state_explains_says_nothing():
    model = a_model(2)
    cut = HmmParameters(
        start=np.array([1.0, 0.0]), transition=np.eye(2), means=model.means, covariances=model.covariances / 1e6
    )
    found = GaussianHmm(1, cut).update_many([[0.4]])  # a thousand deviations from state 0; state 1 is impossible
    assert found[:, 0, 0].tolist() == [1.0, 0.0]


def test_states_come_in_the_order_of_volatility_whatever_the_start():
    rows = rows_of(2, 1, 4000)
    turned = a_model(2)
    turned = HmmParameters(
        start=turned.start,
        transition=turned.transition,
        means=turned.means,
        covariances=turned.covariances[::-1].copy(),
    )
    fits = [fit_gaussian_hmm(rows, 2, start=start).parameters for start in (a_model(2), turned)]
    np.testing.assert_allclose(fits[0].covariances, fits[1].covariances, rtol=1e-2)
    assert all(one[0, 0] < two[0, 0] for fit in fits for one, two in pairwise(fit.covariances))
    assert np.sqrt(fits[0].covariances[:, 0, 0]) == pytest.approx([1, 3], rel=0.05)


def test_more_starts_are_never_worse_and_the_seed_repeats_them():
    rows = rows_of(3, 1, 300)
    one, five, again = (fit_gaussian_hmm(rows, 3, rule=HmmRule(starts=starts)) for starts in (1, 5, 5))
    assert five.log_likelihood >= one.log_likelihood
    assert same_bits(five.parameters.means, again.parameters.means)


def test_missing_rows_are_left_out_of_the_fit():
    rows = rows_of(2, 2, 200)
    holed = rows.copy()
    holed[50, 0] = NAN
    there = ~np.isnan(holed).any(axis=1)
    smoothed, moves, _ = expectation(np.where(there, rows.T, NAN), there, a_model(2, 2))
    weights = smoothed[:, there].T
    means = (weights.T @ rows[there]) / weights.sum(axis=0)[:, None]
    found = fit_gaussian_hmm(holed, 2, start=a_model(2, 2), rule=HmmRule(iterations_max=1, tolerance=-np.inf))
    assert np.sort(found.parameters.means[:, 0]) == pytest.approx(np.sort(means[:, 0]), rel=1e-12)
    assert moves.sum() == pytest.approx(199, rel=1e-12)


def test_a_state_never_shrinks_onto_one_row():
    rows = rows_of(2, 1, 200)
    rows[100] = 50.0
    fit = fit_gaussian_hmm(rows, 3, rule=HmmRule(floor=1e-3, starts=8))
    assert fit.parameters.covariances.min() >= 1e-3 * rows.var() * (1 - 1e-12)


def test_a_full_covariance_is_bounded_along_every_direction():
    moments = (np.zeros((1, 2)), np.array([[[1.0, 1.0], [1.0, 1.0]]]))
    smoothed = np.ones((1, 10))
    found = maximisation(moments, smoothed, np.array([[9.0]]), "full", np.array([0.01, 0.01]))
    np.testing.assert_allclose(np.linalg.eigvalsh(found.covariances[0]), [0.01, 2.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("rows", "states", "told"),
    [
        (np.ones(50), 2, "an input never changes"),
        (np.arange(5.0), 2, "5 complete rows, allowed: from 8 for 2 states"),
        (np.full(50, np.inf), 2, "an infinite number"),
        (np.ones((2, 2, 2)), 2, r"rows of shape \(2, 2, 2\)"),
    ],
)
def test_rows_that_tell_nothing_are_refused(rows, states, told):
    with pytest.raises(DataError, match=told):
        fit_gaussian_hmm(rows, states)


def test_models_that_are_none_are_refused():
    good = a_model(2)
    with pytest.raises(ConfigError, match=r"start sums to 2.0, allowed: 1"):
        HmmParameters(start=np.ones(2), transition=good.transition, means=good.means, covariances=good.covariances)
    with pytest.raises(ConfigError, match="a covariance is not positive definite"):
        GaussianHmm(
            1,
            HmmParameters(
                start=good.start, transition=good.transition, means=good.means, covariances=good.covariances * -1
            ),
        )
    with pytest.raises(ConfigError, match="shapes"):
        HmmParameters(start=good.start, transition=np.ones((1, 2)), means=good.means, covariances=good.covariances)
    with pytest.raises(ConfigError, match="a probability below 0"):
        HmmParameters(
            start=np.array([1.5, -0.5]), transition=good.transition, means=good.means, covariances=good.covariances
        )
    with pytest.raises(ConfigError, match="13 states, allowed: 1 to 12"):
        fit_gaussian_hmm(rows_of(), 13)
    with pytest.raises(ConfigError, match="starts 0, iterations_max 300"):
        HmmRule(starts=0)
    with pytest.raises(InvariantViolated, match="2 inputs of"):
        GaussianHmm(1, good).update_many([[1.0]], [[1.0]])
