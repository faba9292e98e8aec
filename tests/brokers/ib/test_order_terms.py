"""Good-till dates and trailing stops: as they leave, and as a TWS tells them back."""

from datetime import UTC, datetime

import pytest

from shared.commands import Flatten, PlaceBracket, ReplaceStop
from shared.events import OrderCancelled, OrderFilled
from shared.orders import BracketOrder, OrderType, Side
from tests.brokers.ib.gateways import MARKET, a_gateway, connected, play
from tests.brokers.ib.peers import ENTRY, PLAN, STOP, Notebook, ScriptedTws, a_stop, a_target, an_order, ib_broker

UNTIL = datetime(2026, 11, 20, 10, 4, 5, tzinfo=UTC)


def a_trail(ref: str = STOP, stop: float = 600.0, **distance):
    return an_order(
        ref,
        Side.SELL,
        order_type=OrderType.TRAIL,
        stop_price=stop,
        tif="GTC",
        oca_group=f"{PLAN}:oca",
        **(distance or {"trail_amount": 2.5}),
    )


def a_bracket_with(stop_loss, **entry) -> PlaceBracket:
    return PlaceBracket(bracket=BracketOrder(entry=an_order(ENTRY, **entry), stop_loss=stop_loss))


async def sent(command) -> dict[str, list[str]]:
    """What leaves for a command, by reference."""
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.execute(command)
        await broker.server_time()
        await broker.disconnect()
        return {fields[26]: fields for fields in tws.requests("3")}


async def test_an_entry_that_is_good_till_an_instant_says_so_in_utc():
    order = (await sent(a_bracket_with(a_stop(), good_till=UNTIL.astimezone(tz=None))))[ENTRY]
    assert order[21] == "GTD"
    assert "20261120-10:04:05" in order


@pytest.mark.parametrize(
    ("distance", "aux", "percent"), [({"trail_amount": 2.5}, "2.5", ""), ({"trail_percent": 1.5}, "", "1.5")]
)
async def test_a_trailing_stop_leaves_with_its_distance_and_its_first_stop(distance, aux, percent):
    order = (await sent(Flatten(order=a_trail(**distance))))[STOP]
    start = order.index("600.0")
    assert (order[18], order[20], order[start : start + 2]) == ("TRAIL", aux, ["600.0", percent])


@pytest.mark.parametrize(
    ("distance", "told"), [({"trail_amount": 2.5}, (2.5, None)), ({"trail_percent": 1.5}, (None, 1.5))]
)
async def test_a_trailing_stop_is_told_back_with_its_distance_and_where_it_stands(distance, told):
    async with a_gateway() as gateway, connected(gateway, Notebook()) as broker:
        await play(gateway, broker, 5)
        await broker.execute(a_bracket_with(a_trail(**distance)))
        await play(gateway, broker, 3)
        report = await broker.report()
    (line,) = report.open_orders
    assert (line.ref, line.order_type, (line.trail_amount, line.trail_percent)) == (STOP, "TRAIL", told)
    assert line.stop_price >= 600.0


async def test_a_trailing_stop_follows_the_market_and_never_back():
    async with a_gateway() as gateway, connected(gateway, Notebook()) as broker:
        await play(gateway, broker, 5)
        await broker.execute(a_bracket_with(a_trail(trail_amount=50.0, stop=1.0)))
        stops = []
        for _ in range(4):
            await play(gateway, broker, 3)
            stops += [line.stop_price for line in (await broker.report()).open_orders]
    assert stops == sorted(stops)
    assert stops[0] > 1.0


async def test_a_trailing_stop_takes_new_terms_in_place():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 5)
        await broker.execute(a_bracket_with(a_trail()))
        await play(gateway, broker, 3)
        (before,) = (await broker.report()).open_orders
        await broker.execute(ReplaceStop(order=a_trail(stop=before.stop_price, trail_amount=1.25)))
        (after,) = (await broker.report()).open_orders
    assert (after.order_id, after.perm_id, after.trail_amount) == (before.order_id, before.perm_id, 1.25)
    assert "OrderUnknown" not in listener.kinds(STOP)


async def test_a_trailing_stop_beside_a_target_protects_until_one_of_them_fills():
    bracket = BracketOrder(entry=an_order(ENTRY), stop_loss=a_trail(), take_profit=a_target(1.0))
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 5)
        await broker.execute(PlaceBracket(bracket=bracket))
        await play(gateway, broker, 4)
        report = await broker.report()
    assert (report.open_orders, report.positions) == ((), ())
    assert len(listener.of(OrderFilled)) == 2
    assert listener.kinds(STOP)[-1] == "OrderCancelled"


async def test_an_entry_is_gone_at_its_instant_and_is_adopted_with_it_before():
    until = datetime.fromtimestamp(MARKET.opens_at + 60, UTC)
    far = {"order_type": OrderType.LIMIT, "limit_price": 100.0, "good_till": until}
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 2)
        await broker.execute(a_bracket_with(a_stop(), **far))
        await broker.server_time()
        entry = next(line for line in (await broker.report()).open_orders if line.ref == ENTRY)
        assert listener.of(OrderCancelled) == []
        await play(gateway, broker, 12)
    assert entry.good_till == until
    assert listener.kinds(ENTRY)[-1] == "OrderCancelled"
