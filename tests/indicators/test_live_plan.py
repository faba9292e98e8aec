"""A plan is its indicators, stepped together."""

import numpy as np
import pytest

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.live_plan import FIELDS, LivePlan
from shared.indicators.registry import SPECS
from tests.indicators.bars import a_market, streamed
from tests.indicators.panels import same_bits

WANTED = [("ema", {"period": 20}), ("rsi", {}), ("adx", {"period": 5}), ("qstick", {}), ("mfi", {}), ("bbands", {})]


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_plan_gives_the_bits_of_its_indicators(missing):
    market = a_market(120, 3, seed=2, missing=missing)
    plan = LivePlan(3, WANTED)
    told: list[list[np.ndarray]] = [[] for _ in WANTED]
    for bar in np.stack([market[field] for field in FIELDS], axis=1):
        plan.update(bar)
        for k, values in enumerate(told):
            values.append(plan.value(k))
    expected = [streamed(SPECS[name], market, **params) for name, params in WANTED]
    found = [np.ascontiguousarray(np.stack(values, axis=-2)) for values in told]
    assert all(same_bits(left, right) for left, right in zip(found, expected, strict=True))


def test_a_plan_of_nothing_takes_bars_too():
    LivePlan(2, []).update(np.ones((5, 2)))


def test_a_value_handed_out_stays_what_it_was():
    plan = LivePlan(1, [("medprice", {})])
    plan.update(np.full((5, 1), 2.0))
    first = plan.value(0)
    plan.update(np.full((5, 1), 3.0))
    assert first.tolist() == [2.0]


def test_a_bar_of_another_shape_is_refused():
    with pytest.raises(InvariantViolated, match=r"LivePlan: bar of shape \(5, 2\), allowed: \(5, 3\)"):
        LivePlan(3, WANTED).update(np.ones((5, 2)))


def test_an_indicator_with_a_driver_of_its_own_is_refused_by_name():
    with pytest.raises(ConfigError, match="LivePlan: cdl_doji is not driven in lockstep"):
        LivePlan(3, [("cdl_doji", {})])
