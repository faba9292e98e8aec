import pytest

from research.experiments.axes import Draw, WrongUsage, axis_of
from research.experiments.space import seeds_of, space_of, with_seeds
from tests.experiments.builders import daily_config

CONFIG = daily_config()


def values(written):
    return axis_of("one.fast", written, CONFIG).values


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5,10,20", (5, 10, 20)),
        ("5:20:5", (5, 10, 15, 20)),
        ("5:19:5", (5, 10, 15)),
        ("1,5:7:1,9", (1, 5, 6, 7, 9)),
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("1.5", (1.5,)),
        ("true,false", (True, False)),
        ("market,limit", ("market", "limit")),
        ([5, 10], (5, 10)),
        (7, (7,)),
        ("int(5,50)", Draw(how="int", low=5, high=50)),
        ("loguniform(1e-4, 1)", Draw(how="loguniform", low=1e-4, high=1)),
    ],
)
def test_values_are_lists_ranges_with_both_ends_or_draws(written, expected):
    assert values(written) == expected


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("5,,6", "one.fast = '5,,6': an empty value, allowed: a list"),
        ("9:1:1", "one.fast = 9:1:1: allowed: FIRST:LAST:STEP, rising"),
        ("1:9:0", "one.fast = 1:9:0: allowed: FIRST:LAST:STEP, rising"),
        ("1:99999999:1", "at most 10,000 values"),
        ("a:b:c", "one.fast = a:b:c: allowed: FIRST:LAST:STEP"),
        ("5,6,5", "one.fast: 5 stands there twice, allowed: every value once"),
        ("int(5,5)", "one.fast = int(5,5): allowed: two whole numbers, the lower one first"),
        ("int(0.5,3)", "allowed: two whole numbers"),
        ("loguniform(0,3)", "allowed: two numbers above 0"),
        ([], "one.fast = []: allowed"),
        ([[1]], "one.fast = [[1]]: allowed"),
    ],
)
def test_values_nobody_can_read_are_told_with_what_is_allowed(written, told):
    with pytest.raises(WrongUsage) as error:
        values(written)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("name", "column", "path"),
    [
        ("one.fast", "one.fast", ("strategy", 0, "params", "fast")),
        ("one.params.fast", "one.fast", ("strategy", 0, "params", "fast")),
        ("strategy.one.params.fast", "one.fast", ("strategy", 0, "params", "fast")),
        ("one.exits.stop_pct", "one.exits.stop_pct", ("strategy", 0, "exits", "stop_pct")),
        ("one.sizing.fraction", "one.sizing.fraction", ("strategy", 0, "sizing", "fraction")),
        ("one.allocation", "one.allocation", ("strategy", 0, "allocation")),
        ("replay.slippage_bps", "replay.slippage_bps", ("replay", "slippage_bps")),
    ],
)
def test_a_name_leads_to_its_place_in_the_configuration(name, column, path):
    axis = axis_of(name, "1", CONFIG)
    assert (axis.name, axis.path) == (column, path)


@pytest.mark.parametrize("name", ["two.fast", "one", "broker.port", "one.", "strategy.replay.slippage_bps", "a.b.c"])
def test_a_name_that_leads_nowhere_is_told(name):
    with pytest.raises(WrongUsage, match=r"no such parameter, allowed: STRATEGY.PARAMETER .*\(one\)"):
        axis_of(name, "1", CONFIG)


def test_a_grid_is_every_combination_the_last_axis_running_fastest():
    space = space_of(CONFIG, written=["one.fast=1,2", "one.slow=8,9"])
    assert space.settings() == [(1, 8), (1, 9), (2, 8), (2, 9)]


def test_draws_are_distinct_and_the_same_for_the_same_seed():
    def drawn(seed):
        return space_of(CONFIG, written=["one.fast=int(1,50)", "one.slow=60,70,80"], draws=40, seed=seed).settings()

    assert drawn(7) == drawn(7) != drawn(8)
    assert len(set(drawn(7))) == 40
    assert {slow for _, slow in drawn(7)} == {60, 70, 80}
    assert {fast for fast, _ in drawn(7)} <= set(range(1, 51))


def test_a_space_with_fewer_settings_than_draws_is_drawn_empty():
    assert sorted(space_of(CONFIG, written=["one.fast=1,2,3"], draws=50).settings()) == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("written", "fields", "told"),
    [
        ([], {}, "nothing varies, allowed: at least one --set"),
        (["one.fast"], {}, "--set 'one.fast', allowed: NAME=VALUES"),
        (["one.fast=1", "one.params.fast=2"], {}, "one.fast is given twice"),
        (["one.fast=int(1,9)"], {}, "one.fast: random values need --draws"),
        (["one.fast=1"], {"draws": 0}, "--draws 0, allowed: 1 to 100,000"),
        (["one.fast=1:1000:1", "one.slow=1:1000:1"], {}, "1,000,000 combinations, allowed: at most 100,000"),
    ],
)
def test_a_space_that_cannot_be_tried_is_told(written, fields, told):
    with pytest.raises(WrongUsage) as error:
        space_of(CONFIG, written=written, **fields).settings()
    assert told in str(error.value)


def test_a_file_of_parameters_says_the_same_as_the_command_line(tmp_path):
    file = tmp_path / "space.toml"
    file.write_text('draws = 3\nseed = 5\nstrategy.one.params.fast = [1, 2]\n"one.slow" = "8:9:1"\n')
    space = space_of(CONFIG, file=file)
    assert space == space_of(CONFIG, written=["one.fast=1,2", "one.slow=8,9"], draws=3, seed=5)
    assert space_of(CONFIG, file=file, draws=2, seed=1).draws == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = ", "not valid TOML"),
        ("draws = -1", "draws = -1, allowed: a whole number from 0"),
        ("two.fast = 1", "two.fast: no such parameter"),
    ],
)
def test_a_broken_file_of_parameters_is_told(tmp_path, text, told):
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(WrongUsage) as error:
        space_of(CONFIG, file=file)
    assert told in str(error.value)


def test_a_missing_file_of_parameters_is_told(tmp_path):
    with pytest.raises(WrongUsage, match=r"nowhere.toml: no such file"):
        space_of(CONFIG, file=tmp_path / "nowhere.toml")


@pytest.mark.parametrize(("text", "seeds"), [("3", (1, 2, 3)), ("3,7", (3, 7))])
def test_seeds_are_how_many_or_which(text, seeds):
    assert seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "a", "-1", "1,"])
def test_other_seeds_are_told(text):
    with pytest.raises(WrongUsage, match="allowed: how many"):
        seeds_of(text)


def test_a_strategy_without_a_seed_cannot_be_repeated_over_seeds():
    with pytest.raises(WrongUsage, match="--seeds: none of sma_cross takes a parameter `seed`"):
        with_seeds(space_of(CONFIG, written=["one.fast=1"]), CONFIG, (1, 2))
