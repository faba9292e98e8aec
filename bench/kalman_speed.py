"""Kalman filters and hidden Markov models against pykalman, simdkalman and hmmlearn, one core, taking turns."""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bench.result import Comparison, Measured

ROWS, INSTRUMENTS = 2520, 500
PEER_SERIES = 2
"""Series that pykalman and hmmlearn get in a round; their time is scaled to all of them."""
PEER_ROUNDS, PEER_ROUNDS_MAX, OUR_ROUNDS = 3, 15, 5
ENOUGH_S = 4.0
"""More rounds than the fewest are played where the peer's take less than this together."""
STATES, STEPS = 2, 20
TREND = np.array([[1.0, 1.0], [0.0, 1.0]])
NOISES = ["transition_covariance", "observation_covariance"]
ASKED = {
    "level, pykalman": 30_000.0,
    "trend, pykalman": 30_000.0,
    "level, simdkalman": 150.0,
    "trend, simdkalman": 150.0,
    "level EM, pykalman": 20_000.0,
    "trend EM, pykalman": 20_000.0,
    "HMM EM, hmmlearn": 7.0,
}
Panel = npt.NDArray[np.float64]
Run = Callable[[], object]


def compare_kalman() -> Comparison:
    """Every pair that is installed; the ratio is the worst of found to asked."""
    panel = _panel()
    pairs = {name: pair for name, pair in _pairs(panel).items() if pair is not None}
    found = {name: _median_ratio(*pair) for name, pair in pairs.items()}
    measured = tuple(
        one
        for name, (ours, theirs) in found.items()
        for one in (Measured(f"{name}: ours", "ms", ours * 1e3), Measured(f"{name}: theirs", "ms", theirs * 1e3))
    )
    notes = [
        f"{name:<20}{theirs / ours:>12,.1f} times, asked {ASKED[name]:,g}" for name, (ours, theirs) in found.items()
    ]
    notes += [f"{name:<20} skipped, not installed" for name in ASKED if name not in found]
    return Comparison(
        title=f"{INSTRUMENTS} x {ROWS:,}, one core, processor time, filtered means; pykalman on {PEER_SERIES} of them",
        measured=measured,
        ratio=min(theirs / ours / ASKED[name] for name, (ours, theirs) in found.items()),
        ratio_says="of the ratios asked (the worst)",
        notes=tuple(notes),
    )


def _median_ratio(ours: Run, theirs: Run, scale: float) -> tuple[float, float]:
    """Median seconds of both, interleaved; a round of each before that does not count."""
    ours()
    rounds = min(max(PEER_ROUNDS, int(ENOUGH_S / max(_seconds(theirs), 0.01))), PEER_ROUNDS_MAX)
    mine: list[float] = []
    other: list[float] = []
    for _ in range(rounds):
        mine.extend(_seconds(ours) for _ in range(OUR_ROUNDS))
        other.append(_seconds(theirs) * scale)
    return statistics.median(mine), statistics.median(other)


def _seconds(run: Run) -> float:
    """Of this thread's processor: what neighbours take of the machine is in neither figure."""
    began = time.thread_time()
    run()
    return time.thread_time() - began


def _panel() -> Panel:
    rng = np.random.default_rng(7)
    walk = np.cumsum(rng.normal(size=(ROWS, INSTRUMENTS)), axis=0)
    noisy: Panel = 100 + walk + rng.normal(size=walk.shape)
    return noisy


def _pairs(panel: Panel) -> dict[str, tuple[Run, Run, float] | None]:
    scale = INSTRUMENTS / PEER_SERIES
    few = [panel[:, i].copy() for i in range(PEER_SERIES)]
    level, trend = _ours(panel)
    return {
        "level, pykalman": (level, lambda: [_pykalman(1).filter(one) for one in few], scale),
        "trend, pykalman": (trend, lambda: [_pykalman(2).filter(one) for one in few], scale),
        "level, simdkalman": _simd(level, panel, 1),
        "trend, simdkalman": _simd(trend, panel, 2),
        "level EM, pykalman": (_our_em(panel, 1), lambda: [_pykalman_em(1, one) for one in few], scale),
        "trend EM, pykalman": (_our_em(panel, 2), lambda: [_pykalman_em(2, one) for one in few], scale),
        "HMM EM, hmmlearn": _hmm(few[0]),
    }


def _ours(panel: Panel) -> tuple[Run, Run]:
    from shared.indicators.kalman_level import KalmanLevel
    from shared.indicators.kalman_trend import KalmanTrend

    def level() -> Panel:
        made = KalmanLevel(INSTRUMENTS, level_variance=1.0, observation_variance=1.0)
        return made.update_many(panel)

    def trend() -> Panel:
        made = KalmanTrend(INSTRUMENTS, level_variance=1.0, slope_variance=0.01, observation_variance=1.0)
        return made.update_fields(panel, ("level", "slope"))

    return level, trend


def _our_em(panel: Panel, size: int) -> Run:
    from research.filters.em_rule import series_of
    from research.filters.level_em import step as level_step
    from research.filters.trend_em import correlated_step

    series, bounds = series_of(panel), np.full(INSTRUMENTS, 1e-12)
    start = [1.0, 1.0, 100.0, 10.0] if size == 1 else [1.0, 0.01, 0.0, 1.0, 100.0, 0.0, 10.0, 0.0, 1.0]
    parameters = np.repeat(np.array(start)[:, None], INSTRUMENTS, axis=1)
    step = level_step if size == 1 else correlated_step
    return lambda: step(series, parameters, bounds)


def _pykalman(size: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a filter of pykalman, which has no types
    from pykalman import KalmanFilter

    return KalmanFilter(
        transition_matrices=TREND[:size, :size],
        observation_matrices=np.eye(1, size),
        transition_covariance=np.diag([1.0, 0.01][:size]),
        observation_covariance=[[1.0]],
        initial_state_mean=[100.0, 0.0][:size],
        initial_state_covariance=np.diag([10.0, 1.0][:size]),
    )


def _pykalman_em(size: int, series: Panel) -> object:
    return _pykalman(size).em(series, n_iter=1, em_vars=NOISES)


def _simd(ours: Run, panel: Panel, size: int) -> tuple[Run, Run, float] | None:
    if importlib.util.find_spec("simdkalman") is None:
        return None
    simdkalman = importlib.import_module("simdkalman")  # an optional peer, without types

    peer = simdkalman.KalmanFilter(
        state_transition=TREND[:size, :size],
        process_noise=np.diag([1.0, 0.01][:size]),
        observation_model=np.eye(1, size),
        observation_noise=1.0,
    )
    wide = np.ascontiguousarray(panel.T)
    return ours, lambda: peer.compute(wide, 0, filtered=True, smoothed=False), 1.0


def _hmm(series: Panel) -> tuple[Run, Run, float] | None:
    if importlib.util.find_spec("hmmlearn") is None:
        return None

    from research.filters.hmm_em import HmmRule, fit_gaussian_hmm
    from shared.indicators.gaussian_hmm import HmmParameters

    rows = np.diff(series)[:, None] * (1 + 2 * (np.arange(ROWS - 1) // 250 % 2))[:, None]
    start = HmmParameters(
        start=np.full(STATES, 1 / STATES),
        transition=np.array([[0.9, 0.1], [0.1, 0.9]]),
        means=np.zeros((STATES, 1)),
        covariances=np.array([[[1.0]], [[10.0]]]),
    )
    rule = HmmRule(iterations_max=STEPS, tolerance=-np.inf)

    def theirs() -> object:
        peer = importlib.import_module("hmmlearn.hmm").GaussianHMM(
            STATES, "diag", n_iter=STEPS, tol=-np.inf, init_params=""
        )
        peer.startprob_, peer.transmat_, peer.means_ = start.start, start.transition, start.means
        peer.covars_ = start.covariances[:, :, 0]
        return peer.fit(rows)

    return lambda: fit_gaussian_hmm(rows, STATES, start=start, rule=rule), theirs, 1.0
