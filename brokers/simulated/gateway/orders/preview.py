"""What an order would cost and tie up: whatIf, answered with openOrder only (TWS.md 3.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.commission import Lot, cost_of_next_fill
from brokers.simulated.gateway.orders import placing
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import UNKNOWN_CONTRACT
from brokers.simulated.gateway.orders.reporting import open_order
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.requests import PlaceOrder

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk
    from brokers.simulated.gateway.protocol.wire import Value

NO_PRICE = "No market price: margin and commission are not known"
SENTINELS = {"warningText": "Margin and commission are being calculated"}


def preview(desk: Desk, client_id: int, wanted: PlaceOrder, at: float) -> None:
    """Takes no order id and leaves no trace."""
    stock = desk.listings.find(wanted.contract)
    refusal = UNKNOWN_CONTRACT if stock is None else placing.may_not_come(desk, wanted, stock)
    if stock is None or refusal is not None:
        desk.reporter.refuse(client_id, wanted.order_id, refusal or UNKNOWN_CONTRACT)
        return
    order = placing.new_order(desk, client_id, wanted, stock, at)
    order.perm_id, order.status = 0, "PreSubmitted"
    for answer in _answers(desk, order):
        desk.tell(client_id, answer)


def _answers(desk: Desk, order: GatewayOrder) -> list[Message]:
    unset, known = open_order(order, whatIf=1, **SENTINELS), open_order(order, whatIf=1, **_margins(desk, order))
    twice = [unset, known]
    how = desk.conduct.what_if
    if how == "normal":
        return twice if desk.settings.what_if_twice else [known]
    return {"sentinels": [unset], "both": twice, "silent": []}[how]


def _margins(desk: Desk, order: GatewayOrder) -> dict[str, Value]:
    """Margins before, after and their change; no price, no margin: then the fields stay unset."""
    price = order.limit_price or desk.venue.market_price(order)
    if not price > 0:
        return {"warningText": NO_PRICE}
    ledger = desk.accounts[order.account]
    signed = order.quantity if order.request.side == "BUY" else -order.quantity
    cost = cost_of_next_fill(
        desk.settings.commission_model,
        Lot(0.0, price),
        Lot(order.quantity, price),
        sells=signed < 0,
        traded=ledger.traded_in_month(order.placed_at),
    )
    before, after = ledger.margin, ledger.margin_with(order.stock.con_id, signed, price)
    pairs = {
        "initMargin": (before.initial, after.initial),
        "maintMargin": (before.maintenance, after.maintenance),
        "equityWithLoan": (ledger.net_liquidation, ledger.net_liquidation - cost),
    }
    fields: dict[str, Value] = {"commission": cost, "commissionCurrency": "USD"}
    for name, (was, becomes) in pairs.items():
        fields |= {
            f"{name}Before": f"{was:.2f}",
            f"{name}Change": f"{becomes - was:.2f}",
            f"{name}After": f"{becomes:.2f}",
        }
    return fields
