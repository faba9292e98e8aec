from datetime import timedelta

import numpy as np
import pytest

from brokers.simulated.bar_ledger import BarLedger
from brokers.simulated.costs.charging import Charges, IbCharges
from brokers.simulated.gateway.accounts.ledger import Execution, Ledger
from shared.commands import CancelOrder, Flatten, ReplaceStop
from shared.events import CommissionReported, OrderAccepted, OrderCancelled, OrderFilled, OrderRejected
from shared.orders import Fill, Order, OrderType, Side
from tests.backtest.builders import OPENS, a_bracket, a_broker, a_row, a_universe, flat

ENTRY, STOP, TARGET = (f"OB1:test:20131007:SPY-1:{leg}" for leg in "EST")


def minute(number):
    return OPENS + timedelta(minutes=number)


def a_holding_broker(**kwargs):
    """A broker that bought 100 at 100 on the first minute, protected at 99 and 102."""
    broker = a_broker(**kwargs)
    broker.execute(a_bracket(), minute(0))
    broker.on_row(minute(1), a_row(flat(100.0)))
    return broker


def a_stop(quantity, stop):
    return Order(
        ref=STOP,
        symbol="SPY",
        side=Side.SELL,
        quantity=quantity,
        order_type=OrderType.STOP,
        stop_price=stop,
        tif="GTC",
    )


def an_exit(quantity):
    return Flatten(
        order=Order(
            ref="OB1:test:20131007:SPY-1:X1",
            symbol="SPY",
            side=Side.SELL,
            quantity=quantity,
            order_type=OrderType.MARKET,
            oca_group="OB1:test:20131007:SPY-1",
        )
    )


def kinds(events):
    return [type(event) for event in events]


def test_every_leg_of_a_bracket_is_accepted_with_a_perm_id_of_its_own():
    events = a_broker().execute(a_bracket(), minute(0))
    assert [(event.ref, event.perm_id) for event in events] == [(ENTRY, 1), (STOP, 2), (TARGET, 3)]
    assert kinds(events) == [OrderAccepted] * 3


def test_a_fill_comes_with_its_commission_and_computed_exec_ids():
    broker = a_broker(charge=lambda execution: Charges(0.005 * execution.fill.quantity))
    broker.execute(a_bracket(), minute(0))
    filled, charged = broker.on_row(minute(1), a_row(flat(100.0)))
    assert isinstance(filled, OrderFilled)
    assert isinstance(charged, CommissionReported)
    assert (filled.fill.exec_id, filled.fill.perm_id, filled.fill.price) == ("bar.0.00000001.01", 1, 100.0)
    assert (charged.exec_id, charged.commission) == ("bar.0.00000001.01", 0.5)


def test_an_order_filled_in_parts_pays_its_minimum_once():
    broker = a_broker(charge=IbCharges("ib_fixed"))
    broker.execute(a_bracket(target=None), minute(0))
    first = broker.on_row(minute(1), a_row(flat(100.0), volume=40.0))
    second = broker.on_row(minute(2), a_row(flat(100.0), volume=1e6))
    assert [event.fill.quantity for event in (first[0], second[0])] == [40, 60]
    assert [event.commission for event in (first[1], second[1])] == [1.0, 0.0]


def test_a_stop_that_fills_takes_the_target_with_it():
    broker = a_holding_broker()
    events = broker.on_row(minute(2), a_row((100.0, 100.0, 98.0, 98.5)))
    assert kinds(events) == [OrderFilled, CommissionReported, OrderCancelled]
    assert (events[0].fill.ref, events[0].fill.price, events[2].ref) == (STOP, 99.0, TARGET)


def test_a_bar_that_touches_stop_and_target_takes_the_stop():
    broker = a_holding_broker()
    events = broker.on_row(minute(2), a_row((100.0, 103.0, 98.0, 102.5)))
    assert [event.fill.ref for event in events if isinstance(event, OrderFilled)] == [STOP]


def test_cancelling_the_entry_cancels_its_children():
    broker = a_broker()
    broker.execute(a_bracket(limit=90.0), minute(0))
    events = broker.execute(CancelOrder(ref=ENTRY), minute(1))
    assert [event.ref for event in events] == [ENTRY, STOP, TARGET]


def test_cancelling_an_order_that_is_done_says_nothing_and_an_unknown_one_is_not_found():
    broker = a_holding_broker()
    assert broker.execute(CancelOrder(ref=ENTRY), minute(1)) == []
    (answer,) = broker.execute(CancelOrder(ref="OB1:test:20131007:SPY-9:E"), minute(1))
    assert (kinds([answer]), answer.reason) == ([OrderCancelled], "not found")


def test_a_stop_that_works_is_modified_in_place():
    broker = a_holding_broker()
    (answer,) = broker.execute(ReplaceStop(order=a_stop(100, 99.5)), minute(1))
    assert (kinds([answer]), answer.perm_id) == ([OrderAccepted], 2)
    events = broker.on_row(minute(2), a_row((100.0, 100.0, 99.4, 99.6)))
    assert (events[0].fill.ref, events[0].fill.price) == (STOP, 99.5)


def test_a_stop_that_is_gone_cannot_be_modified():
    broker = a_holding_broker()
    broker.on_row(minute(2), a_row((100.0, 100.0, 98.0, 98.5)))
    (answer,) = broker.execute(ReplaceStop(order=a_stop(100, 99.5)), minute(2))
    assert (kinds([answer]), answer.code) == ([OrderRejected], 104)


def test_a_reference_is_used_once():
    broker = a_holding_broker()
    assert kinds(broker.execute(a_bracket(), minute(1))) == [OrderRejected] * 3


def test_flattening_takes_the_protection_with_it():
    broker = a_holding_broker()
    broker.execute(an_exit(100), minute(1))
    events = broker.on_row(minute(2), a_row(flat(101.0)))
    assert [event.fill.ref[-2:] for event in events if isinstance(event, OrderFilled)] == ["X1"]
    assert [event.ref for event in events if isinstance(event, OrderCancelled)] == [STOP, TARGET]
    assert broker.report(minute(2)).positions == ()


def test_slippage_is_told_apart_from_the_price():
    broker = a_broker(slippage_bps=10.0)
    broker.execute(a_bracket(), minute(0))
    filled, _ = broker.on_row(minute(1), a_row(flat(100.0)))
    assert filled.fill.price == pytest.approx(100.1)
    assert broker.costs_of(filled.fill.exec_id).slippage == pytest.approx(10.0)


def test_the_report_is_complete_and_names_what_is_held_open_and_done():
    report = a_holding_broker().report(minute(1))
    assert report.is_complete
    assert [(line.symbol, line.quantity, line.average_cost) for line in report.positions] == [("SPY", 100.0, 100.0)]
    assert [(order.ref, order.quantity) for order in report.open_orders] == [(STOP, 100), (TARGET, 100)]
    assert [(order.ref, order.status, order.filled) for order in report.completed_orders] == [(ENTRY, "Filled", 100)]
    assert [fill.quantity for fill in report.fills] == [100]


def test_the_account_is_cash_plus_positions_at_the_last_close():
    broker = a_holding_broker(charge=lambda _: Charges(1.0))
    broker.on_row(minute(2), a_row((100.0, 101.0, 100.0, 101.0)))
    broker.on_row(minute(3), a_row(flat(np.nan)))
    account = broker.valued(minute(3))[0].account
    assert (account.cash, account.net_liquidation) == (89_999.0, 100_099.0)


def test_the_ledger_agrees_with_the_gateways_over_a_random_path():
    rng = np.random.default_rng(3)
    universe = a_universe("SPY", "IBM")
    ours, theirs = BarLedger(universe, "DU1", 1e6), Ledger("DU1", 1e6)
    for number in range(300):
        con_id = int(rng.integers(2))
        side = Side.BUY if rng.random() < 0.5 else Side.SELL
        quantity, price, fee = (
            int(rng.integers(1, 200)),
            float(rng.uniform(50, 150)),
            float(rng.uniform(0, 2)),
        )
        symbol = universe.symbols[con_id]
        ours.book(
            Fill(
                ref="x",
                exec_id=str(number),
                symbol=symbol,
                side=side,
                quantity=quantity,
                price=price,
                filled_at=OPENS,
            ),
            fee,
        )
        theirs.book(an_execution(number, con_id, symbol, side, quantity, price), fee)
        prices = rng.uniform(50, 150, 2)
        ours.mark(a_row(*(flat(close) for close in prices)))
        for at, close in enumerate(prices):
            theirs.mark(at, float(close))
        assert ours.net_liquidation == pytest.approx(theirs.net_liquidation, rel=1e-12)
        assert ours.valued()[1] == pytest.approx(theirs.gross_position_value, rel=1e-12)
    held = {line.symbol: (line.quantity, line.average_cost) for line in ours.positions()}
    expected = {line.symbol: (line.quantity, line.average_cost) for line in theirs.positions.values()}
    assert held == {symbol: pytest.approx(pair, rel=1e-9) for symbol, pair in expected.items()}


def an_execution(number, con_id, symbol, side, quantity, price):
    return Execution(
        at=float(number),
        exec_id=str(number),
        perm_id=1,
        client_id=0,
        order_id=1,
        order_ref="x",
        con_id=con_id,
        symbol=symbol,
        side=side.value,
        quantity=quantity,
        price=price,
        filled=quantity,
        average_price=price,
    )
