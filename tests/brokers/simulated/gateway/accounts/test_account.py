"""What the account does beyond fills: margin, corrections, splits, dividends, days, restarts. By hand."""

import datetime as dt
import json

import msgspec
import pytest

from brokers.simulated.gateway.accounts.accounts import Accounts, check_account_ids
from brokers.simulated.gateway.accounts.ledger import Ledger
from brokers.simulated.gateway.accounts.locates import Locates
from brokers.simulated.gateway.accounts.records import (
    CommissionCharged,
    DividendPaid,
    Execution,
    ExecutionCorrected,
    SplitApplied,
)

SPY = 756733


def an_execution(side="BUY", quantity=100, price=100.0, number=1, at=1000.0):
    return Execution(
        at=at, exec_id=f"0000e0d5.{number:04x}.01.01", perm_id=number, client_id=1, order_id=number, order_ref="",
        con_id=SPY, symbol="SPY", side=side, quantity=quantity, price=price, filled=quantity, average_price=price,
    )  # fmt: skip


@pytest.fixture
def ledger():
    return Ledger("DU7654321", 100_000.0)


def test_buying_power_is_four_times_what_is_not_tied_up(ledger):
    assert ledger.buying_power == 400_000.0
    ledger.book(an_execution(quantity=1000, price=100.0), 0.0)
    assert ledger.buying_power == 4 * (100_000.0 - 50_000.0)


@pytest.mark.parametrize(("quantity", "refused"), [(2000, False), (2001, True)])
def test_an_order_is_affordable_while_equity_carries_half_of_it(ledger, quantity, refused):
    reason = ledger.affordable(SPY, "BUY", quantity, 100.0)
    assert bool(reason) is refused
    if refused:
        assert "EQUITY WITH LOAN VALUE [100000.00 USD] MUST EXCEED THE INITIAL MARGIN [100050.00 USD]" in reason


def test_what_reduces_a_position_is_always_affordable(ledger):
    ledger.book(an_execution(quantity=2000, price=100.0), 0.0)
    ledger.mark(SPY, 60.0)
    assert ledger.affordable(SPY, "BUY", 1, 60.0)
    assert ledger.affordable(SPY, "SELL", 2000, 60.0) == ""


def test_a_correction_is_as_if_the_wrong_fill_had_never_been(ledger):
    ledger.book(an_execution(price=100.0, number=1), 1.0)
    ledger.book(an_execution("SELL", 40, 110.0, number=2), 1.0)
    corrected = ledger.correct("0000e0d5.0001.01.01", price=101.0, at=2000.0)
    right = Ledger("DU7654321", 100_000.0)
    right.book(an_execution(price=101.0, number=1), 1.0)
    right.book(an_execution("SELL", 40, 110.0, number=2), 1.0)
    for one in (ledger, right):
        one.mark(SPY, 110.0)
    assert corrected.exec_id == "0000e0d5.0001.01.02"
    assert ledger.cash == right.cash
    assert ledger.positions[SPY].average_cost == right.positions[SPY].average_cost
    assert ledger.realized_pnl == pytest.approx(right.realized_pnl)
    assert ledger.daily_pnl == pytest.approx(right.daily_pnl)
    assert [one.exec_id for one in ledger.executions] == ["0000e0d5.0001.01.02", "0000e0d5.0002.01.01"]
    assert [one.exec_id[-2:] for one in ledger.reports] == ["01", "01", "02"]
    assert isinstance(ledger.records[-1], ExecutionCorrected)


def test_a_bust_takes_the_shares_back_and_leaves_the_commission(ledger):
    ledger.book(an_execution(), 1.0)
    ledger.correct("0000e0d5.0001.01.01", quantity=0, at=2000.0)
    assert (ledger.quantity("SPY"), ledger.cash, ledger.executions) == (0.0, 99_999.0, [])
    assert ledger.realized_pnl == -1.0


def test_a_second_correction_counts_on(ledger):
    ledger.book(an_execution(), 1.0)
    ledger.correct("0000e0d5.0001.01.01", price=101.0, at=2000.0)
    assert ledger.correct("0000e0d5.0001.01.02", price=102.0, at=2001.0).exec_id.endswith(".03")
    assert ledger.cash == 100_000.0 - 100 * 102.0 - 1.0


def test_a_split_multiplies_shares_and_divides_prices(ledger):
    ledger.book(an_execution(quantity=100, price=140.0), 0.0)
    ledger.apply_split(SPY, 7.0, at=2000.0)
    held = ledger.positions[SPY]
    assert (held.quantity, held.average_cost, held.market_price) == (700.0, 20.0, 20.0)
    assert ledger.net_liquidation == 100_000.0
    assert ledger.records[-1] == SplitApplied(at=2000.0, con_id=SPY, ratio=7.0)


def test_a_correction_of_a_fill_from_before_a_split_is_split_too(ledger):
    ledger.book(an_execution(quantity=100, price=140.0), 0.0)
    ledger.apply_split(SPY, 7.0, at=2000.0)
    ledger.correct("0000e0d5.0001.01.01", price=70.0, at=2001.0)
    assert (ledger.positions[SPY].quantity, ledger.positions[SPY].average_cost) == (700.0, 10.0)


def test_a_split_while_nothing_was_held_is_no_record_and_splits_what_a_bust_brings_back(ledger):
    ledger.book(an_execution(quantity=100, price=140.0, number=1), 0.0)
    ledger.book(an_execution("SELL", 100, 140.0, number=2), 0.0)
    sold = ledger.executions[-1]
    ledger.apply_split(SPY, 0.5, at=2000.0)
    assert (type(ledger.records[-1]), ledger.was_split_unheld(sold)) == (CommissionCharged, True)
    ledger.correct(sold.exec_id, quantity=0, at=2001.0)
    assert (ledger.positions[SPY].quantity, ledger.positions[SPY].average_cost) == (50.0, 280.0)


@pytest.mark.parametrize(("side", "cash"), [("BUY", 50.0), ("SELL", -50.0)])
def test_a_dividend_is_paid_to_the_long_and_by_the_short(ledger, side, cash):
    ledger.book(an_execution(side), 0.0)
    before = ledger.cash
    ledger.pay_dividend(SPY, 0.5, at=2000.0)
    assert ledger.cash - before == cash
    assert ledger.records[-1] == DividendPaid(at=2000.0, con_id=SPY, amount=cash)
    assert ledger.positions[SPY].daily_pnl == cash


def test_who_holds_nothing_gets_nothing(ledger):
    ledger.apply_split(SPY, 2.0, at=1.0)
    ledger.pay_dividend(SPY, 0.5, at=1.0)
    assert (ledger.cash, ledger.records) == (100_000.0, [])


def test_daily_profit_counts_from_the_days_beginning_and_realised_too(ledger):
    ledger.book(an_execution(price=100.0, number=1), 1.0)
    ledger.mark(SPY, 105.0)
    ledger.start_day(2000.0)
    assert (ledger.daily_pnl, ledger.positions[SPY].daily_pnl) == (0.0, 0.0)
    ledger.book(an_execution("SELL", 50, 106.0, number=2), 1.0)
    ledger.mark(SPY, 106.0)
    assert ledger.daily_pnl == pytest.approx(100 * 1.0 - 1.0)
    assert ledger.positions[SPY].daily_pnl == pytest.approx(99.0)
    assert ledger.realized_today == pytest.approx(50 * (106.0 - 100.01) - 1.0)


def test_a_restored_account_is_the_same_and_goes_on(ledger):
    ledger.book(an_execution(number=1), 1.0)
    ledger.book(an_execution("SELL", 30, 103.0, number=2), 1.0)
    ledger.correct("0000e0d5.0002.01.01", price=104.0, at=2000.0)
    ledger.mark(SPY, 104.0)
    again = Ledger.from_state(json.loads(msgspec.json.encode(ledger.state())))
    assert again.state() == ledger.state()
    again.book(an_execution("SELL", 70, 105.0, number=3), 1.0)
    ledger.book(an_execution("SELL", 70, 105.0, number=3), 1.0)
    assert (again.cash, again.realized_pnl, again.executions) == (ledger.cash, ledger.realized_pnl, ledger.executions)


def test_a_login_with_several_accounts_has_no_account_by_default():
    accounts = Accounts([Ledger("DU1", 1.0), Ledger("DU2", 2.0)])
    assert accounts.find("") is None
    assert accounts.find("DU1,DU2") is None
    assert accounts.find("DU2") is accounts["DU2"]
    assert Accounts([Ledger("DU1", 1.0)]).find("") is not None


@pytest.mark.parametrize(
    ("name", "allow_live_id", "taken"),
    [("DU123", False, True), ("U123", False, False), ("U123", True, True), ("DUabc", True, False), ("X1", True, False)],
)
def test_live_account_ids_are_taken_only_where_they_are_allowed(name, allow_live_id, taken):
    if taken:
        check_account_ids([name], allow_live_id=allow_live_id)
    else:
        with pytest.raises(ValueError, match=f"account '{name}': allowed is DU and digits"):
            check_account_ids([name], allow_live_id=allow_live_id)


@pytest.mark.parametrize(("left", "shown"), [(5000.0, 3.0), (999.0, 2.0), (0.0, 1.0)])
def test_shares_to_borrow_show_in_tick_46(left, shown):
    assert Locates({SPY: left}).shortable(SPY) == shown


def test_borrowed_shares_are_gone_and_what_is_not_named_is_there_in_plenty():
    locates = Locates({SPY: 100.0})
    assert not locates.take(SPY, 101)
    assert locates.take(SPY, 60)
    assert not locates.take(SPY, 41)
    assert locates.shortable(SPY) == 2.0
    assert locates.take(SPY, 40)
    assert locates.shortable(SPY) == 1.0
    assert locates.take(265598, 1e9)


def test_the_shares_of_a_month_count_until_the_next_month_begins_in_new_york(ledger):
    november_ends = dt.datetime(2013, 12, 1, 5, 0, tzinfo=dt.UTC).timestamp()
    ledger.book(an_execution(number=1, at=november_ends - 100), 0.0)
    ledger.book(an_execution("SELL", 40, number=2, at=november_ends - 50), 0.0)
    assert ledger.traded_in_month(november_ends - 1) == 140
    assert ledger.traded_in_month(november_ends) == 0
    ledger.book(an_execution(quantity=7, number=3, at=november_ends), 0.0)
    assert ledger.traded_in_month(november_ends + 1) == 7
    assert Ledger.from_state(ledger.state()).traded_in_month(november_ends + 1) == 7
