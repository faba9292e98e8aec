"""What the gateway's register of orders keeps from day to day."""

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.orders.book import OrderBook
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.protocol.request_shapes import ContractFields
from brokers.simulated.gateway.protocol.requests import PlaceOrder

SPY = Listed(index=0, con_id=756733, symbol="SPY", long_name="SPDR S&P 500", exchange="ARCA", min_tick=0.01)
CONTRACT = ContractFields(756733, "SPY", "STK", "", None, "", "", "SMART", "", "USD", "", "")
MIDNIGHT = 1_000.0


def an_order(order_id, completed_at=None, parent=None):
    asked = PlaceOrder(
        order_id=order_id, contract=CONTRACT, side="BUY", quantity=1.0, order_type="MKT", limit_price=None,
        aux_price=None, tif="GTC", oca_group="", oca_type=0, account="DU1", open_close="", order_ref="",
        transmit=True, parent_id=0, outside_rth=False, what_if=False, conditions=0,
    )  # fmt: skip
    return GatewayOrder(
        perm_id=order_id, client_id=1, account="DU1", request=asked, stock=SPY, quantity=1.0, limit_price=None,
        stop_price=None, completed_at=completed_at, parent_perm_id=0 if parent is None else parent.perm_id,
    )  # fmt: skip


def a_book(*orders):
    book = OrderBook()
    for order in orders:
        book.add(order)
    return book


def test_orders_that_were_over_by_midnight_are_forgotten_and_their_ids_are_not_given_out_again():
    book = a_book(an_order(1, completed_at=999.0), an_order(2, completed_at=1_000.0), an_order(3))
    book.forget_ended(before=MIDNIGHT)
    assert [order.order_id for order in book] == [2, 3]
    assert book.find(1, 1) is None
    assert book.next_valid_id(1) == 4


def test_a_parent_is_known_as_long_as_a_child_of_it_works():
    entry = an_order(1, completed_at=10.0)
    book = a_book(entry, an_order(2, parent=entry), an_order(3, completed_at=20.0, parent=entry))
    book.forget_ended(before=MIDNIGHT)
    assert [order.order_id for order in book] == [1, 2]
