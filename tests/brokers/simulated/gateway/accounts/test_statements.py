"""Positions, account values, summaries and profit over the wire, with one account and with two."""

import pytest
from ib_insync import ExecutionFilter, LimitOrder, MarketOrder

from tests.brokers.simulated.gateway.raw_client import codes
from tests.brokers.simulated.gateway.scripted_market import a_bar, flat

TWO = ("DU1111111", "DU2222222")


def errors(ib):
    return [code for _, code, _ in ib.errors]


@pytest.fixture
async def two(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 10, accounts=TWO, cash=50_000.0)
    await desktop.play()
    return desktop


async def test_several_accounts_are_named_and_an_order_must_say_whose_it_is(two):
    ib = await two.connect()
    assert ib.managedAccounts() == list(TWO)
    ib.placeOrder(two.spy, MarketOrder("BUY", 10))
    await two.heard(ib)
    assert errors(ib)[-1] == 435
    ib.placeOrder(two.spy, MarketOrder("BUY", 10, account=",".join(TWO)))
    await two.heard(ib)
    assert errors(ib)[-1] == 321


async def test_fills_belong_to_the_account_of_the_order(two):
    ib = await two.connect()
    ib.placeOrder(two.spy, MarketOrder("BUY", 10, account=TWO[1]))
    await two.heard(ib)
    assert [(held.account, held.position) for held in ib.positions()] == [(TWO[1], 10.0)]
    assert [fill.execution.acctNumber for fill in ib.fills()] == [TWO[1]]
    assert two.gateway.session.accounts[TWO[0]].executions == []
    assert two.gateway.session.accounts[TWO[1]].quantity("SPY") == 10


async def test_the_summary_is_told_per_account_or_for_one_group(two):
    ib = await two.connect()
    summary = await ib.accountSummaryAsync()
    assert {row.account for row in summary if row.tag == "NetLiquidation"} == set(TWO)
    ib.client.reqAccountSummary(900, "Nobody", "NetLiquidation")
    await two.heard(ib)
    assert errors(ib)[-1] == 321


async def test_account_updates_follow_one_account_at_a_time(two):
    ib = await two.connect()
    seen = []
    ib.wrapper.updateAccountValue = lambda key, value, currency, account: seen.append(account)
    ib.client.reqAccountUpdates(True, TWO[0])
    ib.client.reqAccountUpdates(True, TWO[1])
    await two.heard(ib)
    seen.clear()
    ib.placeOrder(two.spy, MarketOrder("BUY", 10, account=TWO[0]))
    ib.placeOrder(two.spy, MarketOrder("BUY", 10, account=TWO[1]))
    await two.heard(ib)
    assert set(seen) == {TWO[1]}


async def test_several_fills_in_one_step_make_one_account_update(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100.0, 101.0, 98.0, 98.0), flat(98.0)])
    ib = await desktop.connect()
    await desktop.play()
    for limit in (99.5, 99.4, 99.3):
        ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, limit))
    await desktop.heard(ib)
    seen: list[str] = []
    ib.wrapper.updateAccountTime = seen.append
    await desktop.play()
    assert [fill.execution.shares for fill in ib.fills()] == [10.0, 10.0, 10.0]
    assert len(seen) == 1


async def test_profit_and_loss_come_about_once_a_second_until_they_are_cancelled(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), flat(103.0), flat(103.0), flat(103.0)])
    ib = await desktop.connect()
    await desktop.play()
    account = ib.managedAccounts()[0]
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 100))
    await desktop.heard(ib)
    total, single = ib.reqPnL(account), ib.reqPnLSingle(account, "", 756733)
    await desktop.play(3)
    assert (single.position, single.value) == (100.0, 10_300.0)
    assert single.unrealizedPnL == total.unrealizedPnL == pytest.approx(100 * 2.99 - 1.0, abs=0.01)
    assert total.dailyPnL == pytest.approx(298.0, abs=0.01)
    ib.cancelPnL(account)
    ib.placeOrder(desktop.spy, MarketOrder("SELL", 100))
    await desktop.heard(ib)
    told = total.realizedPnL
    await desktop.play(2)
    assert total.realizedPnL == told == 0.0
    assert single.realizedPnL == pytest.approx(100 * (102.99 - 100.01) - 2.0, abs=0.01)


async def test_the_profit_of_what_was_never_held_is_unset_and_a_request_id_serves_once(desktop, raw):
    client = await raw(desktop)
    client.say(94, 7, "DU7654321", "", 8314)
    client.say(94, 7, "DU7654321", "", 8314)
    client.say(93, 9)
    said = await client.answers()
    assert [fields[1:] for fields in said if fields[0] == "95"] == [["7", "0", *["1.7976931348623157E308"] * 4]]
    assert codes(said)[-2:] == [322, 300]


async def test_profit_of_an_unknown_account_or_contract_is_refused(desktop):
    ib = await desktop.connect()
    ib.client.reqPnL(900, "DU0", "")
    ib.client.reqPnLSingle(901, ib.managedAccounts()[0], "", 4711)
    await desktop.heard(ib)
    assert [error[:2] for error in ib.errors][-2:] == [(900, 321), (901, 321)]


async def test_executions_are_asked_for_by_symbol_side_and_time(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    ib.placeOrder(desktop.spy, MarketOrder("SELL", 4))
    await desktop.heard(ib)
    fills = await ib.reqExecutionsAsync(ExecutionFilter(symbol="SPY", side="SELL"))
    assert [fill.execution.shares for fill in fills] == [4.0]
    assert await ib.reqExecutionsAsync(ExecutionFilter(symbol="IBM")) == []
    assert await ib.reqExecutionsAsync(ExecutionFilter(time="20131008 15:00:00")) == []
    assert await ib.reqExecutionsAsync(ExecutionFilter(clientId=77)) == []


async def test_a_corrected_execution_is_reported_beside_the_one_it_corrects(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    ledger = desktop.gateway.ledger
    ledger.correct(ledger.executions[0].exec_id, price=99.0, at=desktop.gateway.session.now())
    fills = await ib.reqExecutionsAsync(ExecutionFilter())
    assert [(fill.execution.execId[-2:], fill.execution.price) for fill in fills] == [("01", 100.01), ("02", 99.0)]
