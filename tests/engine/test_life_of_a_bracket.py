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
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    accepted,
    an_engine,
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
    rejected,
    says,
    some_limits,
    some_settings,
)

EXIT = leg_ref(PLAN, Leg.EXIT, 1)


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


def test_a_refused_exit_goes_again_in_the_group_of_the_stop_that_rests():
    """Found by simulation (brutal 9754): in another group both filled at the end of a halt."""
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    assert codes(engine.handle(rejected(EXIT, 121, text="Insufficient margin"))) == ["rejected"]
    (again,) = of_kind(engine.handle(bars(180, SPY=100.0)), Flatten)
    assert (again.order.ref, again.order.oca_group) == (leg_ref(PLAN, Leg.EXIT, 2), PLAN)


def test_a_refused_exit_goes_again_in_a_new_group_where_nothing_rests_in_the_old():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    gone = [cancelled(TARGET, 120.5), cancelled(STOP, 120.5), rejected(EXIT, 121, text="no reason")]
    handle_all(engine, [*gone, a_report(121.5, positions={"SPY": 500})])
    (again,) = of_kind(engine.handle(bars(180, SPY=100.0)), Flatten)
    assert (again.order.ref, again.order.oca_group) == (leg_ref(PLAN, Leg.EXIT, 2), f"{PLAN}#1")


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


def an_engine_that_oversold_beside_its_entry():
    """TWS.md 4.35 behind a part of an entry: 200 of 500 bought, sold by the target and by the stop; 300 still rest."""
    engine = an_engine_at_work()
    handle_all(engine, [filled(a_fill(quantity=200)), filled(a_fill(TARGET, 200, 102.0, exec_id="0001.01.02.01"))])
    return engine, engine.handle(filled(a_fill(STOP, 200, 99.0, exec_id="0001.01.03.01", seconds=62)))


def test_an_entry_still_at_work_is_pulled_before_shares_sold_too_many_are_bought_back():
    """Found by simulation (brutal 8248): 100 shares short and nobody told while the rest of the entry rested."""
    engine, told = an_engine_that_oversold_beside_its_entry()
    (grace,) = (timer for timer in of_kind(told, SetTimer) if timer.timer_id == f"protect:{PLAN}")
    assert (grace.after_s, of_kind(told, CancelOrder), codes(told)) == (1.0, [], ["filled"])
    pulled = engine.handle(fired(grace.timer_id, 63))
    assert ([command.ref for command in of_kind(pulled, CancelOrder)], codes(pulled)) == ([ENTRY], ["overfilled"])
    assert of_kind(pulled, Flatten) + engine.handle(fired(grace.timer_id, 64)) == []
    back = engine.handle(cancelled(ENTRY, 65))
    assert [(command.order.side, command.order.quantity) for command in of_kind(back, Flatten)] == [(Side.BUY, 200)]
    assert [command.ref for command in of_kind(back, CancelOrder)] == [STOP, TARGET]


def test_an_entry_whose_executions_were_only_late_is_not_pulled():
    engine, _ = an_engine_that_oversold_beside_its_entry()
    engine.handle(filled(a_fill(quantity=300, exec_id="0001.01.04.01", seconds=62)))
    assert engine.handle(fired(f"protect:{PLAN}", 63)) == []


def test_an_oversold_plan_is_told_also_where_nobody_knows_what_became_of_its_entry():
    engine, _ = an_engine_that_oversold_beside_its_entry()
    engine.handle(OrderUnknown(received_at=at(62.5), ref=ENTRY, reason="code 9999"))
    told = engine.handle(fired(f"protect:{PLAN}", 63))
    assert (codes(told), of_kind(told, Flatten)) == (["overfilled"], [])
    assert codes(engine.handle(bars(120, SPY=100.0))) == []
