"""What TWS says of orders and executions, in the orders it really says it, and the events that follow."""

from contextlib import asynccontextmanager

import pytest

from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import (
    CommissionReported,
    FillCorrected,
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
)
from shared.orders import Side
from tests.brokers.ib.peers import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    UNSET,
    Notebook,
    ScriptedTws,
    a_bracket,
    a_stop,
    an_order,
    commission,
    execution,
    ib_broker,
    open_order,
    order_status,
)

EXEC = "00025b46.63f8f39c.01"


class Desk:
    """A connected broker, its peer and its notebook; `hears` returns when the messages were taken."""

    def __init__(self, tws, broker, notebook) -> None:
        self.tws, self.broker, self.notebook = tws, broker, notebook

    async def hears(self, *messages: str):
        self.tws.say(*messages)
        await self.broker.server_time()
        return self.notebook.events

    async def places_a_bracket(self) -> list[int]:
        await self.broker.execute(PlaceBracket(bracket=a_bracket()))
        return [int(fields[1]) for fields in (await self.tws.until("3", 3))]


@asynccontextmanager
async def a_desk(*open_orders: str):
    notebook = Notebook()
    async with ScriptedTws() as tws:
        tws.answers["5"] = [*open_orders, "53|1|"]
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        yield Desk(tws, broker, notebook)
        await broker.disconnect()


async def test_a_bracket_leaves_as_a_family_that_only_its_last_leg_transmits():
    async with a_desk() as desk:
        entry_id, target_id, stop_id = await desk.places_a_bracket()
        sent = {fields[1]: fields for fields in desk.tws.requests("3")}
    entry, target, stop = (sent[str(order_id)] for order_id in (entry_id, target_id, stop_id))
    shown = (*range(16, 24), 26, 27)  # action to account, orderRef, transmit
    terms = [tuple(fields[place] for place in shown) for fields in (entry, target, stop)]
    assert terms == [
        ("BUY", "10", "MKT", "", "", "DAY", "", "DU123", ENTRY, "0"),
        ("SELL", "10", "LMT", "800.0", "", "GTC", f"{PLAN}:oca", "DU123", TARGET, "0"),
        ("SELL", "10", "STP", "", "600.0", "GTC", f"{PLAN}:oca", "DU123", STOP, "1"),
    ]
    assert [fields[28] for fields in (entry, target, stop)] == ["0", str(entry_id), str(entry_id)]


async def test_an_order_is_accepted_once_however_often_its_status_is_repeated():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        told = {"order_id": entry_id}
        events = await desk.hears(
            open_order(ENTRY, **told),
            order_status("PreSubmitted", **told),
            order_status("PreSubmitted", **told),
            open_order(ENTRY, **told),
        )
        assert [(e.ref, e.perm_id, e.broker_status) for e in events] == [(ENTRY, 7001, "PreSubmitted")]
        await desk.hears(order_status("Submitted", **told))
    assert [event.broker_status for event in desk.notebook.of(OrderAccepted)] == ["PreSubmitted", "Submitted"]


async def test_of_how_many_shares_an_order_is_its_own_message_tells_and_a_status_does_not():
    async with a_desk() as desk:
        _, target_id, _ = await desk.places_a_bracket()
        told = {"order_id": target_id, "side": "SELL", "type": "LMT"}
        await desk.hears(open_order(TARGET, qty=7, **told), order_status("Submitted", order_id=target_id))
        await desk.hears(open_order(TARGET, qty=9, status="Submitted", **told))
    assert [event.quantity for event in desk.notebook.of(OrderAccepted)] == [7, None, 9]


async def test_where_a_trailing_stop_has_moved_is_told_each_time():
    async with a_desk() as desk:
        _, _, stop_id = await desk.places_a_bracket()
        told = {"order_id": stop_id, "side": "SELL", "type": "TRAIL", "percent": "1.0"}
        await desk.hears(*(open_order(STOP, trailed_to=price, **told) for price in ("600.0", "601.5", "601.5")))
        await desk.hears(open_order(STOP, order_id=stop_id, side="SELL", type="STP", stop="602.0"))
    assert [event.stop_price for event in desk.notebook.of(OrderAccepted)] == [600.0, 601.5, None]


async def test_an_order_that_waits_for_its_submission_is_not_accepted():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        assert (
            await desk.hears(
                open_order(ENTRY, order_id=entry_id, status="PendingSubmit"),
                order_status("PendingSubmit", order_id=entry_id),
            )
            == []
        )


async def test_foreign_orders_never_become_events():
    async with a_desk() as desk:
        assert (
            await desk.hears(
                open_order("", order_id=0, client=0),
                open_order("by hand", order_id=-3, client=0),
                order_status("Submitted", order_id=0, client=0),
                execution("", f"{EXEC}.01"),
                commission(f"{EXEC}.01"),
                "4|2|999|201|Order rejected||",
            )
            == []
        )


async def test_a_preset_warning_is_not_a_cancel():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        events = await desk.hears(f"4|2|{entry_id}|10349|Order TIF was set to DAY based on order preset.||")
        assert events == []
        await desk.hears(open_order(ENTRY, order_id=entry_id), execution(ENTRY, f"{EXEC}.01", order_id=entry_id))
    assert desk.notebook.kinds(ENTRY) == ["OrderAccepted"]
    assert len(desk.notebook.of(OrderFilled)) == 1


async def test_inactive_with_201_is_a_rejection_told_once_with_its_reason():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        inactive = (
            open_order(ENTRY, order_id=entry_id, status="Inactive"),
            order_status("Inactive", order_id=entry_id),
        )
        await desk.hears(*inactive, f"4|2|{entry_id}|201|Order rejected - reason:no margin||", *inactive)
    (event,) = desk.notebook.events
    assert (type(event), event.code, event.text) == (OrderRejected, 201, "Order rejected - reason:no margin")


@pytest.mark.parametrize(("reason", "is_filled"), [("OCA group is already filled.", True), ("no margin", False)])
async def test_a_refusal_says_whether_the_group_of_the_order_has_done_its_work(reason, is_filled):
    async with a_desk() as desk:
        _, stop_id, _ = await desk.places_a_bracket()
        await desk.hears(f"4|2|{stop_id}|201|Order rejected - reason:{reason}||")
    (event,) = desk.notebook.of(OrderRejected)
    assert event.is_group_filled is is_filled


async def test_inactive_without_a_reason_is_rejected_after_a_moment():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        assert await desk.hears(order_status("Inactive", order_id=entry_id)) == []
        await desk.notebook.until(lambda: desk.notebook.of(OrderRejected))


async def test_inactive_while_shares_are_located_is_still_an_order():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        await desk.hears(
            open_order(ENTRY, order_id=entry_id, status="Inactive"),
            order_status("Inactive", order_id=entry_id, why_held="locate"),
            f"4|2|{entry_id}|404|Shares are not available for short sale||",
        )
    assert desk.notebook.kinds(ENTRY) == ["OrderAccepted"]


async def test_a_new_leg_off_tick_is_rejected():
    async with a_desk() as desk:
        *_, stop_id = await desk.places_a_bracket()
        await desk.hears(f"4|2|{stop_id}|110|The price does not conform to the minimum price variation||")
    assert [(event.ref, event.code) for event in desk.notebook.of(OrderRejected)] == [(STOP, 110)]


async def test_a_refused_change_does_not_end_the_order_that_works():
    resting = open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0", qty=10)
    async with a_desk(resting) as desk:
        await desk.broker.execute(ReplaceStop(order=a_stop(600.005)))
        await desk.tws.until("3")
        await desk.hears("4|2|55|110|The price does not conform to the minimum price variation||")
    assert desk.notebook.kinds(STOP) == ["OrderAccepted", "OrderUnknown"]


@pytest.mark.parametrize("code", [104, 105, 135, 329, 103, 99999])
async def test_what_ib_insync_takes_for_a_cancel_only_raises_a_question(code):
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(f"4|2|55|{code}|something||")
    assert desk.notebook.kinds(STOP) == ["OrderAccepted", "OrderUnknown"]
    assert str(code) in desk.notebook.events[-1].reason


@pytest.mark.parametrize("code", [161, 10147, 10148])
async def test_a_refused_cancel_is_a_reason_to_go_and_look(code):
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.broker.execute(CancelOrder(ref=STOP))
        assert (await desk.tws.until("4"))[0][2] == "55"
        await desk.hears(f"4|2|55|{code}|state: Filled||")
    assert desk.notebook.events[-1].reason.startswith(f"cancel answered {code}")
    assert isinstance(desk.notebook.events[-1], OrderUnknown)


@pytest.mark.parametrize("status_first", [True, False])
async def test_a_cancel_with_status_and_202_is_told_once(status_first):
    said = [order_status("Cancelled", order_id=55), "4|2|55|202|Order Canceled - reason:||"]
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(*(said if status_first else said[::-1]))
    assert desk.notebook.told == ["OrderAccepted", "OrderCancelled"]


async def test_an_order_that_comes_back_after_its_cancel_is_doubted():
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(order_status("Cancelled", order_id=55), *[order_status("Submitted", order_id=55)] * 2)
    assert desk.notebook.kinds(STOP) == ["OrderAccepted", "OrderCancelled", "OrderUnknown"]


async def test_a_reused_order_id_does_not_speak_for_the_order_before():
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(order_status("Cancelled", order_id=55, perm_id=9999))
    assert desk.notebook.kinds(STOP) == ["OrderAccepted"]


async def test_a_status_filled_is_only_a_hint_the_execution_is_the_fill():
    async with a_desk() as desk:
        entry_id, _, _ = await desk.places_a_bracket()
        assert await desk.hears(order_status("Filled", order_id=entry_id)) == []
        (filled,) = await desk.hears(execution(ENTRY, f"{EXEC}.01", order_id=entry_id))
    assert (filled.fill.quantity, filled.fill.price, filled.fill.side) == (10, 680.5, Side.BUY)


async def test_an_execution_is_booked_once_and_a_correction_replaces_it():
    async with a_desk() as desk:
        await desk.hears(
            execution(ENTRY, f"{EXEC}.01", shares=10),
            execution(ENTRY, f"{EXEC}.01", shares=10),
            execution(ENTRY, f"{EXEC}.02", shares=9),
            execution(ENTRY, f"{EXEC}.01", shares=10),
        )
    events = [(type(event), event.fill.quantity) for event in desk.notebook.events]
    assert events == [(OrderFilled, 10), (FillCorrected, 9)]


async def test_an_execution_of_an_unknown_zone_is_kept():
    async with a_desk() as desk:
        await desk.hears(execution(ENTRY, f"{EXEC}.01", time="20261120 10:00:05 Atlantis/Poseidonis"))
    assert len(desk.notebook.of(OrderFilled)) == 1


async def test_a_commission_waits_for_its_execution_and_a_sentinel_is_no_commission():
    async with a_desk() as desk:
        assert await desk.hears(commission(f"{EXEC}.01", "1.25"), commission(f"{EXEC}.01", UNSET)) == []
        await desk.hears(
            execution(ENTRY, f"{EXEC}.01"), commission(f"{EXEC}.01", "1.25"), commission(f"{EXEC}.01", "1.5")
        )
    told = [(type(e), getattr(e, "commission", None)) for e in desk.notebook.events]
    assert told == [(OrderFilled, None), (CommissionReported, 1.25), (CommissionReported, 1.5)]


async def test_a_second_order_with_a_reference_is_never_sent():
    async with a_desk() as desk:
        await desk.places_a_bracket()
        await desk.broker.execute(PlaceBracket(bracket=a_bracket()))
        await desk.broker.execute(Flatten(order=an_order(ENTRY)))
        await desk.broker.server_time()
        assert len(desk.tws.requests("3")) == 3
    assert desk.notebook.kinds(ENTRY) == ["OrderUnknown", "OrderUnknown"]
    assert desk.notebook.kinds(STOP) == desk.notebook.kinds(TARGET) == ["OrderUnknown"]


async def test_a_known_stop_is_changed_under_its_id_parent_and_group():
    resting = open_order(STOP, order_id=55, parent=53, side="SELL", type="STP", stop="600.0", oca="1376327563")
    async with a_desk(resting) as desk:
        await desk.broker.execute(ReplaceStop(order=a_stop(610.0, quantity=7)))
        (sent,) = await desk.tws.until("3")
        assert (sent[1], sent[17], sent[20], sent[22], sent[28]) == ("55", "7", "610.0", "1376327563", "53")
        await desk.hears(
            open_order(STOP, order_id=55, parent=53, side="SELL", type="STP", stop="610.0", oca="1376327563", qty=7)
        )
    assert desk.notebook.kinds(STOP) == ["OrderAccepted", "OrderAccepted"]


async def test_a_change_of_a_stop_that_is_over_is_no_new_order():
    """One reference is one order: a change that crossed the end of its stop placed a second one (brutal 378)."""
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(order_status("Cancelled", order_id=55), "4|2|55|202|Order Canceled - reason:||")
        await desk.broker.execute(ReplaceStop(order=a_stop(610.0, quantity=7)))
        await desk.notebook.until(lambda: desk.notebook.kinds(STOP)[-1] == "OrderUnknown")
        assert desk.tws.requests("3") == []
    assert desk.notebook.kinds(STOP)[-2:] == ["OrderCancelled", "OrderUnknown"]


async def test_an_unknown_stop_is_a_new_order():
    async with a_desk() as desk:
        await desk.broker.execute(ReplaceStop(order=a_stop()))
        (sent,) = await desk.tws.until("3")
    assert (sent[18], sent[27], sent[28]) == ("STP", "1", "0")


async def test_the_cancel_of_an_order_we_cannot_name_raises_a_question():
    async with a_desk(open_order(STOP, order_id=12, client=9)) as desk:
        await desk.broker.execute(CancelOrder(ref=STOP))
        await desk.broker.execute(CancelOrder(ref=ENTRY))
        await desk.broker.server_time()
        assert desk.tws.requests("4") == []
    reasons = [event.reason for event in desk.notebook.of(OrderUnknown)]
    assert "client id 9" in reasons[0]
    assert "no such order" in reasons[1]


async def test_a_liquidation_that_is_told_live_calls_for_a_comparison():
    async with a_desk() as desk:
        await desk.hears(execution("", f"{EXEC}.01", side="SLD", liquidation=1))
    assert desk.notebook.told == ["ConnectionLost", "ConnectionRestored"]
    assert "liquidated 10 SPY" in desk.notebook.events[0].reason


async def test_a_cancel_by_the_broker_waits_a_moment_for_its_reason():
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(order_status("Cancelled", order_id=55))
        assert desk.notebook.kinds(STOP) == ["OrderAccepted"]
        await desk.hears("4|2|55|202|Order Canceled - reason:Margin call||")
    assert desk.notebook.kinds(STOP) == ["OrderAccepted", "OrderCancelled"]
    assert "Margin call" in desk.notebook.events[-1].reason


@pytest.mark.parametrize("ends", ["time", "loss"])
async def test_a_cancel_whose_reason_never_comes_is_told_all_the_same(ends):
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.hears(order_status("Cancelled", order_id=55))
        if ends == "loss":
            desk.tws.reset()
        await desk.notebook.until(lambda: "OrderCancelled" in desk.notebook.kinds(STOP))


async def test_our_own_cancel_is_told_at_once():
    async with a_desk(open_order(STOP, order_id=55, side="SELL", type="STP", stop="600.0")) as desk:
        await desk.broker.execute(CancelOrder(ref=STOP))
        await desk.hears(order_status("Cancelled", order_id=55))
        assert desk.notebook.kinds(STOP) == ["OrderAccepted", "OrderCancelled"]


async def test_a_live_order_message_that_cannot_be_read_calls_for_a_comparison():
    async with a_desk() as desk:
        await desk.hears("3|101|Filled|ten|")
        await desk.hears("50|3|5|not a bar|")
    assert desk.notebook.told == ["ConnectionLost", "ConnectionRestored"]
