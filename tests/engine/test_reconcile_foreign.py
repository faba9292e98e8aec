"""Orders at the broker that the book does not know: foreign, double, or ours and adopted."""

from msgspec.structs import replace

from shared.commands import Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded
from shared.orders import OrderType, Side
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
    an_engine_at_work,
    an_open_order,
    at,
    bars,
    cancelled,
    codes,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
)

# --- foreign and double ------------------------------------------------------------------------------------------


def a_foreign_order(**changes):
    line = an_open_order(an_engine_at_work().book.orders[ENTRY].order, perm_id=77, ref="by hand", client_id=0)
    return replace(line, **changes)


def test_a_foreign_order_is_told_once_and_never_touched():
    engine = a_started()
    told = [engine.handle(a_report(10 * n, open_orders=[a_foreign_order()])) for n in range(1, 4)]
    assert [codes(commands) for commands in told] == [["foreign_order"], [], []]
    assert engine.book.orders == {}


def test_an_order_of_ours_in_an_instrument_that_is_not_traded_here_is_foreign():
    engine = a_started()
    strange = a_foreign_order(ref="OB1:s:20131008:TSLA-1:E", symbol="TSLA")
    fill = a_fill("OB1:s:20131008:TSLA-1:E")
    assert codes(engine.handle(a_report(10, open_orders=[strange], fills=[fill]))) == ["foreign_order"]
    assert (engine.book.plans, engine.book.fills) == ({}, {})


def test_a_foreign_position_is_told_once_and_never_touched():
    engine = a_started()
    told = [engine.handle(a_report(10 * n, positions={"TSLA": 10.5})) for n in range(1, 4)]
    assert [codes(commands) for commands in told] == [["foreign_position"], [], []]
    assert engine.book.locks == {}
    assert engine.book.positions() == {}


def test_a_foreign_execution_is_not_booked():
    engine = a_started()
    assert engine.handle(a_report(10, fills=[replace(a_fill(), ref="by hand")])) == []
    assert engine.book.fills == {}


def test_a_second_perm_id_in_one_list_is_an_alarm_and_locks_the_instrument():
    engine = an_engine_at_work()
    lines = lines_of(engine)
    told = engine.handle(a_report(70, open_orders=[*lines, replace(lines[0], perm_id=99)]))
    assert [command.level for command in of_kind(told, Notify) if command.code == "double_perm_id"] == ["critical"]
    assert set(engine.book.locks) == {"SPY"}
    assert engine.book.orders[ENTRY].perm_id == 1


def test_a_second_perm_id_instead_of_the_first_is_an_alarm():
    engine = an_engine_at_work()
    lines = [replace(lines_of(engine, ENTRY)[0], perm_id=99), *lines_of(engine, STOP, TARGET)]
    assert codes(engine.handle(a_report(70, open_orders=lines)))[0] == "double_perm_id"


def test_a_line_without_a_perm_id_is_no_second_one():
    engine = an_engine_at_work()
    lines = lines_of(engine)
    assert engine.handle(a_report(70, open_orders=[*lines, replace(lines[0], perm_id=0)])) == []
    assert engine.book.orders[ENTRY].perm_id == 1


# --- adoption ----------------------------------------------------------------------------------------------------


def test_a_bracket_is_rebuilt_from_a_bare_dump_of_the_broker():
    before = an_engine_at_work()
    lines = lines_of(before, STOP, TARGET)
    engine = a_started()
    told = engine.handle(a_report(70, open_orders=lines, fills=[a_fill()], positions={"SPY": 500}))
    plan = engine.book.plans[PLAN]
    assert (plan.strategy, plan.symbol, plan.side, plan.open_quantity) == ("s", "SPY", Side.BUY, 500)
    assert (plan.stop_price, plan.take_profit_price, plan.average_price) == (99.0, 102.0, 100.0)
    assert {ref: order.order.order_type for ref, order in engine.book.orders.items()} == {
        STOP: OrderType.STOP,
        TARGET: OrderType.LIMIT,
    }
    assert codes(told) == ["fill_recovered", "unbooked_order", "unbooked_order"]
    assert engine.book.locks == {}
    assert engine.book.unprotected_plans() == []


def test_the_exit_of_a_rebuilt_plan_stands_in_the_group_of_its_stop():
    """In another one both could fill."""
    stop, target = (replace(line, oca_group=f"{PLAN}#2") for line in lines_of(a_long_engine()))
    engine = a_started()
    engine.handle(a_report(70, open_orders=[stop, target], fills=[a_fill()], positions={"SPY": 500}))
    flatten = OperatorCommanded(received_at=at(80), verb="flatten", scope="account", actor="me")
    (exit_order,) = [command.order for command in of_kind(engine.handle(flatten), Flatten)]
    assert exit_order.oca_group == f"{PLAN}#2"


def test_an_adopted_entry_keeps_what_it_has_filled():
    before = an_engine_at_work()
    engine = a_started()
    engine.handle(a_report(70, open_orders=lines_of(before), fills=[a_fill(quantity=200)], positions={"SPY": 200}))
    assert engine.book.orders[ENTRY].remaining == 300
    assert engine.book.plans[PLAN].side is Side.BUY


def test_an_adopted_order_of_a_type_we_never_send_is_counted_all_the_same():
    line = replace(lines_of(an_engine_at_work(), ENTRY)[0], order_type="TRAIL")
    engine = a_started()
    engine.handle(a_report(70, open_orders=[line]))
    assert engine.book.working_entries("s", "SPY") == (500, 0)


def test_the_plan_after_an_adopted_one_has_the_next_number():
    lines = lines_of(an_engine_at_work())
    engine = a_started()
    ends = [a_completed(f"OB1:s:20131008:SPY-4:{leg}") for leg in "EST"] + [a_completed("by hand")]
    engine.handle(a_report(70, open_orders=lines, completed_orders=ends))
    handle_all(engine, [cancelled(ref) for ref in (ENTRY, STOP, TARGET)])
    says(engine, SPY=1.0)
    (placed,) = of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket)
    assert placed.bracket.entry.ref == "OB1:s:20131008:SPY-5:E"


def test_an_order_whose_end_crossed_the_report_is_not_adopted():
    engine = an_engine_at_work()
    lines = lines_of(engine)
    handle_all(engine, [cancelled(ref) for ref in (ENTRY, STOP, TARGET)])
    engine.handle(a_report(70, open_orders=lines))
    assert engine.book.orders == {}


def test_an_order_that_two_reports_in_a_row_show_after_its_end_is_adopted():
    engine = an_engine_at_work()
    lines = lines_of(engine, ENTRY)
    handle_all(engine, [cancelled(ref) for ref in (ENTRY, STOP, TARGET)])
    told = handle_all(engine, [a_report(70, open_orders=lines), a_report(72, open_orders=lines)])
    assert list(engine.book.orders) == [ENTRY]
    assert codes(told) == ["unbooked_order"]


def test_two_sightings_with_a_clean_report_between_them_do_not_add_up():
    engine = an_engine_at_work()
    lines = lines_of(engine, ENTRY)
    handle_all(engine, [cancelled(ref) for ref in (ENTRY, STOP, TARGET)])
    handle_all(engine, [a_report(70, open_orders=lines), a_report(72), a_report(74, open_orders=lines)])
    assert engine.book.orders == {}
    engine.handle(a_report(76))
    assert engine.book.suspicions == {}


def test_an_adopted_order_that_was_filled_before_ends_as_filled():
    engine = a_long_engine()
    line = an_open_order(replace(engine.book.orders[STOP].order, ref=ENTRY, side=Side.BUY, order_type=OrderType.MARKET))
    rest = lines_of(engine, STOP, TARGET)
    held = {"positions": {"SPY": 500}}
    twice = [a_report(s, open_orders=[line, *rest], **held) for s in (70, 72)]
    handle_all(
        engine, [*twice, a_report(74, open_orders=rest, completed_orders=[a_completed(ENTRY, "Filled", 500)], **held)]
    )
    assert set(engine.book.orders) == {STOP, TARGET}
    assert engine.book.position("SPY").quantity == 500


def test_a_stop_made_smaller_at_the_broker_protects_no_more_than_what_rests_there():
    engine = a_long_engine()
    stop, target = lines_of(engine, STOP, TARGET)
    lines = [replace(stop, quantity=300), target]
    engine.handle(a_report(70, open_orders=lines, positions={"SPY": 500}))
    (order,) = (command.order for command in of_kind(engine.handle(fired(f"protect:{PLAN}", 72)), ReplaceStop))
    assert (order.ref, order.quantity, order.stop_price) == (STOP, 500, 99.0)
