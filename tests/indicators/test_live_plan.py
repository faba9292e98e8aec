"""A plan is its indicators, stepped together."""

import numpy as np
import pytest

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.live_plan import LivePlan
from shared.indicators.lockstep import Lockstep
from shared.indicators.registry import SPECS
from shared.indicators.spec import FIELDS
from tests.indicators.bars import a_market, fed, streamed
from tests.indicators.panels import same_bits

WANTED: list[tuple[str, dict[str, float]]] = [
    ("ema", {"period": 20}),
    ("rsi", {}),
    ("adx", {"period": 5}),
    ("qstick", {}),
    ("emv", {"period": 6}),
    ("mfi", {}),
    ("bbands", {}),
    # On what others stand on too, with the same parameters and with others.
    ("stochrsi", {"period": 14}),
    ("cmo", {}),
    ("cmo", {"period": 3}),
    ("stddev", {"period": 20, "deviations": 2.0}),
    ("plus_di", {"period": 5}),
    ("willr", {"period": 5}),
    ("stoch", {}),
    ("adosc", {}),
    ("cmf", {"period": 7}),
]
# So many that lanes are filled up, exactly full, and so few that they are not.
every_width = pytest.mark.parametrize("width", [3, 30, 32])
every_market = pytest.mark.parametrize("missing", [0.0, 0.1])


@every_width
@every_market
def test_a_plan_gives_the_bits_of_its_indicators(width, missing):
    market = a_market(120, width, seed=2, missing=missing)
    plan = LivePlan(width, WANTED)
    told: list[list[np.ndarray]] = [[] for _ in WANTED]
    for bar in np.stack([market[field] for field in FIELDS], axis=1):
        plan.update(bar)
        for k, values in enumerate(told):
            values.append(plan.value(k))
    expected = [streamed(SPECS[name], market, **params) for name, params in WANTED]
    found = [np.ascontiguousarray(np.stack(values, axis=-2)) for values in told]
    assert all(same_bits(left, right) for left, right in zip(found, expected, strict=True))


@every_width
@every_market
def test_panels_through_a_plan_give_the_bits_of_its_indicators(width, missing):
    market = a_market(120, width, seed=2, missing=missing)
    found = LivePlan(width, WANTED).update_many(*(market[field] for field in FIELDS))
    expected = [fed(SPECS[name], market, **params) for name, params in WANTED]
    assert all(same_bits(np.ascontiguousarray(left), right) for left, right in zip(found, expected, strict=True))


@pytest.mark.parametrize("missing_from", [0, 40, 90, 200])
def test_rows_and_panels_may_take_turns_in_a_plan_wherever_prints_go_missing(missing_from):
    market = a_market(200, 30, seed=4)
    holes = a_market(200, 30, seed=4, missing=0.2)
    for field, panel in market.items():
        panel[missing_from:] = holes[field][missing_from:]
    plan, told = LivePlan(30, WANTED), []
    told.append(plan.update_many(*(market[field][:70] for field in FIELDS)))
    for row in range(70, 75):
        plan.update(np.stack([market[field][row] for field in FIELDS]))
        told.append([plan.value(k)[..., np.newaxis, :] for k in range(len(WANTED))])
    told.append(plan.update_many(*(market[field][75:] for field in FIELDS)))
    found = [np.concatenate([part[k] for part in told], axis=-2) for k in range(len(WANTED))]
    expected = [fed(SPECS[name], market, **params) for name, params in WANTED]
    assert all(same_bits(left, right) for left, right in zip(found, expected, strict=True))


def test_a_missing_number_of_a_field_that_nobody_asked_for_is_no_gap():
    market = a_market(60, 3, seed=5)
    expected = fed(SPECS["rsi"], market)
    market["volume"][:, 1] = np.nan
    (found,) = LivePlan(3, [("rsi", {})]).update_many(*(market[field] for field in FIELDS))
    assert same_bits(found, expected)


@pytest.mark.parametrize(
    ("wanted", "steps"),
    [
        ([("rsi", {}), ("cmo", {}), ("stochrsi", {})], 4),
        ([("rsi", {}), ("cmo", {"period": 3})], 4),
        ([("skew", {}), ("mom", {}), ("kurt", {})], 4),
        ([("willr", {"period": 5}), ("stoch", {"fast_k": 5})], 3),
    ],
)
def test_what_several_stand_on_runs_once_where_its_parameters_are_equal(wanted, steps):
    assert len(vars(LivePlan(3, wanted))["_steps"]) == steps


def test_an_indicator_names_every_kernel_that_makes_its_values():
    made = SPECS["stochrsi"].make(1)
    assert isinstance(made, Lockstep)
    assert made.kernels == ("shared.indicators.extremes:stochrsi", "shared.indicators.wilder:gains")


def test_a_plan_of_nothing_takes_bars_too():
    plan = LivePlan(2, [])
    plan.update(np.ones((5, 2)))
    assert plan.update_many(*np.ones((5, 4, 2))) == []


@pytest.mark.parametrize("panels", [np.ones((4, 6, 3)), np.ones((5, 6, 2)), np.ones((5, 3))])
def test_panels_that_do_not_fit_a_plan_are_refused(panels):
    with pytest.raises(InvariantViolated, match=r"LivePlan: panels of shape .*, allowed: five alike of \(T, 3\)"):
        LivePlan(3, WANTED).update_many(*panels)


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
