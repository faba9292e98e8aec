import pytest

from research.experiments.axes import WrongUsage
from research.experiments.space import space_of, with_seeds
from research.experiments.variants import variants_of
from tests.experiments.builders import daily_config

CONFIG = daily_config()


def variants(*written, **fields):
    return variants_of(CONFIG, space_of(CONFIG, written=written, **fields))


def test_every_setting_becomes_a_configuration_and_the_original_stays():
    found = variants("one.fast=5,10", "one.exits.stop_pct=2.5")
    assert [variant.config.strategies[0].params["fast"] for variant in found.tried] == [5, 10]
    assert {variant.config.strategies[0].exits.stop_pct for variant in found.tried} == {2.5}
    assert [variant.parameters for variant in found.tried] == [
        {"one.fast": 5, "one.exits.stop_pct": 2.5},
        {"one.fast": 10, "one.exits.stop_pct": 2.5},
    ]
    assert CONFIG.strategies[0].params["fast"] == 5


def test_combinations_that_the_strategy_refuses_are_left_out_and_counted():
    found = variants("one.fast=5,10,20", "one.slow=10,20")
    assert [tuple(variant.parameters.values()) for variant in found.tried] == [(5, 10), (5, 20), (10, 20)]
    assert [variant.number for variant in found.tried] == [0, 1, 2]
    assert found.refused == 3
    assert found.why == "sma_cross: fast 10 and slow 10, allowed: 0 < fast < slow"


def test_combinations_that_contradict_the_rules_of_the_configuration_are_refused_too():
    found = variants("risk.max_order_quantity=1000,200000")
    assert len(found.tried) == 1
    assert found.refused == 1
    assert "max_order_quantity" in found.why


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("one.fats=1", "--set one.fats=1: strategy sma_cross: params.fats: unknown, allowed: fast: int"),
        ("one.fast=5,x", "--set one.fast=\"x\": strategy sma_cross: params.fast: 'x' is wrong (Expected `int`"),
        ("one.fast=5.5", "--set one.fast=5.5: strategy sma_cross: params.fast: 5.5 is wrong"),
        ("one.exits.stop=1", "--set one.exits.stop=1: strategy[one].exits.stop: unknown key, did you mean stop_pct?"),
        ("replay.slippage_bps=-1", "--set replay.slippage_bps=-1: replay.slippage_bps = -1: must be 0 to 1000"),
        ("one.fast=30,40", "all 2 combinations are refused: sma_cross: fast 30 and slow 20, allowed: 0 < fast < slow"),
    ],
)
def test_a_wrong_name_or_value_is_told_before_anything_runs(written, told):
    with pytest.raises(WrongUsage) as error:
        variants(written)
    assert str(error.value).startswith(told)


def test_the_ends_of_a_draw_are_judged_too():
    with pytest.raises(WrongUsage, match=r"--set one.fast=0.5: strategy sma_cross: params.fast"):
        variants("one.fast=uniform(0.5,9)", draws=3)


DICE = """
import random
from strategies.base import Strategy

class Dice(Strategy):
    def __init__(self, universe, *, sides: int, seed: int) -> None:
        super().__init__(universe)
        self.chance = random.Random(seed)
"""


def test_seeds_go_to_the_one_strategy_that_takes_them(tmp_path):
    (tmp_path / "dice.py").write_text(DICE + "    def on_row(self, row, closed_at, /):\n        return []\n")
    config = daily_config(strategy={"kind": "dice.py", "params": {"sides": 6, "seed": 0}}).based_at(tmp_path)
    space = with_seeds(space_of(config, written=["one.sides=4,6"]), config, (3, 7))
    assert [variant.parameters for variant in variants_of(config, space).tried] == [
        {"one.sides": sides, "one.seed": seed} for sides in (4, 6) for seed in (3, 7)
    ]


def test_a_seed_may_be_all_that_varies(tmp_path):
    (tmp_path / "dice.py").write_text(DICE + "    def on_row(self, row, closed_at, /):\n        return []\n")
    config = daily_config(strategy={"kind": "dice.py", "params": {"sides": 6, "seed": 0}}).based_at(tmp_path)
    assert len(variants_of(config, with_seeds(space_of(config), config, (1, 2, 3))).tried) == 3
