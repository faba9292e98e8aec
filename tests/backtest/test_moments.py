import pickle
from datetime import UTC, date, datetime, timedelta

import numpy as np

from research.backtest.moments import DaysOf, InstantsOf, instant, nanoseconds_of

FIRST = datetime(2013, 10, 7, 13, 31, tzinfo=UTC)
MINUTE_NS = 60 * 10**9
INSTANTS = InstantsOf(nanoseconds_of(FIRST) + np.arange(3, dtype=np.int64) * MINUTE_NS)
TUPLE = tuple(FIRST + timedelta(minutes=minute) for minute in range(3))


def test_an_instant_goes_to_nanoseconds_and_back():
    at = FIRST + timedelta(microseconds=1)
    assert instant(nanoseconds_of(at)) == at


def test_instants_read_like_the_tuple_of_them():
    assert INSTANTS[-1] == TUPLE[-1]
    assert INSTANTS[1:] == TUPLE[1:]
    assert list(INSTANTS) == list(TUPLE)
    assert len(INSTANTS) == 3


def test_they_equal_a_tuple_of_the_same_and_no_other():
    assert INSTANTS == TUPLE
    assert TUPLE[:2] != INSTANTS
    assert (*TUPLE[:2], FIRST) != INSTANTS


def test_days_are_said_once_and_repeated():
    days = DaysOf(np.array([0, 0, 1], dtype=np.int64), (date(2013, 10, 7), date(2013, 10, 8)))
    assert list(days) == [date(2013, 10, 7)] * 2 + [date(2013, 10, 8)]


def test_they_travel_to_another_process():
    assert pickle.loads(pickle.dumps(INSTANTS)) == TUPLE
