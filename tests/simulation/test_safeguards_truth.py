"""That each safeguard of book and protection bites: the engine alone, the same events with it and without it."""

import pytest
from msgspec.structs import replace

from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import FillCorrected, OperatorCommanded, OrderUnknown
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
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
    run_started,
    says,
)
from tests.simulation.safeguards.safeguard import switched_off
from tests.simulation.safeguards.table import safeguard_of


def command(verb, seconds, scope="account"):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope=scope, actor="a test")


def held(engine):
    return engine.book.position("SPY").quantity


def stops_of(commands):
    """Ref and shares of the stops that are placed or changed."""
    return [(order.order.ref.rpartition(":")[2], order.order.quantity) for order in of_kind(commands, ReplaceStop)]


def cancels_of(commands):
    return [one.ref.rpartition(":")[2] for one in of_kind(commands, CancelOrder)]


def exits_of(commands):
    return [(one.order.side.value, one.order.quantity) for one in of_kind(commands, Flatten)]


# --- executions -----------------------------------------------------------------------------------------------------


def told_twice():
    engine = a_long_engine()
    engine.handle(filled(a_fill(), 63))
    return held(engine)


def corrected_to_400():
    engine = a_long_engine()
    correction = a_fill(quantity=400, exec_id="0001.01.01.02")
    engine.handle(FillCorrected(received_at=at(63), fill=correction))
    return held(engine)


def filled_after_its_cancel():
    engine = an_engine_at_work()
    handle_all(engine, [cancelled(ENTRY, 62), filled(a_fill(), 63)])
    return held(engine)


def filled_while_the_line_was_down():
    engine = an_engine_at_work()
    told = {"positions": {"SPY": 500}, "fills": [a_fill(seconds=75)], "open_orders": lines_of(engine, STOP, TARGET)}
    handle_all(engine, [disconnected(70), connected(80), a_report(81, **told)])
    return held(engine)


# --- orders ---------------------------------------------------------------------------------------------------------


def lists_of_orders_that_do_not_end():
    """Three reports without a complete list of open orders, 20 s apart; whether the entry is still believed in."""
    engine = an_engine_at_work()
    handle_all(engine, [a_report(80 + 20 * n, unanswered=["open_orders"]) for n in range(3)])
    return ENTRY in engine.book.orders


def no_answer_to_an_entry():
    """Whether the entry counts when nobody has answered for ten seconds."""
    engine = an_engine_that_asked()
    engine.handle(fired(f"acknowledge:{ENTRY}", 71))
    return engine.book.working_entries("s", "SPY")


def what_follows_on_silence():
    engine = an_engine_that_asked()
    return [kind for kind in kinds(engine.handle(fired(f"acknowledge:{ENTRY}", 71))) if kind != "SetTimer"]


def one_report_without_the_entry():
    engine = an_engine_at_work()
    engine.handle(a_report(63, open_orders=lines_of(engine, STOP, TARGET)))
    return ENTRY in engine.book.orders


def one_reference_twice():
    engine = an_engine_at_work()
    lines = lines_of(engine)
    double = next(replace(line, perm_id=99) for line in lines if line.ref == ENTRY)
    return cancels_of(engine.handle(a_report(70, open_orders=[*lines, double])))


# --- protection -----------------------------------------------------------------------------------------------------


def a_stop_that_is_cancelled():
    engine = a_long_engine()
    return stops_of(handle_all(engine, [cancelled(STOP, 70), fired(f"protect:last:{PLAN}", 78)]))


def a_stop_that_is_refused_three_times():
    """What is sold because no stop can be had."""
    engine = a_long_engine()
    first = engine.handle(rejected(STOP, 70))
    later = [engine.handle(rejected(f"{PLAN}:P{n}", 70 + n)) for n in (1, 2)]
    return exits_of([*first, *(one for commands in later for one in commands)])


def a_stop_that_nobody_confirms():
    engine = a_long_engine()
    engine.handle(OrderUnknown(received_at=at(70), ref=STOP, reason="no answer"))
    return "stop_unconfirmed" in codes(engine.handle(fired(f"protect:{PLAN}", 73)))


def an_entry_whose_stop_is_refused():
    return cancels_of(an_engine_at_work().handle(rejected(STOP, 62)))


def an_entry_of_which_200_filled():
    """Shares of the stop after the rest of the entry was cancelled and the next row has come."""
    engine = an_engine_at_work()
    return stops_of(handle_all(engine, [filled(a_fill(quantity=200)), cancelled(ENTRY, 70), bars(120, SPY=100.0)]))


def a_plan_that_was_sold():
    """Legs that are pulled when the exit has filled."""
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    sold = filled(a_fill(f"{PLAN}:X1", exec_id="0001.01.09.01", seconds=121))
    return cancels_of(handle_all(engine, [sold, bars(180, SPY=100.0)]))


def exits_that_sold_twice():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    both = [a_fill(f"{PLAN}:X1", exec_id="0001.01.08.01", seconds=121), a_fill(STOP, exec_id="0001.01.09.01")]
    return exits_of(handle_all(engine, [filled(fill, 122) for fill in both]))


def an_exit_on_its_way():
    """Two rows without a view, the exit of the first has no answer yet."""
    engine = a_long_engine()
    says(engine, SPY=0.0)
    return exits_of(handle_all(engine, [bars(120, SPY=100.0), bars(180, SPY=100.0)]))


def shares_that_the_broker_denies():
    """Long 500 in the book, flat at the broker, both legs gone; then the view ends."""
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), a_report(81), a_report(84), a_report(100), a_report(104)])
    says(engine, SPY=0.0)
    return exits_of(engine.handle(bars(120, SPY=100.0)))


def a_night_with_a_split():
    """500 became 1,000, no order rests any more; what is placed in the morning by itself."""
    engine = a_long_engine()
    agreed = a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine))
    handle_all(engine, [agreed, disconnected(2000), connected(82_200)])
    reports = [a_report(82_200 + seconds, positions={"SPY": 1000}) for seconds in (1, 20, 40)]
    return bool(stops_of(handle_all(engine, [*reports, fired(f"protect:{PLAN}", 82_250)])))


def how_long_a_stop_rests():
    engine = a_started()
    says(engine, SPY=1.0)
    (placed,) = of_kind(engine.handle(bars(60, SPY=100.0, IBM=185.0)), PlaceBracket)
    return placed.bracket.stop_loss.tif


# --- people ---------------------------------------------------------------------------------------------------------


def after_a_restart(verb):
    engine = a_started()
    handle_all(engine, [command(verb, 20), run_started(30, "r2"), connected(40), a_report(41)])
    says(engine, SPY=1.0)
    return len(of_kind(engine.handle(bars(60, SPY=100.0, IBM=185.0)), PlaceBracket))


def a_halt_and_a_restart():
    return after_a_restart("halt")


def a_latch_and_a_restart():
    engine = a_started()
    engine.book.breakers.trip("account", "max_day_loss", "REDUCING", "lost", at(10))
    handle_all(engine, [run_started(30, "r2"), connected(40), a_report(41)])
    return [latch.rule for latch in engine.book.breakers.latched.get("account", [])]


def a_count_and_a_restart():
    engine = an_engine_that_asked()
    handle_all(engine, [run_started(70, "r2"), connected(80), a_report(81)])
    return engine.book.pace.sent_today


def a_latch_and_a_resume():
    engine = a_started()
    engine.book.breakers.trip("account", "max_day_loss", "REDUCING", "lost", at(10))
    engine.handle(command("resume", 20))
    return [latch.rule for latch in engine.book.breakers.latched.get("account", [])]


def a_halt_while_an_entry_rests():
    return cancels_of(an_engine_at_work().handle(command("halt", 62)))


def a_flatten_while_nobody_answers():
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), command("flatten", 75), connected(80)])
    back = a_report(81, positions={"SPY": 500}, open_orders=lines_of(engine))
    return exits_of(engine.handle(back))


def a_cancel_that_is_not_answered():
    engine = an_engine_at_work()
    engine.handle(command("halt", 62))
    return cancels_of(engine.handle(fired(f"cancel:{ENTRY}", 73)))


def five_minutes_before_the_close():
    engine = a_long_engine()
    return exits_of(engine.handle(bars(6.5 * 3600 - 240, SPY=100.0)))


SCENES = [
    ("executions_once", told_twice, 500, 1000),
    ("corrections_replace", corrected_to_400, 400, 900),
    ("late_executions_count", filled_after_its_cancel, 500, 0),
    ("executions_are_asked", filled_while_the_line_was_down, 500, 0),
    ("unanswered_is_not_empty", lists_of_orders_that_do_not_end, True, False),
    ("silence_is_not_the_end", no_answer_to_an_entry, (500, 0), (0, 0)),
    ("no_blind_resend", what_follows_on_silence, ["Notify", "Notify", "Notify", "AskBroker"], ["PlaceBracket"]),
    ("acknowledgement_timer", what_follows_on_silence, ["Notify", "Notify", "Notify", "AskBroker"], []),
    ("two_reports_before_lost", one_report_without_the_entry, True, False),
    ("double_perm_id", one_reference_twice, ["E"], []),
    ("bare_shares_get_a_stop", a_stop_that_is_cancelled, [("P1", 500)], []),
    ("unprotectable_is_closed", a_stop_that_is_refused_three_times, [("SELL", 500)], []),
    ("refused_stops_are_counted", a_stop_that_is_refused_three_times, [("SELL", 500)], []),
    ("doubtful_stops_are_told", a_stop_that_nobody_confirms, True, False),
    ("bare_entries_are_pulled", an_entry_whose_stop_is_refused, ["E"], []),
    ("legs_shrink", an_entry_of_which_200_filled, [("S", 200), ("T", 200)], []),
    ("legs_end_with_the_plan", a_plan_that_was_sold, ["S", "T"], []),
    ("overfills_are_given_back", exits_that_sold_twice, [("BUY", 500)], []),
    ("exits_count_once", an_exit_on_its_way, [("SELL", 500)], [("SELL", 500), ("SELL", 500)]),
    ("denied_shares_are_not_sold", shares_that_the_broker_denies, [], [("SELL", 500)]),
    ("splits_wait_for_a_person", a_night_with_a_split, False, True),
    ("stops_outlive_the_day", how_long_a_stop_rests, "GTC", "DAY"),
    ("halt_survives_restart", a_halt_and_a_restart, 0, 1),
    ("latches_survive_restart", a_latch_and_a_restart, ["max_day_loss"], []),
    ("caps_survive_restart", a_count_and_a_restart, 1, 0),
    ("latches_need_a_reset", a_latch_and_a_resume, ["max_day_loss"], []),
    ("halt_pulls_entries", a_halt_while_an_entry_rests, ["E"], []),
    ("wishes_are_kept", a_flatten_while_nobody_answers, [("SELL", 500)], []),
    ("cancels_are_repeated", a_cancel_that_is_not_answered, ["E"], []),
    ("flat_before_the_close", five_minutes_before_the_close, [("SELL", 500)], []),
]


@pytest.mark.parametrize(("name", "scene", "right", "_"), SCENES)
def test_with_the_safeguard_it_is_right(name, scene, right, _):
    assert scene() == right, name


@pytest.mark.parametrize(("name", "scene", "_", "wrong"), SCENES)
def test_without_it_it_is_wrong(name, scene, _, wrong):
    with switched_off(safeguard_of(name)):
        assert scene() == wrong
