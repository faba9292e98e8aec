import pandas as pd
import pytest

from shared.io.bar_store import save_bars
from tests.universe.builders import DAY, a_list, a_panel, gone_after, wave

UNIVERSE = f"Universe_{DAY}.parquet"


@pytest.fixture
def bars(tmp_path):
    path = tmp_path / "bars.parquet"
    save_bars(path, a_panel({"NA": wave(), "CHEAP": wave(1.0), "GONE": gone_after(-30)}))
    return path


def test_tickers_are_kept_and_told(openbell, tmp_path):
    a_list("NA", "ACME").to_csv(tmp_path / "list.csv", index=False)
    said = openbell("universe", "tickers", "list.csv", "--date", DAY, "--out", "u", "--json")
    assert said.facts("universe-tickers")["kept"] == 2
    assert (tmp_path / "u" / f"TickerCIKs_{DAY}.parquet").is_file()
    assert "2 tickers of NYSE and Nasdaq" in openbell("universe", "tickers", "list.csv", "--date", DAY).out


def test_a_universe_is_built_and_shown(openbell, bars, tmp_path):
    built = openbell("universe", "build", "--data", bars, "--date", DAY, "--out", "u", "--json").facts("universe")
    assert (built["symbols"], built["included"]) == (3, 1)
    assert built["excluded"] == {"no longer printing": 1, "too few sessions": 1, "price below minimum": 1}
    shown = openbell("universe", "show", f"u/{UNIVERSE}", "--symbol", "NA", "--json").facts("universe")
    assert [row["symbol"] for row in shown["rows"]] == ["NA"]
    told = openbell("universe", "show", f"u/{UNIVERSE}", "--reason", "price below minimum").out
    assert "1 of 3 symbols included" in told
    assert "CHEAP" in told
    assert "GONE" not in told


def test_building_twice_gives_the_same_bytes(openbell, bars, tmp_path):
    first, second = (
        openbell("universe", "build", "--data", bars, "--date", DAY, "--out", folder) for folder in ("a", "b")
    )
    assert (first.code, second.code) == (0, 0)
    assert (tmp_path / "a" / UNIVERSE).read_bytes() == (tmp_path / "b" / UNIVERSE).read_bytes()


def test_lists_make_the_listed_known(openbell, bars, tmp_path):
    a_list("NA").to_csv(tmp_path / "list.csv", index=False)
    openbell("universe", "tickers", "list.csv", "--date", DAY, "--out", "u")
    built = openbell("universe", "build", "--data", bars, "--tickers", "u", "--date", DAY, "--json").facts("universe")
    assert built["excluded"]["not on NYSE or Nasdaq"] == 2
    rows = pd.read_parquet(tmp_path / "universe" / UNIVERSE)
    assert rows.loc[rows["symbol"].eq("NA"), "instrument"].tolist() == [f"NA@{DAY}"]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["build", "--data", "bars.parquet", "--date", "soon"], 2, "--date 'soon' is no date"),
        (["build", "--data", "nothing", "--date", str(DAY)], 3, "--data nothing: no such file or folder"),
        (["build", "--data", "bars.parquet", "--date", str(DAY), "--price-min", "-1"], 1, "allowed: nothing below 0"),
        (["build", "--data", "bars.parquet", "--date", str(DAY), "--members", "no.csv"], 3, "no.csv: no such file"),
        (["show", "nothing.parquet"], 3, "nothing.parquet: no universe"),
        (["tickers", "no.json", "--date", str(DAY)], 3, "no.json: no such file"),
    ],
)
def test_wrong_words_are_one_line_and_write_nothing(openbell, bars, tmp_path, words, code, line):
    said = openbell("universe", *words)
    assert said.code == code
    assert line in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "universe").exists()


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [(["--reason", "ugly"], 1, "reason 'ugly', allowed: included"), (["--symbol", "X"], 3, "no symbol 'X'")],
)
def test_asking_for_what_is_not_there_is_one_line(openbell, bars, words, code, line):
    openbell("universe", "build", "--data", bars, "--date", DAY, "--out", "u")
    said = openbell("universe", "show", f"u/{UNIVERSE}", *words)
    assert (said.code, line in said.err) == (code, True)
