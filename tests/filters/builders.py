"""Series good and bad, and the same models in pykalman's words."""

import numpy as np
from pykalman import KalmanFilter

from tests.indicators.panels import DATA

TREND = [[1.0, 1.0], [0.0, 1.0]]


def a_walk(rows=100, *, seed=3):
    rng = np.random.default_rng(seed)
    return 100 + np.cumsum(rng.normal(size=rows)) + rng.normal(size=rows)


def with_gaps(series, share=0.3, *, seed=5):
    """Some values missing, the first and the last among them."""
    broken = np.array(series)
    broken[np.random.default_rng(seed).random(len(broken)) < share] = np.nan
    broken[[0, 1, -1]] = np.nan
    return broken


def with_jumps(series):
    jumped = np.array(series)
    jumped[30:] *= 1e6
    jumped[60:] /= 1e6
    return jumped


SERIES = {
    "random walk": a_walk(),
    "constant": np.full(100, 5.0),
    "zeros": np.zeros(100),
    "gaps": with_gaps(a_walk()),
    "mostly gaps": with_gaps(a_walk(), 0.9),
    "huge jumps": with_jumps(a_walk()),
    "tiny prices": a_walk() * 1e-12,
    "large prices": a_walk() * 1e7,
    "alternating": np.tile([1.0, -1.0], 50),
}


def recorded_closes(n=3, rows=120):
    """Log closes (rows, n) of panel_a."""
    import pandas as pd

    columns = pd.read_parquet(DATA / "daily" / "panel_a_2009_2018.parquet", columns=["symbol", "close"])
    symbols = sorted(columns["symbol"].unique())[:n]
    return np.log(np.column_stack([columns[columns["symbol"] == one]["close"].to_numpy()[:rows] for one in symbols]))


def unit_of(series):
    """A variance that fits the size of the series."""
    changes = np.diff(series[~np.isnan(series)])
    return float(np.mean(changes**2)) or 1.0


def masked(series):
    return np.ma.masked_invalid(series)


def pykalman_level(level_q, noise, mean, variance):
    return KalmanFilter(
        transition_matrices=[[1.0]],
        observation_matrices=[[1.0]],
        transition_covariance=[[level_q]],
        observation_covariance=[[noise]],
        initial_state_mean=[mean],
        initial_state_covariance=[[variance]],
    )


def pykalman_trend(noise_covariance, noise, mean, covariance):
    return KalmanFilter(
        transition_matrices=TREND,
        observation_matrices=[[1.0, 0.0]],
        transition_covariance=noise_covariance,
        observation_covariance=[[noise]],
        initial_state_mean=mean,
        initial_state_covariance=covariance,
    )


def near(left, right, *, scale=None):
    """Equal to 1e-9 of the larger, and of `scale` where a difference of large numbers is small."""
    size = np.maximum(np.abs(left), np.abs(right))
    return bool((np.abs(left - right) <= 1e-9 * np.maximum(size, scale or 0.0)).all())
