"""Latches: told once, the strictest holds, ended only as a whole by a person."""

from daemon.engine.breakers import Breakers, Latch
from risk.trading_state import TradingState
from shared.commands import Notify
from tests.engine.builders import OPEN

REDUCING, HALTED = TradingState.REDUCING, TradingState.HALTED


def tripped(*latches):
    breakers = Breakers()
    for scope, rule, state in latches:
        breakers.trip(scope, rule, state, "too much", OPEN)
    return breakers


def test_a_trip_is_a_critical_notice_that_names_scope_rule_and_what_ends_it():
    (notice,) = Breakers().trip("strategy:a", "max_strategy_day_loss", REDUCING, "lost 1,000", OPEN)
    assert isinstance(notice, Notify)
    assert (notice.level, notice.code, notice.reasons) == ("critical", "limit_latched", ("max_strategy_day_loss",))
    assert notice.text == "strategy:a is REDUCING until a person resets it: lost 1,000"


def test_what_is_latched_already_is_not_told_again_and_keeps_its_first_instant():
    breakers = tripped(("account", "max_day_loss", REDUCING))
    assert breakers.trip("account", "max_day_loss", HALTED, "later", OPEN) == []
    assert breakers.latched["account"] == [Latch(rule="max_day_loss", state=REDUCING, text="too much", since=OPEN)]


def test_the_strictest_of_account_strategy_and_instrument_holds():
    breakers = tripped(("account", "a", REDUCING), ("instrument:SPY", "b", HALTED))
    assert breakers.state_for("s", "SPY") is HALTED
    assert breakers.state_for("s", "IBM") is REDUCING


def test_a_reset_ends_every_latch_of_its_scope_and_of_no_other():
    breakers = tripped(("account", "a", REDUCING), ("account", "b", REDUCING), ("strategy:s", "c", REDUCING))
    assert [latch.rule for latch in breakers.reset("account")] == ["a", "b"]
    assert breakers.state_for("t", "SPY") is TradingState.ACTIVE
    assert breakers.state_for("s", "SPY") is REDUCING


def test_a_reset_of_what_is_not_latched_ends_nothing():
    assert Breakers().reset("account") == []
