"""Executions corrected after a split: the broker counts them in shares of before, the position in those of now."""

from datetime import date

import pytest
from msgspec.structs import replace

from shared.account import BrokerPosition
from shared.commands import ReplaceStop
from shared.events import FillCorrected, OperatorCommanded, PricesRescaled
from shared.orders import Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_universe,
    an_engine,
    at,
    bars,
    cancelled,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
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


def told_late(engine, quantity, price, seconds, ref=STOP):
    """An execution of the day before, or of this morning, that nobody has told until now."""
    fill = a_fill(ref, quantity, price, seconds=seconds, exec_id="0001.01.07.01")
    return handle_all(engine, [filled(fill, MORNING + 200)])


@pytest.mark.parametrize(("ratio", "left"), [(2, 800), (0.5, 200)])
def test_a_sale_of_before_a_split_that_is_told_after_its_accept_counts_in_shares_of_after(ratio, left):
    """100 of 500 were sold at 99 the day before: they were 200 of the 1000, or 50 of the 250, of today."""
    engine = a_long_engine()
    a_split(engine, ratio)
    told_late(engine, 100, 99.0, seconds=1500)
    assert engine.book.quantity("SPY") == left
    assert engine.book.plans[PLAN].realized_profit == pytest.approx(-100.0)


def test_a_sale_of_after_the_split_counts_as_it_is():
    engine = a_long_engine()
    a_split(engine, 2)
    told_late(engine, 100, 49.5, seconds=MORNING + 150)
    assert engine.book.quantity("SPY") == 900
    assert engine.book.plans[PLAN].realized_profit == pytest.approx(-50.0)


def test_a_correction_of_what_was_told_late_counts_in_shares_of_after_too():
    engine = a_long_engine()
    a_split(engine, 2)
    told_late(engine, 100, 99.0, seconds=1500)
    late = a_fill(STOP, 100, 99.0, exec_id="0001.01.07.01")
    handle_all(engine, [correction(late, quantity=0)])
    assert engine.book.quantity("SPY") == 1000


@pytest.mark.parametrize(("is_in_the_table", "left"), [(True, 900), (False, 800)])
def test_with_a_table_the_split_was_at_midnight_and_else_when_it_was_first_seen(is_in_the_table, left):
    """Executed at four in the morning of New York, 08:00 UTC; the first report came at 12:20 UTC."""
    engine = a_long_engine()
    if is_in_the_table:
        day = date(2013, 10, 9)
        told = PricesRescaled(received_at=at(60_000), symbol="SPY", ratio=2.0, ex_date=day, changes_shares=True)
        handle_all(engine, [told])
    a_split(engine, 2)
    told_late(engine, 100, 49.5, seconds=66_600)
    assert engine.book.quantity("SPY") == left


def test_a_liquidation_of_before_a_split_that_is_told_after_its_accept_closes_each_plan_and_no_more():
    """500 and 100 were closed before they became 1000 and 200: 600 of then are all of the 1200 of today."""
    universe = a_universe()
    engine = a_long_engine(an_engine(universe=universe, desks=[a_desk(universe), a_desk(universe, "t")]))
    says(engine, "t", SPY=0.2)
    engine.handle(bars(120, SPY=100.0))
    engine.handle(filled(a_fill("OB1:t:20131008:SPY-1:E", 100, seconds=121, exec_id="0001.01.03.01")))
    a_split(engine, 2)
    sale = a_fill("", 600, 90.0, seconds=1500, exec_id="0001.01.08.01", side=Side.SELL, symbol="SPY")
    handle_all(engine, [filled(replace(sale, is_liquidation=True), MORNING + 200)])
    assert [plan.open_quantity for plan in engine.book.plans_in("SPY")] == [0, 0]


def test_an_entry_of_before_a_split_that_is_told_after_its_accept_gets_its_stop_at_the_price_of_after():
    """Its bracket was swallowed, or so it seemed: the entry had filled 100 at 100 before the split."""
    universe = a_universe()
    engine = a_long_engine(an_engine(universe=universe, desks=[a_desk(universe), a_desk(universe, "t")]))
    says(engine, "t", SPY=0.2)
    engine.handle(bars(120, SPY=100.0))
    other = "OB1:t:20131008:SPY-1"
    handle_all(engine, [cancelled(f"{other}:{leg}", 130) for leg in "EST"])
    a_split(engine, 2)
    told = told_late(engine, 100, 100.0, seconds=125, ref=f"{other}:E")
    told += engine.handle(fired(f"protect:{other}", MORNING + 203))
    assert engine.book.plans[other].open_quantity == 200
    stops = [command.order for command in of_kind(told, ReplaceStop) if command.order.ref.startswith(other)]
    assert [(stop.quantity, stop.stop_price) for stop in stops] == [(200, 49.5)]


def test_what_a_stop_of_before_slipped_is_measured_against_its_price_of_then():
    """Ten cents a share on 100 shares; against the price of after it were 4,960."""
    engine = a_long_engine()
    a_split(engine, 2)
    told_late(engine, 100, 98.9, seconds=1500)
    assert engine.book.watch.slippage == pytest.approx(10.0)


def test_a_settlement_in_shares_of_after_gives_way_to_an_execution_of_before():
    """200 of the 1000 were missing and settled; 100 of before were them."""
    engine = a_long_engine()
    a_split(engine, 2)
    line = [BrokerPosition(symbol="SPY", quantity=800, average_cost=50.0)]
    handle_all(engine, [a_report(MORNING + 110 + 3 * n, positions=line) for n in range(3)])
    accept = OperatorCommanded(received_at=at(MORNING + 130), verb="accept", scope="instrument:SPY", actor="me")
    handle_all(engine, [accept, a_report(MORNING + 131, positions=line)])
    assert engine.book.quantity("SPY") == 800
    told_late(engine, 100, 99.0, seconds=1500)
    assert engine.book.quantity("SPY") == 800
