from datetime import timedelta

import pytest

from research.backtest.bar_drive import drive_bars
from shared.commands import CancelOrder, SetTimer
from shared.events import (
    BarsClosed,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    SessionScheduled,
    TimerFired,
)
from shared.messages import encode
from tests.backtest.builders import MONDAY, OPENS, ScriptedEngine, a_bracket, a_driver, a_panel, flat

FLAT = [flat(100.0)] * 6


def run(engine, panel, **layout):
    driver, timeline = a_driver(engine, panel, **layout)
    return drive_bars(driver, timeline)


def of_kind(engine, kind):
    return [event for event in engine.events if isinstance(event, kind)]


def test_a_run_begins_as_a_live_one_does_and_then_each_row_is_account_before_bars():
    engine = ScriptedEngine()
    run(engine, a_panel(FLAT[:2]))
    assert engine.kinds() == [
        "RunStarted",
        "SessionScheduled",
        "ConnectionRestored",
        "BrokerReported",
        *["AccountReported", "BarsClosed"] * 2,
    ]


def test_time_never_runs_backwards():
    engine = ScriptedEngine({1: [a_bracket()]})
    run(engine, a_panel(FLAT, minutes_per_session=3), minutes_per_session=3)
    times = [event.received_at for event in engine.events]
    assert times == sorted(times)


def test_an_order_first_meets_the_row_after_the_one_it_was_decided_on():
    rows = [flat(100.0), flat(101.0), flat(103.0)]
    engine = ScriptedEngine({0: [a_bracket(target=None)]})
    result = run(engine, a_panel(rows))
    assert [(entry.fill.price, entry.fill.filled_at) for entry in result.fills] == [
        (101.0, OPENS + timedelta(minutes=2))
    ]


def test_fills_reach_the_engine_before_the_row_that_made_them():
    engine = ScriptedEngine({0: [a_bracket()]})
    run(engine, a_panel(FLAT[:2]))
    kinds = engine.kinds()[6:]
    assert kinds == [
        *["OrderAccepted"] * 3,
        "OrderFilled",
        "CommissionReported",
        "AccountReported",
        "BarsClosed",
    ]


def test_a_new_session_is_announced_at_its_open_before_its_first_row():
    engine = ScriptedEngine()
    run(engine, a_panel(FLAT, minutes_per_session=3), minutes_per_session=3)
    scheduled = of_kind(engine, SessionScheduled)
    assert [event.session for event in scheduled] == [MONDAY, MONDAY + timedelta(days=1)]
    assert [event.received_at for event in scheduled] == [event.opens_at for event in scheduled]


def test_a_day_order_ends_with_its_session_but_its_protection_stays():
    engine = ScriptedEngine({0: [a_bracket(limit=90.0)]})
    run(engine, a_panel(FLAT, minutes_per_session=3), minutes_per_session=3)
    cancelled = of_kind(engine, OrderCancelled)
    assert [event.ref[-1] for event in cancelled] == ["E", "S", "T"]
    assert {event.received_at for event in cancelled} == {OPENS + timedelta(minutes=3)}


def test_the_protection_of_a_filled_entry_outlives_the_session():
    engine = ScriptedEngine({0: [a_bracket()]})
    run(engine, a_panel(FLAT, minutes_per_session=3), minutes_per_session=3)
    assert of_kind(engine, OrderCancelled) == []


def test_an_order_sent_at_the_close_is_for_the_next_session():
    engine = ScriptedEngine({2: [a_bracket()]})
    result = run(engine, a_panel(FLAT, minutes_per_session=3), minutes_per_session=3)
    assert [entry.fill.filled_at for entry in result.fills] == [OPENS + timedelta(days=1, minutes=1)]


def test_a_market_timer_fires_at_the_first_close_after_it_is_due_and_after_the_matching():
    timer = SetTimer(timer_id="entry", after_s=30.0, clock="market")
    engine = ScriptedEngine({0: [timer, a_bracket()]})
    run(engine, a_panel(FLAT[:2]))
    kinds = engine.kinds()
    assert kinds.index("OrderFilled") < kinds.index("TimerFired") < len(kinds) - 1
    assert of_kind(engine, TimerFired)[0].received_at == OPENS + timedelta(minutes=2)


def test_a_timer_that_comes_due_after_the_last_row_of_a_session_fires_before_the_session_ends():
    timer = SetTimer(timer_id="flatten", after_s=120.0, clock="market")
    engine = ScriptedEngine({1: [timer]})
    run(engine, a_panel(FLAT[:4], minutes_per_session=2), minutes_per_session=5)
    assert of_kind(engine, TimerFired)[0].received_at == OPENS + timedelta(minutes=5)


def test_a_timer_set_again_forgets_its_first_time():
    def later(event):
        return [SetTimer(timer_id="a", after_s=600.0, clock="market")] if isinstance(event, OrderFilled) else []

    engine = ScriptedEngine({0: [SetTimer(timer_id="a", after_s=90.0, clock="market"), a_bracket()]}, later)
    run(engine, a_panel(FLAT[:4]))
    # What remains is the end of the session, hours later.
    assert [event.received_at for event in of_kind(engine, TimerFired)] == [OPENS + timedelta(minutes=390)]


def test_wall_timers_never_fire():
    engine = ScriptedEngine({0: [SetTimer(timer_id="ack", after_s=1.0, clock="wall")]})
    run(engine, a_panel(FLAT))
    assert of_kind(engine, TimerFired) == []


def test_a_command_given_on_a_fill_is_with_the_broker_before_the_same_row_is_decided():
    def cancel_target(event):
        return [CancelOrder(ref="OB1:test:20131007:SPY-1:T")] if isinstance(event, OrderFilled) else []

    engine = ScriptedEngine({0: [a_bracket()]}, cancel_target)
    run(engine, a_panel([flat(100.0)] * 2 + [(100.0, 110.0, 100.0, 110.0)]))
    assert [event.ref[-1] for event in of_kind(engine, OrderCancelled)] == ["T"]
    assert [event.fill.ref[-1] for event in of_kind(engine, OrderFilled)] == ["E"]


def test_warm_up_rows_come_first_and_are_marked():
    engine = ScriptedEngine()
    panel = a_panel(FLAT, minutes_per_session=3)
    run(engine, panel, minutes_per_session=3, warm_up=2, start=MONDAY + timedelta(days=1))
    bars = of_kind(engine, BarsClosed)
    assert [event.warm_up for event in bars] == [True, True, False, False, False]
    assert bars[0].received_at == OPENS + timedelta(days=1)


def test_equity_is_marked_at_the_close_of_every_row():
    rows = [flat(100.0), flat(100.0), flat(101.0), flat(99.5)]
    result = run(ScriptedEngine({0: [a_bracket(target=None)]}), a_panel(rows))
    assert result.curve.net_liquidation.tolist() == [100_000.0, 100_000.0, 100_100.0, 99_950.0]
    assert result.curve.gross.tolist() == [0.0, 10_000.0, 10_100.0, 9_950.0]


@pytest.mark.parametrize("kind", [OrderAccepted, OrderFilled])
def test_two_runs_over_the_same_rows_give_the_same_bytes(kind):
    def bytes_of_a_run():
        engine = ScriptedEngine({0: [a_bracket(1)], 2: [a_bracket(2)]})
        run(engine, a_panel(FLAT))
        return [encode(event) for event in of_kind(engine, kind)]

    first = bytes_of_a_run()
    assert first
    assert first == bytes_of_a_run()
