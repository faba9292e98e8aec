"""Five questions, or as many flags, and a configuration that loads."""

import re
import tomllib
from pathlib import Path

import pytest
import typer

from daemon.runtime.init_cli import answered
from shared.config import load_config

FLAGS = {
    "--mode": "paper",
    "--host": "127.0.0.1",
    "--port": "4002",
    "--account": "DU1234567",
    "--symbols": "spy, IBM",
    "--max-day-loss": "500",
}
CONFIG = Path("config.toml")


def words(**changes):
    flags = FLAGS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [part for flag, value in flags.items() if value is not None for part in (flag, value)]


def test_what_it_writes_loads_and_says_what_was_answered(openbell):
    ended = openbell("init", *words())
    assert (ended.code, ended.out.split(":")[0]) == (0, "config.toml")
    config = load_config(CONFIG)
    assert (config.mode, config.account, config.broker.port) == ("paper", "DU1234567", 4002)
    assert config.universe.symbols == ("SPY", "IBM")
    assert (config.risk.max_day_loss, config.risk.max_week_loss) == (500.0, 1250.0)
    assert config.broker.follow_gateway_clock is False
    assert openbell("config", "check").code == 0


def test_the_comments_of_the_shipped_file_stay(openbell):
    openbell("init", *words())
    assert "# where TWS, IB Gateway or `openbell gateway` listens" in CONFIG.read_text()


def test_one_symbol_is_enough(openbell):
    assert openbell("init", *words(symbols="SPY")).code == 0
    assert openbell("config", "check").code == 0


def test_the_simulated_gateway_is_followed_in_time(openbell):
    openbell("init", *words(port="4010", account=""))
    assert load_config(CONFIG).broker.follow_gateway_clock is True


def test_a_live_configuration_needs_its_account(openbell):
    assert openbell("init", *words(mode="live", account="U1234567", port="4001")).code == 0
    assert load_config(CONFIG).mode == "live"
    refused = openbell("init", "--force", *words(mode="live", account="", port="4001"))
    assert refused.code == 78
    assert 'mode = "live" needs the account id' in refused.err


def test_without_a_terminal_every_missing_flag_is_named(openbell):
    ended = openbell("init", "--mode", "paper", "--port", "4002")
    assert ended.code == 2
    assert "missing --host, --account, --symbols, --max-day-loss" in " ".join(ended.err.split())
    assert not CONFIG.exists()


def test_an_existing_file_is_not_overwritten_unless_told_so(openbell):
    CONFIG.write_text("mine")
    refused = openbell("init", *words())
    assert (refused.code, refused.err) == (4, "config.toml: is there already, --force overwrites it\n")
    assert CONFIG.read_text() == "mine"
    assert openbell("init", "--force", *words()).code == 0
    assert tomllib.loads(CONFIG.read_text())["account"] == "DU1234567"


@pytest.mark.parametrize(
    ("flag", "value", "text"),
    [
        ("mode", "demo", r'config\.toml:\d+: mode = "demo": must be "paper" or "live"'),
        ("symbols", 'SP"Y', r"config\.toml:\d+: universe\.symbols\[1\]"),
        ("symbols", " , ", r"config\.toml:\d+: universe\.symbols = \[\]: must be a list of at least one symbol"),
        ("max_day_loss", "-5", r"config\.toml:\d+: risk\.max_day_loss = -5: must be above 0"),
        ("max_day_loss", "nan", r"config\.toml:\d+: risk\.max_day_loss = nan: must be above 0"),
        ("port", "99999", r"config\.toml:\d+: broker\.port = 99999: must be 1 to 65535"),
    ],
)
def test_answers_that_make_no_sound_configuration_leave_nothing_behind(openbell, flag, value, text):
    ended = openbell("init", *words(**{flag: value}))
    assert ended.code == 78
    assert re.search(text, ended.err)
    assert list(Path().iterdir()) == []


def test_a_folder_that_is_not_there_is_told_in_one_line(openbell):
    ended = openbell("init", "--config", "nowhere/config.toml", *words())
    assert (ended.code, ended.err) == (4, "nowhere/config.toml: cannot be written (No such file or directory)\n")


NOTHING = dict.fromkeys(["mode", "host", "port", "account", "symbols", "--max-day-loss"])


def test_on_a_terminal_five_questions_are_asked():
    asked = []

    def ask(question, default):
        asked.append(question)
        return {"Paper": "live", "Where": "gw:4001", "Which a": "U1", "Which s": "SPY", "At wha": "100"}[
            next(start for start in ("Paper", "Where", "Which a", "Which s", "At wha") if question.startswith(start))
        ]

    found = answered(NOTHING, ask)
    assert len(asked) == 5
    assert found == {
        "mode": "live",
        "host": "gw",
        "port": "4001",
        "account": "U1",
        "symbols": "SPY",
        "--max-day-loss": "100",
    }


def test_what_is_given_is_not_asked_for():
    given = {**NOTHING, "mode": "paper", "host": "h", "account": "", "symbols": "SPY", "--max-day-loss": 1.0}
    found = answered(given, lambda question, default: "other:4002")
    assert (found["host"], found["port"]) == ("h", "4002")


def test_nobody_is_asked_where_nobody_is():
    with pytest.raises(typer.BadParameter, match="there is no terminal to ask on"):
        answered(NOTHING, None)
