"""One stop a plan: what fills later is added to the one that works. Of two, an exit's OCA group cuts each."""

import pytest
from msgspec.structs import replace

from shared.commands import AskBroker, CancelOrder, Flatten, ReplaceStop
from shared.events import FillCorrected, OrderUnknown
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    rejected,
    says,
)

P1, P2, EXIT = f"{PLAN}:P1", f"{PLAN}:P2", f"{PLAN}:X1"
LATE = filled(a_fill(quantity=50, exec_id="0001.01.02.01", seconds=64))


def stops_in(commands):
    return [(command.order.ref, command.order.quantity) for command in of_kind(commands, ReplaceStop)]


def an_engine_whose_stop_was_refused():
    """100 of 500 shares have filled, their stop P1 has just been sent; the entry is being pulled."""
    engine = an_engine_at_work()
    handle_all(engine, [filled(a_fill(quantity=100)), rejected(STOP, 62, code=110), cancelled(TARGET, 62.1)])
    return engine


def test_what_fills_after_a_stop_was_placed_anew_is_added_to_it():
    engine = an_engine_whose_stop_was_refused()
    engine.handle(accepted(P1, 63, 4))
    told = engine.handle(LATE)
    assert stops_in(told) == [(P1, 150)]
    assert codes(told) == ["filled", "reprotected"]
    assert engine.book.unprotected_plans() == []


def test_a_stop_that_the_broker_does_not_let_grow_gets_another_one_beside_it():
    engine = an_engine_whose_stop_was_refused()
    handle_all(engine, [accepted(P1, 63, 4), cancelled(ENTRY, 63.5), LATE])
    lines = [replace(line, quantity=100) for line in lines_of(engine, P1)]
    engine.handle(OrderUnknown(received_at=at(64.2), ref=P1, reason="10329"))
    shown = a_report(64.3, positions={"SPY": 150}, open_orders=lines)
    told = handle_all(engine, [shown, fired(f"protect:{PLAN}", 65.3)])
    assert stops_in(told) == [(P2, 50)]


def test_beside_an_exit_at_work_no_stop_is_changed_but_another_one_placed():
    """The change would come behind a fill of the exit and give back what the group had taken, as in brutal 8222."""
    engine = an_engine_whose_stop_was_refused()
    engine.handle(accepted(P1, 63, 4))
    says(engine, SPY=0.0)
    (exit_order,) = of_kind(engine.handle(bars(63.5, SPY=100.0)), Flatten)
    told = handle_all(engine, [accepted(exit_order.order.ref, 63.7, 9), LATE])
    assert stops_in(told) == [(P2, 50)]


def test_an_exit_that_fills_beside_two_stops_asks_what_they_still_cover():
    """Found by simulation (brutal 6674): of 107 shares that were left each stop had been cut by 9."""
    engine = an_engine_whose_stop_was_refused()
    handle_all(engine, [LATE, accepted(P1, 65, 4), accepted(P2, 65, 5), cancelled(ENTRY, 66)])
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    lines = [replace(line, quantity=line.quantity - 30) for line in lines_of(engine, P1, P2)]
    told = engine.handle(filled(a_fill(EXIT, 30, 100.0, exec_id="0001.01.03.01", seconds=121)))
    assert len(of_kind(told, AskBroker)) == 1
    rest = handle_all(engine, [cancelled(EXIT, 121.5), a_report(122, positions={"SPY": 120}, open_orders=lines)])
    assert stops_in([*rest, *engine.handle(fired(f"protect:{PLAN}", 123))]) == [(P1, 100)]


def test_an_exit_that_fills_beside_one_stop_asks_nothing():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    told = engine.handle(filled(a_fill(EXIT, 30, 100.0, exec_id="0001.01.03.01", seconds=121)))
    assert of_kind(told, AskBroker) == []


def test_a_stop_put_back_after_a_refusal_stands_in_the_group_of_its_target():
    """Found by simulation (brutal 7201): in two groups both filled, and the target sold 69 shares that were gone."""
    engine = a_long_engine()
    (stop,) = of_kind(engine.handle(rejected(STOP, 62, code=110)), ReplaceStop)
    assert (stop.order.ref, stop.order.oca_group) == (P1, engine.book.orders[TARGET].order.oca_group)


@pytest.mark.parametrize(("has_target", "group"), [(True, PLAN), (False, f"{PLAN}#1")])
def test_a_stop_refused_twice_leaves_its_group_only_where_nothing_rests_in_it(has_target, group):
    """The group may be what is refused, but not one in which an order works; in two groups both could fill."""
    engine = a_long_engine()
    if not has_target:
        engine.handle(cancelled(TARGET, 61))
    engine.handle(rejected(STOP, 62, code=110))
    told = engine.handle(rejected(P1, 63))
    assert of_kind(told, ReplaceStop)[-1].order.oca_group == group
    assert "reprotected" in codes(told)
    told += handle_all(engine, [accepted(P2, 64, 5), bars(120, SPY=100.0, IBM=185.0)])
    assert of_kind(told, CancelOrder) == []


@pytest.mark.parametrize(("taken_back", "asks"), [(60, True), (0, False)])
def test_an_exit_that_fills_while_the_stop_is_smaller_than_what_is_held_asks_what_that_still_covers(taken_back, asks):
    """storm 5243: shares that an exit had sold came back, the next exit cut the stop before it had grown again."""
    engine = a_long_engine()
    sold = a_fill(EXIT, 100, seconds=70, exec_id="0001.01.03.01")
    engine.handle(filled(sold))
    engine.handle(
        a_report(71, positions={"SPY": 400}, open_orders=[replace(line, quantity=400) for line in lines_of(engine)])
    )
    if taken_back:
        back = replace(sold, exec_id="0001.01.03.02", quantity=100 - taken_back)
        engine.handle(FillCorrected(received_at=at(80), fill=back))
    news = engine.handle(filled(a_fill(f"{PLAN}:X2", 60, seconds=81, exec_id="0001.01.04.01")))
    assert bool(of_kind(news, AskBroker)) is asks
