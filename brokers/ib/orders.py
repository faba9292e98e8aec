"""Our commands as IB orders: which, under which ids, in which sequence. Pure but for the ids it draws."""

from __future__ import annotations

from collections.abc import Callable

from ib_insync import Order as IbOrder
from msgspec import Struct

from brokers.ib.history import instant_text
from brokers.ib.register import Ended, OrderRecord, OrderRegister
from shared.commands import CancelOrder, Flatten, OrderCommand, PlaceBracket, ReplaceStop
from shared.orders import BracketOrder, OpenOrder, Order, OrderType

OCA_REDUCE_WITH_BLOCK = 2
"""A fill reduces the other orders of the group, and only one of them is at an exchange at a time."""


class Placed(Struct, frozen=True):
    """One order to send; `is_new` is False for the change of an order that works."""

    order: Order
    ib_order: IbOrder
    is_new: bool = True


class Refused(Struct, frozen=True):
    """A command that must not leave: what the broker has under these references has to be looked at first."""

    refs: tuple[str, ...]
    reason: str


class Cancel(Struct, frozen=True):
    """The order to cancel. One cancel ends every order that lives under its id, whatever its permId."""

    ref: str
    order_id: int


Plan = list[Placed] | Cancel | Refused
"""Orders to send in this sequence, an order to cancel, or neither."""


def plan_of(command: OrderCommand, register: OrderRegister, next_id: Callable[[], int]) -> Plan:
    """What has to be sent for a command."""
    match command:
        case PlaceBracket(bracket=bracket):
            return _bracket(bracket, register, next_id)
        case Flatten(order=order):
            return _sent_before((order,), register) or [_placed(order, next_id())]
        case ReplaceStop(order=order):
            return _stop(order, register, next_id)
        case CancelOrder(ref=ref):
            return _cancel(ref, register)


def ib_order_of(order: Order, order_id: int, *, parent_id: int = 0, transmit: bool = True) -> IbOrder:
    """The order in IB's terms; prices that its type has not stay unset."""
    ib_order = IbOrder(
        orderId=order_id,
        action=order.side.value,
        totalQuantity=order.quantity,
        orderType=order.order_type.value,
        tif=order.tif,
        orderRef=order.ref,
        parentId=parent_id,
        transmit=transmit,
        outsideRth=False,
    )
    if order.limit_price is not None:
        ib_order.lmtPrice = order.limit_price
    if order.order_type is OrderType.TRAIL:
        _trail(ib_order, order)
    elif order.stop_price is not None:
        ib_order.auxPrice = order.stop_price
    if order.good_till is not None:
        ib_order.tif, ib_order.goodTillDate = "GTD", instant_text(order.good_till)
    if order.oca_group:
        ib_order.ocaGroup = order.oca_group
        ib_order.ocaType = OCA_REDUCE_WITH_BLOCK
    return ib_order


def _trail(ib_order: IbOrder, order: Order) -> None:
    """The distance in currency or per hundred, and where the stop stands at first."""
    if order.trail_percent is not None:
        ib_order.trailingPercent = order.trail_percent
    elif order.trail_amount is not None:
        ib_order.auxPrice = order.trail_amount
    if order.stop_price is not None:
        ib_order.trailStopPrice = order.stop_price


def waiting_line(placed: Placed, client_id: int) -> OpenOrder:
    """The line of an order that has not left yet."""
    order = placed.order
    return OpenOrder(
        ref=order.ref,
        perm_id=0,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type.value,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        status="PendingSubmit",
        client_id=client_id,
        order_id=placed.ib_order.orderId,
        trail_amount=order.trail_amount,
        trail_percent=order.trail_percent,
        good_till=order.good_till,
        oca_group=order.oca_group,
    )


def record_of(placed: Placed, client_id: int) -> OrderRecord:
    """What the register keeps of an order that is about to be sent."""
    order, ib_order = placed.order, placed.ib_order
    return OrderRecord(
        ref=order.ref,
        order_id=ib_order.orderId,
        client_id=client_id,
        terms=(order.quantity, order.limit_price, order.stop_price),
        parent_id=ib_order.parentId,
        oca_group=ib_order.ocaGroup,
        oca_type=ib_order.ocaType,
    )


def _bracket(bracket: BracketOrder, register: OrderRegister, next_id: Callable[[], int]) -> Plan:
    """Entry, target, stop: nothing is transmitted before the last, so a broken send leaves no naked entry."""
    children = [order for order in (bracket.take_profit, bracket.stop_loss) if order is not None]
    refused = _sent_before((bracket.entry, *children), register)
    if refused is not None:
        return refused
    parent_id = next_id()
    last = children[-1]
    return [
        _placed(bracket.entry, parent_id, transmit=False),
        *(_placed(order, next_id(), parent_id=parent_id, transmit=order is last) for order in children),
    ]


def _stop(order: Order, register: OrderRegister, next_id: Callable[[], int]) -> Plan:
    record = register.by_ref(order.ref)
    if record is None:
        return [_placed(order, next_id())]
    if record.ended is not Ended.NOT:
        return Refused((order.ref,), f"is reported {record.ended.value}, so it cannot be changed")
    if record.client_id != register.client_id:
        return Refused((order.ref,), f"works under client id {record.client_id}, only that one may change it")
    ib_order = ib_order_of(order, record.order_id, parent_id=record.parent_id)
    # TWS refuses a change of the OCA group of a working order (10327).
    ib_order.ocaGroup, ib_order.ocaType = record.oca_group, record.oca_type
    return [Placed(order, ib_order, is_new=False)]


def _cancel(ref: str, register: OrderRegister) -> Plan:
    record = register.by_ref(ref)
    if record is None:
        return Refused((ref,), f"cancel: client id {register.client_id} has no such order at this connection")
    if record.client_id != register.client_id:
        return Refused((ref,), f"cancel: works under client id {record.client_id}, only that one may cancel it")
    return Cancel(ref, record.order_id)


def _sent_before(orders: tuple[Order, ...], register: OrderRegister) -> Refused | None:
    """One reference, at most one order (DESIGN.md 5): a second one is never sent, nor its family."""
    known = [order.ref for order in orders if register.by_ref(order.ref) is not None]
    if not known:
        return None
    reason = f"not sent: {', '.join(known)} was sent before or works"
    return Refused(tuple(order.ref for order in orders), reason)


def _placed(order: Order, order_id: int, *, parent_id: int = 0, transmit: bool = True) -> Placed:
    return Placed(order, ib_order_of(order, order_id, parent_id=parent_id, transmit=transmit))
