"""Forward and backward pass of a Gaussian hidden Markov model over one series; a row of an array a state."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, kernel

BoolArray = npt.NDArray[np.bool_]

_Chain = tuple[FloatArray, FloatArray]
_Emission = tuple[FloatArray, FloatArray, FloatArray]
_SMALL = 1e-6
"""Sum of the weights of a row below which they are scaled to 1. Scaling every row would put a division into the one
chain of operations that cannot overlap; letting them run down further would cost range at the small end."""


@kernel
def log_densities(emission: _Emission, rows: FloatArray, present: BoolArray, apart: FloatArray) -> float:
    """Log densities of `rows` (d, T) in each state into `apart` (k, T), less the largest of that row: from 0 down.

    Emission: means (k, d), whitening (k, d, d) and constants (k,). Returns the sum of what was taken off. A row that is
    not `present` (T,) is 0 in every state. The exponential is numpy's, not ours: it works on many rows at once.
    """
    means, white, constants = emission
    k, d = means.shape
    total = rows.shape[1]
    for s in range(k):
        here = apart[s]
        # The first input apart from the others: most models have one.
        root, mean, constant, first = white[s, 0, 0], means[s, 0], constants[s], rows[0]
        for t in range(total):
            z = root * (first[t] - mean)
            here[t] = constant - 0.5 * z * z
        for a in range(1, d):
            for t in range(total):
                z = 0.0
                for b in range(a + 1):
                    z += white[s, a, b] * (rows[b, t] - means[s, b])
                here[t] -= 0.5 * z * z
    most = apart[0].copy()
    for s in range(1, k):
        here = apart[s]
        for t in range(total):
            most[t] = max(most[t], here[t])
    for s in range(k):
        here = apart[s]
        for t in range(total):
            below = here[t] - most[t]
            here[t] = below if below < 0.0 and present[t] else 0.0
    taken = 0.0
    for t in range(total):
        taken += most[t] if present[t] else 0.0
    return taken


@kernel
def sweep(chain: _Chain, likely: FloatArray, past: FloatArray, later: FloatArray) -> float:
    """Weights of the states by each row and those before it (`past`), by it and those after it (`later`), all (k, T).

    Each column is right up to a factor of its own. Returns the log-likelihood of `likely` (k, T). Both ends go in one
    loop: neither waits for the other, and the processor works on both.
    """
    start, transition = chain
    k, rows = likely.shape
    ahead, behind = start.copy(), np.ones(k)
    told = 0.0
    for t in range(rows):
        u = rows - 1 - t
        weight, other = 0.0, 0.0
        for s in range(k):
            here, there = ahead[s] * likely[s, t], behind[s] * likely[s, u]
            past[s, t], later[s, u] = here, there
            weight += here
            other += there
        if weight < _SMALL:
            told += np.log(weight)
            for s in range(k):
                past[s, t] /= weight
        if other < _SMALL:
            for s in range(k):
                later[s, u] /= other
        for s in range(k):
            # Begun with the first state, not with 0: one addition less to wait for.
            onward, backward = past[0, t] * transition[0, s], transition[s, 0] * later[0, u]
            for o in range(1, k):
                onward += past[o, t] * transition[o, s]
                backward += transition[s, o] * later[o, u]
            ahead[s], behind[s] = onward, backward
    return float(told + np.log(past[:, rows - 1].sum()))


@kernel
def smooth(transition: FloatArray, past: FloatArray, later: FloatArray, smoothed: FloatArray) -> None:
    """Probabilities of the states given all rows into `smoothed` (k, T), from both weights of `sweep`.

    `past` is scaled on the way, to the factor with which the chance of a move from one state to another between a row
    and the next is `past` of the one times the transition times `later` of the other.
    """
    k, rows = past.shape
    whole = np.zeros(rows)
    for s in range(k):
        here, before = smoothed[s], past[s]
        here[:] = 0.0
        for o in range(k):
            move, after = transition[s, o], later[o, 1:]
            for t in range(rows - 1):
                here[t] += move * after[t]
        here[rows - 1] = 1.0
        for t in range(rows):
            here[t] *= before[t]
            whole[t] += here[t]
    for t in range(rows):
        whole[t] = 1.0 / whole[t]
    for s in range(k):
        here, before = smoothed[s], past[s]
        for t in range(rows):
            here[t] *= whole[t]
            before[t] *= whole[t]


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
