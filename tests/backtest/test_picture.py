from datetime import timedelta

import numpy as np

from research.backtest.picture import TICKS, draw, time_ticks
from research.backtest.result import EquityCurve, ReplayResult
from research.backtest.summary import summarise
from tests.backtest.builders import MONDAY, OPENS


def a_curve(sessions, rows_each, step=timedelta(minutes=1)):
    rows = sessions * rows_each
    return EquityCurve(
        closed_at=tuple(OPENS + step * (at + 1) for at in range(rows)),
        sessions=tuple(MONDAY + timedelta(days=at // rows_each) for at in range(rows)),
        net_liquidation=np.linspace(100.0, 90.0, rows),
        gross=np.zeros(rows),
    )


def test_a_single_session_is_labelled_by_new_york_time():
    ticks = time_ticks(a_curve(1, 390))
    assert [tick.text for tick in ticks] == [f"{hour}:00" for hour in range(10, 17)]
    assert ticks[0].row == 29


def test_days_are_labelled_at_the_first_row_of_their_session():
    ticks = time_ticks(a_curve(5, 10))
    assert [(tick.row, tick.text) for tick in ticks[:2]] == [(0, "Mon 07 Oct"), (10, "Tue 08 Oct")]


def test_many_sessions_never_have_more_labels_than_fit():
    assert len(time_ticks(a_curve(500, 1))) <= TICKS


def test_the_picture_is_a_png_of_the_full_size():
    curve = a_curve(2, 50)
    result = ReplayResult(symbols=("SPY",), interval_s=60, starting_cash=100.0, decisions=(), fills=(), curve=curve)
    png = draw(result, summarise(result), "Replay of SPY")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20], "big") == 1430
