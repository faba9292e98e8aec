"""What leaves when, on the wire: exits, cancels and stops never wait behind entries."""

from contextlib import asynccontextmanager

import pytest

from brokers.ib.lanes import ENTRIES_PER_S, Budget
from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import OrderCancelled, OrderUnknown
from shared.ids import leg_ref
from shared.orders import BracketOrder, Leg, OrderType, Side
from tests.brokers.ib.peers import DATA, ORDERS, Notebook, ScriptedTws, a_stop, an_order, ib_broker, open_order

ENTRIES = 200
RESTING = "OB1:sma:20261120:SPY-9001:S"
EXIT = "OB1:sma:20261120:SPY-9002:X"


def bracket(number: int) -> PlaceBracket:
    plan = f"OB1:sma:20261120:SPY-{number}"
    entry = an_order(leg_ref(plan, Leg.ENTRY), order_type=OrderType.LIMIT, limit_price=600.0)
    return PlaceBracket(bracket=BracketOrder(entry=entry, stop_loss=a_stop(ref=leg_ref(plan, Leg.STOP_LOSS))))


def refs_of(number: int) -> list[str]:
    return [f"OB1:sma:20261120:SPY-{number}:{leg}" for leg in "ES"]


@asynccontextmanager
async def a_burst(*commands):
    """A broker that was given two hundred entries and then the commands, all in one turn of the loop."""
    notebook = Notebook()
    async with ScriptedTws() as tws:
        resting = open_order(RESTING, order_id=55, side="SELL", type="STP", stop="600.0")
        tws.answers["5"] = [resting, "53|1|"]
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        for command in [*map(bracket, range(ENTRIES)), *commands]:
            await broker.execute(command)
        try:
            yield tws, notebook
        finally:
            await broker.disconnect()


@pytest.mark.parametrize(
    ("command", "request_id"),
    [
        (Flatten(order=an_order(EXIT, Side.SELL)), "3"),
        (CancelOrder(ref=RESTING), "4"),
        (ReplaceStop(order=a_stop(610.0, ref=RESTING)), "3"),
        (ReplaceStop(order=a_stop(610.0, ref=EXIT[:-1] + "P")), "3"),
    ],
    ids=["exit", "cancel", "moved stop", "new stop"],
)
async def test_behind_a_burst_of_entries_what_reduces_risk_is_the_next_message(command, request_id):
    async with a_burst(command) as (tws, _):
        entries = [ref for number in range(ENTRIES) for ref in refs_of(number)]
        await tws.until("3", ENTRIES_PER_S + 2)
        sent = [fields for fields in tws.received if fields[0] in {"3", "4"}]
    urgent = next(
        index
        for index, fields in enumerate(sent)
        if fields[0] == "4" or (fields[0] == "3" and fields[26] not in entries)
    )
    assert sent[urgent][0] == request_id
    assert urgent <= ENTRIES_PER_S
    assert [fields[26] for fields in sent[:urgent]] == entries[:urgent]
    assert len(sent) > urgent + 1  # the burst goes on behind it


async def test_entries_leave_in_their_sequence_and_none_twice():
    async with a_burst() as (tws, _):
        sent = [fields[26] for fields in await tws.until("3", 2 * ENTRIES_PER_S)]
    assert sent == [ref for number in range(ENTRIES) for ref in refs_of(number)][: len(sent)]


async def test_a_cancelled_entry_that_waits_is_never_sent_nor_its_stop():
    async with a_burst(CancelOrder(ref=refs_of(20)[0])) as (tws, notebook):
        cancelled = [event.ref for event in notebook.of(OrderCancelled)]
        sent = [fields[26] for fields in await tws.until("3", 46)]
        assert tws.requests("4") == []
    assert cancelled == refs_of(20)
    assert refs_of(19)[1] in sent
    assert refs_of(21)[0] in sent
    assert not set(refs_of(20)) & set(sent)


async def test_a_stop_that_waits_leaves_with_its_new_price_and_as_part_of_its_bracket():
    stop = refs_of(20)[1]
    async with a_burst(ReplaceStop(order=a_stop(611.0, ref=stop))) as (tws, _):
        sent = {fields[26]: fields for fields in await tws.until("3", 46)}
    assert (sent[stop][20], sent[stop][27]) == ("611.0", "1")
    assert sent[stop][28] == sent[refs_of(20)[0]][1]


@pytest.mark.parametrize("how", ["server", "socket"])
async def test_entries_that_wait_are_not_sent_later_when_the_connection_is_lost(how):
    async with a_burst() as (tws, notebook):
        if how == "server":
            tws.say("4|2|-1|1100|lost||")
        else:
            tws.reset()
        await notebook.until(lambda: notebook.of(OrderUnknown))
        unknown = [event.ref for event in notebook.of(OrderUnknown)]
        sent = {fields[26] for fields in tws.requests("3")}
    assert unknown[-1] == refs_of(ENTRIES - 1)[1]
    assert not set(unknown) & sent
    assert all("never sent" in event.reason for event in notebook.of(OrderUnknown))


async def test_the_question_for_the_time_does_not_wait_behind_entries():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        for number in range(ENTRIES):
            await broker.execute(bracket(number))
        await broker.server_time()
        assert len(tws.requests("3")) <= ENTRIES_PER_S
        await broker.disconnect()


async def test_no_data_request_goes_over_the_line_for_orders():
    data_requests = {"1", "9", "20", "50", "51"}
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.subscribe()
        await broker.report()
        await tws.until("1")
        await broker.disconnect()
    assert data_requests & set(tws.asked_by[ORDERS]) == set()
    assert {"9", "50", "1"} <= set(tws.asked_by[DATA])
    assert {"3", "5", "7", "16", "61", "62"} & set(tws.asked_by[DATA]) == set()


def test_the_budget_lets_pass_what_keeps_within_the_limit_of_a_second():
    budget = Budget()
    for at in (0.0, 0.1, 0.2):
        budget.note(at)
    assert budget.wait_s(1, 4, 0.3) == 0
    assert budget.wait_s(2, 4, 0.3) == pytest.approx(0.7)  # until the first is a second old
    assert budget.wait_s(4, 4, 0.3) == pytest.approx(0.9)
    assert budget.wait_s(4, 4, 1.2) == 0


async def test_entries_that_wait_for_room_are_told_in_the_report_and_so_not_lost():
    async with ScriptedTws() as tws:
        notebook = Notebook()
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        for number in range(ENTRIES):
            await broker.execute(bracket(number))
        report = await broker.report()
        sent = {fields[26] for fields in tws.requests("3")}
        await broker.disconnect()
    told = {line.ref: line for line in report.open_orders}
    everything = {ref for number in range(ENTRIES) for ref in refs_of(number)}
    assert everything - sent <= set(told)
    assert {(line.perm_id, line.status) for line in told.values()} == {(0, "PendingSubmit")}


async def test_order_ids_rise_on_the_wire_even_where_an_exit_overtakes_entries():
    """TWS refuses an id below one it has seen with 103."""
    async with a_burst(Flatten(order=an_order(EXIT, Side.SELL))) as (tws, _):
        sent = await tws.until("3", 2 * ENTRIES_PER_S)
    ids = [int(fields[1]) for fields in sent]
    assert ids == sorted(set(ids))
    parents = {fields[26]: fields[1] for fields in sent if fields[26].endswith(":E")}
    children = {fields[26]: fields[28] for fields in sent if fields[26].endswith(":S")}
    pairs = [(parents[ref.removesuffix("S") + "E"], parent) for ref, parent in children.items()]
    assert [own for own, parent in pairs if own != parent] == []
