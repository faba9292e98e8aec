"""Finding orders by price gives what a visit to every order would give."""

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.matching import Filled, Matcher
from brokers.simulated.price_index import PriceIndex
from brokers.simulated.sim_order import TRAILING
from tests.brokers.simulated.builders import an_order

PRICES = st.integers(95, 105).map(float)
SIZES = st.sampled_from([50.0, 100.0, 1000.0])
SIDES = st.sampled_from(["BUY", "SELL"])


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


orders = st.fixed_dictionaries(
    {
        "side": SIDES,
        "quantity": st.sampled_from([30.0, 100.0, 250.0]),
        "order_type": st.sampled_from(
            ["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT", "MOC", "LOC"]
        ),
        "tif": st.sampled_from(["DAY", "DAY", "DAY", "GTC", "IOC", "FOK", "OPG"]),
        "trigger_method": st.sampled_from([0, 0, 0, 1, 3, 4, 7, 8]),
        "all_or_none": st.sampled_from([False, False, False, True]),
        "outside_rth": st.booleans(),
        "instrument": st.integers(0, 1),
        "oca_group": st.sampled_from(["", "", "one", "two"]),
        "oca_type": st.integers(1, 3),
        "limit": PRICES,
        "stop": PRICES,
        "parent": st.one_of(st.none(), st.integers(0, 30)),
    }
)
steps = st.one_of(
    st.tuples(st.just("order"), orders),
    st.tuples(st.just("quote"), st.integers(0, 1), PRICES, SIZES, st.booleans()),
    st.tuples(st.just("trade"), st.integers(0, 1), PRICES, SIZES, st.booleans()),
    st.tuples(st.just("auction"), st.integers(0, 1), PRICES, SIZES, st.sampled_from(["open", "close"])),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("modify"), st.integers(0, 30), PRICES),
    st.tuples(st.just("halt"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("close")),
)


def placed(matcher, key, wanted):
    """Submit the order that the drawn fields describe; a parent must be one that was placed before."""
    kind, changes = wanted["order_type"], dict(wanted)
    limit, stop, parent = changes.pop("limit"), changes.pop("stop"), changes.pop("parent")
    if kind in {"LMT", "STP LMT", "LIT", "LOC"}:
        changes["limit_price"] = limit
    if kind in {"STP", "STP LMT", "MIT", "LIT"}:
        changes["stop_price"] = stop
    if parent is not None and parent < key:
        changes["parent_key"] = parent
    return matcher.submit(an_order(key, **changes), market_open=True)


def done(matcher, key, step):
    match step:
        case ("order", wanted):
            return placed(matcher, key, wanted)
        case ("quote", instrument, price, size, regular):
            return matcher.on_quote(instrument, price, price + 1, bid_size=size, ask_size=size, regular=regular)
        case ("trade", instrument, price, size, regular):
            return matcher.on_trade(instrument, price, size, regular=regular)
        case ("auction", instrument, price, size, kind):
            return matcher.on_auction(instrument, price, size, kind=kind)
        case ("cancel", which):
            return matcher.cancel(which) if which < key else []
        case ("modify", which, price):
            return modified(matcher, which, price) if which < key else []
        case ("halt", instrument, begins):
            return (matcher.halt if begins else matcher.resume)(instrument) or []
    return matcher.on_close()


def modified(matcher, which, price):
    order = matcher.order(which)
    name = "stop_price" if order.stop_price is not None else "limit_price" if order.limit_price is not None else ""
    return matcher.modify(which, **({name: price} if name else {"quantity": order.quantity + 10}))


def played(matcher, plan):
    told, key = [], 0
    for step in plan:
        told.append(done(matcher, key, step))
        key += step[0] == "order"
    return told


@settings(max_examples=400, deadline=None)
@given(st.lists(steps, max_size=60))
def test_sorted_by_price_or_visited_one_by_one_the_same_happens(plan):
    assert played(Matcher(), plan) == played(PlainMatcher(), plan)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=60))
def test_no_order_is_filled_beyond_its_quantity_or_worse_than_its_limit(plan):
    matcher = Matcher()
    filled = [one for outcomes in played(matcher, plan) for one in outcomes if isinstance(one, Filled)]
    for fill in filled:
        order = matcher.order(fill.key)
        limit = order.limit_price if order.order_type in {"LMT", "STP LMT", "LIT", "LOC"} else None
        assert order.filled <= order.quantity + 1e-9
        if limit is not None and ("modify", fill.key) not in {step[:2] for step in plan}:
            assert fill.price <= limit if order.side == "BUY" else fill.price >= limit


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=60))
def test_the_same_events_give_the_same_outcomes(plan):
    assert played(Matcher(), plan) == played(Matcher(), plan)
