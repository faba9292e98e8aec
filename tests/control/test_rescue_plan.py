"""What a bare report calls for: which stop protects, and whose exit an exit is."""

from datetime import UTC, datetime

from daemon.control.rescue_plan import entries_of, exits_of, orders_in, protected_positions
from shared.account import BrokerPosition
from shared.events import BrokerReported
from shared.orders import Fill, OpenOrder, Side

NOW = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
A, B = "OB1:sma:20261120:SPY-1", "OB1:momentum:20261120:SPY-4"


def an_open(ref, quantity=60, *, side=Side.SELL, kind="STP", symbol="SPY"):
    return OpenOrder(
        ref=ref,
        perm_id=hash(ref) % 10_000,
        symbol=symbol,
        side=side,
        quantity=quantity,
        order_type=kind,
        limit_price=None,
        stop_price=99.0,
        status="PreSubmitted",
        client_id=7,
        order_id=1,
    )


def a_fill(ref, quantity=60, side=Side.BUY):
    return Fill(ref=ref, exec_id="1.1.1.01", symbol="SPY", side=side, quantity=quantity, price=100.0, filled_at=NOW)


def a_report(quantity, *orders, fills=()):
    held = (BrokerPosition(symbol="SPY", quantity=quantity, average_cost=100.0),) if quantity else ()
    return BrokerReported(
        received_at=NOW,
        asked_at=NOW,
        positions=held,
        open_orders=orders,
        completed_orders=(),
        fills=fills,
        account=None,
    )


def exits(report):
    return [(order.ref, order.side.value, order.quantity) for order in exits_of(report, "SPY", NOW)]


def test_each_plan_gets_the_exit_of_the_shares_that_its_stop_protects():
    report = a_report(100.0, an_open(f"{A}:S", 60), an_open(f"{B}:P1", 40))
    assert exits(report) == [(f"{A}:X150405", "SELL", 60), (f"{B}:X150405", "SELL", 40)]


def test_a_short_position_is_bought_back():
    assert exits(a_report(-60.0, an_open(f"{A}:S", 60, side=Side.BUY))) == [(f"{A}:X150405", "BUY", 60)]


def test_a_position_without_a_stop_belongs_to_the_only_plan_that_traded_today():
    assert exits(a_report(60.0, fills=(a_fill(f"{A}:E"),))) == [(f"{A}:X150405", "SELL", 60)]


def test_what_no_plan_explains_is_marked_as_foreign():
    assert exits(a_report(60.0)) == [("RESCUE:SPY:20261120150405", "SELL", 60)]
    two = a_report(75.0, an_open(f"{A}:S", 60), an_open(f"{B}:S", 40))
    assert exits(two) == [("RESCUE:SPY:20261120150405", "SELL", 75)]


def test_a_fraction_of_a_share_stays():
    assert exits(a_report(60.7, an_open(f"{A}:S", 60))) == [(f"{A}:X150405", "SELL", 60)]
    assert exits(a_report(0.7)) == []


def test_the_child_of_an_entry_that_has_not_filled_protects_nothing():
    entry, child = an_open(f"{B}:E", 40, side=Side.BUY, kind="LMT"), an_open(f"{B}:S", 40)
    [held] = protected_positions(a_report(60.0, entry, child))
    assert (held.stops, held.is_whole) == ((), False)
    [held] = protected_positions(a_report(40.0, entry, child, fills=(a_fill(f"{B}:E", 40),)))
    assert (held.stops, held.is_whole) == ((child,), True)


def test_a_stop_on_the_wrong_side_or_a_target_is_no_protection():
    wrong = an_open(f"{A}:S", side=Side.BUY)
    target = an_open(f"{A}:T", kind="LMT")
    [held] = protected_positions(a_report(60.0, wrong, target))
    assert held.stops == ()


def test_entries_are_ours_and_foreign_orders_are_not_guessed_at():
    entry, by_hand = an_open(f"{A}:E", side=Side.BUY, kind="LMT"), an_open("", side=Side.BUY, kind="LMT")
    report = a_report(0.0, by_hand, an_open(f"{A}:S"), entry)
    assert entries_of(report) == [entry]
    assert orders_in(report, ["SPY"])[0] == entry
    assert orders_in(report, ["IBM"]) == []
