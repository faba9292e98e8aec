"""Builders of panels, and the comparison that lets no bit pass."""

from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

needs_recorded_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"recorded market data is absent: {DATA}")


def a_walk(rows=500, n=3, *, seed=7):
    """High, low and close (rows, n) of seeded geometric random walks."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (rows, n)), axis=0))
    return (
        close * (1 + rng.uniform(0, 0.01, (rows, n))),
        close * (1 - rng.uniform(0, 0.01, (rows, n))),
        close,
    )


def same_bits(left, right):
    """Every bit equal; the payload of a NaN too."""
    return left.shape == right.shape and np.array_equal(left.view(np.int64), right.view(np.int64))
