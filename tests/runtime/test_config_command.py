"""openbell config: sound or not, what holds in the end, and what an editor needs to know."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from tests.shared.broken_trading import WORKING
from tests.shared.test_config_faults import BROKEN

CONFIG = Path("config.toml")
SHIPPED = (Path(__file__).resolve().parents[2] / "config.toml").read_text()


@pytest.fixture
def written(openbell):
    CONFIG.write_text(SHIPPED)
    return openbell


def test_the_shipped_configuration_is_sound(written):
    assert (written("config", "check").code, written("config", "check").out) == (0, "config.toml: sound\n")
    assert written("config", "check", "--json").facts("config-check")["faults"] == []


def test_every_fault_is_told_with_exit_code_78(written):
    CONFIG.write_text(SHIPPED.replace("port = 4010", "port = 0").replace('mode = "paper"', 'mode = "papr"'))
    ended = written("config", "check")
    assert (ended.code, len(ended.err.splitlines())) == (78, 2)
    as_json = written("config", "check", "--json")
    assert as_json.code == 78
    assert as_json.facts("config-check")["faults"] == ended.err.splitlines()


def test_strategies_and_calendar_are_looked_at_too(written):
    CONFIG.write_text(SHIPPED.replace('"sma_cross"', '"sma_crss"').replace('"XNYS"', '"XNYX"'))
    ended = written("config", "check")
    assert ended.code == 78
    assert [line.split(":")[0] for line in ended.err.splitlines()] == ["strategy[sma]", "session.calendar"]
    assert "did you mean 'sma_cross'?" in ended.err


def test_show_tells_what_the_file_says(written):
    shown = written("config", "show").out.splitlines()
    assert 'mode = "paper"' in shown
    assert "strategy[sma].sizing.fraction = 0.08" in shown
    assert [line for line in shown if line.startswith("metrics.port")] == []


def test_resolved_with_origin_names_the_line_or_the_default(written):
    shown = written("config", "show", "--resolved", "--origin").out.splitlines()
    line = SHIPPED.splitlines().index(next(line for line in SHIPPED.splitlines() if line.startswith("max_day_loss")))
    assert f"risk.max_day_loss = 20000.0  # config.toml:{line + 1}" in shown
    assert "metrics.port = 0  # default" in shown
    assert 'risk.max_var_pct = "none"' in [line.split("  #")[0] for line in shown]


def test_the_account_is_shown_at_its_ends_only(written):
    CONFIG.write_text(SHIPPED.replace('account = ""', 'account = "DU1234567"'))
    shown = written("config", "show", "--json")
    assert "DU1234567" not in shown.out
    settings = {each["key"]: each["value"] for each in shown.facts("config-show")["settings"]}
    assert settings["account"] == "DU***67"
    assert settings["universe.symbols"][0] == "SPY"


@pytest.fixture
def schema(openbell):
    found = json.loads(openbell("config", "schema").out)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("text", [SHIPPED, WORKING])
def test_the_schema_takes_what_loads(schema, text):
    assert list(schema.iter_errors(tomllib.loads(text))) == []


@pytest.mark.parametrize(
    "case",
    [
        "a port that cannot be",
        "a mode that does not exist",
        "a switch as text",
        "a symbol in small letters, on its own line",
        "a sizing nobody knows",
        "a misspelled limit",
        "a loss limit below nothing",
        "a limit lifted by a word that does not lift",
        "a password of MQTT in the file",
        "a table nobody reads",
    ],
)
def test_the_schema_marks_what_does_not_load(schema, case):
    before, after, _ = BROKEN[case]
    assert list(schema.iter_errors(tomllib.loads(WORKING.replace(before, after, 1)))) != []


def test_the_schema_says_what_is_allowed(schema):
    broker = schema.schema["$defs"]["BrokerConfig"]["properties"]
    assert broker["port"]["description"] == "a whole number, 1 to 65535"
