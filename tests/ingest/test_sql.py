"""SQL over the store's files by the real DuckDB, where the extra is installed; it reads the store and nothing else."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from shared.io.bar_library import BarStore
from shared.io.stored_actions import Action
from tests.ingest.builders import a_walk, daily

pytest.importorskip("duckdb", reason="the extra openbell[duckdb] is not installed")


@pytest.fixture
def store(openbell):
    """Two symbols, one of them named NA, over the turn of a year; one split."""
    store = BarStore("data")
    store.append("AAA", "1d", daily(date(2013, 12, 2), a_walk(40), np.full(40, 1_000.0)), source="test")
    store.append("NA", "1d", daily(date(2014, 7, 7), a_walk(10), np.full(10, 500.0)), source="one, two")
    store.put_actions("AAA", [Action(ex_date=date(2014, 1, 6), split=2.0, source="test")])
    return store


def test_bars_of_all_parts_are_one_table(openbell, store):
    answer = openbell(
        "data", "query",
        "SELECT symbol, count(*) AS bars, min(date) AS first, sum(volume) FROM bars_1d GROUP BY symbol ORDER BY symbol",
    )  # fmt: skip
    assert (answer.code, answer.out) == (
        0,
        "symbol,bars,first,sum(volume)\nAAA,40,2013-12-02,40000.0\nNA,10,2014-07-07,5000.0\n",
    )


def test_prices_are_those_that_the_store_reads_raw(openbell, store):
    answer = openbell("data", "query", "SELECT close FROM bars_1d WHERE symbol = 'AAA' ORDER BY date")
    assert [float(line) for line in answer.out.splitlines()[1:]] == store.read(["AAA"], "1d").close[:, 0].tolist()


def test_actions_are_a_table_too(openbell, store):
    answer = openbell("data", "query", "SELECT symbol, ex_date, split_coefficient FROM actions")
    assert answer.out == "symbol,ex_date,split_coefficient\nAAA,2014-01-06,2.0\n"


def test_a_cell_with_a_comma_is_quoted_and_an_absent_one_is_empty(openbell, store):
    answer = openbell("data", "query", "SELECT DISTINCT source, NULL AS nothing FROM bars_1d WHERE symbol = 'NA'")
    assert answer.out == 'source,nothing\n"one, two",\n'


def test_more_rows_than_are_fetched_at_once_come_whole(openbell, store):
    answer = openbell("data", "query", "SELECT * FROM range(2500)")
    assert answer.out.splitlines()[1:] == [str(number) for number in range(2500)]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM bars_1m", "bars_1m"),
        ("SELEC 1", "syntax error"),
        ("", "nothing, allowed: one SELECT"),
        ("SELECT 1; SELECT 2", "SELECT and SELECT, allowed: one SELECT"),
        ("COPY (SELECT 1) TO 'out.csv'", "COPY, allowed: one SELECT"),
        ("ATTACH 'out.db'", "ATTACH, allowed: one SELECT"),
        ("CREATE TABLE x AS SELECT 1", "CREATE, allowed: one SELECT"),
        ("SELECT * FROM read_csv('config.toml')", "file system operations are disabled"),
        ("SELECT * FROM 'https://example.org/x.parquet'", "query: "),
    ],
)
def test_what_is_no_question_to_the_store_is_one_line_and_touches_nothing(openbell, store, sql, said):
    before = sorted(Path().iterdir())
    answer = openbell("data", "query", sql)
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_an_empty_store_has_no_tables(openbell):
    answer = openbell("data", "query", "SELECT 1")
    assert (answer.code, answer.err) == (3, "data: no bars in the store; openbell data fetch brings some\n")
