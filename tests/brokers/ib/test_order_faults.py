"""The order faults of TWS.md 4 (19 to 41), from the gateway's switchboard to our events; its ledger is the judge."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.errors import BrokerUnavailable
from shared.events import (
    CommissionReported,
    ConnectionLost,
    FillCorrected,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
)
from shared.ids import leg_ref
from shared.orders import Leg, OrderType, Side
from tests.brokers.ib.gateways import a_gateway, connected, play
from tests.brokers.ib.peers import ENTRY, ORDERS, PLAN, STOP, TARGET, Notebook, a_bracket, a_stop, an_order

BUY = Flatten(order=an_order(ENTRY))
"""A market order on its own, through the door of the orders that never wait."""
REST = Flatten(order=an_order(ENTRY, order_type=OrderType.LIMIT, limit_price=100.0))
"""A limit order far below the market."""
BRACKET = PlaceBracket(bracket=a_bracket())
EXIT = leg_ref(PLAN, Leg.EXIT)


class Desk:
    """A gateway in its session, a broker at it, and what was heard."""

    def __init__(self, gateway, broker, heard: Notebook) -> None:
        self.gateway, self.broker, self.heard = gateway, broker, heard

    async def does(self, *commands, fault: str = "", steps: int = 3, **given) -> None:
        """Inject the fault, then execute the commands, then let so many steps pass."""
        if fault:
            self.gateway.faults.inject(fault, **given)
        for command in commands:
            await self.broker.execute(command)
        await self.passes(steps)

    async def passes(self, steps: int) -> None:
        await play(self.gateway, self.broker, steps)

    @property
    def position(self) -> float:
        return float(self.gateway.ledger.quantity("SPY"))

    @property
    def filled(self) -> list[tuple[str, int]]:
        return [(event.fill.ref, event.fill.quantity) for event in self.heard.of(OrderFilled)]


@asynccontextmanager
async def a_desk(**settings):
    heard = Notebook()
    async with a_gateway(**settings) as gateway, connected(gateway, heard) as broker:
        await play(gateway, broker, 5)
        yield Desk(gateway, broker, heard)


# ------------------------------------------------------------------ 19 to 26: how it is told


async def test_fault_19_what_is_told_twice_is_one_event():
    async with a_desk() as desk:
        await desk.does(BUY, fault="duplicate_executions")
        assert (desk.filled, desk.position) == ([(ENTRY, 10)], 10)
        assert {fault.name for fault in desk.gateway.faults.log} == {"duplicate_executions"}
    assert desk.heard.of(FillCorrected) == []
    assert len(desk.heard.of(CommissionReported)) == 1
    shown = [(event.perm_id, event.broker_status) for event in desk.heard.of(OrderAccepted)]
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("how", ["exec_only", "status_first", "late"])
async def test_fault_20_whenever_the_status_comes_the_execution_is_the_fill(how):
    async with a_desk() as desk:
        await desk.does(BUY, fault="status_order", how=how, steps=9)
        assert desk.filled == [(ENTRY, 10)]
    assert {"OrderCancelled", "OrderRejected", "OrderUnknown"} & set(desk.heard.kinds(ENTRY)) == set()


async def test_fault_21_fills_in_parts_add_up_and_the_rest_is_cancelled_with_its_reason():
    async with a_desk() as desk:
        await desk.does(REST)
        await desk.does(fault="fill_in_parts", pieces=2, share=0.5, steps=1)
        assert sum(quantity for _, quantity in desk.filled) == desk.position == 5
    assert len(desk.filled) == 2
    assert "Remainder cancelled" in desk.heard.of(OrderCancelled)[0].reason


async def test_fault_22_a_commission_before_its_execution_is_told_behind_it():
    async with a_desk() as desk:
        await desk.does(BUY, fault="commission_first")
        told = [kind for kind in desk.heard.told if kind in {"OrderFilled", "CommissionReported"}]
    assert told == ["OrderFilled", "CommissionReported"]
    assert desk.heard.of(CommissionReported)[0].commission == pytest.approx(1.0)


@pytest.mark.parametrize(("how", "commissions"), [("late", [1.0]), ("never", []), ("unset", [1.0])])
async def test_fault_23_a_commission_is_what_was_told_or_nothing_but_never_a_sentinel(how, commissions):
    async with a_desk() as desk:
        await desk.does(BUY, fault="commission_late", how=how, **({"delay_s": 20} if how == "late" else {}))
        assert (how != "late") or desk.heard.of(CommissionReported) == []
        await desk.passes(6)
    assert [event.commission for event in desk.heard.of(CommissionReported)] == pytest.approx(commissions)


@pytest.mark.parametrize(("shares_times", "quantity"), [(1.0, 10), (0.5, 5), (0.0, 0)], ids=["price", "fewer", "bust"])
async def test_fault_24_a_correction_replaces_the_execution_and_a_bust_takes_it_back(shares_times, quantity):
    async with a_desk() as desk:
        await desk.does(BUY)
        (before,) = desk.heard.of(OrderFilled)
        await desk.does(fault="correct_execution", price_by=0.02, shares_times=shares_times, steps=1)
        (corrected,) = desk.heard.of(FillCorrected)
        assert desk.position == corrected.fill.quantity == quantity
    assert corrected.fill.exec_id.rpartition(".")[0] == before.fill.exec_id.rpartition(".")[0]
    assert corrected.fill.exec_id > before.fill.exec_id
    assert corrected.fill.price == pytest.approx(before.fill.price + 0.02)


@pytest.mark.parametrize("style", ["utc_dash", "no_zone", "two_spaces", "other_zone", "unknown_zone"])
async def test_fault_25_an_execution_counts_however_its_time_is_written(style):
    async with a_desk() as desk:
        await desk.does(BUY, fault="odd_execution_time", style=style)
        (told,) = desk.heard.of(OrderFilled)
        (booked,) = desk.gateway.ledger.executions
    assert told.fill.exec_id == booked.exec_id
    is_readable = style != "unknown_zone"
    assert (abs(told.fill.filled_at.timestamp() - booked.at) < 1) is is_readable
    assert is_readable or told.fill.filled_at == told.received_at


@pytest.mark.parametrize("code", [399, 404, 2109, 10311, 10349])
async def test_fault_26_a_warning_at_placement_is_neither_a_cancel_nor_a_doubt(code):
    async with a_desk() as desk:
        await desk.does(REST, fault="placement_warning", code=code)
        assert set(desk.heard.kinds(ENTRY)) == {"OrderAccepted"}
        await desk.does(fault="fill_in_parts", pieces=1, share=1.0)
        assert (desk.filled, desk.position) == ([(ENTRY, 10)], 10)
    assert "OrderCancelled" not in desk.heard.kinds(ENTRY)


# ------------------------------------------------------------------ 27 to 33: refusals and cancels


async def test_fault_27_inactive_with_201_is_one_rejection_with_its_reason():
    async with a_desk() as desk:
        await desk.does(BUY, fault="reject_order", reason="The exchange is closed.")
    (rejected,) = desk.heard.of(OrderRejected)
    assert (rejected.ref, rejected.code) == (ENTRY, 201)
    assert "The exchange is closed." in rejected.text


async def test_fault_28_a_stop_leg_off_tick_is_rejected_by_name_while_its_family_lives():
    async with a_desk() as desk:
        await desk.does(BRACKET, fault="lose_stop_leg")
        assert [(event.ref, event.code) for event in desk.heard.of(OrderRejected)] == [(STOP, 110)]
        assert (desk.filled, desk.position) == ([(ENTRY, 10)], 10)
        assert {line.ref for line in (await desk.broker.report()).open_orders} == {TARGET}


@pytest.mark.parametrize("lives", [False, True])
async def test_fault_29_a_duplicate_order_id_is_a_question_and_nothing_is_sent_again(lives):
    async with a_desk() as desk:
        await desk.does(REST, fault="duplicate_order_id", lives=lives)
        report = await desk.broker.report()
        assert [line.ref for line in report.open_orders] == [ENTRY] * lives
        sent = desk.gateway.session.desk.orders
        assert len(sent) == int(lives)
    assert "103" in desk.heard.of(OrderUnknown)[0].reason
    assert {"OrderRejected", "OrderCancelled"} & set(desk.heard.kinds(ENTRY)) == set()


@pytest.mark.parametrize("code", [104, 105, 110, 135, 329])
async def test_fault_30_a_refused_change_is_a_question_and_the_stop_stands_as_it_was(code):
    async with a_desk() as desk:
        await desk.does(BRACKET)
        await desk.does(ReplaceStop(order=a_stop(601.0)), fault="refuse_change", code=code)
        assert str(code) in desk.heard.of(OrderUnknown)[-1].reason
        report = await desk.broker.report()
        assert [line.stop_price for line in report.open_orders if line.ref == STOP] == [600.0]
    assert {"OrderRejected", "OrderCancelled"} & set(desk.heard.kinds(STOP)) == set()


async def test_fault_30_behind_a_refused_change_the_stop_can_still_be_moved_and_cancelled():
    async with a_desk() as desk:
        await desk.does(BRACKET)
        await desk.does(ReplaceStop(order=a_stop(601.0)), fault="refuse_change", code=135)
        await desk.does(ReplaceStop(order=a_stop(602.0)))
        report = await desk.broker.report()
        assert [line.stop_price for line in report.open_orders if line.ref == STOP] == [602.0]
        await desk.does(CancelOrder(ref=STOP), steps=1)
    assert desk.heard.kinds(STOP)[-1] == "OrderCancelled"


@pytest.mark.parametrize("code", [161, 10148])
async def test_fault_31_a_cancel_that_comes_too_late_is_a_question_and_the_fill_counts(code):
    async with a_desk() as desk:
        await desk.does(REST)
        given = {"delay_s": 20} if code == 161 else {}
        await desk.does(CancelOrder(ref=ENTRY), fault="cancel_too_late", code=code, steps=8, **given)
        assert (desk.filled, desk.position) == ([(ENTRY, 10)], 10)
    assert desk.heard.of(OrderUnknown)[0].reason.startswith(f"cancel answered {code}")
    assert "OrderCancelled" not in desk.heard.kinds(ENTRY)


async def test_a_second_cancel_of_an_order_that_is_gone_is_no_second_cancel():
    async with a_desk() as desk:
        await desk.does(REST)
        await desk.does(CancelOrder(ref=ENTRY), steps=1)
        await desk.does(CancelOrder(ref=ENTRY), steps=1)
    assert desk.heard.kinds(ENTRY).count("OrderCancelled") == 1


async def test_fault_32_a_cancel_that_is_never_answered_is_never_taken_for_done():
    async with a_desk() as desk:
        await desk.does(REST)
        await desk.does(CancelOrder(ref=ENTRY), fault="cancel_unanswered", steps=20)
        report = await desk.broker.report()
        assert [(line.ref, line.status) for line in report.open_orders] == [(ENTRY, "PendingCancel")]
    assert "OrderCancelled" not in desk.heard.kinds(ENTRY)


async def test_fault_33_a_short_sale_that_waits_for_shares_is_accepted_and_its_cancel_does_not_hide_its_fill():
    sell = Flatten(order=an_order(ENTRY, Side.SELL))
    async with a_desk() as desk:
        await desk.does(sell, fault="locate_found", delay_s=30)
        assert desk.heard.kinds(ENTRY) == ["OrderAccepted"]
        await desk.does(CancelOrder(ref=ENTRY), steps=14)
        assert (desk.filled, desk.position) == ([(ENTRY, 10)], -10)


# ------------------------------------------------------------------ 34 to 41: the broker's own hand, and silence


async def test_fault_34_a_cancel_by_the_broker_carries_its_reason():
    async with a_desk() as desk:
        await desk.does(REST)
        await desk.does(fault="broker_cancels", reason="Order exceeds the limit", steps=1)
    (cancelled,) = desk.heard.of(OrderCancelled)
    assert "Order exceeds the limit" in cancelled.reason


async def test_fault_34_a_liquidation_is_marked_in_the_report():
    async with a_desk() as desk:
        await desk.does(BRACKET)
        await desk.does(fault="broker_cancels", liquidates=True, steps=1)
        report = await desk.broker.report()
        assert desk.position == 0
    marked = [(fill.ref, fill.side, fill.quantity) for fill in report.fills if fill.is_liquidation]
    assert marked == [("", Side.SELL, 10)]
    assert [fill.is_liquidation for fill in report.fills if fill.ref == ENTRY] == [False]
    assert (report.positions, report.open_orders) == ((), ())
    assert desk.heard.kinds(STOP)[-1] == "OrderCancelled"


async def test_fault_35_when_both_legs_fill_both_are_told():
    async with a_desk() as desk:
        await desk.does(BRACKET)
        await desk.does(fault="overfill_group")
        assert (sorted(desk.filled), desk.position) == ([(ENTRY, 10), (STOP, 10), (TARGET, 10)], -10)


async def test_fault_36_what_filled_while_we_were_away_comes_with_the_report():
    async with a_desk() as desk:
        far = a_bracket(order_type=OrderType.LIMIT, limit_price=100.0)
        await desk.does(PlaceBracket(bracket=far))
        desk.gateway.faults.inject("fill_part_and_drop", client=ORDERS)
        await desk.heard.until(lambda: desk.heard.of(ConnectionLost))
        assert desk.filled == []
        await desk.broker.connect()
        report = await desk.broker.report()
        assert desk.filled == [(ENTRY, 5)]
        assert [line.quantity for line in report.positions] == [desk.position] == [5]
    assert [fill.quantity for fill in report.fills] == [5]


async def test_fault_37_both_orders_of_one_id_are_seen_and_one_cancel_ends_both():
    async with a_desk() as desk:
        await desk.does(REST)
        await desk.does(fault="duplicate_live", steps=1)
        lines = (await desk.broker.report()).open_orders
        assert [line.ref for line in lines] == [ENTRY, ENTRY]
        assert len({line.perm_id for line in lines}) == 2
        assert {event.perm_id for event in desk.heard.of(OrderAccepted)} == {line.perm_id for line in lines}
        await desk.does(CancelOrder(ref=ENTRY), steps=1)
        assert (await desk.broker.report()).open_orders == ()
    assert "OrderCancelled" in desk.heard.kinds(ENTRY)


async def test_fault_38_a_manual_order_is_no_event_of_ours_and_its_position_is_reported():
    async with a_desk() as desk:
        await desk.does(fault="manual_order", quantity=30, limit_price=95.0, steps=0)
        await desk.does(fault="manual_order", quantity=40)
        report = await desk.broker.report()
        assert [line.quantity for line in report.positions] == [desk.position] == [40]
    assert [(line.ref, line.quantity) for line in report.open_orders] == [("", 30)]
    assert {"OrderAccepted", "OrderFilled", "OrderUnknown"} & set(desk.heard.told) == set()


async def test_fault_39_an_order_that_is_held_without_a_word_is_neither_accepted_nor_refused():
    async with a_desk() as desk:
        await desk.does(REST, fault="hold_order", steps=20)
        report = await desk.broker.report()
    assert desk.heard.kinds(ENTRY) == []
    assert [(line.ref, line.status) for line in report.open_orders] == [(ENTRY, "PendingSubmit")]


async def test_fault_40_nothing_is_queued_at_a_tws_that_has_lost_its_server():
    async with a_desk() as desk:
        desk.gateway.faults.inject("queue_orders")
        await desk.heard.until(lambda: desk.heard.of(ConnectionLost))
        with pytest.raises(BrokerUnavailable, match="lost its server"):
            await desk.broker.execute(BRACKET)
        assert len(desk.gateway.session.desk.orders) == 0


async def test_fault_24_an_execution_that_is_taken_back_stays_in_what_the_order_has_filled():
    """storm 11860: its shares rest nowhere any more, and only the order's status says so."""
    async with a_desk() as desk:
        await desk.does(BRACKET)
        at_gateway = desk.gateway.session.desk
        (stop,) = [order for order in at_gateway.orders.values() if order.request.order_ref == STOP]
        at_gateway.fill(stop.perm_id, 4, 600.0)
        at_gateway.bust_or_correct(desk.gateway.ledger.executions[-1].exec_id, quantity=0.0)
        report = await desk.broker.report()
    assert [(line.quantity, line.filled) for line in report.open_orders if line.ref == STOP] == [(10, 4)]
    assert [fill.quantity for fill in report.fills if fill.ref == STOP] == [0]
