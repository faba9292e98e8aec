"""Executions corrected after a split: the broker counts them in shares of before, the position in those of now."""

import pytest

from shared.account import BrokerPosition
from shared.events import FillCorrected, OperatorCommanded
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    a_fill,
    a_long_engine,
    a_report,
    at,
    bars,
    cancelled,
    connected,
    disconnected,
    filled,
    handle_all,
    lines_of,
    says,
)

MORNING = 82_200
ACCEPT = OperatorCommanded(received_at=at(MORNING + 100), verb="accept", scope="instrument:SPY", actor="me")
SOLD = a_fill(STOP, 100, 99.0, seconds=600, exec_id="0001.01.02.01")


def a_split(engine, ratio):
    """Overnight; accepted in the morning."""
    handle_all(engine, [a_report(1000, positions={"SPY": engine.book.quantity("SPY")}, open_orders=lines_of(engine))])
    theirs = engine.book.quantity("SPY") * ratio
    line = [BrokerPosition(symbol="SPY", quantity=theirs, average_cost=100.0 / ratio)]
    handle_all(engine, [disconnected(2000), connected(MORNING), a_report(MORNING + 1, positions=line)])
    handle_all(engine, [ACCEPT, a_report(MORNING + 101, positions=line)])
    assert engine.book.quantity("SPY") == theirs


def correction(of, seconds=MORNING + 200, **changes):
    fill = a_fill(of.ref, price=of.price, seconds=seconds, exec_id=of.exec_id[:-2] + "02", **changes)
    return FillCorrected(received_at=at(seconds), fill=fill)


@pytest.mark.parametrize(("ratio", "shares"), [(2, 1000), (3, 1500), (0.5, 250)])
def test_a_sale_of_before_a_split_that_is_taken_back_gives_the_shares_of_after(ratio, shares):
    engine = a_long_engine()
    handle_all(engine, [filled(SOLD)])
    a_split(engine, ratio)
    handle_all(engine, [correction(SOLD, quantity=0)])
    assert engine.book.quantity("SPY") == shares
    assert engine.book.plans[PLAN].realized_profit == pytest.approx(0.0)


def test_an_entry_of_before_a_split_that_is_corrected_takes_the_shares_of_after():
    engine = a_long_engine()
    a_split(engine, 2)
    handle_all(engine, [correction(a_fill(ENTRY), quantity=400)])
    assert engine.book.quantity("SPY") == 800
    assert engine.book.plans[PLAN].average_price == pytest.approx(50.0)


def test_a_correction_of_a_correction_counts_from_the_last_one():
    engine = a_long_engine()
    a_split(engine, 2)
    again = correction(a_fill(ENTRY, exec_id="0001.01.01.02"), quantity=450)
    again = FillCorrected(received_at=again.received_at, fill=a_fill(ENTRY, 450, exec_id="0001.01.01.03"))
    handle_all(engine, [correction(a_fill(ENTRY), quantity=400), again])
    assert engine.book.quantity("SPY") == 900


def test_a_plan_that_was_over_before_the_split_comes_back_in_the_scale_of_after():
    """Two plans; the first is closed before the split, and its sale is taken back after it."""
    engine = a_long_engine()
    whole = a_fill(STOP, 500, 99.0, seconds=600, exec_id="0001.01.02.01")
    handle_all(engine, [filled(whole), cancelled(f"{PLAN}:T", 600)])
    says(engine, SPY=0.0)
    handle_all(engine, [bars(660, SPY=100.0)])
    says(engine, SPY=1.0)
    handle_all(engine, [bars(720, SPY=100.0)])
    second = f"{PLAN[:-1]}2:E"
    handle_all(engine, [filled(a_fill(second, 500, seconds=721, exec_id="0001.01.03.01"))])
    a_split(engine, 2)
    handle_all(engine, [correction(whole, quantity=0)])
    plan = engine.book.plans[PLAN]
    assert (plan.open_quantity, plan.stop_price) == (1000, 49.5)
    assert plan.average_price == pytest.approx(50.0)
    assert plan.realized_profit == pytest.approx(0.0)
