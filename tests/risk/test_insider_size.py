"""Insiders who agree make a position larger, who disagree smaller; who is silent changes nothing."""

import pytest

from risk.insider_size import size_factor


@pytest.mark.parametrize(
    ("score", "is_long", "factor"),
    [(1.0, True, 1.25), (1.0, False, 0.75), (-0.5, True, 0.875), (-0.5, False, 1.125), (0.0, True, 1.0)],
)
def test_a_position_grows_with_agreement_and_shrinks_with_the_opposite(score, is_long, factor):
    assert size_factor(score, is_long=is_long, strength=0.25) == factor


@pytest.mark.parametrize("score", [None, float("nan")])
def test_a_score_that_is_not_known_scales_nothing(score):
    assert size_factor(score, is_long=True, strength=0.5) == 1.0


@pytest.mark.parametrize(("score", "factor"), [(7.0, 1.5), (-7.0, 0.5), (float("inf"), 1.5)])
def test_a_score_beyond_its_bounds_scales_no_further_than_the_strength(score, factor):
    assert size_factor(score, is_long=True, strength=0.5) == factor
