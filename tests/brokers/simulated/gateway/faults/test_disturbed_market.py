"""The market around a market: what faults move, and what they leave as it is."""

import numpy as np
import pytest

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.market.source import AuctionPrinted, Halted, MarketStep, Resumed
from tests.brokers.simulated.gateway.scripted_market import DAY_S, OPENS_AT, ScriptedMarket, flat

SPY, IBM = 0, 1


def a_market(script=None, **more):
    inner = ScriptedMarket(script or [flat(100.0)] * 6, **more)
    return DisturbedMarket(inner, lambda _day: None)


def test_what_nobody_has_disturbed_is_the_market_itself():
    plain = ScriptedMarket([flat(100.0)] * 6)
    names = MarketStep.__struct_fields__[1:10]
    disturbed, own = ([[getattr(step, name) for name in names] for step in one.steps()] for one in (a_market(), plain))
    np.testing.assert_array_equal(disturbed, own)


def test_a_gap_moves_prices_from_its_instant_on_and_one_symbol_only():
    market = a_market()
    market.move("SPY", 0.5, since=OPENS_AT + 10)
    steps = list(market.steps())
    assert [step.close[SPY] for step in steps] == [100, 100, 50, 50, 50, 50]
    assert steps[4].close[IBM] == 180
    bars = market.history("SPY", end_at=OPENS_AT + 120, duration_s=600, bar_s=60)
    assert (bars.close[0], bars.close[-1]) == (101, 56)


def test_a_split_moves_all_of_the_past():
    market = a_market()
    market.move("SPY", 0.5)
    ticks = market.ticks("SPY", start_at=None, end_at=OPENS_AT + 5, count=3)
    quotes = market.quote_ticks("SPY", start_at=None, end_at=OPENS_AT + 5, count=3)
    assert ticks.price.tolist() == [50, 50, 50]
    assert (quotes.bid[0], quotes.ask[0]) == (50.0, 50.01)
    assert market.ticks("IBM", start_at=None, end_at=OPENS_AT + 5, count=1).price.tolist() == [100]


def test_a_moved_quote_stays_a_cent_wide():
    market = a_market([flat(1.0)] * 2)
    market.move("SPY", 0.1)
    step = next(market.steps())
    assert (step.bid[SPY], step.ask[SPY]) == pytest.approx((0.1, 0.11))


def test_an_auction_prints_at_the_moved_price():
    market = a_market(events={0: (AuctionPrinted(SPY, "open", 100.0, 300.0),)})
    market.move("SPY", 2.0)
    assert next(market.steps()).events == (AuctionPrinted(SPY, "open", 200.0, 300.0),)


def test_a_halted_stock_neither_trades_nor_quotes_until_it_resumes():
    market = a_market(events={2: (AuctionPrinted(SPY, "open", 100.0, 300.0),)})
    steps = market.steps()
    next(steps)
    market.halt("SPY", 1)
    halted, still = next(steps), next(steps)
    assert halted.events == (Halted(SPY, 1),)
    assert still.events == ()
    assert np.isnan([still.open[SPY], still.close[SPY], still.volume[SPY], still.bid[SPY], still.ask[SPY]]).all()
    assert (still.bid_size[SPY], still.ask_size[SPY], still.close[IBM]) == (0, 0, 180)
    market.resume("SPY")
    again = next(steps)
    assert (again.events, again.close[SPY]) == ((Resumed(SPY),), 100)


def test_what_was_moved_stays_moved_on_the_next_day():
    days: list[int] = []
    tomorrow = ScriptedMarket([flat(100.0)], opens_at=OPENS_AT + DAY_S)
    market = DisturbedMarket(ScriptedMarket([flat(100.0)], following=tomorrow), days.append)
    list(market.steps())
    market.move("SPY", 0.5)
    following = market.next_session()
    assert following is not None
    assert [step.close[SPY] for step in following.steps()] == [50]
    assert following.next_session() is None
    assert days == [1, 2]
