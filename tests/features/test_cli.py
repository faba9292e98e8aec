import re
from pathlib import Path

import pytest

from shared.io.bar_store import save_bars
from tests.features.builders import SYMBOLS, a_market
from tests.runtime.front_door import FrontDoor

SHIPPED = (Path(__file__).resolve().parents[2] / "config.toml").read_text()


@pytest.fixture
def market(tmp_path, monkeypatch, capsys):
    """A folder with the shipped configuration made daily, and bars."""
    daily = re.sub(r"interval_s = 60 .*", "interval_s = 86400", SHIPPED)
    daily = re.sub(r"^symbols = \[\"SPY.*", f"symbols = {list(SYMBOLS)}".replace("'", '"'), daily, flags=re.MULTILINE)
    daily = daily.replace("flatten_before_close_s = 300", "flatten_before_close_s = 0")
    daily = daily.replace("price_age_max_s = 150 ", "price_age_max_s = 864_000 ")
    ours = '[features]\nnames = ["rsi(5)", "sma(20)"]\n\n[cluster]\nworkers = 1\n'
    (tmp_path / "config.toml").write_text(f"{daily}\n{ours}")
    save_bars(tmp_path / "bars.parquet", a_market(60))
    monkeypatch.chdir(tmp_path)
    return FrontDoor(capsys, monkeypatch)


def test_build_and_show(market):
    done = market("features", "build", "--data", "bars.parquet")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(
        "features: 2 features of 4 symbols over 60 rows in features: "
        "of 2 indicators 0 kept, 0 extended, 2 built, 0 failed"
    )
    again = market("features", "build", "--data", "bars.parquet", "--json").facts("features-build")
    assert (again["kept"], again["rebuilt"]) == (2, 0)
    shown = market("features", "show", "RSI(5)", "--symbol", "CC", "-n", "3", "--png", "rsi.png")
    assert shown.code == 0
    assert shown.out.splitlines()[0] == "rsi(5) of CC"
    assert len(re.findall(r"^20\d\d-\d\d-\d\dT13:30Z +\d", shown.out, re.MULTILINE)) == 3
    assert "█" in shown.out
    assert Path("rsi.png").read_bytes().startswith(b"\x89PNG")
    facts = market("features", "show", "rsi(5)", "--symbol", "CC", "-n", "60", "--json").facts("features-show")
    assert [row["value"] is None for row in facts["last"]] == [True] * 5 + [False] * 55
    ended = market("features", "show", "rsi(5)", "--symbol", "ZZ")
    assert (ended.code, ended.err) == (3, "features: no features of ZZ, there are those of AA, BB, CC, DD\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("build", "--data", "no.parquet"), 3, "features: --data no.parquet: no such file or folder"),
        (
            ("build", "--data", "bars.parquet", "--feature", "rsy(3)"),
            78,
            "--feature: feature 'rsy(3)': no indicator 'rsy'",
        ),
        (("build", "--data", "bars.parquet", "--workers", "0"), 2, "features: --workers 0, allowed: from 1"),
        (("build", "--config", "no.toml"), 78, "no.toml: not found"),
        (("show", "rsi(5)", "--symbol", "AA"), 3, "features: no features (bars.json is missing)"),
        (("list", "--group", "nothing"), 3, "features: no group 'nothing', there are "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words, code, said, market):
    ended = market("features", *words)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith(said)
    assert ended.err.count("\n") == 1


def test_bars_of_another_interval_are_refused(market):
    config = Path("config.toml")
    config.write_text(config.read_text().replace("interval_s = 86400", "interval_s = 60"))
    ended = market("features", "build", "--data", "bars.parquet")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "has bars of 86400 s, [bars] interval_s is 60, allowed: the same of both" in ended.err


def test_the_list_names_what_every_indicator_is(market):
    facts = market("features", "list", "--json").facts("features-list")
    (rsi,) = [each for each in facts["indicators"] if each["name"] == "rsi"]
    assert (rsi["inputs"], rsi["warm_up"], rsi["parameters"][0]["default"]) == (["close"], 15, 14)
    assert len(market("features", "list").out.splitlines()) > len(facts["indicators"])
    assert market("features", "list", "--default").out.splitlines() == facts["default"]
    assert "rsi(14)" in facts["default"]


def test_a_night_builds_them_when_it_is_asked_to():
    from research.features.nightly_work import features_work
    from tests.experiments.builders import daily_config

    config = daily_config("AA")
    assert features_work(config) is None
    on = config.model_copy(update={"features": config.features.model_copy(update={"nightly": True})})
    assert features_work(on) is not None
