import pytest

from research.ingest.point_in_time.named_actions import kind_of, load_named_actions
from shared.errors import DataError, NotFound
from tests.point_in_time.builders import DATA, needs_data

HEADER = "symbol,ex_date,dividend_amount,split_coefficient\n"


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ((1.0, 0.5, 50.0), "dividend"),
        ((1.0, 20.0, 50.0), "distribution"),
        ((7.00000700001, 0.0, 93.7), "split"),
        ((1.5, 0.0, 30.0), "split"),
        ((0.25, 21.35, 45.5), "reverse split"),
        ((0.333333333333, 0.0, 68.7), "reverse split"),
        ((0.955000382, 0.0, 48.9), "exchange"),
        ((1.0499999475, 1.05, 107.6), "spin-off"),
        ((1.0, 0.0, 10.0), "nothing"),
    ],
)
def test_an_action_has_its_name(row, kind):
    assert kind_of(*row) == kind


def test_an_action_is_known_when_its_ex_date_begins(tmp_path):
    path = tmp_path / "actions.csv"
    path.write_text(HEADER + "NA,2014-06-09,0,7\n")
    (row,) = load_named_actions(path).to_dict("records")
    assert (row["symbol"], row["kind"], str(row["known_by"])) == ("NA", "split", "2014-06-09 04:00:00+00:00")


@pytest.mark.parametrize("cells", ["0,-2", "-1,1", ",1", "0,0"])
def test_a_coefficient_or_dividend_that_cannot_be_is_one_line(tmp_path, cells):
    path = tmp_path / "actions.csv"
    path.write_text(HEADER + f"A,2014-06-09,{cells}\n")
    with pytest.raises(DataError, match="row 1: split_coefficient"):
        load_named_actions(path)


def test_a_folder_without_tables_is_one_line(tmp_path):
    with pytest.raises(NotFound, match=r"no \.parquet table of actions"):
        load_named_actions(tmp_path)


def test_the_next_factor_of_a_bar_is_the_action_of_the_next_day(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(
        "symbol,date,close,adj_factor_next\nA,2016-01-05,0.5,10\nA,2016-01-04,50,0.99\nA,2016-01-06,5,1\n"
        "B,2016-01-04,50,\nB,2016-01-06,50,3\n"
    )
    found = load_named_actions(path).to_dict("records")
    assert [(str(row["ex_date"].date()), row["kind"]) for row in found] == [
        ("2016-01-05", "dividend"),
        ("2016-01-06", "reverse split"),
    ]
    assert found[0]["dividend_amount"] == pytest.approx(0.5)
    assert found[1]["split_coefficient"] == pytest.approx(0.1)


@needs_data
def test_the_reverse_splits_of_the_small_companies_are_found():
    found = load_named_actions(DATA / "daily" / "universe_2015_2016.parquet")
    reversed_ = found[found["kind"].eq("reverse split")]
    assert {"AXPW", "DCTH", "KBIO", "SCON"} <= set(reversed_["symbol"])
    assert str(reversed_.loc[reversed_["symbol"].eq("SCON"), "ex_date"].iloc[0].date()) == "2016-07-19"


@needs_data
def test_the_actions_of_the_real_table_have_their_names():
    found = load_named_actions(DATA / "events" / "corporate_actions_panel_a.csv")
    counts = found["kind"].value_counts()
    assert counts["split"] == 27
    assert counts["reverse split"] == 4
    assert counts["exchange"] == 1
    assert counts["spin-off"] == 1
