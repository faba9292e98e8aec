"""The plan of the session in the engine: it forbids and tightens, and it is held against what the strategies want."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from daemon.engine.breakers import Breakers
from daemon.engine.day_plan import tightened
from risk.trading_state import TradingState
from shared.commands import CancelOrder, PlaceBracket
from shared.day_plan import PlannedTarget
from shared.events import DayPlanChecked, OperatorCommanded, SessionScheduled
from shared.messages import decode_event, encode
from tests.engine.builders import (
    CLOSE,
    ENTRY,
    OPEN,
    a_long_engine,
    a_started,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    codes,
    of_kind,
    says,
    some_limits,
    some_settings,
)


def checked(seconds=10, **parts):
    return DayPlanChecked(received_at=at(seconds), session=OPEN.date(), **parts)


def a_target(symbol="SPY", conviction=1.0, strategy="s"):
    return PlannedTarget(
        strategy=strategy, symbol=symbol, conviction=conviction, quantity=500, price=100.0, reason="told"
    )


def entries(engine, seconds, **views):
    says(engine, **views)
    return of_kind(engine.handle(bars(seconds, SPY=100.0, IBM=185.0)), PlaceBracket)


def notice(commands, code):
    return next(command for command in commands if getattr(command, "code", "") == code)


def test_a_plan_that_is_not_to_be_traded_by_allows_no_entry_and_is_a_critical_notice():
    engine = a_started()
    commands = engine.handle(checked(fault="plan.json: is for another day"))
    told = notice(commands, "limit_latched")
    assert (told.level, told.reasons) == ("critical", ("day_plan",))
    assert "plan.json: is for another day" in told.text
    assert entries(engine, 60, SPY=1.0) == []


def test_it_pulls_the_entries_that_work():
    engine = an_engine_at_work()
    commands = engine.handle(checked(70, fault="plan.json: is torn"))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]


def test_what_is_held_may_still_be_closed():
    engine = a_long_engine()
    engine.handle(checked(70, fault="plan.json: is torn"))
    says(engine, SPY=0.0)
    assert "Flatten" in [type(command).__name__ for command in engine.handle(bars(120, SPY=100.0))]


def test_a_good_plan_ends_what_the_bad_one_began():
    engine = a_started()
    engine.handle(checked(fault="plan.json: is not there"))
    assert codes(engine.handle(checked(20))) == ["plan_taken"]
    assert len(entries(engine, 60, SPY=1.0)) == 1


def test_a_good_plan_ends_no_other_latch():
    engine = a_started()
    engine.book.breakers.trip("account", "max_day_loss", TradingState.REDUCING, "lost", at(0))
    engine.handle(checked(fault="plan.json: is not there"))
    engine.handle(checked(20))
    assert [latch.rule for latch in engine.book.breakers.latched["account"]] == ["max_day_loss"]
    assert entries(engine, 60, SPY=1.0) == []


def test_a_person_may_trade_without_the_plan():
    engine = a_started()
    engine.handle(checked(fault="plan.json: is not there"))
    engine.handle(OperatorCommanded(received_at=at(30), verb="reset", scope="account", actor="a person"))
    assert len(entries(engine, 60, SPY=1.0)) == 1


def test_the_end_of_a_rule_that_is_not_latched_ends_nothing():
    breakers = Breakers()
    breakers.end("account", "day_plan")
    assert breakers.latched == {}


# --- limits -------------------------------------------------------------------------------------------------------


def test_a_limit_of_the_plan_that_is_tighter_holds_and_is_told():
    engine = a_started(an_engine(settings=some_settings(limits=some_limits(max_order_quantity=1000))))
    told = notice(engine.handle(checked(limits={"max_order_quantity": 100})), "plan_taken")
    assert "max_order_quantity 1000 -> 100" in told.text
    (command,) = entries(engine, 60, SPY=1.0)
    assert command.bracket.entry.quantity == 100


def test_a_limit_of_the_plan_that_is_looser_changes_nothing():
    engine = a_started(an_engine(settings=some_settings(limits=some_limits(max_order_quantity=200))))
    told = notice(engine.handle(checked(limits={"max_order_quantity": 100_000})), "plan_taken")
    assert "limits as set" in told.text
    (command,) = entries(engine, 60, SPY=1.0)
    assert command.bracket.entry.quantity == 200


@pytest.mark.parametrize(
    ("name", "ours", "asked", "holds"),
    [
        ("max_day_loss", None, 500.0, 500.0),
        ("max_day_loss", 500.0, None, 500.0),
        ("max_day_loss", None, None, None),
        ("allow_short", True, False, False),
        ("allow_short", False, True, False),
        ("duplicate_window_s", 5.0, 60.0, 60.0),
        ("entry_window_s", 600.0, 60.0, 600.0),
        ("price_age_max_s", 150.0, 60.0, 60.0),
    ],
)
def test_the_stricter_of_both_holds(name, ours, asked, holds):
    limits = some_limits(**{name: ours})
    assert getattr(tightened(limits, {name: asked}), name) == holds


def test_a_name_that_is_no_limit_is_passed_over():
    assert tightened(some_limits(), {"max_luck": 3}) == some_limits()


LOWER_IS_TIGHTER = [
    name
    for name in some_limits().__struct_fields__
    if name not in {"allow_short", "entry_window_s", "duplicate_window_s"}
]
numbers = st.one_of(st.none(), st.floats(0.01, 1e9))


@given(
    ours=st.fixed_dictionaries(dict.fromkeys(LOWER_IS_TIGHTER, numbers)),
    asked=st.dictionaries(st.sampled_from(LOWER_IS_TIGHTER), numbers),
)
def test_no_plan_ever_loosens_a_limit(ours, asked):
    before = some_limits(**ours)
    after = tightened(before, asked)
    looser = [name for name in LOWER_IS_TIGHTER if _as_number(getattr(after, name)) > _as_number(getattr(before, name))]
    assert looser == []
    assert tightened(after, asked) == after


def _as_number(limit):
    return float("inf") if limit is None else limit


def test_tightened_limits_survive_a_restart_and_end_with_their_session():
    engine = a_started()
    engine.handle(checked(limits={"max_order_quantity": 100}))
    again = an_engine()
    again.restore(engine.snapshot())
    assert entries(again, 60, SPY=1.0)[0].bracket.entry.quantity == 100
    day = timedelta(days=1)
    engine.handle(
        SessionScheduled(received_at=at(86_400), session=OPEN.date() + day, opens_at=OPEN + day, closes_at=CLOSE + day)
    )
    assert engine.book.day_plan is None
    assert engine._settings.limits == some_limits()


# --- targets ------------------------------------------------------------------------------------------------------


def test_targets_that_the_strategies_want_are_not_spoken_of():
    engine = a_started()
    engine.handle(checked(targets=(a_target(),)))
    says(engine, SPY=1.0)
    assert "plan_differs" not in codes(engine.handle(bars(60, SPY=100.0, IBM=185.0)))


def test_a_target_that_the_strategies_do_not_want_is_told_once_and_traded_by_nobody():
    engine = a_started()
    engine.handle(checked(targets=(a_target("IBM", -1.0),)))
    commands = engine.handle(bars(60, SPY=100.0, IBM=185.0))
    assert "s IBM plan -1, engine +0" in notice(commands, "plan_differs").text
    assert of_kind(commands, PlaceBracket) == []
    assert "plan_differs" not in codes(engine.handle(bars(120, SPY=100.0, IBM=185.0)))


def test_a_strategy_that_wants_what_is_not_planned_is_told():
    engine = a_started()
    engine.handle(checked())
    says(engine, SPY=1.0)
    commands = engine.handle(bars(60, SPY=100.0, IBM=185.0))
    assert "s SPY plan +0, engine +1" in notice(commands, "plan_differs").text
    assert len(of_kind(commands, PlaceBracket)) == 1


def test_what_was_wanted_before_the_first_row_counts_and_not_what_that_row_changed():
    engine = a_long_engine()
    engine.handle(checked(100, targets=(a_target(),)))
    says(engine, SPY=-1.0)
    assert "plan_differs" not in codes(engine.handle(bars(120, SPY=100.0, IBM=185.0)))


def test_a_warm_up_row_is_not_the_first_row():
    engine = a_started()
    engine.handle(checked(targets=(a_target(),)))
    assert "plan_differs" not in codes(engine.handle(bars(60, SPY=100.0, warm_up=True)))
    assert "plan_differs" in codes(engine.handle(bars(120, SPY=100.0)))


def test_an_engine_that_hears_of_no_plan_does_as_it_always_did():
    assert a_started().book.day_plan is None


def test_the_event_comes_back_from_its_bytes():
    event = checked(fault="x", limits={"max_day_loss": None, "allow_short": False}, targets=(a_target(),))
    assert astuple(decode_event(encode(event))) == astuple(event)
    assert astuple(replace(event, fault="")) != astuple(event)
