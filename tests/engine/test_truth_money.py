"""Cash and net liquidation of the broker against our own ledger of them (I5, TWS.md 3.28, 4.54)."""

import pytest

from risk.trading_state import TradingState
from shared.account import Account
from shared.commands import Notify, PlaceBracket
from shared.events import SessionScheduled
from tests.engine.builders import (
    ACCOUNT,
    PLAN,
    a_fill,
    a_report,
    a_started,
    accepted,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    codes,
    connected,
    cost,
    filled,
    handle_all,
    lines_of,
    of_kind,
    run_started,
    says,
    scheduled,
    some_limits,
    some_settings,
)
from tests.engine.builders import STOP as STOP_LEG


def an_engine_that_watches(pct=1.0):
    """Cash of a million at the start, and a drift of 1 % of net liquidation allowed."""
    return an_engine(settings=some_settings(some_limits(max_account_drift_pct=pct)))


def money(cash, net=None, currency="USD"):
    net = cash if net is None else net
    return Account(account_id=ACCOUNT, net_liquidation=net, cash=cash, buying_power=4e6, currency=currency)


def reports(account, *seconds, **parts):
    return [a_report(second, account=account, **parts) for second in seconds]


def latched(engine):
    return [latch.rule for latch in engine.book.breakers.latched.get("account", [])]


def test_money_that_stays_away_latches_reducing_and_says_how_much_since_when():
    engine = a_started(an_engine_that_watches())
    told = handle_all(engine, reports(money(980_000.0), 30, 211))
    (alarm,) = [c for c in of_kind(told, Notify) if c.code == "account_drift"]
    assert alarm.level == "critical"
    assert "20000.00 USD" in alarm.text
    assert "since 2013-10-08 13:30:30" in alarm.text
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.REDUCING
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(240, SPY=100.0)), PlaceBracket) == []


def test_one_report_is_a_suspicion_only_and_so_are_two_while_the_account_values_may_be_old():
    engine = a_started(an_engine_that_watches())
    handle_all(engine, reports(money(980_000.0), 30, 60, 120, 200))
    assert latched(engine) == []


def test_a_drift_that_is_gone_in_between_begins_anew():
    engine = a_started(an_engine_that_watches())
    handle_all(engine, [*reports(money(980_000.0), 30), *reports(money(1e6), 120), *reports(money(980_000.0), 220)])
    assert latched(engine) == []


def test_a_drift_is_told_once():
    engine = a_started(an_engine_that_watches())
    told = handle_all(engine, reports(money(980_000.0), 30, 211, 241, 271))
    assert codes(told).count("account_drift") == 1
    assert latched(engine) == ["account_drift"]


def test_a_limit_that_was_lifted_watches_nothing():
    engine = a_started(an_engine_that_watches(pct=None))
    assert codes(handle_all(engine, reports(money(5.0), 30, 211, 400))) == []


def a_long_engine_that_watches():
    """500 SPY bought for 50,000; the broker's cash must be 950,000 from then on."""
    engine = an_engine_at_work(an_engine_that_watches())
    engine.handle(filled(a_fill()))
    return engine, {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}


def test_what_was_bought_is_expected_to_be_paid():
    engine, held = a_long_engine_that_watches()
    handle_all(engine, reports(money(950_000.0, 1e6), 100, 300, 500, **held))
    assert latched(engine) == []


def test_cash_that_was_never_taken_for_what_was_bought_is_a_drift():
    engine, held = a_long_engine_that_watches()
    handle_all(engine, reports(money(1e6, 1e6), 100, 300, **held))
    assert latched(engine) == ["account_drift"]


def test_what_was_sold_brings_money_in():
    engine, _ = a_long_engine_that_watches()
    engine.handle(filled(a_fill(STOP_LEG, 500, 99.0, exec_id="0001.01.02.01", seconds=70)))
    handle_all(engine, reports(money(999_500.0), 100, 300))
    assert latched(engine) == []


def test_a_commission_is_expected_to_be_paid():
    engine, held = a_long_engine_that_watches()
    engine.handle(cost("0001.01.01.01", 12_000.0))
    handle_all(engine, reports(money(938_000.0, 988_000.0), 100, 300, **held))
    assert latched(engine) == []


def test_a_commission_that_nobody_told_yet_is_tolerated_up_to_the_tariffs_cap():
    """1 % of 50,000 is 500: with 10,000 allowed, 10,400 missing is within and 11,000 is not."""
    engine, held = a_long_engine_that_watches()
    handle_all(engine, reports(money(939_600.0, 1e6), 100, 300, **held))
    assert latched(engine) == []
    other, held = a_long_engine_that_watches()
    handle_all(other, reports(money(939_000.0, 1e6), 100, 300, **held))
    assert latched(other) == ["account_drift"]


def test_an_execution_in_between_begins_the_judgement_anew():
    engine, held = a_long_engine_that_watches()
    first = reports(money(900_000.0), 100, **held)
    more = filled(a_fill(exec_id="0001.01.07.01", seconds=250))
    handle_all(engine, [*first, more, *reports(money(800_000.0), 300, positions={"SPY": 1000})])
    assert latched(engine) == []


def test_an_execution_of_before_the_start_is_in_the_first_cash_already():
    engine = an_engine_that_watches()
    handle_all(engine, [run_started(100), scheduled(100), connected(100)])
    early = a_fill(seconds=90)
    held = {"positions": {"SPY": 500}, "fills": [early]}
    handle_all(engine, reports(money(950_000.0, 1e6), 101, 300, 500, **held))
    assert engine.book.position("SPY").quantity == 500
    assert latched(engine) == []


def test_net_liquidation_is_held_against_fresh_prices():
    engine, held = a_long_engine_that_watches()
    rows = [bars(120, SPY=100.0), bars(300, SPY=100.0)]
    handle_all(engine, [rows[0], *reports(money(950_000.0, 950_000.0), 121, **held), rows[1]])
    handle_all(engine, reports(money(950_000.0, 950_000.0), 302, **held))
    assert latched(engine) == ["account_drift"]


def test_net_liquidation_is_not_held_against_old_prices():
    engine, held = a_long_engine_that_watches()
    handle_all(engine, reports(money(950_000.0, 930_000.0), 500, 700, 900, **held))
    assert latched(engine) == []


@pytest.mark.parametrize("account", [money(float("nan"), 1e6), money(5.0, 1e6, currency="EUR"), None])
def test_what_the_broker_does_not_tell_is_no_drift(account):
    engine = a_started(an_engine_that_watches())
    told = handle_all(engine, [a_report(s, account=account) for s in (30, 211, 400)] if account else [])
    assert "account_drift" not in codes(told)
    assert latched(engine) == []


def test_net_liquidation_is_not_held_against_what_others_hold():
    engine, held = a_long_engine_that_watches()
    held["positions"] = {"SPY": 500, "TSLA": 100}
    rows = [bars(120, SPY=100.0), bars(300, SPY=100.0)]
    rich = money(950_000.0, 1_030_000.0)
    handle_all(engine, [rows[0], *reports(rich, 121, **held), rows[1], *reports(rich, 302, **held)])
    assert latched(engine) == []


def test_an_execution_of_before_the_start_that_is_told_late_moves_no_money():
    engine = a_started(an_engine_that_watches())
    engine.handle(filled(a_fill(seconds=-60), 20))
    handle_all(engine, reports(money(1e6, 1e6), 100, 300, positions={"SPY": 500}))
    assert latched(engine) == []


def test_a_new_session_begins_a_new_ledger():
    """Dividends, interest and fees come overnight."""
    engine = a_started(an_engine_that_watches())
    day = at(86_400)
    engine.handle(SessionScheduled(received_at=day, session=day.date(), opens_at=day, closes_at=at(109_800)))
    handle_all(engine, reports(money(900_000.0), 86_430, 86_800))
    assert latched(engine) == []


def test_a_report_without_an_account_concludes_nothing():
    engine = a_started(an_engine_that_watches())
    handle_all(engine, reports(money(980_000.0), 30, 211, unanswered=["account"]))
    assert latched(engine) == []


def test_a_new_run_begins_a_new_ledger():
    engine = a_started(an_engine_that_watches())
    handle_all(engine, [run_started(20), scheduled(20), connected(20), *reports(money(500_000.0), 30, 300)])
    assert latched(engine) == []


def test_the_ledger_survives_a_restart_of_the_memory():
    engine, held = a_long_engine_that_watches()
    other = an_engine_that_watches()
    other.restore(engine.snapshot())
    handle_all(other, reports(money(1e6, 1e6), 100, 300, **held))
    assert latched(other) == ["account_drift"]


def test_a_bust_gives_money_and_commission_back():
    engine, _ = a_long_engine_that_watches()
    engine.handle(cost("0001.01.01.01", 12_000.0))
    engine.handle(filled(a_fill(quantity=0, exec_id="0001.01.01.02", seconds=80)))
    handle_all(engine, [accepted(STOP_LEG, 81), *reports(money(1e6), 100, 300)])
    assert engine.book.plans[PLAN].commission == 0.0
    assert latched(engine) == []
