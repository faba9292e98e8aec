"""Shares that exits sold too many, over a split: it changes them like any others, and they go back after its accept."""

import pytest

from shared.commands import Flatten, Notify
from shared.events import OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    at,
    bars,
    cancelled,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
)
from tests.engine.test_truth_splits import a_line

ACCEPT = OperatorCommanded(received_at=at(2100), verb="accept", scope="instrument:SPY", actor="me")
FLATTEN = OperatorCommanded(received_at=at(2100), verb="flatten", scope="account", actor="me")


def an_engine_short_over_a_split(theirs):
    """Stop and target have both sold the 500; a split took the order that was to buy them back."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    sales = [filled(a_fill(leg, exec_id=f"0001.01.0{leg[-1]}.01", seconds=1999), 1999) for leg in (STOP, TARGET)]
    back = of_kind(handle_all(engine, sales), Flatten)
    assert [(each.order.side, each.order.quantity) for each in back] == [(Side.BUY, 500)]
    handle_all(engine, [accepted(f"{PLAN}:X1", 1999.5), cancelled(f"{PLAN}:X1", 2000, "split")])
    return engine, engine.handle(a_report(2000.5, positions=a_line(theirs, 50_000 / abs(theirs))))


def bought_back(commands):
    return [command.order.quantity for command in of_kind(commands, Flatten)]


@pytest.mark.parametrize("theirs", [-1500, -50])
def test_nothing_goes_back_while_the_split_waits_and_all_of_it_after_the_accept(theirs):
    engine, told = an_engine_short_over_a_split(theirs)
    (alarm,) = [command for command in of_kind(told, Notify) if command.code == "corporate_action"]
    assert alarm.text.endswith("accept instrument:SPY gives back what exits sold too many")
    told += handle_all(engine, [fired(f"close:{PLAN}", 2003), bars(2040, SPY=50_000 / abs(theirs))])
    assert bought_back(told) == []
    told = handle_all(engine, [ACCEPT, a_report(2101, positions=a_line(theirs, 50_000 / abs(theirs)))])
    assert bought_back(told) == [abs(theirs)]
    assert engine.book.quantity("SPY") == theirs


def test_a_flatten_takes_the_split_over_and_gives_all_of_it_back():
    engine, _ = an_engine_short_over_a_split(-1500)
    told = handle_all(engine, [FLATTEN, a_report(2101, positions=a_line(-1500, 100 / 3))])
    assert bought_back(told) == [1500]
