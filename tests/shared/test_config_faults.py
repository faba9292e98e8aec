"""Broken configurations and what the operator reads: every line is written by hand (broken_*.py)."""

from pathlib import Path

import pytest

from shared.config import load_config
from shared.errors import ConfigError
from tests.shared.broken_outside import BROKEN_OUTSIDE
from tests.shared.broken_rules import BROKEN_RULES
from tests.shared.broken_trading import BROKEN_TRADING, RISK, WORKING

BROKEN = BROKEN_TRADING | BROKEN_RULES | BROKEN_OUTSIDE


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _faults_of(text: str | bytes) -> list[str]:
    Path("config.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config("config.toml")
    return caught.value.faults


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_config_is_answered_with_exactly_these_lines(case):
    before, after, expected = BROKEN[case]
    assert WORKING.count(before) == 1 or WORKING.startswith(before)
    assert _faults_of(WORKING.replace(before, after, 1)) == [f"config.toml:{line}" for line in expected]


def test_all_faults_are_told_at_once_in_the_order_of_the_file():
    text = WORKING.replace("4010", "0").replace('"IBM"', '"SPY"').replace("price_age_max_s = 120\n", "")
    assert [fault.split(": ")[0] for fault in _faults_of(text)] == [
        "config.toml:5",
        "config.toml:18",
        "config.toml:54",
    ]


def test_an_empty_file_is_told_everything_it_needs():
    faults = _faults_of("")
    assert [fault.split(": ")[1] for fault in faults] == [
        "execution",
        "risk",
        "session",
        "strategy",
        "universe",
    ]
    assert 'strategy: missing table [[strategy]], it needs name = "sma", kind = "sma_cross"' in faults[3]


def test_one_strategy_table_instead_of_an_array_is_explained():
    start, end = WORKING.index("[[strategy]]"), WORKING.index("[execution]")
    text = WORKING[:start] + '[strategy]\nname = "sma"\n' + WORKING[end:]
    assert _faults_of(text) == ["config.toml:25: strategy = {...}: must be a table, written [[strategy]]"]


def test_a_strategy_without_a_name_is_called_by_its_number():
    faults = _faults_of(WORKING.replace('name = "momentum"\n', ""))
    assert faults == [
        (
            "config.toml:41: strategy[2].name: missing, must be a text, 1 to 24 of a-z, 0-9 and _, "
            'for example name = "sma"'
        )
    ]


def test_a_section_that_is_a_number_is_told_to_be_a_table():
    faults = _faults_of("risk = 5\n" + WORKING.removesuffix(RISK))
    assert faults == ["config.toml:1: risk = 5: must be a table, written [risk]"]


def test_lists_of_the_wrong_kind_do_not_hide_other_faults():
    faults = _faults_of(WORKING.replace('symbols = ["SPY"]', 'symbols = "SPY"').replace("4010", "0"))
    assert faults == [
        "config.toml:5: broker.port = 0: must be 1 to 65535",
        'config.toml:28: strategy[sma].symbols = "SPY": must be a list of symbols of the universe',
    ]


def test_long_values_are_cut():
    (fault,) = _faults_of(WORKING.replace('"XNYS"', f'["{"x" * 100}"]'))
    assert fault == (
        f'config.toml:10: session.calendar = ["{"x" * 58}...: must be a text, a calendar name of exchange_calendars'
    )


def test_bytes_that_are_not_utf_8_are_named_with_their_line():
    assert _faults_of(b'mode = "paper"\naccount = "\xff"\n') == [
        "config.toml:2: byte 0xff is not UTF-8, the file must be UTF-8 text"
    ]


def test_a_file_that_is_not_there():
    with pytest.raises(ConfigError, match=r"^nowhere\.toml: not found, name an existing file with --config$"):
        load_config("nowhere.toml")


def test_a_folder_instead_of_a_file():
    Path("conf").mkdir()
    with pytest.raises(ConfigError, match=r"^conf: is a folder, name the config\.toml in it$"):
        load_config("conf")


def test_a_path_through_a_file_cannot_be_read():
    Path("config.toml").write_text(WORKING)
    with pytest.raises(ConfigError, match=r"^config\.toml/x: cannot be read: Not a directory$"):
        load_config("config.toml/x")


def test_there_are_at_least_sixty_broken_configurations():
    assert len(BROKEN) >= 60


def test_no_password_of_a_url_is_ever_shown():
    shown = [line for case in BROKEN for line in BROKEN[case][2]]
    assert [line for line in shown if "hunter2" in line] == []


def test_the_working_config_of_these_tests_works():
    Path("config.toml").write_text(WORKING)
    assert load_config("config.toml").strategies[1].kind == "mine/momentum.py"
