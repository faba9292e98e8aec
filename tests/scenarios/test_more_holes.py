"""Holes 9 to 14 of the best public systems (ANCHORS.md 1e), each through the wire: here they are closed."""

import time
from datetime import UTC, datetime

import pytest

from brokers.simulated.gateway.accounts.records import CommissionCharged
from brokers.simulated.gateway.protocol import answers
from shared.events import CommissionReported, ConnectionLost, OrderFilled, OrderUnknown
from shared.orders import OrderStatus
from tests.scenarios.floor import CALM, UP, prices

ENTRY = "OB1:t:20131008:SPY-1:E"
CLIENT_ID = 7


def tell(floor, message):
    """TWS says this to the daemon's order line."""
    client = floor.gateway.session.clients[CLIENT_ID]
    floor.gateway.controls.send_raw(CLIENT_ID, message.encode(client.version))


def the_entry(floor):
    return next(order for order in floor.gateway.session.desk.orders.values() if order.request.order_ref == ENTRY)


# ------------------------------------------------------------------ 9: the heartbeat's window


@pytest.fixture(params=["Asia/Tokyo", "America/Los_Angeles", "America/New_York"])
def host_zone(request, monkeypatch):
    """The machine stands in that zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


async def test_hole_9_in_the_last_hour_and_in_any_zone_a_dead_gateway_is_noticed(host_zone, floor_with):
    """LEAN's heartbeat goes by the host's local time of day and is off for the last hour."""
    floor = await floor_with(prices(CALM, CALM, UP), opens_at=datetime(2013, 10, 8, 19, 20, tzinfo=UTC).timestamp())
    await floor.start()
    await floor.play(4)
    await floor.until(lambda: floor.stops() == floor.shares == 98)
    floor.gateway.controls.freeze(1e9)
    await floor.until(lambda: not floor.book.is_connected)
    assert "no answer" in floor.events(ConnectionLost)[-1].reason
    floor.gateway.controls.thaw()
    await floor.agreed(30)


# ------------------------------------------------------------------ 10: not found is not cancelled


async def test_hole_10_an_order_that_a_report_does_not_show_is_not_gone_at_once(waiting):
    """FT: any order that the exchange cannot find is declared cancelled. Here: two reports, and not before 15 s."""
    entry = the_entry(waiting)
    await waiting.until(lambda: waiting.book.orders[ENTRY].perm_id)
    waiting.gateway.session.desk.forget([entry.perm_id])
    await waiting.until(lambda: waiting.book.orders[ENTRY].missing_reports >= 2)
    assert waiting.book.orders[ENTRY].status is not OrderStatus.CANCELLED
    assert waiting.notices("lost_order") == []
    await waiting.play_until(lambda: ENTRY not in waiting.book.orders)
    assert len(waiting.notices("lost_order")) >= 1
    await waiting.play(3)
    assert waiting.entries() == [ENTRY]


# ------------------------------------------------------------------ 11, 14: codes that nobody knows


@pytest.mark.parametrize("code", [489, 10999])
async def test_hole_11_an_unlisted_code_on_an_order_is_a_question_and_no_end(waiting, code):
    """backtrader rejects for every unlisted code under 500; ib_async cancels for every one (hole 14)."""
    tell(waiting, answers.error(the_entry(waiting).order_id, code, "Something that was not there last year"))
    await waiting.until(lambda: waiting.events(OrderUnknown))
    await waiting.until(lambda: waiting.book.orders[ENTRY].status is OrderStatus.WORKING)
    await waiting.play(3)
    assert [order.request.order_ref for order in waiting.resting("E")] == [ENTRY]
    assert waiting.entries() == [ENTRY]


async def test_hole_11_399_held_until_the_open_is_no_rejection(waiting):
    tell(waiting, answers.error(the_entry(waiting).order_id, 399, "Order Message: held until the next open"))
    await waiting.settled()
    assert waiting.book.orders[ENTRY].status is OrderStatus.WORKING
    assert waiting.events(OrderUnknown) == []


async def test_hole_11_the_commission_of_an_order_of_another_session_ends_nothing(holding):
    """backtrader: KeyError."""
    charged = CommissionCharged(at=0.0, exec_id="0000e0d5.0badc0de.01.01", commission=1.25, realized_pnl=None)
    tell(holding, answers.commission(charged))
    await holding.play(2)
    await holding.agreed()
    assert [event.commission for event in holding.events(CommissionReported)] == [1.0]


# ------------------------------------------------------------------ 12: Submitted is not done


async def test_hole_12_an_order_that_is_submitted_has_bought_nothing(waiting):
    """backtrader_ib_insync compares a method with 0: "Submitted" falls into "completed"."""
    (entry,) = waiting.resting("E")
    assert entry.status == "Submitted"
    await waiting.play(3)
    assert waiting.book.positions() == {}
    assert waiting.book.orders[ENTRY].status is OrderStatus.WORKING
    assert waiting.events(OrderFilled) == []
    assert waiting.entries() == [ENTRY]


# ------------------------------------------------------------------ 13: the target's own price


async def test_hole_13_stop_and_target_have_prices_of_their_own(waiting):
    """Lumibot gives the target the entry's limit. Decided at 102.00: one percent below, five percent above."""
    legs = {order.request.order_ref[-1]: order for order in waiting.gateway.session.desk.orders.values()}
    entry, stop, target = (legs[leg].request for leg in "EST")
    assert (entry.order_type, entry.limit_price) == ("LMT", 102.0)
    assert (stop.order_type, stop.aux_price, stop.side) == ("STP", 100.98, "SELL")
    assert (target.order_type, target.limit_price, target.side) == ("LMT", 107.1, "SELL")


# ------------------------------------------------------------------ 14: fetched fills are events


async def test_hole_14_a_fill_that_was_fetched_is_an_event_like_any_other(waiting):
    """ib_async appends what reqExecutions brings and emits nothing. Here it is journalled, booked and protected."""
    await waiting.kill()
    entry = the_entry(waiting)
    waiting.gateway.session.desk.fill(entry.perm_id, entry.remaining, 102.0)
    await waiting.start()
    await waiting.agreed()
    assert [event.fill.ref for event in waiting.events(OrderFilled)] == [ENTRY]
    assert waiting.book.positions()["SPY"].quantity == 98
