"""Orders and matchers as the tests of the simulated market write them."""

from brokers.simulated.matching import Filled, Matcher, SimOrder, Trailed
from brokers.simulated.sim_order import LIMITS, STOPS, TOUCHED


def an_order(key=1, side="BUY", quantity=100, order_type="LMT", **changes):
    """Limits and trigger prices at 100 unless said otherwise; trailing orders trail by a dollar."""
    fields = {"instrument": 0, "key": key, "side": side, "quantity": quantity, "order_type": order_type}
    if order_type in {"TRAIL", "TRAIL LIMIT"}:
        fields |= {"trail_amount": 1.0} | ({"limit_offset": 0.25} if order_type == "TRAIL LIMIT" else {})
    else:
        fields |= {"limit_price": 100.0} if order_type in LIMITS else {}
        fields |= {"stop_price": 100.0} if order_type in STOPS + TOUCHED else {}
    return SimOrder(**(fields | changes))


def a_matcher(*orders, market_open=True, **options):
    matcher = Matcher(**options)
    for order in orders:
        matcher.submit(order, market_open=market_open)
    return matcher


def fills(outcomes):
    return [outcome for outcome in outcomes if isinstance(outcome, Filled)]


def trails(outcomes):
    return [outcome for outcome in outcomes if isinstance(outcome, Trailed)]
