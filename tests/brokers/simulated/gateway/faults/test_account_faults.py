"""Faults 53 and 54: positions and account values."""

import pytest
from ib_insync import MarketOrder

from tests.brokers.simulated.gateway.faults.stage import bought, placed
from tests.brokers.simulated.gateway.raw_client import advanced

VALUES_ASKED = (6, 2, 1, "")
BUYING_POWER = "BuyingPower"


def values_of(said, key=BUYING_POWER):
    """Value and currency of an account value, as often as it was told."""
    return [(fields[3], fields[4]) for fields in said if fields[0] == "6" and fields[2] == key]


async def test_fault_53_positions_come_seconds_after_their_fill(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("position_lag", delay_s=20)
    trade = await bought(desktop, ib)
    assert trade.filled() == 10
    assert ib.positions() == []
    assert ib.portfolio() == []
    await advanced(desktop, 21)
    await desktop.heard(ib)
    assert [held.position for held in ib.positions()] == [10]
    assert [item.position for item in ib.portfolio()] == [10]


async def test_fault_53_positions_and_portfolio_disagree(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("position_lag", how="disagree", delay_s=20)
    await bought(desktop, ib)
    assert ib.positions() == []
    assert [item.position for item in ib.portfolio()] == [10]


async def test_fault_53_positions_and_portfolio_say_what_was_held_before(desktop):
    ib = await desktop.connect()
    await bought(desktop, ib)
    await advanced(desktop, 60)
    desktop.gateway.faults.inject("position_lag", how="old", delay_s=20)
    await placed(desktop, ib, MarketOrder("SELL", 10))
    asked = ib.reqPositionsAsync()
    await desktop.heard(ib)
    assert [held.position for held in await asked] == [10]
    await advanced(desktop, 21)
    asked = ib.reqPositionsAsync()
    await desktop.heard(ib)
    assert await asked == []


async def test_fault_53_no_position_is_of_before_a_split(desktop):
    """The night in which it is booked books all: brutal 6383 was told of 141 shares, 73 doubled less 5 of before."""
    ib = await desktop.connect()
    await bought(desktop, ib, 10)
    await advanced(desktop, 60)
    desktop.gateway.faults.inject("position_lag", how="old", delay_s=50)
    await placed(desktop, ib, MarketOrder("SELL", 4))
    await advanced(desktop, 10)
    desktop.gateway.faults.inject("split", symbol="SPY", ratio=2)
    await advanced(desktop, 10)
    await placed(desktop, ib, MarketOrder("SELL", 3))
    asked = ib.reqPositionsAsync()
    await desktop.heard(ib)
    assert [held.position for held in await asked] == [12]


@pytest.mark.parametrize(("how", "told"), [("nan", [("NaN", "USD")]), ("missing", [])])
async def test_fault_54_buying_power_is_no_number_or_is_missing(desktop, raw, how, told):
    client = await raw(desktop)
    desktop.gateway.faults.inject("odd_account_values", how=how)
    client.say(*VALUES_ASKED)
    said = await client.heard(54)
    assert values_of(said) == told
    assert len(values_of(said, "NetLiquidation")) == 1


async def test_fault_54_account_values_are_in_another_currency(desktop, raw):
    client = await raw(desktop)
    desktop.gateway.faults.inject("odd_account_values", how="currency", currency="CHF")
    client.say(*VALUES_ASKED)
    said = await client.heard(54)
    assert [currency for _, currency in values_of(said)] == ["CHF"]
    assert not [fields for fields in said if fields[0] == "6" and fields[4] == "USD"]


async def test_fault_54_account_updates_stall_for_ten_minutes(desktop_with):
    desktop = await desktop_with(None)
    await desktop.play()
    ib = await desktop.connect()
    desktop.gateway.faults.inject("odd_account_values", how="stalled", for_s=600)
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.play(2)
    cash = {value.value for value in ib.accountValues() if value.tag == "TotalCashValue"}
    assert cash == {"1000000.00"}
    await advanced(desktop, 800)
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    await advanced(desktop, 200)
    await desktop.heard(ib)
    cash = {value.value for value in ib.accountValues() if value.tag == "TotalCashValue"}
    assert cash == {f"{desktop.gateway.ledger.cash:.2f}"}
