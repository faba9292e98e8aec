"""Bars in cents with ties, gaps and short shadows, so that every candlestick pattern happens."""

import numpy as np


def cent_bars(rows, n, *, seed, volatility=0.01):
    """Open, high, low, close and volume, each (rows, n)."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, volatility, (rows, n)), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0, volatility * 0.7, (rows, n)))
    up, down = (np.abs(rng.normal(0, volatility * 0.6, (rows, n))) * (rng.random((rows, n)) < 0.7) for _ in range(2))
    high, low = np.maximum(opened, close) + up * close, np.minimum(opened, close) - down * close
    volume = rng.lognormal(12, 1, (rows, n)).round()
    return {
        "open": opened.round(2),
        "high": high.round(2),
        "low": low.round(2),
        "close": close.round(2),
        "volume": volume,
    }


def a_row(*prices):
    """The prices of one instrument, each as a row."""
    return [np.array([float(price)]) for price in prices]


def values_of(spec, bars, **params):
    """The spec's values over the bars, (T, n) or (q, T, n)."""
    return spec.make(bars["close"].shape[1], **params).update_many(*(bars[name] for name in spec.inputs))
