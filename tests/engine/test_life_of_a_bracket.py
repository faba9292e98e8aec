"""From a view to flat: what the engine commands at each step of a bracket's life."""

from datetime import timedelta

import pytest

from risk.trading_state import TradingState
from shared.commands import AskBroker, CancelOrder, Flatten, PlaceBracket, ReplaceStop, SetTimer
from shared.events import FillCorrected, OperatorCommanded, OrderUnknown, SessionScheduled, StopRequested
from shared.ids import leg_ref
from shared.orders import Leg, OrderType, Side
from tests.engine.builders import (
    CLOSE,
    ENTRY,
    OPEN,
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
    says,
    some_limits,
    some_settings,
)

EXIT = leg_ref(PLAN, Leg.EXIT, 1)
PROTECTION = leg_ref(PLAN, Leg.PROTECTION, 1)


def told(seconds, verb, scope="account"):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope=scope, actor="test")


# --- entry ------------------------------------------------------------------------------------------------------


def test_a_view_becomes_a_bracket_with_stop_and_target_on_tick():
    engine = a_started()
    says(engine, SPY=1.0)
    (bracket,) = of_kind(engine.handle(bars(60, SPY=100.0, IBM=185.0)), PlaceBracket)
    entry, stop, target = bracket.bracket.entry, bracket.bracket.stop_loss, bracket.bracket.take_profit
    assert (entry.ref, entry.side, entry.quantity, entry.order_type) == (ENTRY, Side.BUY, 500, OrderType.MARKET)
    assert (stop.ref, stop.side, stop.quantity, stop.stop_price, stop.tif) == (STOP, Side.SELL, 500, 99.0, "GTC")
    assert (target.ref, target.limit_price, target.tif) == (TARGET, 102.0, "GTC")
    assert stop.oca_group == target.oca_group == PLAN


def test_a_short_view_has_its_stop_above_and_its_target_below():
    engine = a_started()
    says(engine, SPY=-1.0)
    (bracket,) = of_kind(engine.handle(bars(60, SPY=100.0)), PlaceBracket)
    assert bracket.bracket.entry.side is Side.SELL
    assert (bracket.bracket.stop_loss.stop_price, bracket.bracket.take_profit.limit_price) == (101.0, 98.0)


def test_a_limit_entry_pays_at_most_the_offset_and_has_a_timer():
    engine = a_started(an_engine(settings=some_settings(entry="limit", limit_offset_bps=10.0)))
    says(engine, SPY=1.0)
    commands = engine.handle(bars(60, SPY=100.0))
    (bracket,) = of_kind(commands, PlaceBracket)
    assert (bracket.bracket.entry.order_type, bracket.bracket.entry.limit_price) == (OrderType.LIMIT, 100.1)
    assert [(timer.timer_id, timer.clock) for timer in of_kind(commands, SetTimer)] == [
        (f"acknowledge:{STOP}", "wall"),
        (f"acknowledge:{ENTRY}", "wall"),
        (f"entry:{ENTRY}", "market"),
    ]


def test_a_limit_entry_whose_time_is_up_is_cancelled_once_and_not_repeated():
    engine = an_engine_at_work(an_engine(settings=some_settings(entry="limit")))
    asked = engine.handle(fired(f"entry:{ENTRY}", 180))
    assert [command.ref for command in of_kind(asked, CancelOrder)] == [ENTRY]
    assert of_kind(engine.handle(bars(240, SPY=100.0)), CancelOrder) == []
    handle_all(engine, [cancelled(ref, 241) for ref in (ENTRY, STOP, TARGET)])
    assert engine.handle(bars(300, SPY=100.0)) == []


def test_the_same_view_again_does_nothing():
    engine = a_long_engine()
    assert engine.handle(bars(120, SPY=100.5)) == []


def test_a_view_formed_in_history_is_news_to_the_first_live_row():
    engine = a_started()
    says(engine, SPY=1.0)
    assert engine.handle(bars(60, SPY=100.0, warm_up=True)) == []
    assert kinds(engine.handle(bars(120, SPY=100.0)))[0] == "PlaceBracket"


def test_a_row_of_history_may_end_a_holding_but_opens_nothing_on_the_other_side():
    engine = a_long_engine()
    says(engine, SPY=-1.0)
    assert engine.handle(bars(120, SPY=99.5, warm_up=True)) == []
    says(engine)
    (exit_order,) = of_kind(engine.handle(bars(180, SPY=99.5)), Flatten)
    assert (exit_order.order.side, exit_order.order.quantity) == (Side.SELL, 500)


def test_an_entry_that_the_gate_reduced_is_not_topped_up_row_after_row():
    engine = a_started(an_engine(settings=some_settings(some_limits(max_order_quantity=300))))
    says(engine, SPY=1.0)
    (bracket,) = of_kind(engine.handle(bars(60, SPY=100.0)), PlaceBracket)
    assert bracket.bracket.entry.quantity == 300
    handle_all(engine, [accepted(ENTRY), filled(a_fill(quantity=300))])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []


def test_a_refused_entry_is_told_once_and_goes_when_the_rule_is_satisfied():
    engine = a_started(an_engine(settings=some_settings(entry_after_open_s=200.0)))
    says(engine, SPY=1.0)
    assert codes(engine.handle(bars(60, SPY=100.0))) == ["entry_denied"]
    assert engine.handle(bars(120, SPY=100.0)) == []
    assert kinds(engine.handle(bars(240, SPY=100.0)))[0] == "PlaceBracket"


def test_a_rejected_entry_is_not_sent_again_until_the_view_changes():
    engine = an_engine_that_asked()
    assert codes(engine.handle(rejected(ENTRY, 61))) == ["rejected"]
    handle_all(engine, [cancelled(STOP, 61), cancelled(TARGET, 61)])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []
    says(engine, SPY=0.5)
    assert len(of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)) == 1


def test_nothing_is_entered_before_the_broker_was_asked_again_after_a_reconnect():
    engine = a_started()
    says(engine, SPY=1.0)
    assert engine.handle(disconnected(30))[0].code == "connection_lost"
    assert engine.handle(bars(60, SPY=100.0)) == []
    engine.handle(connected(70))
    assert codes(engine.handle(bars(120, SPY=100.0))) == ["entry_denied"]
    engine.handle(a_report(130))
    assert kinds(engine.handle(bars(180, SPY=100.0)))[0] == "PlaceBracket"


def test_entries_have_their_window_and_none_comes_in_the_last_quarter_of_an_hour():
    engine = a_started()
    says(engine, SPY=1.0)
    late = (CLOSE - OPEN).total_seconds() - 600
    assert codes(engine.handle(bars(late, SPY=100.0))) == ["entry_denied"]


# --- exits ------------------------------------------------------------------------------------------------------


def test_a_view_that_ends_closes_the_position_in_the_group_of_its_stop():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    commands = engine.handle(bars(120, SPY=100.5))
    (exit_order,) = of_kind(commands, Flatten)
    assert (exit_order.order.ref, exit_order.order.quantity, exit_order.order.oca_group) == (EXIT, 500, PLAN)
    assert engine.handle(bars(180, SPY=100.4)) == []


def test_a_view_that_turns_closes_first_and_enters_the_other_side_when_flat():
    engine = a_long_engine()
    says(engine, SPY=-1.0)
    assert [kind for kind in kinds(engine.handle(bars(120, SPY=100.0))) if kind != "SetTimer"] == ["Flatten"]
    handle_all(engine, [filled(a_fill(EXIT, exec_id="0001.01.02.01", seconds=121)), cancelled(STOP), cancelled(TARGET)])
    (bracket,) = of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)
    assert (bracket.bracket.entry.side, bracket.bracket.entry.ref) == (Side.SELL, "OB1:s:20131008:SPY-2:E")


@pytest.mark.parametrize("leg", [STOP, TARGET])
def test_after_a_stop_or_target_the_same_view_does_not_enter_again(leg):
    engine = a_long_engine()
    handle_all(engine, [filled(a_fill(leg, price=99.0, exec_id="0001.01.02.01", seconds=90)), cancelled(TARGET, 90)])
    handle_all(engine, [cancelled(STOP, 90)])
    assert of_kind(engine.handle(bars(120, SPY=99.0)), PlaceBracket) == []


def test_the_position_is_closed_before_the_session_ends():
    engine = a_long_engine()
    before_close = (CLOSE - OPEN).total_seconds() - 300
    assert of_kind(engine.handle(bars(before_close - 60, SPY=100.0)), Flatten) == []
    assert len(of_kind(engine.handle(fired("flatten", before_close)), Flatten)) == 1


def test_a_close_whose_timer_came_early_because_the_wall_was_set_back_waits_for_its_time():
    engine = a_long_engine()
    due = (CLOSE - OPEN).total_seconds() - 300
    commands = engine.handle(fired("flatten", due - 46))
    assert of_kind(commands, Flatten) == []
    assert [(timer.timer_id, timer.after_s) for timer in of_kind(commands, SetTimer)] == [("flatten", 46.0)]
    assert len(of_kind(engine.handle(fired("flatten", due)), Flatten)) == 1


def test_a_half_day_is_flat_five_minutes_before_its_own_close():
    engine = a_long_engine()
    noon = OPEN + timedelta(hours=3, minutes=30)
    scheduled = SessionScheduled(received_at=at(90), session=OPEN.date(), opens_at=OPEN, closes_at=noon)
    (timer,) = engine.handle(scheduled)
    assert (timer.timer_id, timer.after_s) == ("flatten", 3.5 * 3600 - 300 - 90)
    assert len(of_kind(engine.handle(bars(3.5 * 3600 - 300, SPY=100.0)), Flatten)) == 1


def test_a_refused_exit_goes_again_in_a_new_group():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    assert codes(engine.handle(rejected(EXIT, 121, text="OCA group is already filled"))) == ["rejected"]
    (again,) = of_kind(engine.handle(bars(180, SPY=100.0)), Flatten)
    assert (again.order.ref, again.order.oca_group) == (leg_ref(PLAN, Leg.EXIT, 2), f"{PLAN}#1")


# --- protection -------------------------------------------------------------------------------------------------


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
    commands = engine.handle(bars(120, SPY=98.0))
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [500]
    assert of_kind(commands, ReplaceStop) == []


def test_after_a_part_filled_entry_the_legs_shrink_to_the_filled_part():
    engine = an_engine_at_work()
    handle_all(engine, [filled(a_fill(quantity=200)), cancelled(ENTRY, 65)])
    smaller = of_kind(engine.handle(bars(120, SPY=100.0)), ReplaceStop)
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


# --- people and doubt ---------------------------------------------------------------------------------------------


def test_a_stop_request_pulls_entries_and_leaves_protection():
    engine = an_engine_at_work()
    commands = engine.handle(StopRequested(received_at=at(70), reason="SIGTERM"))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]
    long = a_long_engine()
    assert long.handle(StopRequested(received_at=at(70), reason="SIGTERM")) == []


@pytest.mark.parametrize("verb", ["halt", "reduce", "observe"])
def test_a_person_may_stop_entries_and_lets_them_go_again(verb):
    engine = a_started()
    engine.handle(told(10, verb))
    says(engine, SPY=1.0)
    assert codes(engine.handle(bars(60, SPY=100.0))) == ["entry_denied"]
    engine.handle(told(70, "resume"))
    assert kinds(engine.handle(bars(120, SPY=100.0)))[0] == "PlaceBracket"


def test_a_flatten_closes_what_it_names_and_halts_it():
    engine = a_long_engine()
    assert of_kind(engine.handle(told(70, "flatten", "instrument:IBM")), Flatten) == []
    commands = engine.handle(told(71, "flatten", "instrument:SPY"))
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [500]
    assert engine.book.trading_states.state_for("s", "SPY") is TradingState.HALTED


def test_silence_makes_every_waiting_leg_unknown_and_asks_the_broker():
    engine = an_engine_that_asked()
    commands = engine.handle(fired(f"acknowledge:{ENTRY}", 71))
    assert codes(commands) == ["order_unknown"] * 3
    assert kinds(commands)[-1] == "AskBroker"
    assert {order.order.ref for order in engine.book.unknown_orders()} == {ENTRY, STOP, TARGET}


def test_an_unknown_order_blocks_entries_in_its_instrument_only():
    engine = an_engine_that_asked()
    engine.handle(OrderUnknown(received_at=at(70), ref=ENTRY, reason="code 9999"))
    says(engine, SPY=0.5, IBM=1.0)
    brackets = of_kind(engine.handle(bars(120, SPY=100.0, IBM=185.0)), PlaceBracket)
    assert [bracket.bracket.entry.symbol for bracket in brackets] == ["IBM"]


def test_an_unknown_code_never_ends_an_order():
    engine = an_engine_at_work()
    commands = engine.handle(OrderUnknown(received_at=at(70), ref=STOP, reason="code 9999"))
    assert kinds(commands) == ["Notify", "AskBroker"]
    assert len(of_kind(commands, AskBroker)) == 1
    assert STOP in engine.book.orders


def test_a_target_larger_than_the_position_is_cut_at_a_report_too_where_no_rows_come():
    """The stop sold 200 of 500, the group did not cut the target; streams are silent."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(STOP, 200, 99.0, exec_id="0001.01.03.01", seconds=70)))
    lines = lines_of(engine)
    assert of_kind(engine.handle(a_report(90, positions={"SPY": 300}, open_orders=lines)), ReplaceStop) == []
    told = engine.handle(a_report(190, positions={"SPY": 300}, open_orders=lines))
    assert [(c.order.ref, c.order.quantity) for c in of_kind(told, ReplaceStop)] == [(TARGET, 300)]


def test_shares_sold_too_many_are_bought_back_though_the_fate_of_an_exit_is_unknown():
    """Found by simulation (brutal 40037): an exit that nobody knew of stood for the one that gives back."""
    engine = a_long_engine()
    says(engine, SPY=0.0)
    handle_all(engine, [bars(120, SPY=100.0), OrderUnknown(received_at=at(121), ref=EXIT, reason="103")])
    busted = FillCorrected(received_at=at(122), fill=a_fill(quantity=493, exec_id="0001.01.01.02"))
    told = handle_all(engine, [busted, filled(a_fill(STOP, 500, 99.0, exec_id="0001.01.02.01", seconds=123))])
    assert [(command.order.side, command.order.quantity) for command in of_kind(told, Flatten)] == [(Side.BUY, 7)]
    assert of_kind(engine.handle(bars(180, SPY=100.0)), Flatten) == []


def test_shares_that_exits_sold_too_many_are_bought_back_and_no_leg_is_left_to_sell_more():
    """TWS.md 4.35: the target sold all, and half of the stop; its rest would sell again what is bought back."""
    engine = a_long_engine()
    sold = a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01")
    again = a_fill(STOP, 200, 99.0, exec_id="0001.01.03.01")
    told = handle_all(engine, [filled(sold), filled(again)])
    (back,) = of_kind(told, Flatten)
    assert (back.order.side, back.order.quantity) == (Side.BUY, 200)
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP]
