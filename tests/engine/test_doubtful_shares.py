"""Shares that broker and book do not agree on, busted entries, impossible prices: nothing is sold that is not there."""

import numpy as np

from daemon.engine.prices import Prices
from shared.commands import CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop, SetTimer
from shared.events import FillCorrected, OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_row,
    a_started,
    accepted,
    an_engine_at_work,
    an_engine_that_asked,
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
    says,
    taken_by_its_group,
)

HELD = {"positions": {"SPY": 500}}
FLATTEN = OperatorCommanded(received_at=at(80), verb="flatten", scope="account", actor="test")


def waits(commands):
    """Seconds by timer of a plan's protection."""
    timers = of_kind(commands, SetTimer)
    return {timer.timer_id: timer.after_s for timer in timers if timer.timer_id.startswith("protect:")}


def an_engine_whose_stop_filled_unheard():
    """Long 500 in the book, flat at the broker, whose execution was never told."""
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), a_report(81), a_report(84)])
    return engine


def test_no_stop_is_placed_for_shares_that_the_broker_does_not_hold():
    engine = an_engine_whose_stop_filled_unheard()
    commands = [*engine.handle(bars(120, SPY=100.0)), *engine.handle(bars(180, SPY=100.0))]
    assert of_kind(commands, ReplaceStop) == []
    assert "SPY" in engine.book.locks


def test_no_exit_is_sent_for_shares_that_the_broker_does_not_hold():
    engine = an_engine_whose_stop_filled_unheard()
    says(engine, SPY=0.0)
    assert of_kind(engine.handle(bars(120, SPY=100.0)), Flatten) == []


def test_the_part_that_the_broker_holds_is_still_protected_and_closed():
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), a_report(81, positions={"SPY": 200})])
    commands = handle_all(engine, [a_report(84, positions={"SPY": 200}), bars(120, SPY=100.0)])
    assert [command.order.quantity for command in of_kind(commands, ReplaceStop)] == [200]
    says(engine, SPY=0.0)
    assert [command.order.quantity for command in of_kind(engine.handle(bars(180, SPY=100.0)), Flatten)] == [200]


def test_what_has_just_been_sold_of_the_brokers_shares_is_not_sold_again():
    """Found by simulation (brutal 1049): 59 of 110 were there, and after their sale 51 were sold that nobody had."""
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), a_report(81, positions={"SPY": 200})])
    engine.handle(a_report(84, positions={"SPY": 200}))
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    sold = filled(a_fill(f"{PLAN}:X1", 200, 100.0, exec_id="0001.01.02.01", seconds=121))
    told = engine.handle(sold)
    assert "AskBroker" in kinds(told)
    told += handle_all(engine, [a_report(122), fired(f"protect:{PLAN}", 123), bars(180, SPY=100.0)])
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) == []


def an_engine_whose_broker_denies_what_has_no_stop():
    """Found by simulation (brutal 8621): the broker's positions are late, and the stop is cancelled meanwhile."""
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), a_report(81, open_orders=lines_of(engine))])
    return engine, engine.handle(cancelled(STOP, 90))


def test_shares_that_the_broker_denies_have_their_alarm_in_time_though_the_clock_is_slow():
    engine, told = an_engine_whose_broker_denies_what_has_no_stop()
    assert waits(told) == {f"protect:doubt:{PLAN}": 2.5}  # half of protect_within_s
    assert codes(engine.handle(fired(f"protect:doubt:{PLAN}", 91.25))) == ["stop_unconfirmed"]


def test_shares_that_the_broker_denies_only_after_their_stop_was_missed_have_their_alarm_in_time():
    """The grace for a fill under way is no doubt yet: what is left of the time comes after it."""
    engine = a_long_engine()
    assert waits(handle_all(engine, [cancelled(STOP, 90)])) == {f"protect:{PLAN}": 1.0}
    engine.handle(a_report(90.1, open_orders=lines_of(engine)))
    told = engine.handle(fired(f"protect:{PLAN}", 90.6))
    assert (codes(told), waits(told)) == ([], {f"protect:doubt:{PLAN}": 1.5})
    assert codes(engine.handle(fired(f"protect:doubt:{PLAN}", 91.4))) == ["stop_unconfirmed"]


def test_shares_that_the_broker_denies_when_asked_why_their_stop_is_gone_have_their_alarm_in_time():
    engine = a_long_engine()
    told = handle_all(engine, [cancelled(STOP, 90), fired(f"protect:{PLAN}", 90.6)])
    assert waits(told)[f"protect:last:{PLAN}"] == 1.5
    engine.handle(a_report(90.7, open_orders=lines_of(engine)))
    assert codes(engine.handle(fired(f"protect:last:{PLAN}", 91.4))) == ["stop_unconfirmed"]


def test_the_timer_of_a_doubt_that_has_ended_cuts_no_grace_short():
    """The broker holds them after all, and the stop put back is cancelled while that timer still runs."""
    engine, _told = an_engine_whose_broker_denies_what_has_no_stop()
    (stop,) = of_kind(handle_all(engine, [a_report(91, **HELD), a_report(92.1, **HELD)]), ReplaceStop)
    handle_all(engine, [accepted(stop.order.ref, 92.3), cancelled(stop.order.ref, 92.4), a_report(92.41, **HELD)])
    assert of_kind(engine.handle(fired(f"protect:doubt:{PLAN}", 92.5)), ReplaceStop) == []
    assert len(of_kind(engine.handle(fired(f"protect:{PLAN}", 93.4)), ReplaceStop)) == 1


def test_what_has_just_been_bought_where_book_and_broker_disagree_is_protected_at_once():
    """Found by simulation (brutal 1049): bare until the next comparison, minutes later."""
    engine = an_engine_whose_stop_filled_unheard()
    told = engine.handle(filled(a_fill(quantity=300, exec_id="0001.01.02.01", seconds=90)))
    told += engine.handle(fired(f"protect:{PLAN}", 92))
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [300]


def test_an_exit_told_before_its_entry_gives_nothing_back():
    engine = an_engine_at_work()
    early = engine.handle(filled(a_fill(STOP, price=99.0, exec_id="0001.01.02.01", seconds=62)))
    assert of_kind(early, Flatten) == []
    handle_all(engine, [filled(a_fill(seconds=63))])
    assert engine.book.positions() == {}


def test_a_busted_entry_takes_its_legs_with_it_at_once():
    """Found by simulation (brutal 22045): the stop filled before the next row came, and sold 54 shares short."""
    engine = a_long_engine()
    bust = a_fill(quantity=0, exec_id="0001.01.01.02")
    cancels = of_kind(engine.handle(FillCorrected(received_at=at(70), fill=bust)), CancelOrder)
    assert [command.ref for command in cancels] == [STOP, TARGET]


def test_a_flatten_asked_for_while_nobody_answers_is_done_after_the_reconciliation():
    engine = a_long_engine()
    engine.handle(disconnected(70))
    assert of_kind(engine.handle(FLATTEN), Flatten) == []
    legs = tuple(order.order for order in engine.book.orders.values())
    assert {order.ref for order in legs} == {STOP, TARGET}
    commands = handle_all(engine, [connected(90), a_report(91, positions={"SPY": 500})])
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [500]
    assert of_kind(engine.handle(a_report(95, positions={"SPY": 500})), Flatten) == []


def test_a_view_on_a_price_nobody_can_believe_is_not_sized():
    engine = a_started()
    engine.handle(bars(60, SPY=100.0))
    says(engine, SPY=1.0)
    assert engine.handle(bars(120, SPY=0.1)) == []
    (bracket,) = of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)
    assert bracket.bracket.entry.quantity == 500


def test_a_bar_that_cannot_be_believed_reaches_the_strategies_as_if_nothing_had_printed():
    prices = Prices.empty(2)
    prices.update(a_row(SPY=100.0, IBM=185.0), at(60), 10.0)
    believed = prices.update(a_row(SPY=100_000.0, IBM=185.0), at(120), 10.0)
    assert np.isnan(believed.high[0])
    assert (believed.high[1], believed.close[1]) == (185.0, 185.0)


def test_a_person_is_alarmed_when_shares_have_no_stop_because_the_broker_denies_them():
    """Found by simulation (brutal 2007): the broker's figures lagged for minutes, and only a warning was said."""
    engine = an_engine_whose_stop_filled_unheard()
    engine.handle(cancelled(STOP, 85))
    told = handle_all(engine, [fired(f"protect:{PLAN}", 88), fired(f"protect:{PLAN}", 91)])
    (alarm,) = [notice for notice in of_kind(told, Notify) if notice.level == "critical"]
    assert alarm.text == f"{PLAN}: 500 shares of SPY have no whole stop, and the account holds no more of them"
    assert of_kind(told, ReplaceStop) == []


def a_busted_entry(seconds=62):
    """The broker takes all 500 back."""
    return FillCorrected(received_at=at(seconds), fill=a_fill(ENTRY, 0, 100.0, exec_id="0001.01.01.02", seconds=61))


def test_what_a_stop_sold_of_an_entry_that_was_taken_back_is_bought_back():
    """Found by simulation (brutal 22044): the short was taken for an entry whose executions were to come."""
    engine = a_long_engine()
    engine.handle(a_busted_entry())
    told = engine.handle(filled(a_fill(STOP, 500, 99.0, exec_id="0001.01.09.01", seconds=63)))
    ((side, quantity),) = [(command.order.side, command.order.quantity) for command in of_kind(told, Flatten)]
    assert (side, quantity) == (Side.BUY, 500)


def test_a_target_in_the_old_group_shrinks_at_once_with_an_exit_in_the_new_one():
    """Found by simulation (brutal 22000): it sold all after an exit had sold half: the plan was short."""
    engine = a_long_engine()
    says(engine, SPY=0.5)
    engine.handle(bars(120, SPY=100.0))
    handle_all(engine, [taken_by_its_group(f"{PLAN}:X1", 121), a_report(121.5, positions={"SPY": 500})])
    (half,) = of_kind(engine.handle(fired(f"close:{PLAN}", 122)), Flatten)
    sold = a_fill(half.order.ref, half.order.quantity, 100.0, exec_id="0001.01.10.01", seconds=123)
    told = handle_all(engine, [accepted(half.order.ref, 123, 10), filled(sold)])
    left = 500 - half.order.quantity
    assert (TARGET, left) in [(command.order.ref, command.order.quantity) for command in of_kind(told, ReplaceStop)]


def test_a_stop_whose_entry_was_lost_is_cancelled_by_the_report_that_shows_it():
    """Found by simulation (brutal 22000, 9346): it stood until the next row, and sold 9 shares that nobody held."""
    engine = an_engine_that_asked()
    lone = {"open_orders": [line for line in lines_of(engine) if line.ref == STOP]}
    handle_all(engine, [accepted(STOP, 62, 1), fired(f"acknowledge:{ENTRY}", 72), fired(f"acknowledge:{TARGET}", 72)])
    told = handle_all(engine, [a_report(75, **lone), a_report(78, **lone)])
    assert ENTRY in engine.book.closed_orders
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP]
