"""The adapter against a TWS on the wire, over loopback; market time moves only when a test says so."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.errors import BrokerUnavailable
from shared.events import CommissionReported, ConnectionLost, OrderAccepted, OrderFilled, OrderRejected
from shared.ids import leg_ref
from shared.market import Bar
from shared.orders import Leg, OrderType, Side
from tests.brokers.ib.gateways import MARKET, SYMBOLS, a_gateway, connected, play
from tests.brokers.ib.peers import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    Notebook,
    a_bracket,
    a_stop,
    an_order,
    ib_broker,
)

NO_BAR = Bar(math.nan, math.nan, math.nan, math.nan, math.nan)


async def test_connecting_reports_the_account_and_the_simulated_clock():
    listener = Notebook()
    async with a_gateway() as gateway:
        broker = ib_broker(gateway.port, listener, *SYMBOLS)
        assert await broker.connect() == "DU7654321"
        await broker.server_time()
        await broker.disconnect()
    market_at, speed = listener.clocks[0]
    assert abs(market_at.timestamp() - MARKET.opens_at) <= 1
    assert speed == 1.0
    assert listener.of(ConnectionLost) == []


async def test_warm_up_rows_are_the_history_of_the_source():
    at = MARKET.opens_at + 3600
    async with a_gateway(at=at) as gateway, connected(gateway, Notebook()) as broker:
        before = datetime.fromtimestamp(at, UTC)
        rows = await broker.warm_up(interval_s=60, bars=30, before=before)
    assert [row.closed_at for row in rows] == [before - timedelta(minutes=29 - n) for n in range(30)]
    for index, symbol in enumerate(SYMBOLS):
        told = MARKET.history(symbol, end_at=at, duration_s=1800, bar_s=60)
        for name in ("open", "high", "low", "close", "volume"):
            ours = np.array([getattr(row.row, name)[index] for row in rows])
            np.testing.assert_array_equal(ours[~np.isnan(ours)], getattr(told, name))


async def test_daily_warm_up_closes_with_the_session():
    at = MARKET.opens_at + 3600
    async with a_gateway(at=at) as gateway, connected(gateway, Notebook()) as broker:
        rows = await broker.warm_up(interval_s=86_400, bars=2, before=datetime.fromtimestamp(at, UTC))
    assert [row.closed_at for row in rows] == [
        datetime(2026, 11, 18, 21, tzinfo=UTC),
        datetime(2026, 11, 19, 21, tzinfo=UTC),
    ]
    told = MARKET.history("AAPL", end_at=at, duration_s=3 * 86_400, bar_s=86_400)
    assert rows[-1].row.close[1] in told.close[-2:]


async def test_an_interval_without_a_bar_size_is_put_together_from_smaller_bars():
    at = MARKET.opens_at + 3600
    before = datetime.fromtimestamp(at, UTC)
    async with a_gateway(at=at) as gateway, connected(gateway, Notebook()) as broker:
        rows = await broker.warm_up(interval_s=120, bars=5, before=before)
        minutes = await broker.warm_up(interval_s=60, bars=10, before=before)
    assert [row.closed_at for row in rows] == [minute.closed_at for minute in minutes[1::2]]
    assert [row.row.high[0] for row in rows] == [
        max(one.row.high[0], two.row.high[0]) for one, two in zip(minutes[::2], minutes[1::2], strict=True)
    ]
    assert [row.row.close[0] for row in rows] == [minute.row.close[0] for minute in minutes[1::2]]


async def test_bars_arrive_as_the_steps_of_the_source():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await broker.subscribe()
        await broker.server_time()
        await play(gateway, broker, 20)
        await listener.until(lambda: len(listener.bars) >= 36)
    by_start = {(symbol, opened_at.timestamp()): bar for symbol, opened_at, _, bar in listener.bars}
    for step, _ in zip(MARKET.steps(), range(20), strict=False):
        for index, symbol in enumerate(SYMBOLS):
            bar = by_start.get((symbol, step.starts_at), NO_BAR)
            if not math.isnan(step.close[index]):
                assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == tuple(
                    float(values[index]) for values in (step.open, step.high, step.low, step.close, step.volume)
                )
            else:
                assert math.isnan(bar.close)


async def test_a_bracket_is_accepted_leg_by_leg_then_filled_and_charged():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 5)
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await play(gateway, broker, 3)
        await listener.until(lambda: listener.of(CommissionReported))
        told = gateway.ledger.executions
    accepted = {event.ref for event in listener.of(OrderAccepted)}
    (filled,) = listener.of(OrderFilled)
    assert {STOP, TARGET} <= accepted
    assert (filled.fill.ref, filled.fill.quantity, filled.fill.side) == (ENTRY, 10, Side.BUY)
    assert [(fill.exec_id, fill.price) for fill in told] == [(filled.fill.exec_id, filled.fill.price)]
    assert abs(filled.fill.filled_at.timestamp() - told[0].at) < 1
    assert listener.of(CommissionReported)[0].exec_id == filled.fill.exec_id
    assert listener.of(CommissionReported)[0].commission == pytest.approx(1.0)


async def test_the_report_holds_orders_fills_position_and_account():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 5)
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await play(gateway, broker, 3)
        report = await broker.report()
    assert report.is_complete
    orders = {order.ref: order for order in report.open_orders}
    assert set(orders) == {STOP, TARGET}
    assert (orders[STOP].order_type, orders[STOP].stop_price, orders[STOP].limit_price) == (
        "STP",
        600.0,
        None,
    )
    assert (orders[TARGET].limit_price, orders[TARGET].stop_price) == (800.0, None)
    assert [fill.ref for fill in report.fills] == [ENTRY]
    assert [(position.symbol, position.quantity) for position in report.positions] == [("SPY", 10.0)]
    assert [(order.ref, order.filled) for order in report.completed_orders] == [(ENTRY, 10)]
    assert report.account.account_id == "DU7654321"
    assert report.account.net_liquidation == pytest.approx(1_000_000, abs=100)


async def test_a_cancel_by_reference_is_confirmed():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 2)
        far_away = a_bracket(order_type=OrderType.LIMIT, limit_price=100.0)
        await broker.execute(PlaceBracket(bracket=far_away))
        await broker.server_time()
        await broker.execute(CancelOrder(ref=ENTRY))
        await broker.server_time()
    assert listener.kinds(ENTRY) == ["OrderAccepted", "OrderCancelled"]
    assert listener.kinds(STOP)[-1] == "OrderCancelled"


async def test_a_stop_is_moved_in_place_and_its_new_terms_are_confirmed():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 5)
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await play(gateway, broker, 3)
        before = listener.kinds(STOP).count("OrderAccepted")
        await broker.execute(ReplaceStop(order=a_stop(601.0)))
        report = await broker.report()
    assert [order.stop_price for order in report.open_orders if order.ref == STOP] == [601.0]
    assert listener.kinds(STOP).count("OrderAccepted") > before
    assert "OrderUnknown" not in listener.kinds(STOP)


async def test_a_flatten_closes_the_position_and_takes_the_protection_with_it():
    exit_ref = leg_ref(PLAN, Leg.EXIT)
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 5)
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await play(gateway, broker, 3)
        await broker.execute(Flatten(order=an_order(exit_ref, Side.SELL, oca_group=f"{PLAN}:oca")))
        await play(gateway, broker, 3)
        report = await broker.report()
    assert report.positions == ()
    assert report.open_orders == ()
    assert [event.fill.ref for event in listener.of(OrderFilled)] == [ENTRY, exit_ref]


async def test_an_order_off_tick_is_rejected_with_the_brokers_code():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await play(gateway, broker, 2)
        await broker.execute(ReplaceStop(order=a_stop(600.005)))
        await broker.server_time()
    assert [(event.ref, event.code) for event in listener.of(OrderRejected)] == [(STOP, 110)]
    assert listener.kinds(STOP) == ["OrderRejected"]


async def test_the_same_client_id_finds_its_orders_again_and_can_cancel_them_by_reference():
    async with a_gateway() as gateway:
        async with connected(gateway, Notebook()) as broker:
            await play(gateway, broker, 5)
            await broker.execute(PlaceBracket(bracket=a_bracket()))
            await play(gateway, broker, 3)
        listener = Notebook()
        async with connected(gateway, listener) as broker:
            await broker.execute(CancelOrder(ref=STOP))
            await broker.server_time()
            report = await broker.report()
            again = await broker.report()
    assert listener.kinds(STOP)[-1] == "OrderCancelled"
    assert STOP not in {order.ref for order in report.open_orders}
    assert [event.fill.ref for event in listener.of(OrderFilled)] == [ENTRY]
    assert [fill.ref for fill in again.fills] == [ENTRY]


async def test_a_gateway_that_goes_is_told_once_and_takes_no_orders():
    listener = Notebook()
    async with a_gateway() as gateway:
        broker = ib_broker(gateway.port, listener, *SYMBOLS)
        await broker.connect()
    await listener.until(lambda: listener.of(ConnectionLost))
    with pytest.raises(BrokerUnavailable):
        await broker.execute(CancelOrder(ref=ENTRY))
    with pytest.raises(BrokerUnavailable):
        await broker.report()
    await broker.disconnect()
    assert len(listener.of(ConnectionLost)) == 1


async def test_a_client_id_in_use_is_named_in_one_line():
    async with a_gateway() as gateway, connected(gateway, Notebook()):
        second = ib_broker(gateway.port, Notebook(), *SYMBOLS)
        with pytest.raises(BrokerUnavailable, match=r"client id 7 is in use"):
            await second.connect()
