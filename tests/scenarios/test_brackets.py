"""What can befall a bracket at the broker (TWS.md 4.19 to 4.41): exposure keeps its stop, and nothing doubles."""

import pytest

from shared.events import FillCorrected, OrderFilled
from tests.scenarios.floor import CALM, UP, prices

ENTRY = "OB1:t:20131008:SPY-1:E"


async def test_a_stop_leg_that_the_broker_refuses_is_put_back(floor):
    """TWS.md 4.28: 110 on the stop leg alone; the entry fills all the same."""
    floor.gateway.faults.inject("lose_stop_leg")
    await floor.play(4)
    await floor.until(lambda: floor.shares == 0 or floor.stops() == floor.shares)
    await floor.agreed()


async def test_every_stop_leg_refused_ends_in_a_flat_position(floor):
    """TWS.md 4.28: what cannot be protected is closed."""
    floor.gateway.faults.inject("lose_stop_leg", count=1)
    floor.gateway.faults.inject("reject_order", nth=2, count=50)
    await floor.play(4)
    await floor.until(lambda: floor.notices("rejected"))
    floor.gateway.faults.clear()
    await floor.until(lambda: floor.stops() == abs(floor.shares), 20)


async def test_an_entry_that_fills_in_pieces_and_is_cancelled_is_protected_for_what_filled(floor):
    """TWS.md 4.21: 24 + 25 of 98, then the broker cancels the rest."""
    floor.gateway.faults.inject("fill_in_parts", pieces=2, share=0.5)
    await floor.play(5)
    await floor.agreed()
    assert 0 < floor.shares <= 98


async def test_f10_a_commission_before_its_execution_is_booked(floor):
    """TWS.md 4.22: the commission comes first."""
    floor.gateway.faults.inject("commission_first")
    await floor.play(5)
    await floor.agreed()
    assert list(floor.book.commissions.values()) == [1.0]


@pytest.mark.parametrize("how", ["never", "unset"])
async def test_a_commission_that_never_comes_or_is_no_number_is_not_counted(floor, how):
    """TWS.md 4.23: 1.79E308 is no cost and no profit."""
    floor.gateway.faults.inject("commission_late", how=how)
    await floor.play(5)
    await floor.agreed()
    assert abs(floor.book.realized_profit) < 10


async def test_a_corrected_execution_replaces_the_first(holding):
    """TWS.md 4.24: .02 replaces .01; filled() is not twice the quantity."""
    holding.gateway.faults.inject("correct_execution", price_by=0.5)
    await holding.until(lambda: holding.events(FillCorrected))
    await holding.agreed()
    assert holding.book.positions()["SPY"].average_price == pytest.approx(102.51)


async def test_a_busted_entry_leaves_nothing_to_protect(holding):
    """TWS.md 4.24: the exchange takes the trade back; the stops go too."""
    holding.gateway.faults.inject("correct_execution", shares_times=0.0)
    await holding.until(lambda: holding.shares == 0)
    await holding.play(2)
    await holding.agreed()
    await holding.until(lambda: holding.resting() == [])


@pytest.mark.parametrize("style", ["utc_dash", "no_zone", "two_spaces", "other_zone", "unknown_zone"])
async def test_an_execution_with_an_odd_time_is_not_lost(floor, style):
    """TWS.md 4.25: no execution is lost for its date."""
    floor.gateway.faults.inject("odd_execution_time", style=style)
    await floor.play(5)
    await floor.agreed()
    assert [event.fill.quantity for event in floor.events(OrderFilled)] == [98]


async def test_a_rejected_entry_is_not_sent_again(floor):
    """TWS.md 4.27: 201 and Inactive are final, and no reason to try once more."""
    floor.gateway.faults.inject("reject_order")
    await floor.play(6)
    await floor.until(lambda: floor.notices("rejected"))
    await floor.settled()
    assert floor.shares == 0
    assert [ref for ref in floor.sent() if ref.endswith(":E")] == [ENTRY]


@pytest.mark.parametrize("lives", [False, True], ids=["refused", "taken"])
async def test_a_duplicate_id_is_looked_at_not_sent_again(floor, lives):
    """TWS.md 4.29: 103 says nothing certain of the order."""
    floor.gateway.faults.inject("duplicate_order_id", lives=lives)
    await floor.play(4)
    await floor.until(lambda: not floor.book.unknown_orders() and not floor.book.suspicions, 20)
    assert [ref for ref in floor.sent() if ref.endswith(":E")] == [ENTRY]
    await floor.until(lambda: floor.stops() == abs(floor.shares), 20)


@pytest.mark.parametrize("code", [161, 10148])
async def test_a_cancel_that_comes_too_late_books_the_fill(floor_with, code):
    """TWS.md 4.31: the exit's order was filled while its leg was being cancelled."""
    floor = await floor_with(prices(CALM, UP, UP, UP, CALM))
    await floor.start()
    await floor.play(4)
    await floor.agreed()
    floor.gateway.faults.inject("cancel_too_late", code=code, delay_s=1.0)
    await floor.play(6)
    await floor.until(lambda: floor.shares == 0, 20)
    await floor.agreed(20)


async def test_a_stop_that_the_broker_cancels_is_put_back(holding):
    """TWS.md 4.34: 202 with a reason on the protective leg."""
    stop = holding.resting("S")[0]
    holding.gateway.session.desk.cancel_by_broker(stop.perm_id, "Order cancelled by the exchange")
    await holding.until(lambda: holding.resting("P") != [])
    await holding.agreed()
    assert holding.notices("reprotected") != []


async def test_a_margin_liquidation_halts_and_is_believed(holding):
    """TWS.md 4.34: the broker closes the position by itself."""
    holding.gateway.faults.inject("broker_cancels", liquidates=True)
    await holding.until(lambda: holding.shares == 0)
    await holding.until(lambda: not holding.book.positions(), 20)
    assert [latch.rule for latch in holding.book.breakers.latched["account"]] == ["liquidation"]


async def test_both_legs_of_a_bracket_that_fill_are_given_back(holding):
    """TWS.md 4.35: an OCA overfill flips the position; it is flattened and said."""
    holding.gateway.faults.inject("overfill_group")
    await holding.until(lambda: holding.notices("overfilled"))
    await holding.play(2)
    await holding.agreed(20)
    assert holding.shares == 0


async def test_a_part_filled_entry_is_protected_after_the_reconnect(floor):
    """TWS.md 4.36: the parent fills partly while nobody listens."""
    floor.gateway.faults.inject("fill_part_and_drop")
    await floor.play(4)
    await floor.back(20)
    await floor.play(2)
    await floor.agreed(20)


async def test_a_manual_order_is_reported_and_left_alone(holding):
    """TWS.md 4.38: orderId 0, another hand; its position counts, its order is not ours to touch."""
    holding.gateway.session.desk.manual_order("SPY", "SELL", 10, limit_price=150.0)
    await holding.until(lambda: holding.notices("foreign_order"))
    await holding.play(2)
    assert [order.remaining for order in holding.gateway.session.desk.open_orders() if order.is_manual] == [10]


async def test_an_entry_queued_while_the_server_was_away_does_not_fill_twenty_minutes_later(floor):
    """TWS.md 4.40: a stale entry is pulled or has expired before it can fill."""
    await floor.play(1)
    floor.gateway.faults.inject("queue_orders", for_s=1200.0)
    await floor.play(3)
    floor.clock.advance_to(floor.clock.now() + 1300)
    await floor.back(20)
    await floor.until(lambda: floor.stops() == abs(floor.shares), 20)
    assert len([ref for ref in floor.filled_at_broker() if ref.endswith(":E")]) <= 1


async def test_a_split_is_not_traded_on_before_a_person_has_looked(holding):
    """TWS.md 4.51, F16: twice the shares at half the price, and the resting orders are gone."""
    holding.gateway.faults.inject("split", ratio=2.0)
    await holding.until(lambda: holding.book.locks != {}, 20)
    assert holding.shares == 196
    await holding.play(2)
    assert [ref for ref in holding.sent() if ref.endswith(":E")] == [ENTRY]
