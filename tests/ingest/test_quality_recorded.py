"""Real tables: what their README names is found, and where it names nothing, nothing is wrong."""

import pytest

from research.ingest.quality.compare import compare
from research.ingest.quality.finding import Limits
from research.ingest.quality.table import read_table
from research.ingest.quality.verify import verify

pytestmark = pytest.mark.recorded


def report_of(path):
    return verify(read_table(path), Limits())


def test_panel_a_is_sound(recorded):
    report = report_of(recorded / "daily/panel_a_2009_2018.parquet")
    assert report.is_sound
    assert (len(report.symbols), report.rows) == (131, 329_596)
    assert report.counts == {"jump": 1, "far_wick": 3, "zero_volume": 2}


def test_panel_b_has_the_silent_days_of_amcr_and_bars_on_two_holidays(recorded):
    report = report_of(recorded / "daily/panel_b_2018_2023.parquet")
    amcr = [each for each in report.findings if (each.symbol, each.kind) == ("AMCR", "zero_volume")]
    assert sum(each.count for each in amcr) == 232
    closed = {each.detail for each in report.findings if each.kind == "not_a_session"}
    assert closed == {"2022-06-20", "2023-06-19"}


def test_the_universe_has_every_row_without_volume(recorded):
    report = report_of(recorded / "daily/universe_2015_2016.parquet")
    assert report.counts["zero_volume"] == 9_102
    assert len(report.symbols) == 675


def test_the_bad_print_of_apple_on_the_day_of_its_split_is_the_only_one(recorded):
    report = report_of(recorded / "intraday/minute_trades_lean.parquet")
    (bad,) = [each for each in report.findings if each.is_wrong]
    assert bad.line.startswith("AAPL 2014-06-09T08:00:00Z: row 1470: bad_print: open 645.57")


def test_twx_lacks_five_bids(recorded):
    report = report_of(recorded / "intraday/minute_quotes_lean.parquet")
    assert report.counts == {"missing_quote": 5}
    assert {each.symbol for each in report.findings} == {"TWX"}


def test_the_vix_opens_outside_its_range_on_47_days(recorded):
    report = report_of(recorded / "index/vix_daily.csv")
    assert report.counts["outside_range"] == 47
    assert any(each.line.startswith("VIX 2006-02-08") for each in report.findings)


def test_the_other_nasdaq_100_fund_is_silent_for_years_and_another_eem_is_told(recorded):
    report = report_of(recorded / "daily/lean_daily_raw.parquet")
    silent = [each.detail for each in report.findings if (each.symbol, each.kind) == ("QQQ", "missing_session")]
    assert silent == ["2007-01-03 to 2011-03-22"]  # the calendar begins in 2007
    assert any(each.line.startswith("EEM 2003-04-11") for each in report.findings)


def test_two_sources_of_apple_and_ibm_agree_but_for_a_few_closes(recorded):
    found = compare(
        read_table(recorded / "daily/panel_a_2009_2018.parquet"),
        read_table(recorded / "daily/lean_daily_raw.parquet"),
        Limits(),
    )
    assert {each.kind for each in found} <= {"sources_differ"}
    assert sum(each.count for each in found) < 20
