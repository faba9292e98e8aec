"""The Knight rule (RELIABILITY.md I3, I8): what is sent for a plan never adds up to more than it can hold."""

import pytest

from daemon.engine.book import Book
from daemon.engine.children import send
from daemon.engine.order_life import Happening
from daemon.engine.plan import Plan
from shared.errors import InvariantViolated
from shared.ids import leg_ref
from shared.orders import Leg, Order, OrderType, Side
from tests.engine.builders import ENTRY, PLAN, STOP, TARGET, a_fill, a_universe, at


def an_order(leg, quantity, number=0, side=Side.SELL):
    return Order(
        ref=leg_ref(PLAN, leg, number), symbol="SPY", side=side, quantity=quantity, order_type=OrderType.MARKET
    )


def a_book(*, opened=0, entry=500):
    """A long plan whose entry is for `entry` shares, `opened` of them filled."""
    book = Book.empty(a_universe())
    book.plans[PLAN] = Plan(
        plan_id=PLAN, strategy="s", symbol="SPY", side=Side.BUY, stop_price=99.0, take_profit_price=None
    )
    send(book, an_order(Leg.ENTRY, entry, side=Side.BUY), at(60))
    if opened:
        book.book_fill(a_fill(quantity=opened))
    return book


def test_a_bracket_whose_children_are_as_large_as_its_entry_passes():
    book = a_book()
    send(book, an_order(Leg.STOP_LOSS, 500), at(60))
    send(book, an_order(Leg.TAKE_PROFIT, 500), at(60))
    assert list(book.orders) == [ENTRY, STOP, TARGET]


@pytest.mark.parametrize("leg", [Leg.STOP_LOSS, Leg.TAKE_PROFIT, Leg.EXIT, Leg.PROTECTION])
def test_a_child_larger_than_its_entry_is_stopped_before_it_can_leave(leg):
    book = a_book()
    with pytest.raises(InvariantViolated, match="501 shares beside 0 that work, the plan has room for 500"):
        send(book, an_order(leg, 501, 1), at(60))
    assert list(book.orders) == [ENTRY]


def test_stops_are_counted_together_whatever_their_leg():
    book = a_book()
    send(book, an_order(Leg.STOP_LOSS, 400), at(60))
    send(book, an_order(Leg.PROTECTION, 100, 1), at(61))
    with pytest.raises(InvariantViolated, match="1 shares beside 500 that work"):
        send(book, an_order(Leg.PROTECTION, 1, 2), at(62))


def test_an_exit_and_the_stop_of_its_group_may_both_cover_all_of_the_position():
    book = a_book(opened=500)
    send(book, an_order(Leg.STOP_LOSS, 500), at(60))
    send(book, an_order(Leg.EXIT, 500, 1), at(61))
    with pytest.raises(InvariantViolated):
        send(book, an_order(Leg.EXIT, 1, 2), at(62))


def test_an_exit_of_unknown_fate_still_takes_its_room():
    book = a_book(opened=500)
    send(book, an_order(Leg.EXIT, 500, 1), at(61))
    book.move(leg_ref(PLAN, Leg.EXIT, 1), Happening.SILENCE)
    with pytest.raises(InvariantViolated):
        send(book, an_order(Leg.EXIT, 500, 2), at(62))


def test_once_a_part_filled_entry_is_over_only_the_filled_part_may_be_covered():
    book = a_book(opened=200)
    book.move(ENTRY, Happening.CANCELLED)
    with pytest.raises(InvariantViolated, match="the plan has room for 200"):
        send(book, an_order(Leg.STOP_LOSS, 500), at(70))
    send(book, an_order(Leg.STOP_LOSS, 200), at(70))


def test_a_second_entry_of_a_plan_is_stopped():
    book = a_book()
    with pytest.raises(InvariantViolated):
        send(book, an_order(Leg.ENTRY, 500, 2, side=Side.BUY), at(61))


@pytest.mark.parametrize("ended", [Happening.CANCELLED, Happening.REJECTED])
def test_a_reference_is_never_used_twice_even_when_its_order_is_over(ended):
    book = a_book(opened=500)
    send(book, an_order(Leg.EXIT, 500, 1), at(61))
    book.move(leg_ref(PLAN, Leg.EXIT, 1), ended)
    with pytest.raises(InvariantViolated, match="this reference was sent before"):
        send(book, an_order(Leg.EXIT, 500, 1), at(62))


def test_shares_given_back_are_those_that_were_sold_too_many():
    book = a_book(opened=500)
    book.book_fill(a_fill(STOP, quantity=700, exec_id="0001.01.02.01"))
    with pytest.raises(InvariantViolated, match="the plan has room for 200"):
        send(book, an_order(Leg.EXIT, 201, 1, side=Side.BUY), at(62))
    send(book, an_order(Leg.EXIT, 200, 1, side=Side.BUY), at(62))


@pytest.mark.parametrize("quantity", [0, -1])
def test_an_order_for_no_shares_is_stopped(quantity):
    with pytest.raises(InvariantViolated):
        send(a_book(opened=500), an_order(Leg.EXIT, quantity, 1), at(62))
