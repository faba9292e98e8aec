"""The strictest state wins, per account, strategy and instrument."""

import pytest

from risk.trading_state import TradingState, TradingStates, is_scope, strictest
from shared.errors import InvariantViolated
from shared.messages import decode_as, encode

ACTIVE, REDUCING, HALTED, OBSERVE = TradingState


def test_from_free_to_strictest():
    assert strictest(ACTIVE, REDUCING) is REDUCING
    assert strictest(HALTED, REDUCING, ACTIVE) is HALTED
    assert strictest(HALTED, OBSERVE) is OBSERVE
    assert strictest() is ACTIVE


def test_nothing_set_is_active():
    assert TradingStates().state_for("sma", "SPY") is ACTIVE


def test_each_scope_holds_for_what_it_names_and_for_nothing_else():
    states = TradingStates()
    states.set("strategy:sma", REDUCING)
    states.set("instrument:SPY", HALTED)
    found = {
        (strategy, symbol): states.state_for(strategy, symbol)
        for strategy in ("sma", "momentum")
        for symbol in ("SPY", "IBM")
    }
    assert found == {
        ("sma", "SPY"): HALTED,
        ("sma", "IBM"): REDUCING,
        ("momentum", "SPY"): HALTED,
        ("momentum", "IBM"): ACTIVE,
    }


def test_the_account_holds_for_everything():
    states = TradingStates()
    states.set("account", OBSERVE)
    states.set("instrument:SPY", HALTED)
    assert states.state_for("sma", "SPY") is OBSERVE


def test_a_reset_frees_one_scope_and_leaves_the_others():
    states = TradingStates()
    states.set("account", HALTED)
    states.set("strategy:sma", REDUCING)
    states.reset("account")
    assert states.state_for("sma", "SPY") is REDUCING


def test_a_reset_of_what_was_never_set_is_harmless():
    states = TradingStates()
    states.reset("instrument:SPY")
    assert states == TradingStates()


def test_a_state_can_be_loosened_by_setting_it_again():
    states = TradingStates()
    states.set("account", HALTED)
    states.set("account", REDUCING)
    assert states.state_for("sma", "SPY") is REDUCING


@pytest.mark.parametrize("text", ["account", "strategy:sma", "instrument:BRK B"])
def test_scopes(text):
    assert is_scope(text)


@pytest.mark.parametrize("text", ["", "account:", "account:x", "strategy", "strategy:", "symbol:SPY", "strategy:a:b"])
def test_what_is_no_scope_cannot_be_set(text):
    assert not is_scope(text)
    with pytest.raises(InvariantViolated, match="must be account, strategy:NAME or instrument:SYMBOL"):
        TradingStates().set(text, HALTED)


def test_states_survive_a_snapshot():
    states = TradingStates()
    states.set("strategy:sma", REDUCING)
    assert decode_as(encode(states), TradingStates) == states
