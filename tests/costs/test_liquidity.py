"""What is known of a market before a session: nothing of the session itself, splits taken out."""

from datetime import timedelta

import numpy as np
import pytest

from brokers.simulated.costs.spread_estimates import corwin_schultz
from research.backtest.corporate_actions import NOTHING_DUE, schedule
from research.backtest.liquidity import known_liquidity
from research.backtest.session_bars import session_bars
from research.backtest.timeline import lay_out
from tests.costs.builders import MONDAY, a_daily_panel, an_action, weekday_hours, weekdays

DAYS = 30


def a_walk(seed=3):
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, DAYS)))


def known_of(panel, actions=(), *, window=10, spreads=None):
    bars = session_bars(panel, lay_out(panel, weekday_hours))
    due = schedule(actions, panel.symbols, bars) if actions else NOTHING_DUE
    return known_liquidity(
        bars, panel.symbols, actions=due, estimate="corwin_schultz", window=window, spreads=spreads or {}
    )


def test_it_is_the_mean_and_the_deviation_of_the_sessions_before():
    panel = a_daily_panel(a_walk())
    panel.volume[:, 0] = np.arange(DAYS) * 1_000.0
    at = 20
    (known,) = known_of(panel).before(weekdays(DAYS)[at]).values()
    past = slice(at - 10, at)
    returns = np.diff(np.log(panel.close[:, 0]))[at - 11 : at - 1]
    estimates = corwin_schultz(panel.high, panel.low, panel.close)[past, 0]
    assert known.volume == pytest.approx(panel.volume[past, 0].mean())
    assert known.volatility == pytest.approx(returns.std(ddof=1))
    assert known.spread_bps == pytest.approx(estimates.mean() * 1e4)


def test_nothing_is_known_of_the_first_sessions():
    known = known_of(a_daily_panel(a_walk())).before(MONDAY)[0]
    assert np.isnan([known.spread_bps, known.volatility, known.volume]).all()


def test_the_session_itself_and_all_after_it_change_nothing():
    closes, at = a_walk(), 20
    changed = closes.copy()
    changed[at:] *= 3
    day = weekdays(DAYS)[at]
    assert known_of(a_daily_panel(closes)).before(day) == known_of(a_daily_panel(changed)).before(day)


def test_a_split_is_no_volatility_and_the_volume_is_in_new_shares():
    closes, at = a_walk(), 15
    panel = a_daily_panel(closes, volume=1_000.0, spread=0.0)
    split = a_daily_panel(np.where(np.arange(DAYS) < at, closes, closes / 2), volume=1_000.0, spread=0.0)
    split.volume[at:] = 2_000.0
    day = weekdays(DAYS)[at + 3]
    action = an_action(MONDAY + timedelta(at // 5 * 7 + at % 5), coefficient=2.0)
    (plain,), (after) = known_of(panel).before(day).values(), known_of(split, [action]).before(day)[0]
    assert after.volatility == pytest.approx(plain.volatility)
    assert after.volume == pytest.approx(2 * plain.volume)


def test_a_measured_spread_wins_from_the_next_session_on():
    days = weekdays(DAYS)
    known = known_of(a_daily_panel(a_walk()), spreads={"SPY": [(days[10], 3.0), (days[20], 4.0)]})
    assert known.before(days[10])[0].spread_bps not in {3.0, 4.0}
    assert [known.before(days[at])[0].spread_bps for at in (11, 20, 21)] == [3.0, 3.0, 4.0]
