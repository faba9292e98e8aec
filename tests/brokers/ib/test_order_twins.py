"""Two permIds under one reference and one order id (fault 37): the end of one is not the end of the other."""

import pytest

from shared.commands import CancelOrder, ReplaceStop
from tests.brokers.ib.peers import STOP, a_stop, open_order, order_status
from tests.brokers.ib.test_order_events import a_desk

FIRST, TWIN = 7001, 7002
END = "4|2|55|202|Order Canceled - reason:Remainder cancelled by exchange||"
ASKED = "4|2|55|202|Order Canceled - reason:||"


def a_line(perm_id=FIRST):
    return open_order(STOP, order_id=55, perm_id=perm_id, side="SELL", type="STP", stop="600.0")


def a_status(status, perm_id):
    return order_status(status, order_id=55, perm_id=perm_id)


async def hears_of_a_twin(desk):
    await desk.hears(a_line(TWIN), a_status("Submitted", TWIN))


async def test_when_one_of_two_has_ended_the_other_can_still_be_changed():
    """Found by simulation (brutal 7045): 100 shares stayed behind a position of 60."""
    async with a_desk(a_line()) as desk:
        await hears_of_a_twin(desk)
        await desk.hears(a_status("Cancelled", TWIN), END)
        await desk.broker.execute(ReplaceStop(order=a_stop(610.0, quantity=7)))
        (sent,) = await desk.tws.until("3")
    assert (sent[1], sent[17]) == ("55", "7")


@pytest.mark.parametrize("told", [[a_status("Cancelled", FIRST), ASKED], [ASKED, a_status("Cancelled", FIRST)]])
async def test_the_cancel_of_the_one_that_is_left_is_told(told):
    """Found by simulation (brutal 7045): nobody heard of it, and its shares stood bare until the daemon asked."""
    async with a_desk(a_line()) as desk:
        await hears_of_a_twin(desk)
        await desk.hears(a_status("Cancelled", TWIN), END)
        heard = len(desk.notebook.kinds(STOP))
        await desk.broker.execute(CancelOrder(ref=STOP))
        await desk.hears(*told)
        await desk.notebook.until(lambda: "OrderCancelled" in desk.notebook.kinds(STOP)[heard:])


@pytest.mark.parametrize("ends", [TWIN, FIRST])
async def test_the_end_of_one_is_a_doubt_about_the_order_and_the_end_of_the_other_its_end(ends):
    """Found by simulation (storm 9267): taken for its end, what was still at work was sent a second time."""
    async with a_desk(a_line()) as desk:
        await hears_of_a_twin(desk)
        await desk.hears(a_status("Cancelled", ends), END)
        await desk.notebook.until(lambda: desk.notebook.kinds(STOP)[-1] == "OrderUnknown")
        assert "OrderCancelled" not in desk.notebook.kinds(STOP)
        await desk.hears(a_status("Cancelled", FIRST + TWIN - ends), END)
        await desk.notebook.until(lambda: "OrderCancelled" in desk.notebook.kinds(STOP))


async def test_the_late_reason_of_one_end_does_not_end_the_other():
    async with a_desk(a_line()) as desk:
        await hears_of_a_twin(desk)
        await desk.broker.execute(CancelOrder(ref=STOP))
        await desk.hears(a_status("Cancelled", TWIN))
        heard = len(desk.notebook.kinds(STOP))
        await desk.hears(ASKED)
        assert "OrderCancelled" not in desk.notebook.kinds(STOP)[heard:]
        await desk.broker.execute(ReplaceStop(order=a_stop(610.0, quantity=7)))
        assert len(await desk.tws.until("3")) == 1


async def test_an_order_that_an_answer_shows_at_work_has_not_ended():
    """A cancel that was told and did not take place (RELIABILITY.md F6)."""
    async with a_desk(a_line()) as desk:
        await desk.hears(a_status("Cancelled", FIRST), END)
        desk.tws.answers["16"] = [a_line(), a_status("PreSubmitted", FIRST), "53|1|"]
        await desk.broker.report()
        await desk.broker.execute(ReplaceStop(order=a_stop(610.0, quantity=7)))
        assert len(await desk.tws.until("3")) == 1
        await desk.hears(a_status("Cancelled", FIRST), ASKED)
    assert desk.notebook.kinds(STOP).count("OrderCancelled") == 2
