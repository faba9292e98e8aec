"""Automatic limits: what trips, what does not, and who may end it (docs/risk.md, I7)."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from daemon.engine.high_water import highest_reached
from daemon.engine.watch import CONFIRMATIONS
from risk.trading_state import TradingState
from shared.commands import CancelOrder, Notify, PlaceBracket
from shared.events import OperatorCommanded, OrderUnknown, SessionScheduled
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
    an_account,
    an_engine,
    an_engine_at_work,
    an_engine_that_asked,
    at,
    bars,
    cancelled,
    codes,
    filled,
    handle_all,
    of_kind,
    rejected,
    says,
    some_limits,
    some_settings,
)

REDUCING = TradingState.REDUCING


def an_engine_with(**limits):
    return an_engine(settings=some_settings(some_limits(**limits)))


def told(engine, equity, *, first, times=CONFIRMATIONS):
    """So many reports with that equity, a minute apart; everything else as the book has it."""
    commands = []
    for number in range(times):
        commands += engine.handle(bars(first + 60 * number, SPY=100.0))
        commands += engine.handle(
            a_report(first + 60 * number + 1, account=an_account(equity), unanswered=("positions",))
        )
    return commands


def state_of(engine, strategy="s", symbol="SPY"):
    return engine.book.breakers.state_for(strategy, symbol)


def command(verb, scope="account", seconds=3000):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope=scope, actor="a person")


def ref_of(plan):
    return f"OB1:s:20131008:{plan}:E"


def ask_for(engine, symbol, seconds, view):
    """The strategy's view of this instrument alone, and the row on which it sends a bracket."""
    says(engine, **{symbol: view})
    assert of_kind(engine.handle(bars(seconds, SPY=100.0, IBM=185.0)), PlaceBracket) != []


def refuse(engine, plan):
    """The broker takes the entry as no order and says nothing of its children."""
    assert "rejected" in codes(engine.handle(rejected(ref_of(plan))))


def test_a_day_loss_that_the_broker_reports_trips_after_three_samples():
    engine = a_started(an_engine_with(max_day_loss=20_000.0))
    told(engine, 980_000.0, first=120, times=1)
    assert state_of(engine) is TradingState.ACTIVE
    commands = told(engine, 980_000.0, first=600)
    assert state_of(engine) is REDUCING
    assert codes(commands).count("limit_latched") == 1


def test_one_bad_tick_trips_nothing():
    engine = a_started(an_engine_with(max_day_loss=20_000.0))
    engine.handle(a_report(120, account=an_account(1.0)))
    told(engine, 1e6, first=180)
    assert state_of(engine) is TradingState.ACTIVE


def minutes(engine, first, *numbers, price=100.0):
    return handle_all(engine, [bars(first + 60 * number, SPY=price) for number in numbers])


def test_one_bad_report_that_many_rows_see_trips_nothing():
    engine = a_started(an_engine_with(max_day_loss=20_000.0))
    engine.handle(a_report(120, account=an_account(1.0)))
    minutes(engine, 120, 1, 2, 3, 4, 5)
    assert state_of(engine) is TradingState.ACTIVE


def test_a_report_that_tells_no_number_trips_nothing_and_ends_no_row_of_samples():
    engine = a_started(an_engine_with(max_day_loss=20_000.0, max_drawdown_pct=1.0))
    told(engine, 970_000.0, first=120, times=2)
    told(engine, math.nan, first=300, times=3)
    assert state_of(engine) is TradingState.ACTIVE
    told(engine, 970_000.0, first=600, times=1)
    assert state_of(engine) is REDUCING


def test_one_bad_high_that_many_rows_see_is_no_high_water():
    engine = a_started(an_engine_with(max_drawdown_pct=5.0))
    engine.handle(a_report(120, account=an_account(9e9)))
    minutes(engine, 120, 1, 2, 3, 4, 5)
    told(engine, 1e6, first=600, times=5)
    assert state_of(engine) is TradingState.ACTIVE


def test_a_loss_that_only_our_own_prices_show_trips_too():
    # 500 shares bought at 100 and standing at 97.9 have lost 1,050.
    engine = a_long_engine(an_engine_with(max_day_loss=1000.0))
    handle_all(engine, [bars(60 * minute, SPY=97.9) for minute in (3, 4, 5)])
    assert state_of(engine) is REDUCING


@pytest.mark.parametrize(
    ("limit", "strategy", "symbol"),
    [("max_strategy_day_loss", "other", "SPY"), ("max_instrument_day_loss", "s", "IBM")],
)
def test_a_narrower_limit_stops_only_what_it_names(limit, strategy, symbol):
    engine = a_long_engine(an_engine_with(**{limit: 1000.0}))
    handle_all(engine, [bars(60 * minute, SPY=97.9) for minute in (3, 4, 5)])
    assert state_of(engine) is REDUCING
    assert state_of(engine, strategy, symbol) is TradingState.ACTIVE


def test_a_drawdown_is_measured_from_the_highest_equity_that_lasted():
    engine = a_started(an_engine_with(max_drawdown_pct=5.0))
    told(engine, 1_100_000.0, first=120)
    engine.handle(a_report(400, account=an_account(9e9), unanswered=("positions",)))  # one bad tick is no high
    told(engine, 1_046_000.0, first=420)
    assert state_of(engine) is TradingState.ACTIVE
    told(engine, 1_045_000.0, first=720)
    assert state_of(engine) is REDUCING


def test_a_week_is_measured_from_its_first_session():
    engine = a_started(an_engine_with(max_week_loss=30_000.0, max_day_loss=25_000.0))
    told(engine, 980_000.0, first=120)
    day = timedelta(days=1)
    engine.handle(
        SessionScheduled(received_at=OPEN + day, session=date(2013, 10, 9), opens_at=OPEN + day, closes_at=CLOSE + day)
    )
    told(engine, 970_000.0, first=86_400 + 120)
    assert [latch.rule for latch in engine.book.breakers.latched["account"]] == ["max_week_loss"]


def test_losing_round_trips_in_a_row_trip_at_once():
    engine = a_long_engine(an_engine_with(max_losses_in_a_row=1))
    engine.handle(filled(a_fill(STOP, 500, 99.0, seconds=121, exec_id="0002.01.01.01")))
    engine.handle(cancelled(TARGET, 121))
    handle_all(engine, [bars(180, SPY=99.0), bars(240, SPY=99.0)])
    scopes = {scope for scope, latches in engine.book.breakers.latched.items() if latches}
    assert scopes == {"account", "strategy:s"}


def test_refused_orders_in_a_row_trip_and_an_accepted_one_begins_anew():
    engine = an_engine_that_asked(an_engine_with(max_rejects_in_a_row=2))
    refuse(engine, "SPY-1")
    ask_for(engine, "IBM", 120, 1.0)
    engine.handle(accepted(ref_of("IBM-1"), 121))
    engine.handle(rejected(ref_of("IBM-1"), 122))
    minutes(engine, 120, 1)
    assert state_of(engine) is TradingState.ACTIVE
    ask_for(engine, "SPY", 240, -1.0)
    refuse(engine, "SPY-2")
    minutes(engine, 240, 1)
    assert state_of(engine) is REDUCING


def test_after_a_reset_a_streak_begins_with_nothing():
    engine = an_engine_that_asked(an_engine_with(max_rejects_in_a_row=1))
    refuse(engine, "SPY-1")
    minutes(engine, 60, 1)
    assert state_of(engine) is REDUCING
    engine.handle(command("reset", seconds=121))
    minutes(engine, 60, 2)
    assert state_of(engine) is TradingState.ACTIVE
    ask_for(engine, "IBM", 240, 1.0)
    refuse(engine, "IBM-1")
    minutes(engine, 240, 1)
    assert state_of(engine) is REDUCING


def test_orders_of_unknown_fate_trip_by_their_number():
    engine = an_engine_at_work(an_engine_with(max_unknown_orders=3))
    refs = list(engine.book.orders)
    handle_all(engine, [OrderUnknown(received_at=at(70), ref=ref, reason="silence") for ref in refs])
    engine.handle(bars(120, SPY=100.0))
    assert state_of(engine) is REDUCING


def test_slippage_is_counted_against_the_price_of_the_decision():
    # Decided at 100, filled at 100.50: 250 for 500 shares.
    engine = an_engine_at_work(an_engine_with(max_day_slippage=250.0))
    engine.handle(accepted(ENTRY))
    engine.handle(filled(a_fill(ENTRY, 500, 100.5)))
    handle_all(engine, [bars(60 * minute, SPY=100.0) for minute in (2, 3, 4)])
    assert engine.book.watch.slippage == pytest.approx(250.0)
    assert state_of(engine) is REDUCING


def test_what_trips_pulls_the_working_entries_and_lets_no_new_one_go():
    engine = an_engine_at_work(an_engine_with(max_day_loss=20_000.0))
    engine.handle(accepted(ENTRY))
    commands = told(engine, 970_000.0, first=120)
    assert ENTRY in [cancel.ref for cancel in of_kind(commands, CancelOrder)]
    says(engine, IBM=1.0)
    assert of_kind(engine.handle(bars(600, SPY=100.0, IBM=185.0)), PlaceBracket) == []


def test_a_latch_survives_a_restart_and_resume_and_ends_by_reset():
    engine = a_started(an_engine_with(max_day_loss=20_000.0))
    told(engine, 970_000.0, first=120)
    again = an_engine_with(max_day_loss=20_000.0)
    again.restore(engine.snapshot())
    assert "resume_refused" in codes(again.handle(command("resume")))
    assert state_of(again) is REDUCING
    again.handle(command("reset"))
    assert state_of(again) is TradingState.ACTIVE


def test_after_a_reset_losses_count_from_what_they_were():
    engine = a_started(an_engine_with(max_day_loss=20_000.0))
    told(engine, 970_000.0, first=120)
    engine.handle(command("reset", seconds=400))
    told(engine, 955_000.0, first=420)
    assert state_of(engine) is TradingState.ACTIVE
    told(engine, 949_000.0, first=720)
    assert state_of(engine) is REDUCING


def test_what_is_won_back_after_a_reset_is_excused_no_longer():
    engine = a_started(an_engine_with(max_drawdown_pct=2.0))
    told(engine, 1_000_000.0, first=120)
    told(engine, 970_000.0, first=420)
    assert state_of(engine) is REDUCING
    engine.handle(command("reset", seconds=700))
    told(engine, 1_000_000.0, first=720)
    assert state_of(engine) is TradingState.ACTIVE
    told(engine, 980_000.0, first=1020)
    assert state_of(engine) is REDUCING


def test_a_new_week_excuses_nothing():
    engine = a_started(an_engine_with(max_week_loss=20_000.0))
    told(engine, 980_000.0, first=120)
    engine.handle(command("reset", seconds=400))
    week = timedelta(days=7)
    engine.handle(
        SessionScheduled(received_at=OPEN + week, session=date(2013, 10, 15), opens_at=OPEN + week, closes_at=CLOSE)
    )
    told(engine, 960_000.0, first=7 * 86_400 + 120)
    assert state_of(engine) is REDUCING


def test_a_holding_that_nobody_can_price_lets_nothing_in_where_its_loss_is_limited():
    engine = a_started(an_engine_with(max_strategy_day_loss=1000.0))
    engine.handle(a_report(5, fills=[a_fill()], positions={"SPY": 500}))
    says(engine, IBM=1.0)
    denied = handle_all(engine, [bars(120, IBM=185.0)])
    assert "the day's loss is not known: SPY held" in " ".join(each.text for each in of_kind(denied, Notify))
    assert of_kind(engine.handle(bars(180, SPY=100.0, IBM=185.0)), PlaceBracket) != []


def test_an_unknown_equity_trips_nothing_and_lets_nothing_in():
    engine = an_engine_with(max_day_loss=1.0)
    handle_all(engine, [bars(60 * minute, SPY=100.0) for minute in (1, 2, 3, 4)])
    assert engine.book.breakers.latched == {}
    assert PLAN not in engine.book.plans


@pytest.mark.parametrize(
    ("before", "equity", "reached"),
    [
        ([], [5.0, 7.0], -math.inf),  # not yet three in a row
        ([], [5.0, 7.0, 6.0], 5.0),
        ([9.0, 8.0], [7.0], 7.0),  # the samples of before count too
        ([1.0, 9.0], [8.0, 7.0, 2.0], 7.0),
        ([4.0], [6.0, 5.0, 9.0, 9.0], 5.0),
    ],
)
def test_the_water_rises_only_to_what_three_samples_in_a_row_have_reached(before, equity, reached):
    assert highest_reached(np.array(before, dtype=np.float64), np.array(equity), 3) == reached
