from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from research.experiments.parameter_schedule import Entry, ParameterSchedule
from shared.market import BarRow
from strategies.sma_cross import SmaCross
from tests.backtest.builders import a_universe

UNIVERSE = a_universe("SPY")
FIRST = datetime(2015, 1, 5, 21, tzinfo=UTC)
CLOSES = 100.0 + np.cumsum(np.random.default_rng(1).normal(0, 1, 40))


def rows():
    for at, close in enumerate(CLOSES):
        price = np.array([close])
        yield BarRow(open=price, high=price, low=price, close=price, volume=price), FIRST + timedelta(days=at)


def said(strategy):
    return [strategy.on_row(row, closed_at) for row, closed_at in rows()]


def scheduled(*entries):
    schedule = [
        Entry(opens_at=FIRST + timedelta(days=day, hours=-6), params={"fast": fast, "slow": slow})
        for day, fast, slow in entries
    ]
    return ParameterSchedule(UNIVERSE, kind="sma_cross", base_dir="", schedule=msgspec.json.encode(schedule).decode())


def test_parameters_change_at_the_row_that_opens_at_their_time_and_are_warm_by_then():
    two, five = said(SmaCross(UNIVERSE, fast=2, slow=6)), said(SmaCross(UNIVERSE, fast=5, slow=9))
    assert said(scheduled((10, 2, 6), (20, 5, 9), (30, 2, 6))) == two[:20] + five[20:30] + two[30:]
    assert two[20:30] != five[20:30]


def test_the_first_parameters_also_hold_before_their_time():
    assert said(scheduled((10, 2, 6))) == said(SmaCross(UNIVERSE, fast=2, slow=6))
