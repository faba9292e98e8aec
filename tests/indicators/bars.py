"""A market of open, high, low, close and volume, and how an indicator of the registry is fed with it."""

import numpy as np

from tests.indicators.panels import same_bits


def a_market(rows, n, *, seed, missing=0.0):
    """Five panels (rows, n) of random walks, and one of periods; a share `missing` of the bars printed nothing."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.015, (rows, n)), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * (1 + rng.normal(0, 0.004, (rows, n)))
    market = {
        "open": opened,
        "high": np.maximum(opened, close) * (1 + rng.uniform(0, 0.01, (rows, n))),
        "low": np.minimum(opened, close) * (1 - rng.uniform(0, 0.01, (rows, n))),
        "close": close,
        "volume": rng.integers(1_000, 100_000, (rows, n)).astype(float),
    }
    silent = rng.random((rows, n)) < missing
    market["periods"] = rng.uniform(0.0, 40.0, (rows, n))
    for panel in market.values():
        panel[silent] = np.nan
    return market


def fed(spec, market, **params):
    """Batch values, (T, n) or (q, T, n)."""
    n = market["close"].shape[1]
    return spec.make(n, **params).update_many(*(market[field] for field in spec.inputs))


def streamed(spec, market, **params):
    """The same, row by row."""
    live = spec.make(market["close"].shape[1], **params)
    rows = zip(*(market[field] for field in spec.inputs), strict=True)
    values = [live.update(*row) for row in rows]
    return np.ascontiguousarray(np.stack(values, axis=-2))


def same_until(cut, values_of, market):
    """Whether the values up to a cut are the same bits when the market ends there."""
    whole = values_of(market)[..., :cut, :]
    ended = values_of({field: np.ascontiguousarray(panel[:cut]) for field, panel in market.items()})
    return same_bits(np.ascontiguousarray(whole), np.ascontiguousarray(ended))


def first_values(values):
    """After how many rows the first value is there, in every output and instrument."""
    there = ~np.isnan(values.reshape(-1, *values.shape[-2:]))
    return {int(first) + 1 for first in there.argmax(axis=1).ravel()} if there.any() else set()
