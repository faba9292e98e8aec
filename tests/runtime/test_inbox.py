from datetime import UTC, datetime

import numpy as np

from daemon.runtime.inbox import Inbox
from shared.events import BarsClosed, OperatorCommanded, OrderAccepted
from shared.market import BarRow

AT = datetime(2013, 10, 8, 14, 0, tzinfo=UTC)


def a_row(number):
    values = np.array([float(number)])
    row = BarRow(open=values, high=values, low=values, close=values, volume=values)
    return BarsClosed(received_at=AT, closed_at=AT, interval_s=60, row=row)


def an_answer(number):
    return OrderAccepted(received_at=AT, ref=f"r{number}", perm_id=number, broker_status="Submitted")


async def drained(inbox):
    return [await inbox.take() for _ in range(len(inbox))]


async def test_events_leave_in_the_order_in_which_they_came():
    inbox = Inbox(10)
    inbox.put(an_answer(1))
    inbox.put(an_answer(2))
    assert [event.ref for event in await drained(inbox)] == ["r1", "r2"]


async def test_a_full_inbox_drops_the_oldest_row_and_counts_it():
    inbox = Inbox(3)
    events = [a_row(1), an_answer(1), a_row(2), an_answer(2)]
    for event in events:
        inbox.put(event)
    assert await drained(inbox) == events[1:]
    assert inbox.conflated == 1


async def test_order_events_are_all_kept_and_halt_trading_when_they_alone_overfill_it():
    inbox = Inbox(2)
    for number in range(5):
        inbox.put(an_answer(number))
    halt, *answers = await drained(inbox)
    assert isinstance(halt, OperatorCommanded)
    assert (halt.verb, halt.scope, halt.actor) == ("halt", "account", "inbox")
    assert [answer.ref for answer in answers] == ["r0", "r1", "r2", "r3", "r4"]
