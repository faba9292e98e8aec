"""What shares are worth that have split at the broker, in prices of before or after, until a person accepts."""

from datetime import UTC, datetime

import pytest

from daemon.engine.locks import Lock, shares_of_after
from tests.engine.builders import (
    a_long_engine,
    a_report,
    an_engine,
    bars,
    codes,
    connected,
    disconnected,
    handle_all,
    lines_of,
    some_limits,
    some_settings,
)
from tests.engine.test_truth_splits import MORNING, a_line


def a_morning_over_a_split(shares, price):
    """500 at 100, so many now; rows at that price, with reports. What is told, and what a share of before is worth."""
    engine = a_long_engine(an_engine(settings=some_settings(some_limits(max_instrument_day_loss=1_000.0))))
    held = {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}
    handle_all(engine, [a_report(1000, **held), disconnected(2000), connected(MORNING)])
    split, told = a_line(shares, 50_000 / shares), []
    for number in range(6):
        told += engine.handle(a_report(MORNING + 1 + 60 * number, positions=split))
        told += engine.handle(bars(MORNING + 60 + 60 * number, SPY=price, IBM=185.0))
    assert "corporate_action" in codes(told)
    return codes(told), engine.book.worth("SPY", 0)


@pytest.mark.parametrize(("shares", "price"), [(1000, 50.0), (5000, 10.0), (250, 200.0), (1000, 100.0), (250, 100.0)])
def test_a_split_that_the_broker_alone_tells_of_is_no_loss_and_no_gain(shares, price):
    """brutal 3861: 160 shares of before at the price of after; of 1,000 for 500 it latched the account for 25,000."""
    told, worth = a_morning_over_a_split(shares, price)
    assert "limit_latched" not in told
    assert worth == 100.0


@pytest.mark.parametrize(("shares", "price"), [(1000, 48.0), (250, 192.0)])
def test_what_falls_after_a_split_that_nobody_has_accepted_is_a_loss(shares, price):
    """Of a reverse split the price of after hid it: 500 shares of before would have won 46,000."""
    told, worth = a_morning_over_a_split(shares, price)
    assert "limit_latched" in told
    assert worth == 96.0


@pytest.mark.parametrize(
    ("ratio", "before", "price", "shares"),
    [(2.0, 100.0, 60.0, 2.0), (2.0, 100.0, 80.0, 1.0), (2.0, None, 60.0, 2.0), (None, 100.0, 50.0, 1.0)],
)
def test_a_price_is_of_after_the_split_where_it_is_nearer_to_that_of_before_so(ratio, before, price, shares):
    """Without a price of before whatever prints is of after it."""
    lock = Lock(cause="", since=datetime(2013, 10, 8, tzinfo=UTC), split_ratio=ratio, price_before=before)
    assert shares_of_after(lock, price) == shares
