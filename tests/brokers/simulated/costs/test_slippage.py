"""Spread and impact by hand, and in the price of a fill."""

import math

import pytest

from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.costs.slippage import Liquidity, MarketSlippage, Slip, SlippageModel
from brokers.simulated.sim_order import Filled, SimOrder
from shared.market import Bar

KNOWN = Liquidity(spread_bps=8.0, volatility=0.02, volume=1_000_000.0)
BAR = Bar(100.0, 101.0, 99.0, 100.5, 1e9)


def test_the_parts_add_up():
    model = SlippageModel(fixed_bps=1.0, spread_share=0.5, impact=1.0)
    # 0.5 x 8 bps, and 1 x 2 % x sqrt(10,000 / 1,000,000) = 0.2 % = 20 bps
    slip = model.slip(KNOWN, 10_000)
    assert slip == Slip(fixed_bps=1.0, spread_bps=4.0, impact_bps=slip.impact_bps)
    assert slip.impact_bps == pytest.approx(20.0)
    assert model.slip(KNOWN, 10_000).bps == pytest.approx(25.0)


def test_impact_grows_with_the_root_of_the_shares():
    model = SlippageModel(impact=0.7)
    small, large = (model.slip(KNOWN, shares).impact_bps for shares in (1_000, 4_000))
    assert large == pytest.approx(2 * small)


@pytest.mark.parametrize("model", [SlippageModel(spread_share=0.5), SlippageModel(impact=1.0)])
def test_what_is_not_known_costs_more_than_a_usual_market(model):
    assert model.slip(Liquidity(), 1_000).bps > model.slip(KNOWN, 1_000).bps
    assert not math.isnan(model.slip(Liquidity(), 1_000).bps)


def filled(side, order_type, quantity=10_000, **prices):
    slippage = MarketSlippage(SlippageModel(fixed_bps=1.0, spread_share=0.5, impact=1.0))
    slippage.begin_session({0: KNOWN})
    matcher = BarMatcher(market_slippage=slippage, participation=None)
    matcher.submit(SimOrder(key=1, instrument=0, side=side, quantity=quantity, order_type=order_type, **prices), at=0.0)
    (fill,) = [one for one in matcher.on_bar(0, BAR, 60.0) if isinstance(one, Filled)]
    return fill.price


@pytest.mark.parametrize(
    ("side", "order_type", "prices", "price"),
    [
        ("BUY", "MKT", {}, 100.0 * 1.0025),
        ("SELL", "MKT", {}, 100.0 * 0.9975),
        ("SELL", "STP", {"stop_price": 99.5}, 99.5 * 0.9975),
        ("BUY", "LMT", {"limit_price": 99.5}, 99.5),
    ],
)
def test_a_market_or_stop_fill_pays_it_and_a_limit_does_not(side, order_type, prices, price):
    assert filled(side, order_type, **prices) == pytest.approx(price)


def test_the_parts_of_one_order_pay_for_all_its_shares_so_far():
    slippage = MarketSlippage(SlippageModel(impact=1.0))
    slippage.begin_session({0: KNOWN})
    matcher = BarMatcher(market_slippage=slippage, participation=0.1)
    matcher.submit(SimOrder(key=1, instrument=0, side="BUY", quantity=20_000, order_type="MKT"), at=0.0)
    bar = Bar(100.0, 101.0, 99.0, 100.5, 100_000.0)
    prices = [one.price for at in (60.0, 120.0) for one in matcher.on_bar(0, bar, at) if isinstance(one, Filled)]
    assert prices == pytest.approx([100.0 * (1 + 0.02 * math.sqrt(0.01)), 100.0 * (1 + 0.02 * math.sqrt(0.02))])
