from datetime import timedelta

import numpy as np
import pytest

from research.tear_sheet.axis import COLUMNS_MAX, TICKS_MAX, in_columns, time_axis, time_ticks
from tests.backtest.builders import MONDAY, OPENS


def rows_of(sessions, rows_each, step=timedelta(minutes=1)):
    rows = sessions * rows_each
    closed_at = tuple(OPENS + step * (at + 1) for at in range(rows))
    return closed_at, tuple(MONDAY + timedelta(days=at // rows_each) for at in range(rows))


def test_a_single_session_is_labelled_by_new_york_time():
    ticks = time_ticks(*rows_of(1, 390))
    assert [tick.text for tick in ticks] == [f"{hour}:00" for hour in range(10, 17)]
    assert ticks[0].row == 29


def test_days_are_labelled_at_the_first_row_of_their_session():
    ticks = time_ticks(*rows_of(5, 10))
    assert [(tick.row, tick.text) for tick in ticks[:2]] == [(0, "Mon 07 Oct"), (10, "Tue 08 Oct")]


@pytest.mark.parametrize("sessions", [2, 30, 500, 3_000])
def test_there_are_never_more_labels_than_fit(sessions):
    assert 1 <= len(time_ticks(*rows_of(sessions, 1))) <= TICKS_MAX


def test_many_years_are_labelled_where_they_begin():
    closed_at, sessions = rows_of(1_500, 1)
    ticks = time_ticks(closed_at, sessions)
    assert [tick.text for tick in ticks] == ["2014", "2015", "2016", "2017"]
    assert sessions[ticks[0].row].isoformat() == "2014-01-01"


def test_few_rows_have_a_column_each_and_many_share_them():
    assert time_axis(*rows_of(1, 100)).columns == 100
    axis = time_axis(*rows_of(10, 390))
    assert (axis.columns, axis.rows) == (COLUMNS_MAX, 3_900)


def test_columns_of_days_are_named_by_day_and_columns_of_minutes_by_the_time_in_new_york():
    assert time_axis(*rows_of(3, 1)).labels[0] == "2013-10-07"
    assert time_axis(*rows_of(1, 3)).labels[0] == "2013-10-07 09:31"


def test_a_column_keeps_the_peak_and_the_trough_of_its_rows():
    axis = time_axis(*rows_of(10, 390))
    values = np.zeros(3_900)
    values[1_000], values[2_000] = 7.0, -5.0
    column = in_columns(values, axis)
    assert (column.high.max(), column.low.min()) == (7.0, -5.0)


def test_a_column_passes_over_nan_and_is_nan_where_it_holds_nothing_else():
    axis = time_axis(*rows_of(10, 390))
    values = np.full(3_900, np.nan)
    values[3_898] = 2.0
    column = in_columns(values, axis)
    assert column.last[-1] == 2.0
    assert np.isnan(column.last[:-1]).all()
