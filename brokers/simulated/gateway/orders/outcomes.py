"""The matcher's outcomes: into the order, into the ledger, and to the reporter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_never

from brokers.simulated.commission import Lot, cost_of_next_fill
from brokers.simulated.gateway.accounts.records import Execution, OrderEnded, OrderRecorded
from brokers.simulated.gateway.orders.announcing import announce
from brokers.simulated.gateway.orders.book import FIRST_PERM_ID
from brokers.simulated.gateway.orders.order import DUST, GatewayOrder
from brokers.simulated.gateway.orders.refusals import Refusal
from brokers.simulated.sim_order import Cancelled, Filled, Outcome, Reduced, StatusChanged, Trailed

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk


def apply(desk: Desk, outcomes: Iterable[Outcome], at: float) -> None:
    """Tell the owners what happened and write it into the ledgers."""
    happened = list(outcomes)
    if not happened:
        return
    filling = {outcome.key for outcome in happened if isinstance(outcome, Filled)}
    for outcome in happened:
        order = desk.book.orders[outcome.key]
        match outcome:
            case StatusChanged():
                _status_changed(desk, order, outcome, at, fills_at_once=outcome.key in filling)
            case Filled():
                fill(desk, order, outcome.quantity, outcome.price, at)
            case Reduced():
                order.quantity = outcome.quantity
                record(desk, order, at, "reduced")
                desk.reporter.show(order)
            case Trailed():
                order.stop_price, order.limit_price = outcome.stop_price, outcome.limit_price
                record(desk, order, at, "trailed")
                desk.reporter.open_order(order)
            case Cancelled():
                cancelled(desk, order, outcome.reason, at)
            case _:
                assert_never(outcome)


def _status_changed(desk: Desk, order: GatewayOrder, outcome: StatusChanged, at: float, *, fills_at_once: bool) -> None:
    order.status, order.why_held = outcome.status, outcome.why_held
    is_new = not order.transmitted
    if is_new:
        order.transmitted = True
        record(desk, order, at, "new")
        if fills_at_once and order.status == "Submitted":
            order.status = "PreSubmitted"  # as in the capture of a market order (TWS.md 3.2)
    desk.reporter.show(order)
    if is_new:
        announce(desk, order, at)


def fill(desk: Desk, order: GatewayOrder, quantity: float, price: float, at: float) -> Execution:
    """Book one execution and tell it."""
    ledger = desk.accounts[order.account]
    fee = cost_of_next_fill(
        desk.settings.commission_model,
        Lot(order.filled, order.average_price),
        Lot(quantity, price),
        sells=order.request.side != "BUY",
        traded=ledger.traded_in_month(at),
    )
    order.take_fill(quantity, price)
    order.status, order.why_held = ("Filled", "") if order.remaining <= DUST else ("Submitted", "")
    if order.status == "Filled":
        order.completed_at, order.completed_status = at, f"Filled Size: {order.filled:g}"
    execution = _execution(order, quantity, price, at)
    charged = ledger.book(execution, fee)
    desk.reporter.filled(order, execution, charged)
    return execution


def _execution(order: GatewayOrder, quantity: float, price: float, at: float) -> Execution:
    """Its id has four dotted parts; the last is 01 until a correction raises it (TWS.md 3.23)."""
    serial = order.perm_id - FIRST_PERM_ID
    return Execution(
        at=at,
        exec_id=f"0000e0d5.{int(at):08x}.{serial:06x}{order.fills:02x}.01",
        perm_id=order.perm_id,
        client_id=order.client_id,
        order_id=order.order_id,
        order_ref=order.request.order_ref,
        con_id=order.stock.con_id,
        symbol=order.stock.symbol,
        side=order.request.side,
        quantity=quantity,
        price=price,
        filled=order.filled,
        average_price=order.average_price,
        liquidation=order.is_liquidation,
    )


def cancelled(desk: Desk, order: GatewayOrder, reason: str, at: float) -> None:
    """Status Cancelled, then 202 (TWS.md 3.9); the reason is empty when the owner asked for it."""
    order.status, order.why_held = "Cancelled", ""
    order.completed_at, order.completed_status = at, f"Cancelled by {reason or 'Trader'}"
    end(desk, order, reason, at)
    desk.reporter.status(order)
    desk.reporter.warn(order, Refusal(202, f"Order Canceled - reason:{reason}"))


def reject(desk: Desk, order: GatewayOrder, refusal: Refusal, at: float) -> None:
    """Inactive, the error, Inactive again: the wire trace of ibi#554 (TWS.md 3.8)."""
    order.status, order.why_held = "Inactive", ""
    order.completed_at, order.completed_status = at, refusal.text
    if not order.transmitted:
        order.transmitted = True
        record(desk, order, at, "new")
    end(desk, order, refusal.text, at)
    desk.reporter.show(order)
    desk.reporter.warn(order, refusal)
    desk.reporter.show(order)


def record(desk: Desk, order: GatewayOrder, at: float, change: str) -> None:
    desk.accounts[order.account].record(
        OrderRecorded(
            at=at,
            perm_id=order.perm_id,
            client_id=order.client_id,
            order_id=order.order_id,
            order_ref=order.request.order_ref,
            symbol=order.stock.symbol,
            side=order.request.side,
            quantity=order.quantity,
            order_type=order.request.order_type,
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            parent_perm_id=order.parent_perm_id,
            oca_group=order.oca_group,
            tif=order.request.tif,
            change=change,
        )
    )


def end(desk: Desk, order: GatewayOrder, reason: str, at: float) -> None:
    desk.accounts[order.account].record(
        OrderEnded(
            at=at,
            perm_id=order.perm_id,
            client_id=order.client_id,
            order_id=order.order_id,
            order_ref=order.request.order_ref,
            status=order.status,
            reason=reason,
        )
    )
