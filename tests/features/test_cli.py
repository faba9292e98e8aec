import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from research.features.nightly_work import features_work
from research.nightly.night import night_of
from shared.config import load_config
from shared.io.bar_library import BarStore
from shared.io.bar_part import Bars
from shared.io.bar_store import save_bars
from shared.io.stored_actions import Action
from shared.io.warm_start import read_warm_start
from tests.experiments.builders import daily_config
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
    config = daily_config("AA")
    assert features_work(config) is None
    on = config.model_copy(update={"features": config.features.model_copy(update={"nightly": True})})
    assert features_work(on) is not None


def with_keys(*lines):
    config = Path("config.toml")
    config.write_text(config.read_text().replace("[features]\n", "\n".join(["[features]", *lines, ""])))


def test_a_build_keeps_what_the_strategies_remember_where_it_is_asked_to(market):
    market("features", "build", "--data", "bars.parquet")
    assert not Path("features/warm_start.msgpack").exists()
    with_keys('start = "stored"')
    done = market("features", "build", "--data", "bars.parquet")
    last = a_market(60).closed_at[-1].astype("datetime64[ns]").astype("datetime64[D]")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(rf"features: warm start up to {last} \d\d:00 UTC from 60 rows", done.out.splitlines()[1])
    again = market("features", "build", "--data", "bars.parquet", "--json")
    again.facts("features-build")
    assert again.err == f"{done.out.splitlines()[1].removesuffix(' from 60 rows')} kept\n"
    start = read_warm_start(Path("features/warm_start.msgpack"))
    assert start.rows == 60


def test_a_night_keeps_it_too(market):
    with_keys('start = "stored"', "nightly = true")
    config = load_config("config.toml")
    work = features_work(config)
    assert work is not None
    moment = datetime.fromtimestamp(int(a_market(60).opened_at[-1]) / 1e9, UTC)
    night = night_of(config, moment.date(), moment + timedelta(days=1), Path("bars.parquet"))
    assert work.carry_out(night).endswith("UTC from 60 rows")
    assert work.carry_out(night).endswith("UTC kept")


def test_a_split_of_the_store_is_shown_where_a_table_tells_of_it(market):
    panel = a_market(60)
    halved = np.where(np.arange(60) < 40, 1.0, 2.0)
    store = BarStore("data")
    for column, symbol in enumerate(SYMBOLS):
        scale = halved if symbol == "AA" else np.ones(60)
        prices = {name: getattr(panel, name)[:, column] / scale for name in ("open", "high", "low", "close")}
        bars = Bars(opened_at=panel.opened_at, volume=panel.volume[:, column], **prices)
        store.append(symbol, "1d", bars.at(~np.isnan(bars.close)), source="test")
    ex_date = datetime.fromtimestamp(int(panel.opened_at[40]) / 1e9, UTC).date()
    store.put_actions("AA", [Action(ex_date=ex_date, split=2.0, source="test")])
    table = f"symbol,ex_date,dividend_amount,split_coefficient\nAA,{ex_date},0,2\n"
    Path("actions.csv").write_text(table)
    with_keys('start = "stored"')
    config = Path("config.toml")
    config.write_text(config.read_text().replace("[bars]", '[bars]\nactions = "actions.csv"'))
    done = market("features", "build")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("UTC from 60 rows\n")


def test_a_feature_within_sectors_is_built_from_the_table_of_the_configuration(market):
    Path("sectors.csv").write_text("snapshot,symbol,sector\n2000-01-01,AA,tools\n2000-01-01,BB,tools\n")
    with_keys('sectors = "sectors.csv"')
    done = market("features", "build", "--data", "bars.parquet", "--feature", "neutralise(rsi(5))")
    assert (done.code, done.err) == (0, "")
    shown = {
        symbol: market("features", "show", "neutralise(rsi(5))", "--symbol", symbol, "-n", "1", "--json")
        for symbol in ("AA", "BB", "CC")
    }
    values = {symbol: each.facts("features-show")["last"][0]["value"] for symbol, each in shown.items()}
    assert values["AA"] == pytest.approx(-values["BB"])
    assert values["CC"] is None


def test_without_a_table_of_sectors_such_a_feature_is_refused_in_one_line(market):
    ended = market("features", "build", "--data", "bars.parquet", "--feature", "neutralise(rsi(5))")
    assert (ended.code, ended.out) == (78, "")
    said = "neutralise(rsi(5)) is taken within sectors, allowed: with features.sectors"
    assert ended.err == f"features.names: {said}\n"
