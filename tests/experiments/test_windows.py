from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.experiments.axes import WrongUsage
from research.experiments.windows import Walk, Window, windows_of
from tests.experiments.builders import days

TEN = days(10)


def test_windows_of_four_and_two_with_one_between():
    assert windows_of(TEN, Walk(train=4, trade=2, embargo=1)) == (
        Window(number=0, train_first=TEN[0], train_last=TEN[3], trade_first=TEN[5], trade_last=TEN[6]),
        Window(number=1, train_first=TEN[2], train_last=TEN[5], trade_first=TEN[7], trade_last=TEN[8]),
        Window(number=2, train_first=TEN[4], train_last=TEN[7], trade_first=TEN[9], trade_last=TEN[9]),
    )


def test_anchored_windows_all_begin_at_the_first_session():
    windows = windows_of(TEN, Walk(train=4, trade=3, anchored=True))
    assert [(window.train_first, window.train_last) for window in windows] == [(TEN[0], TEN[3]), (TEN[0], TEN[6])]


@given(
    sessions=st.integers(4, 400),
    train=st.integers(2, 300),
    trade=st.integers(1, 50),
    embargo=st.integers(0, 20),
    anchored=st.booleans(),
)
def test_every_session_behind_the_first_train_window_is_traded_once_and_the_embargo_lies_before_it(
    sessions, train, trade, embargo, anchored
):
    calendar = [date.fromordinal(700_000 + at) for at in range(sessions)]
    walk = Walk(train=train, trade=trade, embargo=embargo, anchored=anchored)
    if train + embargo >= sessions:
        with pytest.raises(WrongUsage):
            windows_of(calendar, walk)
        return
    windows = windows_of(calendar, walk)
    at = calendar.index
    traded = [day for window in windows for day in range(at(window.trade_first), at(window.trade_last) + 1)]
    assert traded == list(range(train + embargo, sessions))
    assert {at(window.trade_first) - at(window.train_last) - 1 for window in windows} == {embargo}
    lengths = {at(window.train_last) - at(window.train_first) + 1 for window in windows}
    assert (min(lengths) == train) if anchored else (lengths == {train})


@pytest.mark.parametrize(
    ("walk", "told"),
    [
        (Walk(train=1), "--train 1 sessions, allowed: at least 2"),
        (Walk(train=5, trade=0), "--trade 0 sessions, allowed: at least 1"),
        (Walk(train=5, embargo=-1), "--embargo -1 sessions, allowed: at least 0"),
        (Walk(train=8, embargo=2), "the data has 10 sessions, allowed: at least 11"),
    ],
)
def test_windows_that_cannot_be_are_told(walk, told):
    with pytest.raises(WrongUsage) as error:
        windows_of(TEN, walk)
    assert told in str(error.value)
