"""What every indicator of the registry promises, whoever wrote it."""

import numpy as np
import pytest

from shared.errors import ConfigError, DataError, NotFound
from shared.indicators.registry import SPECS, indicator_of, spec_of
from strategies.state import Snapshot, pack, unpack
from tests.indicators.bars import a_market, fed, first_values, same_until, streamed
from tests.indicators.cheats import PeeksAtTheLastRow
from tests.indicators.panels import same_bits

ROWS = 330
MARKET = a_market(ROWS, 4, seed=5)
HOLES = a_market(ROWS, 4, seed=6, missing=0.15)

every_spec = pytest.mark.parametrize("name", sorted(SPECS))


@every_spec
def test_stream_and_batch_are_the_same_bits_through_gaps(name):
    assert same_bits(streamed(SPECS[name], HOLES), fed(SPECS[name], HOLES))


@every_spec
def test_a_batch_goes_on_where_another_ended(name):
    spec = SPECS[name]
    parts = indicator_of(name, 4)
    cut = {field: (panel[:100], panel[100:]) for field, panel in HOLES.items()}
    joined = np.concatenate(
        [parts.update_many(*(cut[field][part] for field in spec.inputs)) for part in (0, 1)], axis=-2
    )
    assert same_bits(joined, fed(spec, HOLES))


@every_spec
def test_an_indicator_goes_on_from_its_snapshot_with_the_same_bits(name):
    spec, cut = SPECS[name], ROWS // 2
    kept = indicator_of(name, 4)
    kept.update_many(*(HOLES[field][:cut] for field in spec.inputs))
    packed = pack(Snapshot(strategy="s", symbols=("A", "B", "C", "D"), params={}, state={"it": kept}))
    parts = [kept, unpack(packed).state["it"]]
    going_on, anew = (part.update_many(*(HOLES[field][cut:] for field in spec.inputs)) for part in parts)
    assert same_bits(going_on, anew)


@every_spec
@pytest.mark.parametrize("cut", [1, 57, 200, 311])
def test_nothing_told_before_a_cut_depends_on_what_came_after(name, cut):
    assert same_until(cut, lambda market: fed(SPECS[name], market), HOLES)


@pytest.mark.parametrize("cut", [1, 57, 200, 311])
def test_an_indicator_that_peeks_at_the_last_row_is_caught(cut):
    assert not same_until(cut, lambda market: PeeksAtTheLastRow().update_many(market["close"]), HOLES)


@every_spec
def test_values_begin_after_the_number_of_prints_the_registry_tells(name):
    assert first_values(fed(SPECS[name], MARKET)) == {SPECS[name].prints_until_warm()}


@every_spec
def test_an_instrument_has_the_values_of_its_prints_alone(name):
    whole = fed(SPECS[name], HOLES)
    printed = ~np.isnan(HOLES["close"][:, 2])
    alone = fed(SPECS[name], {field: panel[printed, 2:3] for field, panel in HOLES.items()})
    assert same_bits(np.ascontiguousarray(whole[..., printed, 2]), np.ascontiguousarray(alone[..., 0]))


@every_spec
def test_without_a_print_the_values_are_those_of_the_last_print(name):
    values = fed(SPECS[name], HOLES)
    silent = np.isnan(HOLES["close"][1:])
    assert same_bits(values[..., 1:, :][..., silent], values[..., :-1, :][..., silent])


@every_spec
@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_prices_of_any_size_leave_no_infinity(name, scale):
    scaled = {field: panel * (scale if field != "volume" else 1.0) for field, panel in MARKET.items()}
    assert not np.isinf(fed(SPECS[name], scaled)).any()


@every_spec
def test_a_price_that_never_moves_leaves_no_infinity_and_no_hole(name):
    still = {field: np.full((ROWS, 2), 50.0) for field in MARKET}
    values = fed(SPECS[name], still)
    assert not np.isinf(values).any()


@every_spec
def test_the_registry_says_what_a_reader_needs(name):
    spec = spec_of(name)
    assert spec.formula
    assert spec.source
    assert spec.inputs
    assert len(set(spec.outputs)) == len(spec.outputs) > 0


def test_a_name_that_is_not_there_is_answered_by_those_that_are():
    with pytest.raises(NotFound, match=r"indicator rsj: not found, there is: .*rsi"):
        indicator_of("rsj", 3)


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"period": 0}, r"rsi: period 0, allowed: whole numbers from 2 to 10000"),
        ({"period": 2.5}, r"rsi: period 2.5, allowed: whole numbers"),
        ({"period": True}, r"rsi: period True, allowed: whole numbers"),
        ({"window": 3}, r"rsi: unknown parameter window, allowed: period"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_value_and_what_is_allowed(params, line):
    with pytest.raises(ConfigError, match=line):
        indicator_of("rsi", 3, **params)


def test_a_state_that_another_version_laid_out_is_refused_before_a_kernel_sees_it():
    restored = indicator_of("rsi", 2)
    vars(restored)["_state"] = np.zeros((3, 2))
    with pytest.raises(DataError, match=r"wilder:rsi: state of 3 rows, allowed: 5; another version kept it"):
        restored.update(np.ones(2))
    with pytest.raises(DataError, match=r"wilder:rsi: state of 3 rows"):
        restored.update_many(np.ones((5, 2)))
