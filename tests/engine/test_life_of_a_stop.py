"""Protection: refused, cancelled, lost, too large or too small, a stop follows the shares that are open."""

import pytest

from shared.commands import CancelOrder, Flatten, ReplaceStop, SetTimer
from shared.events import OrderUnknown
from shared.ids import leg_ref
from shared.orders import Leg, Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    an_engine_at_work,
    an_engine_that_asked,
    an_open_order,
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
    rejected,
)

EXIT = leg_ref(PLAN, Leg.EXIT, 1)
PROTECTION = leg_ref(PLAN, Leg.PROTECTION, 1)


def test_a_refused_stop_pulls_its_entry_before_it_fills():
    engine = an_engine_that_asked()
    commands = engine.handle(rejected(STOP, 61, code=110, text="price variation"))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]


def test_a_refused_stop_of_open_shares_is_replaced_at_once():
    engine = a_long_engine()
    (stop,) = of_kind(engine.handle(rejected(STOP, 70)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity, stop.order.stop_price) == (PROTECTION, 500, 99.0)
    assert (stop.order.side, stop.order.tif) == (Side.SELL, "GTC")


def test_shares_whose_stops_are_refused_three_times_are_closed():
    engine = a_long_engine()
    handle_all(engine, [rejected(STOP, 70), rejected(PROTECTION, 71)])
    commands = engine.handle(rejected(leg_ref(PLAN, Leg.PROTECTION, 2), 72))
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [500]
    assert codes(commands) == ["rejected", "unprotectable"]


def test_a_stop_that_the_group_cancelled_is_not_put_back_before_the_fill_behind_it_can_arrive():
    engine = a_long_engine()
    assert kinds(engine.handle(cancelled(STOP, 70))) == ["AskBroker", "SetTimer"]
    handle_all(engine, [filled(a_fill(TARGET, price=102.0, exec_id="0001.01.02.01", seconds=70))])
    assert of_kind(engine.handle(fired(f"protect:{PLAN}", 71)), ReplaceStop) == []


def test_a_stop_that_is_cancelled_after_an_earlier_one_was_refused_has_its_grace_too():
    """Found by simulation (brutal 42052): a split took it, and the stop put back at once fired at the new price."""
    engine = a_long_engine()
    handle_all(engine, [rejected(STOP, 70), accepted(PROTECTION, 71)])
    commands = engine.handle(cancelled(PROTECTION, 80, reason="202 split 2:1"))
    assert kinds(commands) == ["AskBroker", "SetTimer"]


def test_a_stop_that_somebody_cancelled_is_put_back_after_the_grace():
    engine = a_long_engine()
    (timer,) = of_kind(engine.handle(cancelled(STOP, 70)), SetTimer)
    assert (timer.timer_id, timer.clock, timer.after_s) == (f"protect:{PLAN}", "wall", 1.0)
    engine.handle(a_report(70.2, positions={"SPY": 500}))
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 71)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (PROTECTION, 500)
    assert of_kind(engine.handle(fired(f"protect:{PLAN}", 72)), ReplaceStop) == []


def test_a_stop_that_is_gone_waits_for_the_word_of_what_is_held():
    """Found by simulation (brutal 158, 426, 601): a split had taken it, and the answer that showed so got lost."""
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 70), a_report(70.9, positions={"SPY": 500}, unanswered=("positions",))])
    commands = engine.handle(fired(f"protect:{PLAN}", 71))
    assert kinds(commands) == ["AskBroker", "SetTimer"]
    assert (commands[1].timer_id, commands[1].clock, commands[1].after_s) == (f"protect:last:{PLAN}", "wall", 1.5)
    (stop,) = of_kind(engine.handle(a_report(71.4, positions={"SPY": 500})), ReplaceStop)
    assert stop.order.ref == PROTECTION
    assert of_kind(engine.handle(fired(f"protect:last:{PLAN}", 72.5)), ReplaceStop) == []


@pytest.mark.parametrize(
    "silence",
    [
        [fired(f"protect:last:{PLAN}", 72.5)],
        [fired(f"protect:last:{PLAN}", 10)],  # the wall's clock was set back
        [bars(72.6, SPY=100.0)],
    ],
)
def test_without_that_word_the_stop_is_put_back_while_there_is_time_to_have_it_confirmed(silence):
    engine = a_long_engine()
    asked_before = a_report(70.5, asked=69.9, positions={"SPY": 500})
    early = handle_all(engine, [cancelled(STOP, 70), asked_before, fired(f"protect:{PLAN}", 71)])
    assert of_kind(early, ReplaceStop) == []
    assert [command.order.ref for command in of_kind(handle_all(engine, silence), ReplaceStop)] == [PROTECTION]


def test_a_stop_that_we_cancelled_ourselves_needs_no_explanation():
    engine = a_long_engine()
    engine.handle(accepted(STOP, 65, perm_id=9))
    twin = an_open_order(engine.book.orders[STOP].order, 10)
    pulled = of_kind(engine.handle(a_report(66, positions={"SPY": 500}, open_orders=[twin])), CancelOrder)
    assert [command.ref for command in pulled] == [STOP]
    engine.handle(cancelled(STOP, 70))
    assert len(of_kind(engine.handle(fired(f"protect:{PLAN}", 71)), ReplaceStop)) == 1


def test_a_stop_that_cannot_be_put_back_because_price_is_beyond_it_closes_the_position():
    engine = a_long_engine()
    engine.handle(cancelled(STOP, 70))
    commands = handle_all(engine, [bars(120, SPY=98.0), a_report(120.1, positions={"SPY": 500})])
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [500]
    assert of_kind(commands, ReplaceStop) == []


def test_after_a_part_filled_entry_the_legs_shrink_at_once_to_the_filled_part():
    """storm 15958: a target for 17 shares too many filled before the next row."""
    engine = an_engine_at_work()
    smaller = of_kind(handle_all(engine, [filled(a_fill(quantity=200)), cancelled(ENTRY, 65)]), ReplaceStop)
    assert [(command.order.ref, command.order.quantity) for command in smaller] == [(STOP, 200), (TARGET, 200)]


def test_a_leg_whose_change_is_refused_is_cancelled_and_comes_anew():
    """Every row asked for the same change again, and the stop stood behind shares that were gone (brutal 27).

    The next row, a minute later, is too late for that (brutal 7045): it goes when the broker shows it at work.
    """
    engine = an_engine_at_work()
    lines = lines_of(engine, STOP, TARGET)
    handle_all(engine, [filled(a_fill(quantity=200)), cancelled(ENTRY, 65), bars(120, SPY=100.0)])
    engine.handle(OrderUnknown(received_at=at(121), ref=STOP, reason="105 Order being modified does not match"))
    ends = [a_completed(ENTRY, "Cancelled", 200)]
    report = a_report(123, positions={"SPY": 200}, open_orders=lines, completed_orders=ends)
    commands = engine.handle(report)
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [STOP]
    assert [command.order.ref for command in of_kind(commands, ReplaceStop)] == [TARGET]
    engine.handle(cancelled(STOP, 124))
    (anew,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 126)), ReplaceStop)
    assert (anew.order.ref, anew.order.quantity) == (f"{PLAN}:P1", 200)


def test_shares_that_exits_filled_too_many_are_given_back_once():
    engine = a_long_engine()
    handle_all(engine, [filled(a_fill(STOP, price=99.0, exec_id="0001.01.02.01", seconds=70))])
    commands = engine.handle(filled(a_fill(TARGET, price=102.0, exec_id="0001.01.03.01", seconds=70)))
    (back,) = of_kind(commands, Flatten)
    assert (back.order.side, back.order.quantity, back.order.oca_group) == (Side.BUY, 500, "")
    assert of_kind(engine.handle(bars(120, SPY=99.0)), Flatten) == []
    handle_all(engine, [filled(a_fill(EXIT, side=Side.BUY, exec_id="0001.01.04.01", seconds=121))])
    assert engine.book.positions() == {}


def test_while_the_line_is_dead_nothing_is_sent_and_protection_follows_the_reconnect():
    engine = a_long_engine()
    handle_all(engine, [disconnected(70)])
    assert engine.handle(bars(120, SPY=100.0)) == []
    engine.handle(connected(130))
    report = a_report(131, positions={"SPY": 500}, completed_orders=())
    assert of_kind(engine.handle(report), ReplaceStop) == []
    commands = handle_all(engine, [a_report(135, positions={"SPY": 500}), fired(f"protect:{PLAN}", 137)])
    assert [command.order.quantity for command in of_kind(commands, ReplaceStop)] == [500]
