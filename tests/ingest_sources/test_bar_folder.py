"""Files that somebody has already, as a source."""

from datetime import date

import pytest

from research.ingest.sources.bar_folder import BarFolder, read_actions_table
from research.ingest.sources.clock import WallClock
from shared.errors import DataError, NotFound
from tests.ingest_sources.builders import MINUTE, Silent, a_fetcher, wanted

DAILY = """symbol,date,open,high,low,close,volume
NA,2014-06-05,10,11,9,10.5,100
NA,2014-06-06,10,11,9,10.25,100
BAD,2014-06-05,10,9,11,10,100
BRK.B,2014-06-06,20,21,19,20.5,300
"""
ACTIONS = """symbol,ex_date,dividend_amount,split_coefficient,close
NA,2014-06-06,0.5,1,10.25
NA,2014-06-20,0,2,5
"""


def a_folder(tmp_path, text=DAILY, actions="", *, drop_bad_bars=False):
    (tmp_path / "bars.csv").write_text(text)
    if actions:
        (tmp_path / "actions.csv").write_text(actions)
    return BarFolder(
        tmp_path / "bars.csv",
        WallClock(),
        adjustment="raw",
        actions=tmp_path / "actions.csv" if actions else None,
        drop_bad_bars=drop_bad_bars,
    )


def test_a_file_says_which_symbols_and_days_it_holds(tmp_path):
    assert a_folder(tmp_path).contents() == (("BAD", "BRK.B", "NA"), date(2014, 6, 5), date(2014, 6, 6))


def test_one_symbols_bad_bar_stops_no_other(tmp_path):
    source = a_folder(tmp_path)
    fates = a_fetcher(source, tmp_path / "store").run([wanted(name) for name in ("BAD", "BRK.B", "NA")], Silent())
    assert [(fate.state, fate.added) for fate in fates] == [("failed", 0), ("stored", 1), ("stored", 2)]
    assert "row 3: high below low" in fates[0].reason


def test_actions_come_with_the_days_that_are_wanted(tmp_path):
    (chunk,) = a_folder(tmp_path, actions=ACTIONS).chunks(wanted("NA"))
    assert [(action.ex_date, action.dividend, action.split) for action in chunk.actions] == [
        (date(2014, 6, 6), 0.5, 1.0)
    ]


def test_bars_of_another_length_are_refused(tmp_path):
    with pytest.raises(DataError, match="NA: bars of 86400 s, allowed: 60 s as wanted"):
        list(a_folder(tmp_path, drop_bad_bars=True).chunks(wanted("NA", MINUTE)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "symbol,ex_date\nNA,2014-06-06\n",
            "missing column: dividend_amount, split_coefficient; found: symbol, ex_date",
        ),
        (ACTIONS.replace("2014-06-20", "20.6.2014"), "row 2: .*allowed: an ISO date and two numbers"),
        (ACTIONS.replace(",0.5,", ",half,"), "row 1: .*allowed: an ISO date and two numbers"),
        ("", "unreadable"),
    ],
)
def test_a_table_of_actions_that_is_none_is_one_line(tmp_path, text, line):
    path = tmp_path / "actions.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=line):
        read_actions_table(path)


def test_a_table_of_actions_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"nowhere\.csv: no such file"):
        read_actions_table(tmp_path / "nowhere.csv")
