"""What a good config.toml becomes, and that its documentation tells the truth."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from shared.config import Config, load_config
from shared.config_lines import index_lines
from shared.config_sections import AtrSizing
from strategies.registry import load_strategy

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "config.toml"


@pytest.fixture
def config() -> Config:
    return load_config(SHIPPED)


def test_the_shipped_config_is_paper_on_the_simulated_gateway(config):
    assert (config.mode, config.broker.host, config.broker.port) == ("paper", "127.0.0.1", 4010)


def test_the_shipped_config_trades_two_strategies_with_half_the_equity_each(config):
    found = [(strategy.kind, strategy.allocation) for strategy in config.strategies]
    assert found == [("sma_cross", 0.5), ("cross_momentum", 0.5)]


def test_every_key_of_the_shipped_config_is_explained_beside_it():
    second = SHIPPED.read_text().index('name = "momentum"')  # its keys are explained at the first strategy
    lines = SHIPPED.read_text()[:second].splitlines()
    assert [line for line in lines if re.match(r"\w+ = ", line) and "#" not in line] == []


def test_the_shipped_strategies_take_their_parameters(config):
    loaded = [
        load_strategy(strategy.kind, config.universe_of(), strategy.params, config.base_dir)
        for strategy in config.strategies
    ]
    assert [strategy.symbols for strategy in loaded] == [config.universe.symbols] * 2


def test_the_universe_keeps_the_order_of_the_file(config):
    universe = config.universe_of()
    assert universe.symbols == tuple(tomllib.loads(SHIPPED.read_text())["universe"]["symbols"])
    assert {instrument.tick for instrument in universe.instruments} == {0.01}


def test_a_strategy_without_symbols_trades_the_whole_universe(config):
    assert config.symbols_of(config.strategies[0]) == config.universe.symbols


def test_a_strategy_with_symbols_trades_them_in_the_order_of_the_universe(config):
    mine = config.strategies[0].model_copy(update={"symbols": ("IBM", "SPY")})
    assert config.symbols_of(mine) == ("SPY", "IBM")


def test_whole_numbers_are_welcome_where_fractions_are_meant(config):
    assert config.execution.limit_offset_bps == 5.0
    assert isinstance(config.execution.limit_offset_bps, float)


def test_the_method_decides_the_kind_of_sizing(config):
    assert isinstance(config.strategies[1].sizing, AtrSizing)


def test_json_and_back_is_the_same_configuration(config):
    again = Config.model_validate_json(config.model_dump_json())
    assert again.based_at(config.base_dir) == config
    assert again.model_dump_json() == config.model_dump_json()


def test_the_dump_does_not_know_where_the_file_was(config):
    assert str(ROOT) not in config.model_dump_json()
    assert config.base_dir == ROOT


def test_moving_the_base_leaves_the_original_alone(config):
    moved = config.based_at(Path("elsewhere"))
    assert (moved.base_dir, config.base_dir) == (Path("elsewhere"), ROOT)


def test_a_configuration_cannot_be_changed(config):
    with pytest.raises(ValidationError, match="frozen"):
        config.broker.port = 7496


def test_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(SHIPPED.read_bytes().replace(b"\n", b"\r\n"))
    assert load_config(path).universe == load_config(SHIPPED).universe


def test_no_limit_has_a_default():
    required = {"session", "execution", "risk"}
    lax = {
        f"{name}.{key}"
        for name in required
        for key, field in _table(Config.model_fields[name].annotation).model_fields.items()
        if not field.is_required()
    }
    assert lax == {
        "session.gateway_restart_at",
        "session.gateway_zone",
        "session.quiet_before_restart_s",
        "session.quiet_after_restart_s",
        "execution.good_till_slack_s",
        "execution.entries_on_reconnect",
        "execution.targets_on_reconnect",
        "execution.self_trade",
        "risk.groups_file",
    }


def test_the_reference_lists_exactly_the_keys_that_exist():
    documented = re.findall(r"^\| `([\w.\[\]]+)` \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(set(_keys(Config)))


def test_the_reference_says_what_the_code_allows():
    rows = re.findall(r"^\| `([\w.\[\]]+)` \| ([^|]*) \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    allowed = _keys(Config)
    assert [key for key, text in rows if allowed[key] and allowed[key] not in text] == []


def test_every_value_of_the_shipped_config_has_its_own_line():
    text = SHIPPED.read_text()
    lines = text.splitlines()
    index = index_lines(text)
    leaves = list(_leaves(tomllib.loads(text), ()))
    assert [path for path, name in leaves if name not in lines[index[path] - 1]] == []


def test_the_line_index_knows_every_shape_of_toml():
    text = (
        '# comment with [brackets] = "x"\n'
        "a.b = 1 # dotted\n"
        '"quoted key" = """\n'
        'two # lines\n  ""quoted"" \\""" end"""\n'
        "c = [\n"
        "  1, # one\n"
        "  [2,\n"
        "   3],\n"
        "]\n"
        "d = { e = 'lit#eral', f = { g = [] } }\n"
        "[t . u]\n"
        "h = ''''it''s''''\n"
        "[[x]]\n"
        "[x.y]\n"
        "i = -1.5e3\n"
        "[[x]]\n"
        "[[x.z]]\n"
        "j = 1979-05-27 07:32:00\n"
        "[[x.z]]\n"
        "j = true"
    )
    index = index_lines(text)
    assert [path for path, _ in _leaves(tomllib.loads(text), ()) if path not in index] == []
    expected = {
        ("c", 0): 7,
        ("c", 1, 1): 9,
        ("d", "f", "g"): 11,
        ("t", "u", "h"): 13,
        ("x", 1, "z", 1, "j"): 21,
    }
    assert {path: index[path] for path in expected} == expected


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every value that is no table, with the text that its line must hold."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, (*path, key))
        case list() if value and isinstance(value[0], dict):
            for position, inner in enumerate(value):
                yield from _leaves(inner, (*path, position))
        case _:
            yield path, str(path[-1])


def _table(annotation: Any) -> type[BaseModel]:
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation


def _keys(table: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Every key as the reference names it, with the allowed values as the faults name them."""
    found: dict[str, str] = {}
    for name, field in table.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        annotation = field.annotation
        parts = [annotation] if isinstance(annotation, type) else get_args(annotation)
        tables = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        words = field.json_schema_extra
        if not tables:
            found[key] = str(words["allowed"]) if isinstance(words, dict) else ""
        for inner in tables:
            found |= _keys(inner, f"{key}.")
    return found
