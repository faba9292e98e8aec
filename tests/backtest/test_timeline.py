from datetime import date, timedelta
from functools import partial

import numpy as np
import pytest
from msgspec.structs import replace

from research.backtest.moments import instant
from research.backtest.timeline import lay_out
from shared.errors import DataError
from shared.io.bar_store import load_bars
from shared.sessions import session_at_or_after
from tests.backtest.builders import MONDAY, OPENS, a_panel, flat, sessions_of

XNYS = partial(session_at_or_after, "XNYS")


def test_rows_before_the_open_and_after_the_close_are_left_out_and_counted():
    panel = a_panel([flat(100.0)] * 10)
    early = replace(panel, opened_at=panel.opened_at - 2 * 60 * 10**9, closed_at=panel.closed_at - 2 * 60 * 10**9)
    timeline = lay_out(early, sessions_of(5))
    assert [row.index for row in timeline.rows] == [2, 3, 4, 5, 6]
    assert timeline.outside == 5


def test_each_session_is_opened_once():
    timeline = lay_out(a_panel([flat(100.0)] * 6, minutes_per_session=3), sessions_of(3))
    assert [row.opens_session for row in timeline.rows] == [True, False, False, True, False, False]


def test_warm_up_ends_where_the_replay_begins():
    panel = a_panel([flat(100.0)] * 6, minutes_per_session=3)
    timeline = lay_out(panel, sessions_of(3), warm_up=2, start=MONDAY + timedelta(days=1))
    assert [row.index for row in timeline.warm_up] == [1, 2]
    assert [row.index for row in timeline.rows] == [3, 4, 5]


def test_a_run_that_begins_within_a_session_opens_it():
    panel = a_panel([flat(100.0)] * 6)
    later = replace(panel, opened_at=panel.opened_at + 60 * 10**9, closed_at=panel.closed_at + 60 * 10**9)
    assert lay_out(later, sessions_of(390)).rows[0].opens_session


def test_a_start_behind_the_data_is_told_with_the_last_day_there_is():
    with pytest.raises(DataError, match=r"replay: no session from 2013-10-09 on, allowed: 2013-10-07 to 2013-10-07$"):
        lay_out(a_panel([flat(100.0)] * 6), sessions_of(390), start=date(2013, 10, 9))


def test_rows_of_which_none_lies_in_a_session_are_one_clear_line():
    panel = a_panel([flat(100.0)] * 6)
    night = replace(panel, opened_at=panel.opened_at - 12 * 3600 * 10**9, closed_at=panel.closed_at - 12 * 3600 * 10**9)
    with pytest.raises(DataError, match=r"none of 6 rows lies in a session, allowed: .*calendar"):
        lay_out(night, sessions_of(390))


def test_a_daily_bar_closes_with_its_session_on_half_days_too(tmp_path):
    lines = [f"SPY,{day},100,101,99,100,1000" for day in ("2013-11-27", "2013-11-28", "2013-11-29")]
    file = tmp_path / "daily.csv"
    file.write_text("symbol,date,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    timeline = lay_out(load_bars(file), XNYS)
    # Thanksgiving is no session, the Friday after it ends at 13:00 New York.
    assert [f"{row.closed_at:%m-%d %H:%M}" for row in timeline.rows] == ["11-27 21:00", "11-29 18:00"]
    assert timeline.outside == 1


def test_an_instant_is_exact_to_the_microsecond():
    nanoseconds = int(OPENS.timestamp()) * 10**9 + 1_000
    assert instant(nanoseconds) == OPENS + timedelta(microseconds=1)


def test_rows_between_the_sessions_leave_a_gap_and_the_others_keep_their_closes():
    panel = a_panel([flat(100.0)] * 6, minutes_per_session=3)
    timeline = lay_out(panel, sessions_of(2))
    assert [row.index for row in timeline.rows] == [0, 1, 3, 4]
    assert timeline.rows.closed_ns.tolist() == panel.closed_at[[0, 1, 3, 4]].tolist()
    assert timeline.outside == 2


def test_closes_of_rows_without_a_gap_are_not_copied():
    panel = a_panel([flat(100.0)] * 6, minutes_per_session=3)
    assert np.shares_memory(lay_out(panel, sessions_of(3)).rows.closed_ns, panel.closed_at)
