"""What holds for every plan: no fill is better than the rules give, none larger, none after the end."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.matching import Cancelled, Matcher
from brokers.simulated.sim_order import LIMITS
from tests.brokers.simulated.builders import an_order, fills
from tests.brokers.simulated.plans import PRICES, SIZES, Play, plans

PARTICIPATION = 0.5


class Observed:
    """A matcher and what a bystander knows: the standing quotes as (bid, ask) by instrument."""

    def __init__(self):
        self.matcher = Matcher(participation=PARTICIPATION)
        self.quotes = {}
        self._play = Play(self.matcher)

    def step(self, step):
        outcomes = self._play.step(step)
        match step:
            case ("quote", instrument, price, _, _):
                self.quotes[instrument] = (price, price + 1)
            case ("halt", instrument, False):
                self.quotes.pop(instrument, None)
            case ("close",):
                self.quotes.clear()
        return outcomes

    def bought_or_sold(self, outcomes):
        return [(self.matcher.order(one.key), one) for one in fills(outcomes)]


def is_worse_or_equal(order, price, than):
    """Worse for the order's owner than a given price, or the same."""
    return price >= than if order.side == "BUY" else price <= than


@settings(max_examples=300, deadline=None)
@given(plans)
def test_a_fill_is_never_better_than_the_rules_say(plan):
    observed = Observed()
    for step in plan:
        for order, fill in observed.bought_or_sold(observed.step(step)):
            match step:
                case ("trade", _, price, _, _):
                    assert is_worse_or_equal(order, fill.price, price)
                case ("auction", _, price, _, _) | ("force", _, price):
                    assert fill.price == price
                case _:  # a new quote, or the standing one for what arrives, begins or is changed
                    bid, ask = observed.quotes[order.instrument]
                    assert fill.price == (ask if order.side == "BUY" else bid)


@settings(max_examples=300, deadline=None)
@given(plans)
def test_a_fill_is_never_beyond_the_limit(plan):
    observed = Observed()
    for step in plan:
        for order, fill in observed.bought_or_sold(observed.step(step)):
            if order.order_type in LIMITS and step[0] != "force":
                assert is_worse_or_equal(order, order.limit_price, fill.price)


@settings(max_examples=300, deadline=None)
@given(plans)
def test_together_our_orders_get_no_more_than_there_is(plan):
    observed = Observed()
    for step in plan:
        traded = observed.bought_or_sold(observed.step(step))
        got = {side: sum(fill.quantity for order, fill in traded if order.side == side) for side in ("BUY", "SELL")}
        match step:
            case ("quote", _, _, size, _):
                assert max(got.values()) <= size
            case ("trade", _, _, size, _):
                assert sum(got.values()) <= size * PARTICIPATION
            case ("auction", _, _, size, _):
                assert sum(got.values()) <= size


@settings(max_examples=300, deadline=None)
@given(plans)
def test_nothing_is_filled_beyond_its_quantity_or_after_its_cancel(plan):
    observed, cancelled = Observed(), set()
    for step in plan:
        for outcome in observed.step(step):
            assert outcome.key not in cancelled
            order = observed.matcher.order(outcome.key)
            assert order.filled <= order.quantity
            cancelled |= {outcome.key} if isinstance(outcome, Cancelled) else set()


market = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), st.just(0), PRICES, SIZES, st.just(True)),
        st.tuples(st.just("trade"), st.just(0), PRICES, SIZES, st.just(True)),
        st.tuples(st.just("auction"), st.just(0), PRICES, SIZES, st.just("close")),
    ),
    max_size=30,
)
members = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from([50, 100, 300]),
        st.sampled_from(["MKT", "LMT", "STP", "MIT", "TRAIL", "LOC"]),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(members, st.sampled_from([1, 2]), market)
def test_an_oca_group_with_overfill_protection_never_fills_more_than_its_largest_member(members, oca_type, market):
    play = Play(Matcher())
    group = [an_order(key, *member, oca_group="g", oca_type=oca_type) for key, member in enumerate(members, 1)]
    for order in group:
        play.matcher.submit(order, market_open=True)
    for step in market:
        play.step(step)
    assert sum(order.filled for order in group) <= max(quantity for _, quantity, _ in members)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([98.0, 99.0, 100.0, 101.0, 102.0]), SIZES), max_size=40))
def test_a_trailing_stop_only_ever_moves_towards_the_market(trades):
    matcher, stops = Matcher(), []
    matcher.submit(an_order(1, "SELL", 100, "TRAIL"), market_open=True)
    for price, size in trades:
        matcher.on_trade(0, price, size)
        stops.append(matcher.order(1).stop_price or -math.inf)
    assert stops == sorted(stops)
