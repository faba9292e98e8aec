"""Every kind of finding, on bars made for it; sound ones give none."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from research.ingest.quality.finding import KINDS, Limits
from research.ingest.quality.robust import sigma_of
from research.ingest.quality.verify import verify
from shared.io.bar_part import day_opens
from shared.io.stored_actions import Action
from tests.ingest.builders import MINUTE_NS, a_series, a_table, a_walk, bars_at, daily, weekdays

START = date(2014, 7, 7)  # forty sessions without a holiday


def ordinary(count=40, **changed):
    """Bars of an ordinary share, and what is put in the place of some of their values."""
    bars = daily(START, a_walk(count), np.random.default_rng(1).uniform(900, 1100, count))
    for name, (at, value) in changed.items():
        getattr(bars, name)[at] = value
    return bars


def scaled(bars, which, by):
    """The prices of some bars times a factor."""
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[which] *= by
    return bars


def counts(bars, actions=None, **how):
    return verify(a_table(a_series(bars, **how)), Limits(), actions).counts


def test_sound_bars_give_no_finding():
    assert counts(ordinary()) == {}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("close", np.nan, "missing_value"),
        ("volume", np.nan, "missing_value"),
        ("opened_at", np.iinfo(np.int64).min, "missing_value"),
        ("low", 0.0, "not_positive"),
        ("volume", -5.0, "negative_volume"),
    ],
)
def test_a_value_that_cannot_be_is_named(name, value, kind):
    found = counts(ordinary(**{name: (20, value)}))
    assert found.pop("missing_session") == 1  # the bar is left out of every other check
    assert found == {kind: 1}


def test_high_below_the_close_is_outside_the_range():
    bars = ordinary()
    bars.high[20] = bars.close[20] * 0.995
    assert counts(bars) == {"outside_range": 1}


def test_a_bar_above_an_earlier_one_is_told_and_sorted_for_the_rest():
    bars = ordinary().at(np.array([*range(10), 11, 10, *range(12, 40)]))
    report = verify(a_table(a_series(bars)), Limits())
    assert [(finding.kind, finding.row) for finding in report.findings] == [("decreasing_time", 12)]


@pytest.mark.parametrize(("change", "kind"), [(0.0, "duplicate_time"), (0.1, "conflicting_time")])
def test_a_time_twice_is_a_duplicate_or_a_conflict(change, kind):
    bars = ordinary().at(np.array([*range(10), 9, *range(10, 40)]))
    bars.close[10] += change
    assert counts(bars) == {kind: 1}


def test_a_close_that_the_next_one_takes_back_is_a_bad_print():
    assert counts(scaled(ordinary(), 20, 3.0)) == {"bad_print": 1}


def test_an_open_that_its_own_bar_takes_back_is_a_bad_print():
    bars = ordinary()
    bars.open[20] = bars.high[20] = bars.close[20] * 4
    assert counts(bars) == {"bad_print": 1}


def test_a_bar_that_begins_before_the_split_and_ends_after_it_is_a_bad_print():
    """AAPL at 04:00 on 2014-06-09: 645.57, then 92.42."""
    start = int(datetime(2014, 7, 7, 13, 30, tzinfo=UTC).timestamp()) * 10**9
    bars = bars_at(start + MINUTE_NS * np.arange(390), 100 * np.exp(np.cumsum(np.tile([1e-4, -1e-4], 195))))
    bars.open[200] = bars.high[200] = bars.close[200] * 7
    found = counts(scaled(bars, slice(200, 390), 1 / 7), interval_s=60)
    assert found == {"bad_print": 1}


def test_a_high_far_from_every_other_price_is_a_wick_and_only_doubtful():
    bars = ordinary()
    bars.high[20] *= 2
    assert counts(bars) == {"far_wick": 1}
    assert KINDS["far_wick"].severity == "doubtful"


@pytest.mark.parametrize("by", [0.5, 1 / 7, 10.0, 1.0 / 20])
def test_a_split_without_an_action_is_found(by):
    assert counts(scaled(ordinary(), slice(20, 40), by)) == {"split_without_action": 1}


def test_a_split_that_an_action_explains_is_none():
    bars = scaled(ordinary(), slice(20, 40), 0.5)
    day = date(1970, 1, 1).toordinal() + int(weekdays(START, 40)[20])
    action = Action(ex_date=date.fromordinal(day), split=2.0)
    assert counts(bars, {"AAA": [action]}) == {}


def test_a_split_that_the_adjusted_close_explains_is_none():
    bars = scaled(ordinary(), slice(20, 40), 0.5)
    adjusted = bars.close * np.where(np.arange(40) < 20, 0.5, 1.0)
    assert counts(bars, adjusted_close=adjusted) == {}


def test_a_split_that_the_factor_of_the_day_before_explains_is_none():
    factor = np.where(np.arange(40) == 19, 0.5, 1.0)
    assert counts(scaled(ordinary(), slice(20, 40), 0.5), adj_factor_next=factor) == {}


def test_a_split_that_prices_do_not_show_is_adjusted_mixed_with_raw():
    day = date(1970, 1, 1).toordinal() + int(weekdays(START, 40)[20])
    found = verify(
        a_table(a_series(ordinary())), Limits(), {"AAA": [Action(ex_date=date.fromordinal(day), split=2.0)]}
    ).counts
    assert found["action_without_split"] == 1


def test_a_fall_on_bad_news_is_a_jump_and_no_split():
    bars = scaled(ordinary(), slice(20, 40), 0.44)
    bars.volume[20] *= 10
    assert counts(bars) == {"jump": 1}


def test_a_fall_by_a_third_in_a_crowd_is_no_split():
    bars = scaled(ordinary(), slice(20, 40), 1 / 1.5)
    bars.volume[20:22] *= 10
    assert "split_without_action" not in counts(bars)


@pytest.mark.parametrize(("length", "found"), [(9, {}), (10, {"stale_run": 9})])
def test_ten_equal_bars_are_a_stale_run(length, found):
    bars = ordinary()
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[10 : 10 + length] = getattr(bars, name)[10]
    assert counts(bars) == found


def test_bars_without_volume_are_counted():
    assert counts(ordinary(volume=(slice(5, 12), 0.0))) == {"zero_volume": 7}


@pytest.mark.parametrize("by", [0.01, 100.0])
def test_lots_against_shares_are_found_where_they_begin(by):
    bars = daily(START, a_walk(40), np.random.default_rng(1).uniform(900, 1100, 40) * 1000)
    bars.volume[20:] *= by
    report = verify(a_table(a_series(bars)), Limits())
    assert [(finding.kind, finding.row) for finding in report.findings] == [("volume_in_lots", 21)]


def test_a_holiday_has_no_bar_and_a_missing_session_is_counted():
    bars = daily(date(2014, 6, 30), a_walk(30))
    report = verify(a_table(a_series(bars.at(np.array([0, 1, *range(5, 30)])))), Limits())  # without 4 July too
    assert report.counts == {"missing_session": 2}
    assert report.findings[0].detail == "2014-07-02 to 2014-07-03"


def test_a_bar_on_a_holiday_is_wrong():
    assert counts(daily(date(2014, 6, 30), a_walk(30))) == {"not_a_session": 1}  # 4 July


def test_another_price_after_a_long_silence_may_be_another_company():
    bars = daily(START, a_walk(200))
    days = [day for day in range(200) if day < 40 or day >= 100]
    late = scaled(bars, slice(100, 200), 3.3).at(np.array(days))
    assert counts(late)["ticker_reuse"] == 1


def test_minutes_are_counted_inside_the_session_only():
    opens = int(datetime(2014, 7, 7, 13, 30, tzinfo=UTC).timestamp()) * 10**9
    evening = np.arange(390 + 60)  # an hour after the close too
    kept = np.delete(evening, [5, 6, 7])
    bars = bars_at(opens + MINUTE_NS * kept, a_walk(450)[kept])
    report = verify(a_table(a_series(bars, interval_s=60)), Limits())
    assert [(each.kind, each.count, each.detail) for each in report.findings] == [
        ("missing_bars", 3, "3 of 390 in the session")
    ]


def test_a_half_day_ends_at_one():
    opens = int(datetime(2014, 7, 3, 13, 30, tzinfo=UTC).timestamp()) * 10**9
    bars = bars_at(opens + MINUTE_NS * np.arange(210), a_walk(210))
    assert counts(bars, interval_s=60) == {}


def test_quotes_that_cross_or_lack_a_side_are_told_apart():
    opened_at = day_opens(weekdays(START, 3))
    sides = {f"bid_{name}": [10.0, 10.3, np.nan] for name in ("open", "high", "low", "close")}
    sides |= {f"ask_{name}": [10.1, 10.2, 10.1] for name in ("open", "high", "low", "close")}
    series = a_series(bars_at(opened_at, 10.0), interval_s=60, **sides)
    report = verify(a_table(series, is_quotes=True), Limits())
    assert [(each.kind, each.row) for each in report.findings] == [("crossed_quote", 2), ("missing_quote", 3)]


def test_the_robust_deviation_is_that_of_normal_moves_and_unmoved_by_an_outlier():
    moves = np.random.default_rng(3).normal(0, 0.02, 10_000)
    assert sigma_of(moves) == pytest.approx(0.02, rel=0.03)
    assert sigma_of(np.append(moves, 50.0)) == pytest.approx(sigma_of(moves), rel=1e-3)


def test_where_most_moves_are_equal_the_mean_deviation_takes_over():
    moves = np.array([0.0] * 9 + [0.1])
    assert sigma_of(moves) == pytest.approx(1.2533141 * 0.01)


def test_later_bars_change_no_finding_about_the_order_of_earlier_ones():
    bars = ordinary().at(np.array([*range(10), 9, *range(10, 40)]))
    whole = verify(a_table(a_series(bars)), Limits()).findings
    first = verify(a_table(a_series(bars.at(slice(0, 20)))), Limits()).findings
    assert whole == first


def test_the_documentation_has_every_kind_as_the_table_says_it():
    page = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()
    rows = [f"| {name} | {kind.severity} | {kind.repair} | {kind.meaning} |" for name, kind in KINDS.items()]
    assert [line for line in page.splitlines() if line in rows] == rows
