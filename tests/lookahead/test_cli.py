import json
import re
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from bench.panels import minute_panel
from research.lookahead.cli import register
from shared.io.bar_store import save_bars
from tests.backtest.test_cli import CONFIG

ROOT = Path(__file__).resolve().parents[2]
CHEATS = ROOT / "tests" / "lookahead" / "cheats"
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "lookahead.json").read_text())
PAGE = (ROOT / "docs" / "lookahead.md").read_text()


@pytest.fixture
def app():
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # with a single command typer would drop its name
    return app


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lookahead")
    settings = CONFIG.replace('symbols = ["SPY"]', 'symbols = ["S000", "S001"]').replace("warm_up = 0", "warm_up = 20")
    (folder / "config.toml").write_text(settings)
    save_bars(folder / "bars.parquet", minute_panel(2, 200))
    return folder


def looked(app, folder, *arguments, data="bars.parquet"):
    fixed = ("--config", str(folder / "config.toml"), "--data", str(folder / data))
    return CliRunner().invoke(app, ["lookahead", *arguments, *fixed])


def test_an_honest_strategy_of_the_configuration_is_clean_and_every_check_is_named_in_the_page(app, folder):
    ended = looked(app, folder, "sma", "--json")
    assert ended.exit_code == 0
    report = json.loads(ended.stdout)
    jsonschema.validate(report, SCHEMA)
    (subject,) = report["subjects"]
    assert (report["clean"], subject["name"], subject["rows"], subject["findings"]) == (True, "sma", 200, [])
    assert {check["outcome"] for check in subject["checks"]} == {"clean"}
    section = PAGE[PAGE.index("## What is looked at") :]
    documented = re.findall(r"^\| `([\w -]+)` \|", section, re.MULTILINE)
    assert [check["name"] for check in subject["checks"]] == documented


def test_a_feature_that_leaks_ends_with_6_and_names_bar_instrument_and_both_values(app, folder):
    ended = looked(app, folder, f"{CHEATS / 'tomorrows_return.py'}:tomorrows_return")
    assert ended.exit_code == 6
    close = minute_panel(2, 200).close
    told = re.search(
        r"truncated future: 2013-10-07 13:31 UTC: S000 value is (\S+), but nothing with another future", ended.stdout
    )
    assert told is not None
    assert float(told[1]) == pytest.approx(close[1, 0] / close[0, 0] - 1)
    assert ended.stdout.rstrip().splitlines()[-1].endswith("do not trust it")


def test_what_leaks_is_in_the_json_too(app, folder):
    ended = looked(app, folder, f"{CHEATS / 'centred_mean.py'}:centred_mean", "--json", "--cuts", "10")
    assert ended.exit_code == 6
    report = json.loads(ended.stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["clean"] is False
    assert {finding["check"] for finding in report["subjects"][0]["findings"]} >= {"truncated future"}


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("smaa",), 3, "lookahead: strategy 'smaa': not in the configuration, allowed: sma, a built-in"),
        (("nowhere.py",), 78, "strategy kind 'nowhere.py': no such file"),
        (("nowhere.py:rank",), 3, "lookahead: no such file"),
        ((f"{CHEATS / 'centred_mean.py'}:rank",), 3, "no function 'rank', allowed: centred_mean"),
        (("sma", "--param", "fast"), 2, "lookahead: --param fast: no value, allowed: NAME=VALUE"),
        (("sma", "--param", "fast=a b"), 2, "lookahead: --param fast=a b: no value"),
        (("sma", "--param", "fastest=3"), 78, "params.fastest: unknown"),
        (("sma", "--from", "monday"), 2, "lookahead: --from 'monday' is no date, allowed: ISO such as 2013-10-08"),
        (
            ("sma", "--from", "2013-10-09", "--to", "2013-10-08"),
            2,
            "lookahead: --from 2013-10-09 is after --to 2013-10-08",
        ),
        (("sma", "--from", "2031-01-01"), 1, "no bars of S000, S001 from 2031-01-01"),
    ],
)
def test_bad_input_is_one_line_and_its_exit_code(app, folder, arguments, code, line):
    ended = looked(app, folder, *arguments)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert line in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_data_that_is_not_there_is_exit_3_and_none_at_all_exit_2(app, folder):
    ended = looked(app, folder, "sma", data="none.parquet")
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1)
    ended = CliRunner().invoke(app, ["lookahead", "sma", "--config", str(folder / "config.toml")])
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
