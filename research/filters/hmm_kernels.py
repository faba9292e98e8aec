"""Scaled forward and backward pass of a Gaussian hidden Markov model, over one series; a row of an array a state."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, kernel

BoolArray = npt.NDArray[np.bool_]

_Chain = tuple[FloatArray, FloatArray]
_Emission = tuple[FloatArray, FloatArray, FloatArray]
_PRODUCT = 16
"""Scales multiplied up before a logarithm is taken: each lies between the smallest probability and k."""
_SMALL = 1e-200


@kernel
def emissions(emission: _Emission, rows: FloatArray, present: BoolArray, likely: FloatArray) -> float:
    """Densities of `rows` (d, T) in each state into `likely` (k, T), relative to the largest of that row.

    Emission: means (k, d), whitening (k, d, d) and constants (k,). Returns the sum of the logarithms that were taken
    out. A row that is not `present` (T,) is 1 in every state.
    """
    means, white, constants = emission
    k, d = means.shape
    total = rows.shape[1]
    for s in range(k):
        here = likely[s]
        here[:] = constants[s]
        for a in range(d):
            if a == 0:  # the first input apart from the others: most models have one
                root, mean, first = white[s, 0, 0], means[s, 0], rows[0]
                for t in range(total):
                    z = root * (first[t] - mean)
                    here[t] -= 0.5 * z * z
                continue
            for t in range(total):
                z = 0.0
                for b in range(a + 1):
                    z += white[s, a, b] * (rows[b, t] - means[s, b])
                here[t] -= 0.5 * z * z
    taken = 0.0
    for t in range(total):
        if not present[t]:
            likely[:, t] = 1.0
            continue
        most = likely[0, t]
        for s in range(1, k):
            most = max(most, likely[s, t])
        for s in range(k):
            apart = likely[s, t] - most
            likely[s, t] = np.exp(apart) if apart < 0.0 else 1.0
        taken += most
    return taken


@kernel
def forward(chain: _Chain, likely: FloatArray, filtered: FloatArray, scale: FloatArray) -> float:
    """Filtered probabilities (k, T), what each row was multiplied by (`scale`, (T,)); returns the log-likelihood."""
    start, transition = chain
    k, rows = likely.shape
    total, product = 0.0, 1.0
    for t in range(rows):
        weight = 0.0
        for to in range(k):
            ahead = start[to]
            if t > 0:
                ahead = 0.0
                for was in range(k):
                    ahead += filtered[was, t - 1] * transition[was, to]
            filtered[to, t] = ahead * likely[to, t]
            weight += filtered[to, t]
        share = 1.0 / weight
        for s in range(k):
            filtered[s, t] *= share
        scale[t] = share
        product *= weight
        if t % _PRODUCT == 0 or product < _SMALL:
            total += np.log(product)
            product = 1.0
    return float(total + np.log(product))


@kernel
def backward(transition: FloatArray, likely: FloatArray, scale: FloatArray, later: FloatArray) -> None:
    """`later` (k, T): how much likelier each state makes its row and all rows after it, given the rows before.

    The smoothed probabilities of a row are its filtered ones times the transition times `later` of the next row.
    """
    k, rows = likely.shape
    ahead = np.ones(k)
    for t in range(rows - 1, -1, -1):
        for s in range(k):
            later[s, t] = ahead[s] * likely[s, t] * scale[t]
        for was in range(k):
            total = 0.0
            for to in range(k):
                total += transition[was, to] * later[to, t]
            ahead[was] = total


@kernel
def weigh(
    rows: FloatArray, present: BoolArray, smoothed: FloatArray, means: FloatArray, covariances: FloatArray
) -> None:
    """Means (k, d) and covariances (k, d, d), both zero before, of `rows` (d, T) weighted by `smoothed` (k, T)."""
    k, d = means.shape
    for s in range(k):
        weights = smoothed[s]
        weight = 0.0
        for t in range(weights.shape[0]):
            weight += weights[t] if present[t] else 0.0
        for a in range(d):
            total, first = 0.0, rows[a]
            for t in range(weights.shape[0]):
                total += weights[t] * first[t] if present[t] else 0.0
            means[s, a] = total / weight
        for a in range(d):
            for b in range(a + 1):
                total, first, second, mean, other = 0.0, rows[a], rows[b], means[s, a], means[s, b]
                for t in range(weights.shape[0]):
                    product = (first[t] - mean) * (second[t] - other)
                    total += weights[t] * product if present[t] else 0.0
                covariances[s, a, b] = total / weight
                covariances[s, b, a] = covariances[s, a, b]
