"""Whole shares of what a split has made fractions of, where an execution of before it is corrected afterwards."""

import pytest

from daemon.engine.book import Book
from daemon.engine.corporate_action import apply_split
from daemon.engine.locks import SplitTaken
from shared.account import BrokerPosition
from shared.commands import Flatten
from shared.events import FillCorrected, OperatorCommanded
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    a_fill,
    a_report,
    a_universe,
    an_engine_at_work,
    at,
    cancelled,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
)


def correction(of, **changes):
    fill = a_fill(of.ref, price=of.price, seconds=2100, exec_id=of.exec_id[:-2] + "02", **changes)
    return FillCorrected(received_at=at(2100), fill=fill)


def a_plan_that_split_to_a_tenth(*fills):
    """Entered as told, its orders gone with a split of 1:10 that a person has accepted, and protected anew."""
    engine = an_engine_at_work()
    handle_all(engine, [*map(filled, fills), cancelled(ENTRY, 70, "its time is up")])
    held = engine.book.quantity("SPY")
    handle_all(engine, [a_report(1000, positions={"SPY": held}, open_orders=lines_of(engine))])
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(f"{PLAN}:T", 2000, "split")])
    line = [BrokerPosition(symbol="SPY", quantity=held / 10, average_cost=1000.0)]
    accept = OperatorCommanded(received_at=at(2050), verb="accept", scope="instrument:SPY", actor="me")
    handle_all(engine, [a_report(2001, positions=line), accept, a_report(2060, positions=line)])
    handle_all(engine, [fired(f"protect:{PLAN}", 2062), a_report(2063, positions=line, open_orders=lines_of(engine))])
    assert engine.book.unprotected_plans() == []
    return engine


@pytest.mark.parametrize(
    ("shares", "corrected", "left"), [(35, 0, 0), (15, 0, 0), (25, 0, 0), (35, 34, 3), (35, 29, 2), (35, 30, 3)]
)
def test_an_entry_that_a_split_made_a_fraction_of_leaves_whole_shares_when_it_is_taken_back(shares, corrected, left):
    """3.5 shares are 3 of the plan's; taken back as 4 they left a share too many sold, which was bought at once."""
    bought = a_fill(quantity=shares)
    engine = a_plan_that_split_to_a_tenth(bought)
    commands = engine.handle(correction(bought, quantity=corrected))
    assert engine.book.quantity("SPY") == left
    assert of_kind(commands, Flatten) == []


@pytest.mark.parametrize(("which", "left"), [(0, 1), (1, 1), (2, 1)])
def test_fractions_of_several_executions_add_up(which, left):
    """Three times 8 are 2.4 after the split; any two of them are 1.6, one is 0.8."""
    fills = [a_fill(quantity=8, exec_id=f"0001.01.0{n}.01") for n in (1, 2, 3)]
    engine = a_plan_that_split_to_a_tenth(*fills)
    assert engine.book.quantity("SPY") == 2
    engine.handle(correction(fills[which], quantity=0))
    assert engine.book.quantity("SPY") == left
    engine.handle(correction(fills[which - 1], quantity=0))
    assert engine.book.quantity("SPY") == 0


@pytest.mark.parametrize("sold", [15, 14, 5])
def test_a_sale_that_a_split_made_a_fraction_of_gives_back_whole_shares(sold):
    """50 shares are 5 after the split, and have to be 5 again when the sale of some is taken back."""
    part = a_fill(STOP, sold, 99.0, exec_id="0001.01.02.01", seconds=65)
    engine = a_plan_that_split_to_a_tenth(a_fill(quantity=50), part)
    engine.handle(correction(part, quantity=0))
    plan = engine.book.plans[PLAN]
    assert (plan.open_quantity, plan.closed) == (5, 0)
    assert plan.average_price == pytest.approx(1000.0)


def test_what_was_over_at_a_split_keeps_what_it_has_earned_and_comes_back_at_its_cost():
    """25 at 100 sold at 99 are 2 of after; with the sale taken back each of them has cost 1,000."""
    universe = a_universe("SPY")
    book = Book.empty(universe)
    sold = a_fill(STOP, 25, 99.0, exec_id="0001.01.02.01")
    for fill in (a_fill(quantity=25), sold, a_fill(f"{PLAN[:-1]}2:E", 30, exec_id="0001.01.03.01")):
        book.book_fill(fill)
    assert apply_split(book, universe, "SPY", 3.0, SplitTaken(happened_at=at(1900), taken_at=at(2000)))
    plan = book.plans[PLAN]
    assert plan.realized_profit == pytest.approx(-25.0)
    book.book_fill(correction(sold, quantity=0).fill)
    assert plan.open_quantity == 2
    assert plan.average_price == pytest.approx(1000.0)


def test_a_plan_rebuilt_after_a_split_has_what_its_executions_add_up_to():
    """35 bought and 15 sold are 2 shares of after; the plan was over and forgotten when its sale was taken back."""
    book = Book.empty(a_universe("SPY"))
    bought, sold = a_fill(quantity=35), a_fill(STOP, 15, exec_id="0001.01.02.01")
    for fill in (bought, sold):
        book.fills[fill.exec_id.rpartition(".")[0]] = fill
        book.split_since[fill.exec_id.rpartition(".")[0]] = 0.1
    plan = book.plan_for(sold)
    assert plan.open_quantity == 2
    assert plan.average_price == pytest.approx(1000.0)
