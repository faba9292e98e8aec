"""Random plans for a matcher: what the market and we do, step by step, drawn by hypothesis."""

import math

from hypothesis import strategies as st

from brokers.simulated.sim_order import LIMITS, STOPS, TOUCHED, TRAILING
from tests.brokers.simulated.builders import an_order

PRICES = st.integers(95, 105).map(float)
SIZES = st.sampled_from([50.0, 100.0, 1000.0, math.inf])
KEYS = st.integers(0, 30)
INSTRUMENTS = st.integers(0, 1)

orders = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["BUY", "SELL"]),
        "quantity": st.sampled_from([30.0, 100.0, 250.0]),
        "order_type": st.sampled_from(
            ["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT", "MOC", "LOC"]
        ),
        "tif": st.sampled_from(["DAY", "DAY", "DAY", "GTC", "GTD", "IOC", "FOK", "OPG"]),
        "good_after": st.sampled_from([None, None, None, 10.0, 25.0]),
        "good_till": st.sampled_from([10.0, 30.0]),
        "trigger_method": st.sampled_from([0, 0, 0, 1, 3, 4, 7, 8]),
        "trail_percent": st.sampled_from([None, 2.0]),
        "all_or_none": st.sampled_from([False, False, False, True]),
        "outside_rth": st.booleans(),
        "instrument": INSTRUMENTS,
        "oca_group": st.sampled_from(["", "", "one", "two"]),
        "oca_type": st.integers(1, 3),
        "limit": PRICES,
        "stop": PRICES,
        "parent": st.one_of(st.none(), KEYS),
        "transmit": st.sampled_from([True, True, True, False]),
    }
)
steps = st.one_of(
    st.tuples(st.just("order"), orders),
    st.tuples(st.just("quote"), INSTRUMENTS, PRICES, SIZES, st.booleans()),
    st.tuples(st.just("trade"), INSTRUMENTS, PRICES, SIZES, st.booleans()),
    st.tuples(st.just("auction"), INSTRUMENTS, PRICES, SIZES, st.sampled_from(["open", "close"])),
    st.tuples(st.just("cancel"), KEYS),
    st.tuples(st.just("modify"), KEYS, PRICES),
    st.tuples(st.just("force"), KEYS, PRICES),
    st.tuples(st.just("halt"), INSTRUMENTS, st.booleans()),
    st.tuples(st.just("time"), st.sampled_from([5.0, 10.0, 20.0, 30.0])),
    st.tuples(st.just("close")),
)
plans = st.lists(steps, max_size=60)


class Play:
    """A plan played to a matcher; times that would run back are passed over."""

    def __init__(self, matcher):
        self.matcher = matcher
        self._key = 0
        self._now = 0.0
        matcher.on_time(0.0)

    def step(self, step):
        """What the matcher says to one step of a plan."""
        match step:
            case ("order", wanted):
                self._key += 1
                return self._place(self._key, wanted)
            case ("quote", instrument, price, size, regular):
                quoted = {"bid_size": size, "ask_size": size, "regular": regular}
                return self.matcher.on_quote(instrument, price, price + 1, **quoted)
            case ("trade", instrument, price, size, regular):
                return self.matcher.on_trade(instrument, price, size, regular=regular)
            case ("auction", instrument, price, size, kind):
                return self.matcher.on_auction(instrument, price, size, kind=kind)
            case ("halt", instrument, begins):
                return (self.matcher.halt if begins else self.matcher.resume)(instrument) or []
            case ("time", at):
                self._now = max(self._now, at)
                return self.matcher.on_time(self._now)
            case ("close",):
                return self.matcher.on_close()
        return self._to_order(*step)

    def _place(self, key, wanted):
        """The order that the drawn fields describe; a parent must be one that was placed before."""
        kind, changes = wanted["order_type"], dict(wanted)
        limit, stop, parent = changes.pop("limit"), changes.pop("stop"), changes.pop("parent")
        if changes["tif"] != "GTD":
            del changes["good_till"]
        if kind in LIMITS and kind not in TRAILING:
            changes["limit_price"] = limit
        if kind in STOPS + TOUCHED and kind not in TRAILING:
            changes["stop_price"] = stop
        if kind in TRAILING and changes["trail_percent"]:
            changes["trail_amount"] = None
        if parent is not None and 0 < parent < key:
            changes["parent_key"] = parent
        return self.matcher.submit(an_order(key, **changes), market_open=True)

    def _to_order(self, what, which, *given):
        """A cancel, a change or a forced fill of an order that was placed; nothing when there is none."""
        if not 0 < which <= self._key:
            return []
        order = self.matcher.order(which)
        if what == "cancel":
            return self.matcher.cancel(which)
        (price,) = given
        if what == "force":
            is_working = any(one is order for one in self.matcher.working())
            return self.matcher.force_fill(which, order.remaining / 2, price) if is_working else []
        name = "stop_price" if order.stop_price is not None else "limit_price" if order.limit_price is not None else ""
        changes = {name: price} if name else {"quantity": order.quantity + 10}
        return self.matcher.modify(which, transmit=True, **changes)
