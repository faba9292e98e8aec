"""A split is neither a loss of the round trip it falls into nor a return of the instrument."""

import pytest

from research.backtest.result import ShareSplit
from research.measures.measured import measured
from shared.orders import Side
from tests.measures.builders import MONDAY, a_daily_curve, a_fill, a_result, an_instant


def test_a_round_trip_across_a_split_earns_what_it_earned():
    fills = [a_fill(Side.BUY, 10, 700.0), a_fill(Side.SELL, 70, 101.0, session=2, leg="X1")]
    split = ShareSplit(at=an_instant(1), session=MONDAY, symbol="SPY", new=7, old=1)
    found = measured(a_result(a_daily_curve(100.0, 100.0, 170.0), fills, splits=(split,)))
    assert found.trading.trips.round_trips == 1
    assert found.trading.trips.profit == pytest.approx(70.0)
