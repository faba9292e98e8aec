"""Orders of unknown number, fate or origin: doubles (F3), lost and found (F5, F7, I3), rebuilt from a bare dump."""

import pytest
from msgspec.structs import replace

from shared.commands import CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded, OrderUnknown
from shared.orders import OrderStatus
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    accepted,
    an_engine,
    an_engine_at_work,
    an_engine_that_asked,
    an_open_order,
    ask_timers,
    at,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    kinds,
    lines_of,
    of_kind,
    run_started,
    says,
    scheduled,
)

P1 = f"{PLAN}:P1"

# --- one reference, two permIds (F3, TWS.md 4.37) -------------------------------------------------------------------


def a_report_with_a_double(engine, ref, seconds=70, **parts):
    lines = lines_of(engine)
    double = next(replace(line, perm_id=99) for line in lines if line.ref == ref)
    return a_report(seconds, open_orders=[*lines, double], **parts)


def test_an_order_that_lives_twice_is_cancelled_and_its_instrument_locked():
    """F3."""
    engine = an_engine_at_work()
    commands = engine.handle(a_report_with_a_double(engine, ENTRY))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]
    assert engine.book.locks["SPY"].kind == "double_perm_id"
    assert [c.level for c in of_kind(commands, Notify) if c.code == "double_perm_id"] == ["critical"]


def test_the_lock_of_an_order_that_lived_twice_is_looked_at_until_it_heals():
    """Its entries were refused until the next comparison, five minutes later (brutal 2062)."""
    engine = an_engine_at_work()
    asked = [ask_timers(engine.handle(a_report_with_a_double(engine, ENTRY)))]
    clean = [a_report(second, open_orders=lines_of(engine)) for second in (72, 74)]
    asked += [ask_timers(engine.handle(report)) for report in clean]
    assert [[timer.after_s for timer in timers] for timers in asked] == [[2.0], [2.0], []]
    assert engine.book.locks == {}


def test_a_second_permid_is_asked_about_at_once_and_not_taken_for_the_first():
    """Found by simulation (brutal 1028): it lived until the next comparison, minutes later."""
    engine = a_long_engine()
    handle_all(engine, [accepted(STOP, 65, perm_id=2)])
    assert kinds(engine.handle(accepted(STOP, 66, perm_id=99))) == ["AskBroker"]
    assert kinds(engine.handle(accepted(STOP, 67, perm_id=2))) == []
    assert engine.book.orders[STOP].perm_id == 2


def test_the_cancel_of_a_double_is_not_sent_with_every_report():
    engine = an_engine_at_work()
    engine.handle(a_report_with_a_double(engine, ENTRY))
    assert of_kind(engine.handle(a_report_with_a_double(engine, ENTRY, 72)), CancelOrder) == []


def test_a_stop_that_lived_twice_is_placed_anew_once_it_is_gone():
    """F3: no share stays bare because both of its stops had to go."""
    engine = a_long_engine()
    engine.handle(a_report_with_a_double(engine, STOP, 70, positions={"SPY": 500}))
    engine.handle(cancelled(STOP, 71))
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 73)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity, stop.order.stop_price) == (P1, 500, 99.0)


def test_of_an_order_that_lived_twice_the_one_that_is_left_is_cancelled_too():
    """storm 15638: each report showed it as a double of the one that had gone; its cancel was never sent again."""
    engine = a_long_engine()
    handle_all(engine, [accepted(STOP, 65, perm_id=2)])
    engine.handle(a_report_with_a_double(engine, STOP, 70, positions={"SPY": 500}))
    engine.handle(OrderUnknown(received_at=at(71), ref=STOP, reason="one of two orders under its reference has ended"))
    lines = [replace(line, perm_id=99) if line.ref == STOP else line for line in lines_of(engine)]
    told = handle_all(engine, [a_report(s, open_orders=lines, positions={"SPY": 500}) for s in (72, 74, 76)])
    assert (engine.book.orders[STOP].perm_id, engine.book.orders[STOP].status) == (99, OrderStatus.WORKING)
    assert "double_perm_id" not in codes(told)
    assert engine.book.locks == {}


def test_what_the_second_order_fills_is_booked_protected_and_given_back():
    """F3: the survivor that filled hours later flipped the position; here it is seen and closed."""
    engine = an_engine_at_work()
    engine.handle(a_report_with_a_double(engine, ENTRY))
    handle_all(engine, [filled(a_fill(seconds=71)), filled(a_fill(exec_id="0001.01.09.01", seconds=72))])
    assert engine.book.holding("s", "SPY") == 1000
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 74)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (STOP, 1000)
    (exit_order,) = [command.order for command in of_kind(engine.handle(bars(120, SPY=100.0)), Flatten)]
    assert (exit_order.side, exit_order.quantity) == ("SELL", 500)


def test_both_stops_filled_is_given_back_at_once():
    engine = a_long_engine()
    engine.handle(a_report_with_a_double(engine, STOP, 70, positions={"SPY": 500}))
    twice = [a_fill(STOP, 500, 99.0, seconds=71 + n, exec_id=f"0001.01.0{n}.01") for n in (2, 3)]
    commands = handle_all(engine, [filled(fill) for fill in twice])
    assert [(c.order.side, c.order.quantity) for c in of_kind(commands, Flatten)] == [("BUY", 500)]


def both_legs_filled_while_nobody_was_there(theirs):
    """An engine that comes back to both legs filled, and to so many shares at the broker; and what it commands."""
    engine = a_long_engine()
    twice = [a_fill(leg, 500, 99.0, seconds=71, exec_id=f"0001.02.0{n}.01") for n, leg in enumerate((STOP, TARGET))]
    ends = [a_completed(leg, "Filled", 500) for leg in (ENTRY, STOP, TARGET)]
    report = a_report(92, positions={"SPY": theirs}, fills=twice, completed_orders=ends)
    return engine, handle_all(engine, [disconnected(80), connected(90), report])


@pytest.mark.parametrize(("theirs", "back"), [(-500, [("BUY", 500)]), (-200, [("BUY", 200)]), (0, [])])
def test_only_what_the_broker_lacks_is_given_back(theirs, back):
    """Somebody has bought the rest back by hand already (brutal 54194)."""
    _, commands = both_legs_filled_while_nobody_was_there(theirs)
    assert [(c.order.side, c.order.quantity) for c in of_kind(commands, Flatten)] == back


def test_what_somebody_else_has_given_back_is_taken_over_by_a_persons_word():
    engine, _ = both_legs_filled_while_nobody_was_there(0)
    accept = OperatorCommanded(received_at=at(94), verb="accept", scope="instrument:SPY", actor="me")
    told = handle_all(engine, [a_report(93), accept, a_report(95), a_report(97), bars(120, SPY=99.0)])
    assert (engine.book.positions(), of_kind(told, Flatten)) == ({}, [])


def test_the_lock_of_a_double_heals_when_one_of_them_is_gone():
    engine = an_engine_at_work()
    engine.handle(a_report_with_a_double(engine, ENTRY))
    lines = lines_of(engine)
    handle_all(engine, [a_report(72, open_orders=lines), a_report(74, open_orders=lines)])
    assert engine.book.locks == {}


# --- lost, and found again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("news", [accepted(STOP, 90), OrderUnknown(received_at=at(90), ref=STOP, reason="?")])
def test_a_stop_taken_for_lost_that_is_told_to_work_is_asked_about_until_it_is_in_the_book(news):
    """Found by simulation (brutal 1037): it and the one put in its place covered twice the shares for minutes."""
    engine = a_long_engine()
    lines, held = lines_of(engine), {"positions": {"SPY": 500}}
    without = [line for line in lines if line.ref != STOP]
    handle_all(engine, [a_report(s, open_orders=without, **held) for s in (70, 80)])
    assert STOP not in engine.book.orders
    assert kinds(engine.handle(news)) == ["AskBroker"]
    first = engine.handle(a_report(91, open_orders=lines, **held))
    assert len(ask_timers(first)) == 1
    engine.handle(a_report(93, open_orders=lines, **held))
    assert STOP in engine.book.orders


def test_an_order_that_left_a_moment_ago_is_not_lost_by_two_quick_reports():
    """F7: a swallowed order and a slow one look the same at first."""
    engine = an_engine_that_asked()
    handle_all(engine, [a_report(62), a_report(64), a_report(66), a_report(74)])
    assert set(engine.book.orders) >= {ENTRY, TARGET}
    engine.handle(a_report(76))
    assert ENTRY not in engine.book.orders


def test_a_stop_is_given_up_sooner_because_its_shares_are_bare():
    engine = an_engine_that_asked()
    handle_all(engine, [accepted(ENTRY), accepted(TARGET), filled(a_fill())])
    rest = lines_of(engine, TARGET)
    held = {"positions": {"SPY": 500}, "open_orders": rest}
    handle_all(engine, [a_report(62, **held), a_report(64, **held)])
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 66)), ReplaceStop)
    assert (stop.order.quantity, stop.order.stop_price) == (500, 99.0)


def test_a_lost_order_that_appears_later_is_adopted_and_never_sent_again():
    """I3 and I13: what was given up for lost is found alive; its signal does not lead to a second one."""
    engine = an_engine_that_asked()
    lines = lines_of(engine)
    handle_all(engine, [a_report(76), a_report(78)])
    assert engine.book.orders == {}
    found = [a_report(s, open_orders=lines) for s in (80, 82)]
    commands = handle_all(engine, [*found, bars(120, SPY=100.0), bars(180, SPY=100.0)])
    assert set(engine.book.orders) == {ENTRY, STOP, TARGET}
    assert of_kind(commands, PlaceBracket) == []


def test_what_the_twin_of_a_stop_has_filled_is_not_taken_off_the_stop_that_lives():
    """Found by simulation (brutal 40003): shares that the stop covers got a second one."""
    engine = a_long_engine()
    twin = replace(a_fill(STOP, 7, 99.0, seconds=70, exec_id="0001.01.02.01"), perm_id=99)
    rest = [an_open_order(replace(engine.book.orders[STOP].order, quantity=493), 2)]
    handle_all(engine, [accepted(STOP, 65, perm_id=2), filled(twin), cancelled(STOP, 71)])
    handle_all(engine, [a_report(second, open_orders=rest, positions={"SPY": 493}) for second in (72, 74)])
    assert engine.book.orders[STOP].remaining == 493
    assert engine.handle(fired(f"protect:{PLAN}", 75)) == []


def test_what_a_twin_fills_is_asked_about_and_makes_the_order_at_work_no_smaller():
    engine = a_long_engine()
    engine.handle(accepted(STOP, 65, perm_id=2))
    twin = replace(a_fill(STOP, 7, 99.0, seconds=70, exec_id="0001.01.02.01"), perm_id=99)
    assert "AskBroker" in kinds(engine.handle(filled(twin)))
    assert engine.book.position("SPY").quantity == 493
    assert engine.book.orders[STOP].remaining == 500


def test_an_order_whose_twin_alone_has_filled_is_over_once_the_broker_says_so():
    engine = a_long_engine()
    engine.handle(accepted(STOP, 65, perm_id=2))
    twin = replace(a_fill(STOP, 500, 99.0, seconds=70, exec_id="0001.01.02.01"), perm_id=99)
    engine.handle(filled(twin))
    engine.handle(a_report(90, completed_orders=[a_completed(STOP, "Filled", 500)]))
    assert STOP in engine.book.closed_orders


def test_a_lost_entry_that_filled_after_all_is_booked_and_protected():
    engine = an_engine_that_asked()
    handle_all(engine, [a_report(76), a_report(78)])
    late = a_fill(seconds=79)
    engine.handle(a_report(80, fills=[late], positions={"SPY": 500}))
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 82)), ReplaceStop)
    assert (stop.order.quantity, stop.order.stop_price) == (500, 99.0)


@pytest.mark.parametrize("lacking", ["open_orders", "completed_orders", "executions", "fills"])
def test_no_order_is_lost_by_a_question_without_an_answer(lacking):
    """F4 and I12."""
    engine = an_engine_that_asked()
    handle_all(engine, [a_report(80 + 3 * n, unanswered=[lacking]) for n in range(4)])
    assert set(engine.book.orders) == {ENTRY, STOP, TARGET}


def test_a_restart_with_its_memory_sends_nothing_twice():
    """F5."""
    before = an_engine_that_asked()
    engine = an_engine()
    engine.restore(before.snapshot())
    says(engine, SPY=1.0)
    lines = lines_of(engine)
    start = [run_started(100, "r2"), scheduled(100), connected(101), a_report(102, open_orders=lines)]
    commands = handle_all(engine, [*start, bars(120, SPY=100.0), bars(180, SPY=100.0)])
    assert of_kind(commands, PlaceBracket) == []


def test_a_spurious_cancel_is_corrected_by_the_executions_that_follow_it():
    """F6: the broker says cancelled (10349) and fills all the same."""
    engine = an_engine_at_work()
    handle_all(engine, [cancelled(ENTRY, 62, "10349"), filled(a_fill(seconds=63))])
    assert engine.book.holding("s", "SPY") == 500
    assert of_kind(handle_all(engine, [bars(120, SPY=100.0)]), PlaceBracket) == []
    assert engine.book.unprotected_plans() == []


def test_ids_that_roll_back_mean_nothing_because_the_reference_is_the_identity():
    """F1: after a restart of the gateway an old order id belongs to another order."""
    engine = an_engine_at_work()
    rolled = [replace(line, order_id=1) for line in lines_of(engine)]
    handle_all(engine, [disconnected(70), connected(80), a_report(81, open_orders=rolled)])
    assert {ref: (order.perm_id, order.remaining) for ref, order in engine.book.orders.items()} == {
        ENTRY: (1, 500),
        STOP: (2, 500),
        TARGET: (3, 500),
    }
    assert OrderStatus.UNKNOWN not in [order.status for order in engine.book.orders.values()]


# --- rebuilt from a bare dump ---------------------------------------------------------------------------------------


def test_a_whole_tree_is_rebuilt_from_a_bare_dump_and_an_empty_journal():
    """Entry partly filled, stop, target, an exit at work, a stop put back: the same book as before the loss."""
    before = a_long_engine()
    handle_all(before, [cancelled(STOP, 70), fired(f"protect:last:{PLAN}", 72), accepted(P1, 73, 9)])
    says(before, SPY=0.0)
    before.handle(bars(120, SPY=100.0))
    part = replace(a_fill(f"{PLAN}:X1", 200, exec_id="0001.01.05.01"), perm_id=10)
    handle_all(before, [accepted(f"{PLAN}:X1", 121, 10), filled(part)])
    dump = a_report(
        200,
        open_orders=lines_of(before),
        fills=list(before.book.fills.values()),
        completed_orders=[a_completed(ENTRY, "Filled", 500), a_completed(STOP)],
        positions={"SPY": 300},
    )
    engine = a_started()
    engine.handle(dump)
    assert shape_of(engine) == shape_of(before)
    assert engine.book.locks == {}


def shape_of(engine):
    """What a book says of plans and live orders, without the instants."""
    plans = {
        key: (plan.side, plan.opened, plan.closed, plan.average_price, plan.stop_price, plan.take_profit_price)
        for key, plan in engine.book.plans.items()
    }
    orders = {ref: (o.leg, o.order.side, o.remaining, o.perm_id) for ref, o in sorted(engine.book.orders.items())}
    return plans, orders


def test_a_rebuilt_position_is_held_until_its_strategy_has_a_view():
    before = a_long_engine()
    engine = a_started()
    engine.handle(a_report(70, open_orders=lines_of(before), fills=[a_fill()], positions={"SPY": 500}))
    assert of_kind(engine.handle(bars(120, SPY=100.0)), Flatten) == []
    says(engine, SPY=0.0)
    exits = of_kind(engine.handle(bars(180, SPY=100.0)), Flatten)
    assert [command.order.quantity for command in exits] == [500]


def test_a_partly_filled_entry_that_was_rebuilt_is_not_sold_when_its_rest_fills():
    before = an_engine_at_work()
    engine = a_started()
    part = a_fill(quantity=200)
    engine.handle(a_report(70, open_orders=lines_of(before), fills=[part], positions={"SPY": 200}))
    engine.handle(filled(a_fill(quantity=300, exec_id="0001.01.07.01", seconds=71)))
    assert of_kind(engine.handle(bars(120, SPY=100.0)), Flatten) == []


def test_the_numbers_of_exits_and_stops_go_on_after_a_rebuild():
    before = a_long_engine()
    handle_all(before, [cancelled(STOP, 70), fired(f"protect:last:{PLAN}", 72), accepted(P1, 73, 9)])
    engine = a_started()
    engine.handle(a_report(80, open_orders=lines_of(before), fills=[a_fill()], positions={"SPY": 500}))
    engine.handle(cancelled(P1, 90))
    (stop,) = of_kind(engine.handle(fired(f"protect:last:{PLAN}", 92)), ReplaceStop)
    assert stop.order.ref == f"{PLAN}:P2"
