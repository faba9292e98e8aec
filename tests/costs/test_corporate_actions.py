"""The action table: what is refused, what a coefficient means, and where an action takes effect."""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from research.backtest.corporate_actions import in_units_of_the_start, schedule
from research.backtest.session_bars import session_bars
from research.backtest.timeline import lay_out
from shared.corporate_actions import share_ratio
from shared.errors import DataError
from shared.io.action_table import load_actions
from tests.costs.builders import MONDAY, a_daily_panel, a_table, an_action, weekday_hours

TUESDAY, FRIDAY, SATURDAY = MONDAY + timedelta(1), MONDAY + timedelta(4), MONDAY + timedelta(5)
HALVED = [100.0, 50.0, 50.0]


def laid_out(panel, *actions):
    return schedule(actions, panel.symbols, session_bars(panel, lay_out(panel, weekday_hours)))


def only(due):
    ((session, (action,)),) = due.due.items()
    return session, action


def test_the_table_is_read_as_it_stands(tmp_path):
    path = a_table(tmp_path, "AAPL,2014-06-09,0.0,7.00000700001", "KO,2014-06-12,0.305,1.0")
    apple, coke = load_actions(path)
    assert (apple.symbol, apple.ex_date, apple.coefficient) == ("AAPL", date(2014, 6, 9), 7.00000700001)
    assert (coke.dividend, coke.where) == (0.305, f"{path}: line 3")


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("SPY,2014-13-09,0,1", "ex_date '2014-13-09', allowed: a day"),
        ("SPY,2014-06-09,-1,1", "dividend_amount '-1', allowed: 0 or more"),
        ("SPY,2014-06-09,0,0", "split_coefficient '0', allowed: above 0"),
        ("SPY,2014-06-09,0,nan", "split_coefficient 'nan'"),
        ("SPY,2014-06-09,0,", "split_coefficient ''"),
        (",2014-06-09,0,1", "symbol ''"),
        ("SPY,2014-06-09,0,1,9", "line 2: more cells"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_line_and_value(tmp_path, row, named):
    with pytest.raises(DataError) as refused:
        load_actions(a_table(tmp_path, row))
    assert "actions.csv: line 2" in str(refused.value)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_rows_of_one_day_are_refused(tmp_path):
    path = a_table(tmp_path, "SPY,2014-06-09,1,1", "SPY,2014-06-09,1,1")
    with pytest.raises(DataError, match=r"line 3: .*one row per symbol and day"):
        load_actions(path)


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("actions.csv", "symbol,ex_date\n", "no column dividend_amount, split_coefficient"),
        ("actions.xlsx", "", "what kind of table"),
        ("absent.csv", None, "no such file"),
        ("actions.parquet", "this is no Parquet", "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_one_line(tmp_path, name, text, named):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=named):
        load_actions(tmp_path / name)


@pytest.mark.parametrize(
    ("coefficient", "ratio"),
    [
        (7.00000700001, Fraction(7)),
        (0.333333333333, Fraction(1, 3)),
        (1.5, Fraction(3, 2)),
        (0.142857142857, Fraction(1, 7)),
        (0.955000382, Fraction(191, 200)),  # fewer shares are never a spin-off
        (1.0, Fraction(1)),
        (1.105, None),
        (1.0499999475, None),
    ],
)
def test_a_ratio_of_small_numbers_changes_the_shares_and_an_odd_one_above_one_does_not(coefficient, ratio):
    assert share_ratio(coefficient) == ratio


def test_a_split_takes_effect_before_the_session_of_its_day():
    session, action = only(laid_out(a_daily_panel(HALVED), an_action(TUESDAY, coefficient=2.0)))
    assert (session, action.ratio, action.price_ratio) == (TUESDAY, 2, 2.0)


def test_an_action_on_a_weekend_takes_effect_on_monday():
    panel = a_daily_panel([100.0] * 6)
    session, action = only(laid_out(panel, an_action(SATURDAY, dividend=0.5)))
    assert (session, action.dividend) == (MONDAY + timedelta(7), 0.5)


@pytest.mark.parametrize("ex_date", [MONDAY, MONDAY - timedelta(30), MONDAY + timedelta(30)])
def test_what_lies_outside_the_bars_is_left_out(ex_date):
    assert laid_out(a_daily_panel(HALVED), an_action(ex_date, dividend=1.0)).due == {}


def test_a_split_that_the_bars_do_not_show_says_that_they_are_adjusted_already():
    with pytest.raises(DataError, match=r"table: SPY 2014-06-03: split_coefficient 2, but 100 opened 101.*unadjusted"):
        laid_out(a_daily_panel([100.0, 101.0, 102.0]), an_action(TUESDAY, coefficient=2.0))


def test_an_odd_coefficient_that_the_bars_do_not_show_is_left_out_and_named():
    """EL 2011-11-23 in panel_a: the vendor wrote the dividend of 1.05 into the split coefficient too."""
    found = laid_out(a_daily_panel([110.98, 108.69]), an_action(TUESDAY, dividend=1.05, coefficient=1.05))
    _, action = only(found)
    assert (action.ratio, action.dividend, action.distribution, action.price_ratio) == (1, 1.05, 0.0, 1.0)
    assert "the bars do not show it" in found.notes[0]


def test_a_spin_off_leaves_the_shares_and_is_worth_what_left_the_price():
    _, action = only(laid_out(a_daily_panel([110.5, 100.2]), an_action(TUESDAY, coefficient=1.105)))
    assert (action.ratio, action.price_ratio) == (1, 1.105)
    assert action.distribution == pytest.approx(10.5)


def test_a_dividend_of_a_tenth_of_the_price_is_a_distribution_that_no_average_sees():
    """ABT 2013-01-02 in panel_a: the spin-off of AbbVie, written as a dividend of 34.65."""
    _, action = only(laid_out(a_daily_panel([65.5, 32.0]), an_action(TUESDAY, dividend=34.65)))
    assert (action.dividend, action.distribution) == (0.0, 34.65)
    assert action.price_ratio == pytest.approx(65.5 / (65.5 - 34.65))


def test_a_dividend_on_the_day_of_a_split_is_per_new_share():
    """LDOS 2013-09-30 in panel_a: 1:4 and 21.35 per new share; 16.03 became 43.85."""
    _, action = only(laid_out(a_daily_panel([16.03, 43.85]), an_action(TUESDAY, dividend=21.3549, coefficient=0.25)))
    assert (action.ratio, action.distribution) == (Fraction(1, 4), 21.3549)
    assert action.price_ratio == pytest.approx(0.25 * 64.12 / (64.12 - 21.3549))


def test_the_warm_up_is_in_the_units_of_the_first_session_and_the_rest_as_it_traded():
    panel = a_daily_panel([100.0, 102.0, 51.0, 52.0, 26.0])
    timeline = lay_out(panel, weekday_hours, warm_up=3, start=MONDAY + timedelta(3))
    bars = session_bars(panel, timeline)
    splits = [an_action(MONDAY + timedelta(day), coefficient=2.0) for day in (2, 4)]
    seen = in_units_of_the_start(panel, timeline, schedule(splits, panel.symbols, bars))
    assert seen.close[:, 0].tolist() == [50.0, 51.0, 51.0, 52.0, 26.0]
    assert seen.volume[:, 0].tolist() == [2e6, 2e6, 1e6, 1e6, 1e6]
    assert panel.close[0, 0] == 100.0


def test_a_panel_without_splits_in_its_warm_up_is_not_copied():
    panel = a_daily_panel([100.0, 50.0])
    timeline = lay_out(panel, weekday_hours)
    due = schedule([an_action(TUESDAY, coefficient=2.0)], panel.symbols, session_bars(panel, timeline))
    assert in_units_of_the_start(panel, timeline, due) is panel


def test_the_bars_of_a_session_are_those_of_its_minutes():
    from tests.backtest.builders import a_panel, sessions_of

    nan = (np.nan,) * 4
    rows = [nan, (10.0, 12.0, 9.0, 11.0), (11.0, 14.0, 10.0, 13.0), (13.0, 13.5, 8.0, 8.5), nan, nan]
    panel = a_panel(rows, minutes_per_session=3)
    bars = session_bars(panel, lay_out(panel, sessions_of(3)))
    first = [float(values[0, 0]) for values in (bars.open, bars.high, bars.low, bars.close)]
    assert first == [10.0, 14.0, 9.0, 13.0]
    assert [bars.close[1, 0], bars.last_close(1, 0), len(bars.sessions)] == [8.5, 8.5, 2]
