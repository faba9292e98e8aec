from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shared.io.bar_library import BarStore
from shared.io.bar_store import load_bars, save_bars
from shared.io.panel_of_bars import panel_of
from shared.io.stored_actions import Action
from tests.ingest.builders import a_walk, daily

START = date(2014, 7, 7)


def ordinary(count=40):
    return daily(START, a_walk(count), np.random.default_rng(1).uniform(900, 1100, count))


@pytest.fixture
def store(openbell):
    """The store of the shipped configuration: two symbols, one with a split."""
    store = BarStore("data")
    halved = ordinary()
    for name in ("open", "high", "low", "close"):
        getattr(halved, name)[20:] *= 0.5
    store.append("AAA", "1d", ordinary(), source="test")
    store.append("BBB", "1d", halved, source="test")
    store.put_actions("BBB", [Action(ex_date=date(2014, 8, 4), split=2.0, source="test")])
    return store


@pytest.fixture
def table(tmp_path):
    """A file of one sound symbol."""
    path = tmp_path / "bars.parquet"
    save_bars(path, panel_of(("AAA",), (ordinary(),), 86_400))
    return path


def test_the_list_names_span_bars_gaps_and_source(openbell, store):
    first, second = openbell("data", "list").out.splitlines()
    assert first.split() == ["AAA", "1d", "2014-07-07", "to", "2014-08-29", "40", "bars", "no", "gap", "raw", "test"]
    assert second.startswith("BBB")
    facts = openbell("data", "list", "--json").facts("data-list")
    assert [(each["symbol"], each["actions"]) for each in facts["series"]] == [("AAA", 0), ("BBB", 1)]


def test_an_empty_store_is_said_to_be_empty(openbell):
    assert openbell("data", "list").out == "data: no bars\n"
    answer = openbell("data", "verify")
    assert (answer.code, answer.err) == (3, "data: no bars in the store; openbell data fetch brings some\n")


def test_a_sound_store_is_verified_with_code_0(openbell, store):
    answer = openbell("data", "verify")
    assert (answer.code, answer.out) == (0, "data/1d: nothing wrong\n")


def test_a_damaged_part_is_one_line_and_the_others_are_verified(openbell, store):
    part = Path("data/bars/1d/AAA/2014.parquet")
    part.write_bytes(part.read_bytes()[:400])
    answer = openbell("data", "verify")
    assert answer.code == 1
    assert answer.err.startswith("data/bars/1d/AAA/2014.parquet: unreadable: ")
    assert answer.out == "data/1d: nothing wrong\n"


def test_what_is_wrong_is_shown_first_and_the_code_is_1(openbell, tmp_path):
    bars = ordinary()
    bars.volume[5] = 0
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[20] *= 3
    save_bars(tmp_path / "bars.parquet", panel_of(("AAA",), (bars,), 86_400))
    answer = openbell("data", "verify", "bars.parquet", "--limit", "1")
    assert answer.code == 1
    assert "row 21: bad_print: " in answer.out
    assert answer.out.endswith("and 1 more findings (--limit)\nbars.parquet: 1 wrong, 1 doubtful\n")


def test_json_follows_its_schema(openbell, store, table):
    facts = openbell("data", "verify", table, "--json").facts("data-verify")
    assert (facts["tables"][0]["sound"], facts["tables"][0]["rows"], facts["unreadable"]) == (True, 40, [])
    shown = openbell("data", "show", "BBB", "-n", "1", "--json").facts("data-show")
    assert (shown["view"], len(shown["bars"]), shown["actions"][0]["split"]) == ("split", 1, 2.0)


def test_one_bad_file_of_a_folder_stops_no_other(openbell, table, tmp_path):
    (tmp_path / "tables").mkdir()
    table.rename(tmp_path / "tables" / "good.parquet")
    (tmp_path / "tables" / "bad.csv").write_text("symbol,date\nA,2014-06-02\n")
    answer = openbell("data", "verify", "tables")
    assert answer.code == 1
    assert answer.err.startswith("tables/bad.csv: missing column: open, high, low, close; found: symbol, date")
    assert answer.out == "good.parquet: nothing wrong\n"


def test_a_repair_and_a_picture_are_written_beside(openbell, table):
    answer = openbell("data", "verify", table, "--repair", "left.parquet", "--picture", "quality.png")
    assert answer.code == 0
    assert len(load_bars("left.parquet")) == 40
    assert Path("quality.png").read_bytes().startswith(b"\x89PNG")


def test_repair_is_for_a_path(openbell, store):
    answer = openbell("data", "verify", "--repair", "left.parquet")
    assert answer.code == 2
    assert "--repair are for a PATH" in answer.err


def test_limits_come_from_the_configuration(openbell, table):
    config = Path("config.toml")
    config.write_text(config.read_text() + "\n[data]\nbad_print_z = 3\nbad_print_pct = 0.1\n")
    answer = openbell("data", "verify", table, "--config", "config.toml")
    assert "jump" in answer.out


def test_show_gives_a_view_as_it_was_known(openbell, store):
    line = openbell("data", "show", "BBB", "--as-of", "2014-07-07", "-n", "1").out.splitlines()[1]
    assert line.split()[:5] == ["2014-07-07T13:30:00Z", "100.0000", "101.0000", "99.0000", "100.0000"]
    adjusted = openbell("data", "show", "BBB", "--to", "2014-07-07", "--view", "split").out.splitlines()[1]
    assert adjusted.split()[4] == "50.0000"


def test_an_unknown_symbol_is_not_found(openbell, store):
    answer = openbell("data", "show", "ZZZ")
    assert (answer.code, answer.err) == (3, "data: no 1d bars of ZZZ from the first day to the last\n")


def test_an_export_is_what_a_replay_reads(openbell, store):
    answer = openbell("data", "export", "out.parquet", "--symbols", "BBB,AAA", "--view", "raw", "--to", "2014-07-11")
    assert (answer.code, answer.out) == (0, "out.parquet: 2 symbols, 10 bars\n")
    back, stored = load_bars("out.parquet"), store.read(["AAA", "BBB"], "1d", end=date(2014, 7, 11))
    assert np.array_equal(back.close, stored.close)


def test_an_export_of_another_kind_is_refused(openbell, store):
    answer = openbell("data", "export", "out.csv")
    assert (answer.code, answer.err) == (1, "out.csv: unknown kind of file, allowed: .parquet\n")


def test_a_series_that_is_gone_altogether_is_missed_until_rebuild_stands_by_it(openbell, store):
    Path("data/bars/1d/AAA/2014.parquet").unlink()
    answer = openbell("data", "verify")
    assert (answer.code, answer.err) == (1, "data/bars/1d/AAA/2014.parquet: missing, the manifest names it\n")
    assert openbell("data", "rebuild").out == "data: 2 manifests written anew\n"
    assert openbell("data", "verify").out == "data/1d: nothing wrong\n"


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "--symbols", "AAA,ZZZ"),
        ("rebuild", "--symbols", "ZZZ"),
        ("export", "out.parquet", "--symbols", "AAA,ZZZ"),
    ],
)
def test_a_symbol_asked_for_by_name_is_never_left_out_in_silence(openbell, store, words):
    answer = openbell("data", *words)
    assert (answer.code, answer.out, answer.err) == (3, "", "data: no bars of ZZZ\n")
    assert not Path("out.parquet").exists()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("none.parquet",), "none.parquet"),
        (("none",), "none"),
        (("bars.parquet", "--actions", "none.csv"), "none.csv"),
        (("bars.parquet", "--against", "none.csv"), "none.csv"),
    ],
)
def test_a_file_that_is_not_there_is_code_3(openbell, table, words, name):
    answer = openbell("data", "verify", *words)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith(f"{name}: no such file, allowed: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "AAA", "--view", "half"), "'half', allowed: raw, split, total"),
        (("show", "AAA", "--frequency", "7x"), "frequency '7x', allowed: 1d"),
        (("export", "out.parquet", "--view", "half"), "'half', allowed: raw, split, total"),
        (("list", "--frequency", "7x"), "frequency '7x', allowed: 1d"),
    ],
)
def test_a_word_that_is_none_is_wrong_usage(openbell, store, words, said):
    answer = openbell("data", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_table_without_a_row_is_not_called_sound(openbell):
    Path("bars.csv").write_text("symbol,date,open,high,low,close,volume\n")
    answer = openbell("data", "verify", "bars.csv")
    assert (answer.code, answer.out, answer.err) == (1, "", "bars.csv: no rows, allowed: at least one bar or quote\n")


def test_show_names_no_action_that_was_not_ex_then(openbell, store):
    before = openbell("data", "show", "BBB", "--as-of", "2014-08-01", "-n", "1")
    on_it = openbell("data", "show", "BBB", "--as-of", "2014-08-04", "-n", "1")
    assert ("split 2" in before.out, "split 2" in on_it.out) == (False, True)
    assert openbell("data", "show", "BBB", "--as-of", "2014-08-01", "--json").facts("data-show")["actions"] == []


def test_without_duckdb_a_query_is_one_line(openbell, store):
    if find_spec("duckdb") is not None:
        pytest.skip("DuckDB is installed: test_sql.py asks it")
    answer = openbell("data", "query", "SELECT 1")
    said = "query: DuckDB is not installed, allowed: pip install 'openbell[duckdb]'; the other verbs do without\n"
    assert (answer.code, answer.err) == (1, said)
