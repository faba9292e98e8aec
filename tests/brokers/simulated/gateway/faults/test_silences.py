"""The history of a stock that a fault has halted: what was not played did not happen."""

import datetime as dt
from itertools import islice

import numpy as np
import pytest

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.market.synthetic import SyntheticMarket

SESSION = dt.date(2026, 3, 26)
HALTED, RESUMED, PLAYED = 41, 100, 180
"""Steps of five seconds: the halt begins and ends within a minute."""
STEP_S, DAY_S = 5, 86_400
ENDS_S = PLAYED * STEP_S


def a_market():
    return DisturbedMarket(SyntheticMarket(symbols=("SPY", "IBM"), session=SESSION), lambda _day: None)


def played_with_a_halt(count=PLAYED):
    """The market after some minutes, and what it showed of SPY, one step a row."""
    market, seen = a_market(), []
    for number, step in enumerate(islice(market.steps(), count), start=1):
        seen.append(step)
        if number == HALTED:
            market.halt("SPY", 1)
        if number == RESUMED:
            market.resume("SPY")
    return market, seen


def traded(steps):
    return [step for step in steps if not np.isnan(step.close[0])]


def by_hand(steps, opens_at, bar_s):
    """Bars of the trades that were played: when, open, high, low, close, volume."""
    bars = []
    for first in range(0, len(steps), bar_s // STEP_S):
        inside = traded(steps[first : first + bar_s // STEP_S])
        if inside:
            high, low = (
                choose(getattr(one, name)[0] for one in inside) for choose, name in ((max, "high"), (min, "low"))
            )
            volume = sum(one.volume[0] for one in inside)
            bars.append((opens_at + first * STEP_S, inside[0].open[0], high, low, inside[-1].close[0], volume))
    return bars


@pytest.mark.parametrize("bar_s", [5, 60, 300])
def test_bars_of_a_halted_stock_are_those_of_what_was_played(bar_s):
    """Found by simulation (brutal 3615)."""
    market, seen = played_with_a_halt()
    now = market.opens_at + ENDS_S
    bars = market.history("SPY", end_at=now, duration_s=ENDS_S, bar_s=bar_s)
    told = np.stack([bars.starts_at, bars.open, bars.high, bars.low, bars.close, bars.volume], axis=1)
    np.testing.assert_allclose(told[bars.starts_at >= market.opens_at], by_hand(seen, market.opens_at, bar_s))


def test_the_days_bar_leaves_out_what_was_halted_too():
    market, seen = played_with_a_halt(None)
    day = market.history("SPY", end_at=market.closes_at, duration_s=DAY_S, bar_s=DAY_S)
    whole = traded(seen)
    assert (day.high[-1], day.low[-1]) == (max(one.high[0] for one in whole), min(one.low[0] for one in whole))
    assert day.volume[-1] == sum(one.volume[0] for one in whole)


def test_another_stock_keeps_its_history():
    market, _ = played_with_a_halt()
    asked = {"end_at": market.opens_at + ENDS_S, "duration_s": ENDS_S, "bar_s": 60}
    np.testing.assert_array_equal(market.history("IBM", **asked).close, a_market().history("IBM", **asked).close)


def test_bars_of_quotes_are_left_out_as_well():
    market, _ = played_with_a_halt()
    asked = {"end_at": market.opens_at + ENDS_S, "duration_s": ENDS_S, "bar_s": 60}
    bars = market.history("SPY", **asked, what="BID_ASK")
    minutes = (bars.starts_at[bars.starts_at >= market.opens_at] - market.opens_at) / 60
    assert minutes.tolist() == [0, 1, 2, 3, *range(8, 15)]
    assert set(bars.volume.tolist()) == {-1}
    quiet = a_market().history("SPY", **asked, what="BID_ASK")
    assert (bars.open[-1], bars.close[-1]) == (quiet.open[-1], quiet.close[-1])


@pytest.mark.parametrize("kind", ["ticks", "quote_ticks"])
def test_no_tick_is_told_of_a_halt_and_as_many_as_were_asked_for(kind):
    market, _ = played_with_a_halt()
    opens_at, end_at = market.opens_at, market.opens_at + ENDS_S
    lag_s = {"ticks": 0.0, "quote_ticks": STEP_S}[kind]
    since, until = opens_at + HALTED * STEP_S + lag_s, opens_at + RESUMED * STEP_S + lag_s
    following = getattr(market, kind)("SPY", start_at=since, end_at=end_at, count=3).at
    assert len(following) == 3
    assert following[0] >= until
    before = getattr(market, kind)("SPY", start_at=None, end_at=until, count=3).at
    assert len(before) == 3
    assert before[-1] < since
