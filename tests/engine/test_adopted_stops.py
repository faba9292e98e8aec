"""The stop of an adopted position whose cost is far from the last price: one of them may be of before a split."""

import pytest

from daemon.engine.settings import TruthPolicy
from shared.account import BrokerPosition
from shared.commands import CancelOrder, Flatten, Notify, ReplaceStop
from shared.events import OperatorCommanded, OrderUnknown
from shared.orders import Side
from tests.engine.builders import (
    a_fill,
    a_report,
    a_started,
    accepted,
    an_engine,
    an_open_order,
    at,
    bars,
    cancelled,
    codes,
    fired,
    handle_all,
    lines_of,
    of_kind,
    some_limits,
    some_settings,
)

ADOPTED = "OB1:adopted:20131008:SPY-1"
PROTECTED = f"{ADOPTED}:P1"
LIMITS = some_limits(max_instrument_day_loss=5000.0, max_day_loss=5000.0, max_account_drift_pct=1.0)


def held(quantity, cost):
    return [BrokerPosition(symbol="SPY", quantity=quantity, average_cost=cost)]


def an_engine_that_adopted(quantity, *, cost, last):
    """A stranger's shares that had cost so much became a plan when the last row had such a price; what it told."""
    engine = a_started(an_engine(settings=some_settings(limits=LIMITS, truth=TruthPolicy(foreign="adopt"))))
    engine.handle(bars(5, SPY=last))
    told = handle_all(engine, [a_report(seconds, positions=held(quantity, cost)) for seconds in (10, 13, 16)])
    return engine, told


def an_engine_with_its_stop(quantity, *, cost, last):
    engine, _ = an_engine_that_adopted(quantity, cost=cost, last=last)
    handle_all(engine, [fired(f"protect:{ADOPTED}", 18), accepted(PROTECTED, 19)])
    return engine


def bought_by_hand(quantity, seconds):
    return a_fill("by hand", quantity, 314.0, seconds=seconds, exec_id="0002.01.01.01", side=Side.BUY, symbol="SPY")


def stops_in(commands):
    return [(command.order.ref, command.order.stop_price) for command in of_kind(commands, ReplaceStop)]


@pytest.mark.parametrize(
    ("quantity", "cost", "last", "far", "near", "stop"),
    [
        (-180, 312.77, 627.0, 639.54, 314.0, 320.28),
        (180, 312.77, 627.0, 306.51, 314.0, 307.72),
        (90, 1000.0, 100.0, 98.0, 1010.0, 989.8),
        (-90, 1000.0, 100.0, 1020.0, 990.0, 1009.8),
    ],
)
def test_shares_adopted_after_a_split_get_a_stop_that_cannot_fire_and_the_first_print_brings_it_near(
    quantity, cost, last, far, near, stop
):
    """brutal 63281: the stop of a short at 312 stood at 659 for good, the last price was of before a split."""
    engine, told = an_engine_that_adopted(quantity, cost=cost, last=last)
    assert f"stop at {far:g}" in of_kind(told, Notify)[-1].text
    placed = engine.handle(fired(f"protect:{ADOPTED}", 18))
    assert stops_in(placed) == [(PROTECTED, far)]
    engine.handle(accepted(PROTECTED, 19))
    assert stops_in(engine.handle(bars(60, SPY=near))) == [(PROTECTED, stop)]
    assert stops_in(engine.handle(bars(120, SPY=near * 1.01))) == []


@pytest.mark.parametrize(
    ("quantity", "cost", "far", "stop"), [(300, 100.0, 98.0, 294.0), (-300, 500.0, 510.0, 306.0)], ids=["long", "short"]
)
def test_shares_that_have_earned_much_get_their_stop_at_the_market_with_the_first_whole_bar(quantity, cost, far, stop):
    engine = an_engine_with_its_stop(quantity, cost=cost, last=300.0)
    assert engine.book.plans[ADOPTED].stop_price == far
    assert stops_in(engine.handle(bars(60, SPY=300.0))) == []  # it began before the adoption: may be of before a split
    assert stops_in(engine.handle(bars(120, SPY=300.0))) == [(PROTECTED, stop)]


@pytest.mark.parametrize("quantity", [300, -300])
def test_shares_that_have_lost_much_are_not_sold_by_a_stop_at_their_cost(quantity):
    cost, stop = (500.0, 294.0) if quantity > 0 else (100.0, 306.0)
    engine = an_engine_with_its_stop(quantity, cost=cost, last=300.0)
    told = handle_all(engine, [bars(60, SPY=300.0), bars(120, SPY=300.0)])
    assert (engine.book.plans[ADOPTED].stop_price, of_kind(told, Flatten), stops_in(told)) == (stop, [], [])


def test_shares_adopted_after_a_split_have_lost_nothing_by_its_price():
    """brutal 63281: 180 shares short at 312 and a last price of 627 latched the account for a loss of 56,708."""
    engine = an_engine_with_its_stop(-180, cost=312.77, last=627.0)
    told = handle_all(
        engine, [a_report(20 + 3 * n, positions=held(-180, 312.77), open_orders=lines_of(engine)) for n in range(9)]
    )
    assert (codes(told), engine.book.breakers.latched) == (["healed"], {})


def test_a_stop_that_nobody_has_confirmed_is_brought_near_once_it_works():
    engine, _ = an_engine_that_adopted(-180, cost=312.77, last=627.0)
    told = handle_all(engine, [fired(f"protect:{ADOPTED}", 18), bars(60, SPY=314.0)])
    assert stops_in(told) == [(PROTECTED, 639.54)]
    told = handle_all(engine, [accepted(PROTECTED, 61), bars(120, SPY=314.0)])
    assert stops_in(told) == [(PROTECTED, 320.28)]


def a_move_of_its_stop():
    """A first print moves the far stop of a short; what the broker shows of it, as if it had never heard of that."""
    engine = an_engine_with_its_stop(-180, cost=312.77, last=627.0)
    engine.handle(bars(60, SPY=314.0))
    return engine, [an_open_order(engine.book.orders[PROTECTED].order, 1, stop_price=639.54)]


def test_a_move_that_the_broker_never_took_is_sent_again_with_the_next_row():
    engine, line = a_move_of_its_stop()
    told = handle_all(engine, [a_report(70, positions=held(-180, 312.77), open_orders=line), bars(120, SPY=315.0)])
    assert stops_in(told) == [(PROTECTED, 320.28)]


def test_a_stop_that_becomes_smaller_before_its_move_is_shown_is_not_moved_back():
    """The report was asked for before the move; less than half of the shares are left."""
    engine, line = a_move_of_its_stop()
    told = [
        a_report(70 + 3 * n, positions=held(-80, 312.77), open_orders=line, fills=[bought_by_hand(100, 65)])
        for n in range(3)
    ]
    told = handle_all(engine, [*told, bars(120, SPY=315.0)])
    assert [(c.order.quantity, c.order.stop_price) for c in of_kind(told, ReplaceStop)] == [(80, 320.28)]


def test_a_stop_whose_move_was_refused_goes_and_comes_anew_at_its_place():
    engine, line = a_move_of_its_stop()
    refused = OrderUnknown(received_at=at(61), ref=PROTECTED, reason="104 Can't modify a filled order.")
    told = handle_all(engine, [refused, a_report(62, positions=held(-180, 312.77), open_orders=line)])
    assert [command.ref for command in of_kind(told, CancelOrder)] == [PROTECTED]
    gone = [cancelled(PROTECTED, 63), a_report(64, positions=held(-180, 312.77)), fired(f"protect:{ADOPTED}", 65)]
    assert stops_in(handle_all(engine, gone)) == [(f"{ADOPTED}:P2", 320.28)]


def test_a_far_stop_stays_where_it_is_while_an_exit_closes_its_shares():
    engine = an_engine_with_its_stop(-180, cost=312.77, last=627.0)
    flatten = OperatorCommanded(received_at=at(30), verb="flatten", scope="account", actor="me")
    told = handle_all(engine, [flatten, bars(60, SPY=314.0)])
    assert (len(of_kind(told, Flatten)), stops_in(told)) == (1, [])


def test_a_stop_that_is_put_back_before_it_has_traded_is_as_far_away():
    engine = an_engine_with_its_stop(-180, cost=312.77, last=627.0)
    assert [plan.side for plan in engine.book.plans.values()] == [Side.SELL]
    told = handle_all(engine, [bars(60, IBM=185.0), bars(120, IBM=185.0)])
    assert (stops_in(told), engine.book.plans[ADOPTED].stop_price) == ([], 639.54)


@pytest.mark.parametrize(("price", "stop"), [(110.0, 107.8), (91.0, 89.18)])
def test_shares_whose_cost_is_near_the_last_price_have_their_stop_at_once(price, stop):
    engine = an_engine_with_its_stop(300, cost=100.0, last=price)
    assert engine.book.plans[ADOPTED].stop_price == stop
    assert stops_in(engine.handle(bars(60, SPY=price * 1.05))) == []
