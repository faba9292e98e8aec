"""What the order tests share: placing and waiting, and a record of what leaves the gateway."""

from ib_insync import Order

ORDERS = ("openOrder", "orderStatus", "execDetails", "commissionReport", "error", "orderBound")


def status(trade):
    return trade.orderStatus.status, trade.orderStatus.whyHeld


def codes(ib, order_id):
    return [code for about, code, _ in ib.errors if about == order_id]


async def placed(desktop, ib, order, contract=None):
    """The trade, after the client has heard everything that followed from it."""
    trade = ib.placeOrder(contract or desktop.spy, order)
    await desktop.heard(ib)
    return trade


def an_order(order_type, side="BUY", quantity=10, **fields):
    return Order(action=side, totalQuantity=quantity, orderType=order_type, **fields)


def sent_to(desktop, client_id=1):
    """Every message that leaves for this client from now on."""
    sent = []

    def note(client, message):
        sent.append(message)
        return [message]

    desktop.gateway.session.clients[client_id].on_send = note
    return sent


def recorded(desktop, client_id=1):
    """The order messages that leave for this client from now on, as (name, its status or code)."""
    said = []

    def note(client, message):
        if message.name in ORDERS:
            said.append((message.name, message.values.get("status", message.values.get("code"))))
        return [message]

    desktop.gateway.session.clients[client_id].on_send = note
    return said
