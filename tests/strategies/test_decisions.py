"""What a strategy says of a whole panel is what it says row by row."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.market import BarRow, Instrument, Universe
from strategies.cross_momentum import CrossMomentum
from strategies.kalman_trend import KalmanTrend
from strategies.sma_cross import SmaCross

UNIVERSE = Universe(tuple(Instrument(symbol=symbol) for symbol in ("AAA", "BBB", "CCC", "DDD")))
AT = datetime(2013, 10, 7, 14, 0, tzinfo=UTC)
KINDS = {
    "sma_cross": lambda: SmaCross(UNIVERSE, fast=2, slow=5),
    "sma_cross short": lambda: SmaCross(UNIVERSE, fast=3, slow=4, long_only=False),
    "cross_momentum": lambda: CrossMomentum(UNIVERSE, lookback=3, rebalance_every=4, top=2),
    "kalman_trend": lambda: KalmanTrend(UNIVERSE, zscore=0.5, slope_ratio=0.1, warm=3, memory=10),
    "kalman_trend short": lambda: KalmanTrend(UNIVERSE, slope_ratio=0.01, warm=4, long_only=False),
    "cross_momentum every row": lambda: CrossMomentum(UNIVERSE, lookback=2, rebalance_every=1, top=1),
}
panels = st.builds(
    lambda seed, rows, gaps, still: a_panel(seed, rows, gaps=gaps, still=still),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    gaps=st.sampled_from([0.0, 0.1, 0.6]),
    still=st.sampled_from([0.0, 0.7]),
)


def a_panel(seed, rows, *, gaps=0.0, still=0.0):
    rng = np.random.default_rng(seed)
    moves = rng.integers(-3, 4, (rows, 4)) * (rng.random((rows, 4)) >= still)
    close = 100.0 + np.cumsum(moves, axis=0)
    close[rng.random((rows, 4)) < gaps] = np.nan
    return BarRow(open=close, high=close, low=close, close=close, volume=np.ones_like(close))


def row_of(panel, at):
    return BarRow(**{name: getattr(panel, name)[at].copy() for name in ("open", "high", "low", "close", "volume")})


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(panel=panels)
def test_the_signals_of_every_row_are_those_of_the_stream(kind, panel):
    streaming = KINDS[kind]()
    streamed = [streaming.on_row(row_of(panel, at), AT) for at in range(len(panel.close))]
    decisions = KINDS[kind]().decisions(panel)
    assert decisions is not None
    assert [decisions.at(row) for row in range(len(panel.close))] == streamed


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(panel=panels)
def test_the_convictions_are_those_of_the_signals(kind, panel):
    decisions = KINDS[kind]().decisions(panel)
    assert decisions is not None
    for row, convictions in enumerate(decisions.convictions):
        mentioned = np.flatnonzero(~np.isnan(convictions)).tolist()
        said = {UNIVERSE.symbols[column]: convictions[column] for column in mentioned}
        assert said == {signal.symbol: signal.conviction for signal in decisions.at(row)}


@pytest.mark.parametrize("kind", KINDS)
def test_afterwards_the_strategy_stands_where_the_stream_would_have_left_it(kind):
    panel = a_panel(3, 33, gaps=0.1)
    streaming, asked = KINDS[kind](), KINDS[kind]()
    for at in range(33):
        streaming.on_row(row_of(panel, at), AT)
    asked.decisions(panel)
    assert asked.snapshot() == streaming.snapshot()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_a_row_does_not_know_the_rows_after_it(kind):
    whole, cut = a_panel(4, 50), a_panel(4, 50)
    first = BarRow(**{name: getattr(cut, name)[:25].copy() for name in ("open", "high", "low", "close", "volume")})
    early, late = KINDS[kind]().decisions(first), KINDS[kind]().decisions(whole)
    assert early is not None
    assert late is not None
    assert [early.at(row) for row in range(25)] == [late.at(row) for row in range(25)]
