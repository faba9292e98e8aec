"""whatIf: openOrder only, with margins (TWS.md 3.17; fault 41)."""

import asyncio

import pytest
from ib_insync import LimitOrder, MarketOrder
from msgspec.structs import replace

from tests.brokers.simulated.gateway.orders.wire import recorded

UNSET = "1.7976931348623157E308"


async def asked(desktop, ib, order, *, within_s=5.0):
    return await asyncio.wait_for(ib.whatIfOrderAsync(desktop.spy, order), within_s)


async def test_margins_are_reg_t_and_their_change_is_after_minus_before(desktop):
    ib = await desktop.connect()
    state = await asked(desktop, ib, LimitOrder("BUY", 100, 100.0))
    assert (state.initMarginBefore, state.initMarginChange, state.initMarginAfter) == ("0.00", "5000.00", "5000.00")
    assert (state.maintMarginChange, state.equityWithLoanChange) == ("2500.00", "-1.00")
    assert (state.commission, state.commissionCurrency) == (1.0, "USD")
    assert desktop.gateway.ledger.records == []
    assert await ib.reqAllOpenOrdersAsync() == []


async def test_a_preview_takes_no_order_id(desktop):
    ib = await desktop.connect()
    before = desktop.gateway.session.desk.next_valid_id(1)
    await asked(desktop, ib, LimitOrder("BUY", 100, 100.0))
    assert desktop.gateway.session.desk.next_valid_id(1) == before


async def test_sentinels_only_leave_the_margin_unknown(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.what_if = "sentinels"
    state = await asked(desktop, ib, LimitOrder("BUY", 100, 100.0))
    assert (state.initMarginChange, state.warningText) == (UNSET, "Margin and commission are being calculated")


@pytest.mark.parametrize("how", ["conduct", "setting"])
async def test_a_preview_may_come_twice_first_unset_then_with_values(desktop, how):
    ib = await desktop.connect()
    desk = desktop.gateway.session.desk
    if how == "conduct":
        desk.conduct.what_if = "both"
    else:
        desk.settings = replace(desk.settings, what_if_twice=True)
    said = recorded(desktop)
    state = await asked(desktop, ib, LimitOrder("BUY", 100, 100.0))
    assert [name for name, _ in said] == ["openOrder", "openOrder"]
    assert state.initMarginChange == UNSET  # ib_insync 0.9.86 stops at the first (ibi#380)


async def test_a_preview_may_never_be_answered(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.what_if = "silent"
    said = recorded(desktop)
    with pytest.raises(TimeoutError):
        await asked(desktop, ib, LimitOrder("BUY", 100, 100.0), within_s=0.05)
    await desktop.heard(ib)
    assert said == []


async def test_a_faulty_order_is_refused_in_a_preview_too(desktop):
    ib = await desktop.connect()
    ib.client.placeOrder(77, desktop.spy, LimitOrder("BUY", 10, 95.001, whatIf=True))
    await desktop.heard(ib)
    assert (77, 110) in [error[:2] for error in ib.errors]


async def test_without_a_market_price_margins_stay_unset(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    state = await asked(desktop, ib, MarketOrder("BUY", 100))
    assert (state.initMarginChange, state.warningText) == (
        UNSET,
        "No market price: margin and commission are not known",
    )
