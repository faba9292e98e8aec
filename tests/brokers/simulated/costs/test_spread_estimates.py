"""Corwin-Schultz and Abdi-Ranaldo: bars whose spread is known, and the papers' arithmetic done once more by hand."""

import math

import numpy as np
import pytest

from brokers.simulated.costs.spread_estimates import abdi_ranaldo, corwin_schultz

BOTH = pytest.mark.parametrize("estimate", [corwin_schultz, abdi_ranaldo])


def columns(*rows):
    return tuple(np.array(rows, dtype=float).reshape(len(rows), 3, 1).transpose(1, 0, 2))


def bouncing(days, spread):
    """A price that never moves: every day trades at bid and ask, closing at one of them in turn."""
    half = spread / 2
    return columns(*[(100 * (1 + half), 100 * (1 - half), 100 * (1 + half * (-1) ** day)) for day in range(days)])


@BOTH
def test_a_price_that_only_bounces_has_the_spread_it_bounces_by(estimate):
    assert estimate(*bouncing(30, 0.01))[1:].mean() == pytest.approx(0.01, rel=0.01)


@BOTH
def test_a_price_that_does_not_bounce_has_none(estimate):
    assert estimate(*columns(*[(100.0, 100.0, 100.0)] * 5))[1:].tolist() == [[0.0]] * 4


def test_corwin_schultz_by_hand():
    high, low, close = columns((102.0, 100.0, 101.0), (103.0, 100.5, 102.0))
    beta = math.log(1.02) ** 2 + math.log(103 / 100.5) ** 2
    gamma = math.log(103 / 100) ** 2
    root = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / root - math.sqrt(gamma / root)
    expected = max(2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha)), 0.0)
    assert expected > 0
    assert corwin_schultz(high, low, close)[1, 0] == pytest.approx(expected)


def test_corwin_schultz_does_not_take_a_gap_over_night_for_a_range():
    quiet = columns((102.0, 100.0, 102.0), (102.5, 100.5, 101.0))
    gapped = columns((102.0, 100.0, 102.0), (112.5, 110.5, 111.0))
    moved = columns((102.0, 100.0, 102.0), (104.0, 102.0, 102.5))
    assert corwin_schultz(*gapped)[1, 0] == pytest.approx(corwin_schultz(*moved)[1, 0])
    assert corwin_schultz(*quiet)[1, 0] > corwin_schultz(*gapped)[1, 0]


def test_abdi_ranaldo_by_hand():
    high, low, close = columns((102.0, 100.0, 100.2), (102.5, 100.5, 101.0))
    middles = [(math.log(102) + math.log(100)) / 2, (math.log(102.5) + math.log(100.5)) / 2]
    squared = 4 * (math.log(100.2) - middles[0]) * (math.log(100.2) - middles[1])
    assert abdi_ranaldo(high, low, close)[1, 0] == pytest.approx(math.sqrt(squared))


@BOTH
def test_a_missing_price_gives_no_estimate_and_a_single_day_none(estimate):
    high, low, close = columns((102.0, 100.0, 101.0), (np.nan, np.nan, np.nan), (103.0, 101.0, 102.0))
    assert np.isnan(estimate(high, low, close)).all()
    assert np.isnan(estimate(high[:1], low[:1], close[:1])).all()
