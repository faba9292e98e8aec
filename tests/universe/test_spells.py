from datetime import date

import pandas as pd
import pytest

from research.ingest.point_in_time.as_of import as_of
from research.ingest.universe.spells import (
    Rename,
    Spell,
    load_membership,
    load_sectors,
    members_on,
    membership_table,
    renames,
    spell_on,
    ticker_spells,
)
from research.ingest.universe.tickers import write_tickers
from shared.errors import DataError
from tests.point_in_time.builders import DATA, at, needs_data
from tests.universe.builders import a_list


def members(folder, *rows):
    path = folder / "members.csv"
    path.write_text("\n".join(["ticker,start_date,end_date", *rows]) + "\n")
    return load_membership(path)


def test_a_ticker_may_have_several_spells_and_is_out_on_its_end_day(tmp_path):
    spells = members(tmp_path, "AAL,2015-03-23,2024-09-23", "AAL,1996-01-02,1997-01-15", "NA,2000-01-01,")
    assert [spell.instrument for spell in spells] == ["AAL@1996-01-02", "AAL@2015-03-23", "NA@2000-01-01"]
    assert members_on(spells, date(1997, 1, 14)) == ("AAL",)
    assert members_on(spells, date(1997, 1, 15)) == ()
    assert members_on(spells, date(2016, 1, 1)) == ("AAL", "NA")


def test_membership_is_asked_by_the_same_join_and_known_when_its_day_begins(tmp_path):
    table = membership_table(members(tmp_path, "AAL,1996-01-02,1997-01-15", "AAL,2015-03-23,"))
    days = at("1996-01-01 23:59", "1996-01-02", "1997-01-15", "2015-03-23")
    assert as_of(table, ["AAL"], days).texts("is_member")[:, 0].tolist() == [None, True, False, True]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["A,2000-01-01,1999-01-01"], "A 2000-01-01 to 1999-01-01, allowed: an end after the start"),
        (["A,2000-01-01,", "A,2001-01-01,"], "A begins again on 2001-01-01 while it has been in since 2000-01-01"),
        (["A,soon,"], "start_date 'soon', allowed: a day"),
    ],
)
def test_spells_that_cannot_be_are_one_line(tmp_path, rows, line):
    with pytest.raises(DataError, match=line):
        members(tmp_path, *rows)


def test_a_ticker_that_another_company_takes_over_is_another_instrument(tmp_path):
    """CB was Chubb Corp; ACE Ltd took its name and ticker in January 2016."""
    for day, cik in ((date(2015, 12, 1), 20171), (date(2016, 2, 1), 896159), (date(2016, 3, 1), 896159)):
        write_tickers(tmp_path, day, a_list("CB", cik=cik))
    spells = ticker_spells(tmp_path, date(2016, 6, 30))
    assert spells == (
        Spell("CB", date(2015, 12, 1), date(2016, 2, 1), 20171),
        Spell("CB", date(2016, 2, 1), None, 896159),
    )
    assert [spell.instrument for spell in spells] == ["CB@2015-12-01", "CB@2016-02-01"]
    assert spell_on(spells, "CB", date(2016, 1, 5)) == spells[0]
    assert spell_on(spells, "CB", date(2016, 2, 1)) == spells[1]
    assert spell_on(spells, "CB", date(2015, 1, 1)) is None


def test_a_ticker_that_was_away_begins_a_new_spell(tmp_path):
    for month, tickers in ((1, ("A", "B")), (2, ("A",)), (3, ("A", "B"))):
        write_tickers(tmp_path, date(2016, month, 1), a_list(*tickers))
    found = [(spell.ticker, spell.first_day.month) for spell in ticker_spells(tmp_path, date(2016, 12, 31))]
    assert found == [("A", 1), ("B", 1), ("B", 3)]


def test_a_company_that_changes_its_ticker_stays_one_company(tmp_path):
    """Facebook (CIK 1326801) became META; of Alphabet's two classes nobody says which would become which."""
    write_tickers(tmp_path, date(2022, 6, 1), pd.concat([a_list("FB", cik=1326801), a_list("GOOG", "GOOGL", cik=2)]))
    write_tickers(tmp_path, date(2022, 7, 1), pd.concat([a_list("META", cik=1326801), a_list("X", "Y", cik=2)]))
    found = renames(ticker_spells(tmp_path, date(2022, 12, 31)))
    assert found == (Rename(date(2022, 7, 1), "FB", "META", 1326801),)


def test_later_lists_change_nothing_on_an_earlier_day(tmp_path):
    write_tickers(tmp_path, date(2016, 1, 1), a_list("A", cik=1))
    before = ticker_spells(tmp_path, date(2016, 1, 31))
    write_tickers(tmp_path, date(2016, 2, 1), a_list("A", cik=2))
    assert ticker_spells(tmp_path, date(2016, 1, 31)) == before


@needs_data
def test_the_real_index_keeps_those_that_left():
    spells = load_membership(DATA / "reference" / "sp500_membership_start_end.csv")
    then = members_on(spells, date(2016, 6, 30))
    assert 500 <= len(then) <= 510
    assert {"YHOO", "TWX"} & set(then)
    assert "TWTR" in members_on(spells, date(2022, 10, 31))
    assert "TWTR" not in members_on(spells, date(2022, 11, 1))


@needs_data
def test_sectors_follow_their_day():
    """In September 2018 telecommunication services became communication services; Disney moved over."""
    sectors = load_sectors(DATA / "reference" / "sp500_sector_snapshots.csv")
    found = as_of(sectors, ["DIS", "T"], at("2014-01-01", "2018-05-01", "2021-01-01")).texts("sector").tolist()
    assert found[0] == [None, None]
    assert found[1][0] == "Consumer Discretionary"
    assert found[2] == ["Communication Services", "Communication Services"]
    assert found[1][1].startswith("Telecommunication")
