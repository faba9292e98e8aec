"""Markets drawn from the sessions of the real one: what they keep, and what they do not know."""

import numpy as np
import pytest
from msgspec.structs import replace

from research.experiments.drawn_market import DrawnMarket, drawn
from shared.io.bar_store import BarPanel
from tests.experiments.builders import a_walk, daily_panel

SHUFFLED = DrawnMarket(seed=3, block_sessions=1.0)


def of_days(panel, market=SHUFFLED, *, first=0, tick=1e-9):
    return drawn(panel, list(range(first, len(panel))), market, tick=tick)


def closes_and_gaps(panel):
    """Every session's return from the close before to its open and from there to its close, without the first."""
    gap = panel.open[1:] / panel.close[:-1]
    return np.round(np.hstack((gap, panel.close[1:] / panel.open[1:])), 6)


def a_gapping_panel(count=60, symbols=2):
    panel = daily_panel(a_walk(count, symbols=symbols), *("SPY", "IBM")[:symbols])
    moved = panel.open * np.exp(np.random.default_rng(5).normal(0, 0.004, panel.open.shape))
    return replace(panel, open=moved, high=np.maximum(panel.high, moved), low=np.minimum(panel.low, moved))


def test_every_drawn_session_is_one_of_the_real_ones_with_its_gap_and_all_its_symbols():
    panel = a_gapping_panel()
    real = {tuple(row) for row in closes_and_gaps(panel)}
    market = closes_and_gaps(of_days(panel))
    assert {tuple(row) for row in market} <= real | with_first(panel)
    assert len({tuple(row) for row in market}) > 20


def with_first(panel):
    """The first session has no close before it: drawn later it opens where the market stands."""
    return {tuple(np.round([1.0, 1.0, *(panel.close[0] / panel.open[0])], 6))}


def test_sessions_come_back_and_others_are_missing():
    panel = a_gapping_panel()
    volumes = replace(panel, volume=np.arange(panel.volume.size, dtype=np.float64).reshape(panel.volume.shape))
    taken = of_days(volumes).volume[:, 0]
    assert len(set(taken)) < len(taken)
    assert set(taken) <= set(volumes.volume[:, 0])


def test_the_same_seed_is_the_same_market_and_another_is_another():
    panel = a_gapping_panel()
    assert of_days(panel).close.tobytes() == of_days(panel).close.tobytes()
    assert of_days(panel).close.tobytes() != of_days(panel, DrawnMarket(seed=4, block_sessions=1.0)).close.tobytes()


def test_one_endless_block_is_the_real_market_turned_round():
    panel = a_gapping_panel()
    market = of_days(panel, DrawnMarket(seed=3, block_sessions=1e9))
    volumes = replace(panel, volume=np.arange(60, dtype=np.float64)[:, None] + np.zeros((60, 2)))
    order = of_days(volumes, DrawnMarket(seed=3, block_sessions=1e9)).volume[:, 0]
    assert order.tolist() == [(order[0] + at) % 60 for at in range(60)]
    first = int(order[0])
    scale = market.close[0] / panel.close[first]
    assert market.close[: 60 - first] == pytest.approx(panel.close[first:] * scale)


def test_the_warm_up_stays_and_the_first_drawn_session_goes_on_from_it():
    panel = a_gapping_panel()
    market = of_days(panel, first=20)
    assert market.close[:20].tobytes() == panel.close[:20].tobytes()
    ratios = (panel.open[20:] / panel.close[19:-1]).round(9)
    assert (market.open[20] / panel.close[19]).round(9).tolist() in ratios.tolist()


def test_prices_stand_on_the_tick_and_a_bar_stays_a_bar():
    market = of_days(a_gapping_panel(), tick=0.05)
    steps = market.close / 0.05
    assert steps == pytest.approx(np.round(steps))
    assert (market.high >= np.maximum(market.open, market.close)).all()
    assert (market.low <= np.minimum(market.open, market.close)).all()


def a_minute_panel(lengths):
    """Sessions of so many minutes, each minute up by its number."""
    opened = np.concatenate([day * 10_000 + np.arange(count) for day, count in enumerate(lengths)]) * 60_000_000_000
    price = 100.0 + np.arange(len(opened), dtype=np.float64)[:, None]
    return BarPanel(
        symbols=("SPY",),
        opened_at=opened,
        closed_at=opened + 60_000_000_000,
        interval_s=60,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=price,
    )


def test_a_half_day_takes_the_first_rows_of_a_whole_one_and_leaves_the_rest_of_a_whole_one_empty():
    lengths = [4, 2, 4, 2, 4, 4, 4, 2]
    panel = a_minute_panel(lengths)
    begins = [0, *np.cumsum(lengths)[:-1].tolist()]
    market = drawn(panel, begins, SHUFFLED, tick=1e-9)
    calendar = {int(at) for at in panel.opened_at}
    assert {int(at) for at in market.opened_at} <= calendar
    assert np.all(np.diff(market.opened_at) > 0)
    days, counts = np.unique(market.opened_at // 600_000_000_000_000, return_counts=True)
    assert days.tolist() == list(range(8))
    assert all(count <= length for count, length in zip(counts, lengths, strict=True))


def test_a_symbol_without_a_print_stays_without_and_begins_where_it_began():
    panel = a_gapping_panel()
    close = panel.close.copy()
    close[:30, 1] = np.nan
    late = replace(panel, close=close, open=np.where(np.isnan(close), np.nan, panel.open))
    market = of_days(late)
    assert np.isnan(market.close[:, 1]).any()
    first = int(np.argmax(~np.isnan(market.close[:, 1])))
    assert round(float(market.close[first, 1]), 6) in close[:, 1].round(6).tolist()
    assert not np.isnan(market.close[:, 0]).any()
