"""The file of groups and betas: what it gives, and one line with file and line for every fault."""

import pytest

from shared.config_groups import load_groups
from shared.errors import ConfigError


@pytest.fixture
def faults_of(tmp_path):
    def write_and_load(text):
        path = tmp_path / "groups.toml"
        path.write_text(text)
        with pytest.raises(ConfigError) as refused:
            load_groups(path)
        return str(refused.value).replace(str(path), "groups.toml")

    return write_and_load


def test_groups_keep_their_order_and_betas_are_numbers(tmp_path):
    path = tmp_path / "groups.toml"
    path.write_text('[groups]\ntech = ["AAPL", "MSFT"]\nindex = ["SPY"]\n[betas]\nAAPL = 1.2\nSPY = 1\n')
    assert load_groups(path) == ({"tech": ("AAPL", "MSFT"), "index": ("SPY",)}, {"AAPL": 1.2, "SPY": 1.0})


def test_an_empty_file_groups_nothing(tmp_path):
    (tmp_path / "groups.toml").write_text("")
    assert load_groups(tmp_path / "groups.toml") == ({}, {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sectors]\n", "groups.toml:1: sectors: unknown key, allowed: groups, betas"),
        ("groups = 3\n", "groups.toml:1: groups: must be a table"),
        ('[groups]\ntech = "AAPL"\n', "groups.toml:2: groups.tech: must be a list of at least one symbol"),
        ("[groups]\ntech = []\n", "groups.toml:2: groups.tech: must be a list of at least one symbol"),
        ("[groups]\ntech = [1]\n", "groups.toml:2: groups.tech: must be a list of at least one symbol"),
        ('[betas]\nAAPL = "high"\n', "groups.toml:2: betas.AAPL = high: must be a number"),
        ("[betas]\nAAPL = nan\n", "groups.toml:2: betas.AAPL = nan: must be a number"),
        ("[betas]\nAAPL = true\n", "groups.toml:2: betas.AAPL = True: must be a number"),
        ("[groups\n", "groups.toml: not valid TOML"),
    ],
)
def test_a_fault_says_file_line_key_and_what_is_allowed(faults_of, text, line):
    assert line in faults_of(text)


def test_every_fault_is_told_at_once(faults_of):
    said = faults_of("[groups]\ntech = []\n[betas]\nAAPL = inf\n")
    assert ("groups.tech" in said, "betas.AAPL" in said) == (True, True)


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="not found"):
        load_groups(tmp_path / "missing.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_groups(tmp_path / "binary.toml")
