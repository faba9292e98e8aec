"""Transforms across a row: pandas and slips of paper know the answers."""

import numpy as np
import pandas as pd
import pytest

from shared.errors import ConfigError, InvariantViolated
from shared.indicators import cross_section
from tests.indicators.panels import same_bits

NAN = np.nan
SECTORS = np.arange(40) % 4
TRANSFORMS = {
    "rank": cross_section.rank,
    "zscore": cross_section.zscore,
    "demean": cross_section.demean,
    "winsorise": lambda values: cross_section.winsorise(values, 0.1),
    "scale": cross_section.scale,
    "neutralise": lambda values: cross_section.neutralise(values, SECTORS),
}
PANDAS = {
    "rank": lambda frame: frame.rank(axis=1, pct=True),
    "zscore": lambda frame: frame.sub(frame.mean(axis=1), axis=0).div(frame.std(axis=1), axis=0),
    "demean": lambda frame: frame.sub(frame.mean(axis=1), axis=0),
    "winsorise": lambda frame: frame.clip(frame.quantile(0.1, axis=1), frame.quantile(0.9, axis=1), axis=0),
    "scale": lambda frame: frame.div(frame.abs().sum(axis=1), axis=0),
    "neutralise": lambda frame: frame - frame.T.groupby(SECTORS).transform("mean").T,
}


def a_panel(scale=1.0):
    """Rounded, so that there are ties; a fifth is missing."""
    rng = np.random.default_rng(3)
    return np.where(rng.random((60, 40)) < 0.2, NAN, rng.normal(0, 3, (60, 40)).round(1) * scale)


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e9])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_is_that_of_pandas(name, scale):
    panel = a_panel(scale)
    theirs = PANDAS[name](pd.DataFrame(panel)).to_numpy()
    np.testing.assert_allclose(TRANSFORMS[name](panel), theirs, rtol=1e-9, atol=1e-13 * np.nanmax(np.abs(theirs)))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_live_row_has_the_bits_of_its_row_in_the_panel(name):
    panel = a_panel()
    assert same_bits(np.array([TRANSFORMS[name](row) for row in panel]), TRANSFORMS[name](panel))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_nan_stays_nan_and_a_row_of_nothing_is_nothing(name):
    panel = a_panel()
    panel[7] = NAN
    np.testing.assert_array_equal(np.isnan(TRANSFORMS[name](panel)), np.isnan(panel))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_what_came_in_is_left_as_it_was(name):
    panel = a_panel()
    before = panel.copy()
    TRANSFORMS[name](panel)
    assert same_bits(panel, before)


@pytest.mark.parametrize(
    ("name", "same"), [("rank", 0.5125), ("zscore", 0.0), ("demean", 0.0), ("winsorise", 7.0), ("scale", 0.025)]
)
def test_a_row_of_equal_values_has_a_value(name, same):
    np.testing.assert_allclose(TRANSFORMS[name](np.full(40, 7.0)), np.full(40, same), rtol=1e-15)


def test_ranks_by_hand():
    assert cross_section.rank([30.0, NAN, 10.0, 30.0, 20.0])[[0, 2, 3, 4]].tolist() == [0.875, 0.25, 0.875, 0.5]


def test_a_sector_that_is_unknown_has_no_value():
    values = cross_section.neutralise([1.0, 3.0, 5.0], [0, 0, -1])
    assert values[:2].tolist() == [-1.0, 1.0]
    assert np.isnan(values[2])


def test_a_row_of_zeros_cannot_be_scaled_and_stays():
    assert cross_section.scale([0.0, 0.0]).tolist() == [0.0, 0.0]
    assert cross_section.scale([1.0, -3.0], gross=2.0).tolist() == [0.5, -1.5]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"winsorise: share 0.5, allowed: from 0 to less than 0.5"):
        cross_section.winsorise([1.0], 0.5)
    with pytest.raises(ConfigError, match="scale: gross -1, allowed: numbers above 0"):
        cross_section.scale([1.0], -1)
    with pytest.raises(InvariantViolated, match=r"sectors of shape \(1,\) and type int64, allowed: \(2,\)"):
        cross_section.neutralise([1.0, 2.0], [0])
    with pytest.raises(InvariantViolated, match=r"shape \(\), allowed: \(n,\) or \(T, n\)"):
        cross_section.rank(1.0)
