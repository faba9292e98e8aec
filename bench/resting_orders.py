"""What a quote costs while 10,000 orders rest: it must not visit them."""

from __future__ import annotations

import time

from bench.result import Comparison, Measured
from brokers.simulated.matching import Matcher
from brokers.simulated.sim_order import SimOrder

ORDERS = 10_000
QUOTES = 20_000
ALLOWED_US = 20.0


def compare_resting_orders() -> Comparison:
    """Microseconds per quote and trade that reach no order: all in one instrument, and spread over a hundred."""
    found = {
        (what, instruments): _microseconds(instruments, what) for what in ("quote", "trade") for instruments in (1, 100)
    }
    return Comparison(
        title=f"{ORDERS:,} resting orders (limits and stops), a quote or trade that reaches none of them",
        measured=tuple(
            Measured(f"{what}, {instruments} instruments", "us", value) for (what, instruments), value in found.items()
        ),
        ratio=ALLOWED_US / max(found.values()),
        ratio_says=f"times cheaper than the {ALLOWED_US:g} us a quote may cost",
    )


def _microseconds(instruments: int, what: str) -> float:
    matcher = _filled(instruments)
    prices = [100.0 + number % 7 / 100 for number in range(QUOTES)]
    started = time.perf_counter()
    if what == "quote":
        for number, price in enumerate(prices):
            matcher.on_quote(number % instruments, price, price + 0.01)
    else:
        for number, price in enumerate(prices):
            matcher.on_trade(number % instruments, price, 100.0)
    return (time.perf_counter() - started) / QUOTES * 1e6


def _filled(instruments: int) -> Matcher:
    """Half limits, half stops, both sides, one to fifty dollars away from the market at 100."""
    matcher = Matcher()
    for key in range(ORDERS):
        is_buy, is_limit = key % 2 == 0, key % 4 < 2  # noqa: PLR2004 - two kinds, two sides
        away = 1 + key % 4900 / 100
        price = round(100 - away if is_buy == is_limit else 100 + away, 2)
        order = SimOrder(
            key=key + 1,
            instrument=key % instruments,
            side="BUY" if is_buy else "SELL",
            quantity=100,
            order_type="LMT" if is_limit else "STP",
            limit_price=price if is_limit else None,
            stop_price=None if is_limit else price,
            tif="GTC",
        )
        assert matcher.submit(order, market_open=True)
    return matcher
