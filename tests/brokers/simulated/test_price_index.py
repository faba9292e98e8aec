"""Finding orders by price gives what a visit to every order would give."""

from hypothesis import given, settings

from brokers.simulated.matching import Matcher
from brokers.simulated.price_index import PriceIndex
from brokers.simulated.sim_order import TRAILING
from tests.brokers.simulated.builders import an_order
from tests.brokers.simulated.plans import Play, plans


class PlainIndex(PriceIndex):
    """Sorts nothing: every live order is visited each time."""

    def put(self, order, age):
        self.drop(order.key)
        if order.auction is None:
            self._always[order.key] = (age, order)

    def reached_by_trade(self, price):
        return [order for _, order in sorted(self._always.values(), key=lambda one: one[0])]

    def reached_by_quote(self, bid, ask):
        return self.reached_by_trade(0.0)

    def trailing(self):
        return [one for one in self.reached_by_trade(0.0) if one.order_type in TRAILING and not one.triggered]


class PlainMatcher(Matcher):
    def _sort_in(self, order):
        self._indexes.setdefault(order.instrument, PlainIndex()).put(order, next(self._ages))


class Visits(PriceIndex):
    """Counts the orders it hands out."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def reached_by_trade(self, price):
        found = super().reached_by_trade(price)
        self.count += len(found)
        return found

    def reached_by_quote(self, bid, ask):
        found = super().reached_by_quote(bid, ask)
        self.count += len(found)
        return found


def played(matcher, plan):
    play = Play(matcher)
    return [play.step(step) for step in plan]


@settings(max_examples=600, deadline=None)
@given(plans)
def test_sorted_by_price_or_visited_one_by_one_the_same_happens(plan):
    assert played(Matcher(), plan) == played(PlainMatcher(), plan)


@settings(max_examples=200, deadline=None)
@given(plans)
def test_the_same_events_give_the_same_outcomes(plan):
    assert played(Matcher(), plan) == played(Matcher(), plan)


def test_orders_that_the_market_does_not_reach_are_not_visited():
    matcher, index = Matcher(), Visits()
    matcher._indexes[0] = index
    for key in range(1, 101):
        matcher.submit(an_order(key, "BUY", limit_price=99.0 - key / 10), market_open=True)
        matcher.submit(an_order(key + 100, "SELL", order_type="STP", stop_price=99.0 - key / 10), market_open=True)
        matcher.submit(an_order(key + 200, "SELL", order_type="MIT", stop_price=101.0 + key / 10), market_open=True)
    index.count = 0
    matcher.on_quote(0, 99.99, 100.01)
    matcher.on_trade(0, 100.0, 500)
    assert index.count == 0
    matcher.on_trade(0, 98.9, 1)
    assert index.count == 2  # the highest bid and the highest sell stop


def test_an_order_that_is_gone_or_has_moved_is_not_visited_where_it_was():
    matcher, index = Matcher(), Visits()
    matcher._indexes[0] = index
    for key in (1, 2, 3):
        matcher.submit(an_order(key, "BUY", limit_price=99.0), market_open=True)
    matcher.cancel(1)
    matcher.modify(2, limit_price=98.0)
    matcher.on_trade(0, 99.0, 1)
    assert index.count == 1
