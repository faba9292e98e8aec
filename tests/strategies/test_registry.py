"""From config.toml to a strategy, with one clear line for everything that can be wrong."""

import hashlib
from pathlib import Path

import pytest

from shared.errors import ConfigError
from strategies.registry import BUILT_IN, load_strategy, source_hash
from strategies.sma_cross import SmaCross
from tests.strategies.rows import FIRST_CLOSE, a_row, a_universe

UNIVERSE = a_universe("SPY", "IBM")
HEAD = "from strategies.base import Strategy\n"
ALWAYS = HEAD + (
    "class Always(Strategy):\n"
    "    def __init__(self, universe, *, level: float = 1.0, names: list[str] | None = None):\n"
    "        super().__init__(universe)\n"
    "        self.level = level / 1\n"
    "    def on_row(self, row, closed_at):\n"
    "        return [self.signal(0, self.level, 'always')]\n"
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def a_file(folder, text, name="mine.py"):
    (folder / name).write_text(text)
    return name


def faults_of(kind, params, base_dir=None):
    with pytest.raises(ConfigError) as caught:
        load_strategy(kind, UNIVERSE, params, base_dir)
    assert all("\n" not in fault for fault in caught.value.faults)
    return caught.value.faults


def test_every_built_in_name_is_a_strategy_file():
    here = Path(load_strategy.__code__.co_filename).parent
    others = {"__init__", "base", "mark", "registry", "state"}
    assert {path.stem for path in here.glob("*.py")} - others == set(BUILT_IN)


def test_a_built_in_strategy_is_loaded_by_name():
    assert type(load_strategy("sma_cross", UNIVERSE, {"fast": 2, "slow": 5})) is SmaCross


def test_a_users_file_is_loaded_by_its_path_relative_to_the_base(folder):
    strategy = load_strategy(a_file(folder, ALWAYS), UNIVERSE, {"level": 0.5}, folder)
    assert [s.conviction for s in strategy.on_row(a_row(1, 2), FIRST_CLOSE)] == [0.5]


def test_a_users_file_is_loaded_by_its_absolute_path(folder):
    a_file(folder, ALWAYS)
    assert type(load_strategy(str(folder / "mine.py"), UNIVERSE, {})).__name__ == "Always"


def test_the_state_of_a_users_strategy_moves_between_two_loads_of_its_file(folder):
    text = ALWAYS.replace("self.level = level / 1", "self.own = Own(2, 1)\n        self.level = level") + (
        "from shared.indicators.indicator import Indicator\nclass Own(Indicator):\n    pass\n"
    )
    first, second = (load_strategy(a_file(folder, text), UNIVERSE, {}, folder) for _ in range(2))
    vars(first)["own"].seen = 7
    second.restore(first.snapshot())
    restored = vars(second)["own"]
    assert (type(restored).__qualname__, restored.seen) == ("Own", 7)
    assert second.snapshot() == first.snapshot()


def test_an_unknown_name_is_refused_with_what_was_probably_meant():
    (fault,) = faults_of("sma_cros", {})
    allowed = "sma_cross, cross_momentum, kalman_trend or a path"
    assert fault.startswith(f"strategy kind 'sma_cros': unknown, allowed: {allowed}")
    assert fault.endswith("did you mean 'sma_cross'?")
    assert "did you mean" not in faults_of("zzz", {})[0]


def test_a_missing_file_is_refused_with_the_path_that_was_looked_at(folder):
    (fault,) = faults_of("no/such.py", {}, folder)
    assert fault.startswith(f"strategy kind 'no/such.py': no such file {folder}/no/such.py")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "none"),
        (HEAD, "none"),
        ("from strategies.sma_cross import SmaCross\n", "none"),
        (HEAD + "class Half(Strategy):\n    pass\n", "none"),
        (ALWAYS + "class Twice(Always):\n    pass\n", "Always, Twice"),
    ],
    ids=["empty", "base only", "imported", "without on_row", "two"],
)
def test_a_file_without_exactly_one_strategy_is_refused(folder, text, found):
    (fault,) = faults_of(a_file(folder, text), {}, folder)
    assert fault == (
        f"strategy mine.py: strategy classes that define on_row: {found}, allowed: exactly one in the file"
    )


def test_a_second_name_for_the_class_does_not_count_as_a_second_class(folder):
    kind = a_file(folder, ALWAYS + "Alias = Always\n")
    assert type(load_strategy(kind, UNIVERSE, {}, folder)).__name__ == "Always"


@pytest.mark.parametrize(
    ("text", "line", "error"),
    [
        ("x = 1\ny = 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("def f(:\n    pass\n", 1, "SyntaxError: invalid syntax"),
        (
            "\nimport no_such_module_at_all\n",
            2,
            "ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("raise SystemExit(3)\n", 1, "SystemExit: 3"),
        ("from pathlib import Path\n\nPath('/no/such').read_text()\n", 3, "FileNotFoundError"),
    ],
)
def test_an_error_in_the_file_is_reported_with_file_and_line(folder, text, line, error):
    (fault,) = faults_of(a_file(folder, text), {}, folder)
    assert fault.startswith(f"strategy mine.py: {folder}/mine.py:{line}: {error}")


def test_an_error_while_it_is_set_up_is_reported_with_file_and_line(folder):
    (fault,) = faults_of(a_file(folder, ALWAYS.replace("/ 1", "/ 0")), {}, folder)
    assert fault == f"strategy mine.py: {folder}/mine.py:5: ZeroDivisionError: float division by zero"


def test_wrong_parameters_are_all_named_with_what_is_allowed():
    allowed = "allowed: fast: int, slow: int, long_only: bool = True"
    assert faults_of("sma_cross", {"fast": "5", "sloow": 20, "long_only": 1}) == [
        f"strategy sma_cross: params.sloow: unknown, {allowed}",
        "strategy sma_cross: params.fast: '5' is wrong (Expected `int`, got `str`)",
        f"strategy sma_cross: params.slow: missing, {allowed}",
        "strategy sma_cross: params.long_only: 1 is wrong (Expected `bool`, got `int`)",
    ]


def test_parameters_that_contradict_each_other_are_refused_by_the_strategy():
    assert faults_of("sma_cross", {"fast": 9, "slow": 5}) == ["sma_cross: fast 9 and slow 5, allowed: 0 < fast < slow"]


def test_a_whole_number_is_taken_where_a_float_is_declared(folder):
    strategy = load_strategy(a_file(folder, ALWAYS), UNIVERSE, {"level": 1, "names": ["x"]}, folder)
    assert vars(strategy)["level"] == 1.0


def test_an_annotation_that_names_nothing_is_refused(folder):
    text = "from __future__ import annotations\n" + ALWAYS.replace("level: float", "level: Flaot")
    (fault,) = faults_of(a_file(folder, text), {}, folder)
    assert fault == "strategy mine.py: annotation of __init__: name 'Flaot' is not defined"


def test_a_strategy_without_parameters_says_so(folder):
    text = HEAD + "class Bare(Strategy):\n    def on_row(self, row, closed_at):\n        return []\n"
    (fault,) = faults_of(a_file(folder, text), {"fast": 1}, folder)
    assert fault == "strategy mine.py: params.fast: unknown, allowed: no params"


def test_the_source_hash_is_that_of_the_file(folder):
    kind = a_file(folder, "1 / 0\n")
    assert source_hash(kind, folder) == hashlib.sha256(b"1 / 0\n").hexdigest()
    assert len({source_hash(kind) for kind in BUILT_IN}) == len(BUILT_IN)


def test_the_source_hash_of_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="unknown, allowed"):
        source_hash("sma_cros")
