"""Two strategies of ours do not trade with each other, nor hold both sides of one instrument."""

import pytest

from daemon.engine.self_trade import is_self_trade
from shared.commands import Flatten, PlaceBracket
from shared.ids import leg_ref
from shared.orders import Leg, OrderIntent, Side
from tests.engine.builders import (
    a_desk,
    a_fill,
    a_started,
    a_universe,
    an_engine,
    bars,
    cancelled,
    filled,
    handle_all,
    of_kind,
    says,
    some_settings,
)

PLAN_A = "OB1:a:20131008:SPY-1"
ENTRY_A, STOP_A, TARGET_A = (leg_ref(PLAN_A, leg) for leg in (Leg.ENTRY, Leg.STOP_LOSS, Leg.TAKE_PROFIT))
EXIT_A = leg_ref(PLAN_A, Leg.EXIT, 1)


def two_strategies(**settings):
    universe = a_universe()
    desks = [a_desk(universe, "a", allocation=0.5), a_desk(universe, "b", allocation=0.4)]
    return a_started(an_engine(universe=universe, desks=desks, settings=some_settings(**settings)))


def a_is_long(engine):
    says(engine, "a", SPY=1.0)
    engine.handle(bars(60, SPY=100.0))
    engine.handle(filled(a_fill(ENTRY_A, 250)))
    return engine


def an_intent(strategy, side, *, symbol="SPY", reduces=False):
    return OrderIntent(strategy=strategy, symbol=symbol, side=side, quantity=100, reduces=reduces, reason="told")


def entries_of(commands):
    return [bracket.bracket.entry.ref for bracket in of_kind(commands, PlaceBracket)]


@pytest.mark.parametrize(
    ("intent", "is_self"),
    [
        (an_intent("b", Side.SELL), True),
        (an_intent("b", Side.BUY), False),
        (an_intent("a", Side.SELL), False),
        (an_intent("b", Side.SELL, symbol="IBM"), False),
        (an_intent("b", Side.SELL, reduces=True), False),
    ],
    ids=["the other side", "the same side", "its own strategy", "another instrument", "an exit"],
)
def test_an_entry_against_another_strategys_holding_is_a_self_trade(intent, is_self):
    assert is_self_trade(a_is_long(two_strategies()).book, intent) is is_self


def test_an_entry_against_another_strategys_working_entry_is_a_self_trade():
    engine = two_strategies()
    says(engine, "a", SPY=1.0)
    engine.handle(bars(60, SPY=100.0))
    assert is_self_trade(engine.book, an_intent("b", Side.SELL))


def test_an_entry_against_another_strategys_exit_is_a_self_trade_until_that_is_done():
    engine = a_is_long(two_strategies())
    says(engine, "a", SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    assert is_self_trade(engine.book, an_intent("b", Side.BUY))
    engine.handle(filled(a_fill(EXIT_A, 250, exec_id="0001.01.02.01", seconds=121)))
    assert not is_self_trade(engine.book, an_intent("b", Side.BUY))


def test_a_resting_stop_of_another_strategy_is_no_self_trade():
    assert not is_self_trade(a_is_long(two_strategies()).book, an_intent("b", Side.BUY))


def test_in_one_row_the_exit_goes_first_and_the_entry_follows_in_a_later_one():
    engine = a_is_long(two_strategies())
    says(engine, "a", SPY=0.0)
    says(engine, "b", SPY=1.0)
    commands = engine.handle(bars(120, SPY=100.0))
    assert ([command.order.ref for command in of_kind(commands, Flatten)], entries_of(commands)) == ([EXIT_A], [])
    fill = a_fill(EXIT_A, 250, exec_id="0001.01.02.01", seconds=121)
    handle_all(engine, [filled(fill), cancelled(STOP_A), cancelled(TARGET_A)])
    assert entries_of(engine.handle(bars(180, SPY=100.0))) == ["OB1:b:20131008:SPY-1:E"]


def test_two_views_against_each_other_lead_to_one_position():
    engine = two_strategies()
    says(engine, "a", SPY=1.0)
    says(engine, "b", SPY=-1.0)
    assert entries_of(engine.handle(bars(60, SPY=100.0))) == [ENTRY_A]


def test_a_person_may_allow_strategies_to_stand_against_each_other():
    engine = two_strategies(self_trade="allow")
    says(engine, "a", SPY=1.0)
    says(engine, "b", SPY=-1.0)
    assert entries_of(engine.handle(bars(60, SPY=100.0))) == [ENTRY_A, "OB1:b:20131008:SPY-1:E"]
