"""Cancels and the races around them (TWS.md 3.13)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from brokers.simulated.gateway.orders import outcomes
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import Refusal, not_cancellable, not_found

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk

PENDING = "PendingCancel"


def cancel(desk: Desk, client_id: int, order_id: int, *, at: float) -> None:
    """What a client asks: its own orders only (TWS.md 3.15), all that are live under this id."""
    found = desk.book.all_of(client_id, order_id)
    live = [order for order in found if not order.done]
    if not found:
        desk.reporter.refuse(client_id, order_id, not_found(order_id))
    elif not live:
        desk.reporter.refuse(client_id, order_id, not_cancellable(order_id, found[-1].status))
    for order in live:
        _ask(desk, order, at)


def cancel_all(desk: Desk, *, at: float) -> None:
    """Global cancel: every client's orders, also manual ones and those not transmitted."""
    for order in desk.book:
        if not order.done:
            _ask(desk, order, at)


def cancel_now(desk: Desk, order: GatewayOrder, at: float, reason: str = "") -> None:
    """End the order, and by the family rule its children."""
    if order.done:
        return
    outcomes.apply(desk, desk.matcher.cancel(order.perm_id, reason), at)
    if not order.done:  # taken out of the market before: a held order
        outcomes.cancelled(desk, order, reason, at)


def _ask(desk: Desk, order: GatewayOrder, at: float) -> None:
    """The owner's wish, answered as the conduct has it."""
    conduct = desk.conduct
    if order.status == PENDING:
        desk.reporter.warn(order, not_cancellable(order.order_id, PENDING))
    elif conduct.cancel == "161":
        text = f"Cancel attempted when order is not in a cancellable state. Order permId ={order.perm_id}"
        desk.reporter.warn(order, Refusal(161, text))
    elif conduct.cancel == "135":
        desk.reporter.warn(order, Refusal(135, f"Can't find order with id ={order.order_id}"))
    elif conduct.cancel == "fill_first":
        _fill_first(desk, order, at)
    elif conduct.cancel in {"slow", "never"}:
        order.status = PENDING
        desk.reporter.status(order)
        if conduct.cancel == "slow":
            desk.venue.schedule.after(conduct.cancel_delay_s, partial(_arrives, desk, order))
    else:
        cancel_now(desk, order, at)


def _arrives(desk: Desk, order: GatewayOrder) -> None:
    """A slow cancel reaches the exchange; the order may have been filled meanwhile."""
    if order.done:
        desk.reporter.warn(order, not_cancellable(order.order_id, order.status))
    else:
        cancel_now(desk, order, desk.venue.now())


def _fill_first(desk: Desk, order: GatewayOrder, at: float) -> None:
    """The cancel comes too late: the rest was executed at the market, or at the order's own limit.

    Its OCA group hears of it, as of every execution. In time after all where nothing could fill: no price yet, the
    order was not sent on to the market, or for what its parent has not brought yet.
    """
    price = order.limit_price or desk.venue.market_price(order)
    live = desk.matcher.live_quantity(desk.matcher.order(order.perm_id))
    if price > 0 and live > 0:
        outcomes.apply(desk, desk.matcher.force_fill(order.perm_id, live, price, tells_group=True), at)
    if order.done:
        desk.reporter.warn(order, not_cancellable(order.order_id, order.status))
    else:
        cancel_now(desk, order, at)
