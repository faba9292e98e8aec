"""A strategy's features by name: live row by row and at night over whole panels, they are the same."""

import numpy as np
import pytest

from shared.indicators.feature_set import FeatureSet
from shared.indicators.rate_of_change import rate_of_change
from shared.indicators.sma import sma
from strategies.state import Snapshot, pack, unpack
from tests.features.builders import NAMES, a_market, first_days, rows_of, streamed


@pytest.mark.parametrize("name", [*NAMES, "rank(rsi(14))", "zscore(sma(20))"])
def test_row_by_row_and_whole_panels_give_the_same_bits(name):
    panel = a_market()
    whole = FeatureSet(4, [name]).update_many(rows_of(panel))[name]
    assert whole.tobytes() == streamed(panel, name).tobytes()


def test_values_are_those_of_the_indicator_under_the_names_as_given():
    panel = a_market()
    found = FeatureSet(4, ["SMA(period=20)", "rocp(5)"]).update_many(rows_of(panel))
    np.testing.assert_allclose(found["SMA(period=20)"], sma(panel.close, 20), rtol=1e-12)
    np.testing.assert_allclose(found["rocp(5)"], rate_of_change(panel.close, 5), rtol=1e-12)


def test_a_rank_is_taken_over_the_instruments_of_a_row():
    closes = a_market()
    found = FeatureSet(4, ["rank(sma(1))", "sma(1)"]).update_many(rows_of(closes))
    last_row = found["sma(1)"][-1]
    assert np.argsort(found["rank(sma(1))"][-1]).tolist() == np.argsort(last_row).tolist()
    assert np.isnan(found["rank(sma(1))"][0, 3])  # it has printed nothing yet


def test_a_snapshot_carries_it():
    panel, names = a_market(), list(NAMES)
    features = FeatureSet(4, names)
    features.update_many(rows_of(first_days(panel, 100)))
    packed = pack(Snapshot(strategy="s", symbols=panel.symbols, params={}, state={"features": features}))
    restored = unpack(packed).state["features"]
    going_on, anew = features.update(panel.row(100)), restored.update(panel.row(100))
    assert [going_on[name].tobytes() for name in names] == [anew[name].tobytes() for name in names]
