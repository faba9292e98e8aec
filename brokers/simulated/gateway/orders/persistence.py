"""The desk as plain values, so that a restarted gateway goes on where the killed one was.

What was not transmitted is left out: it dies with the TWS session (TWS.md 3.3).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from brokers.simulated.gateway.orders import outcomes, placing
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.sim_order import Outcome, SimOrder, StatusChanged

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk

PLAIN_FIELDS = tuple(name for name in GatewayOrder.__struct_fields__ if name not in {"stock", "request"})


def state(desk: Desk) -> dict[str, Any]:
    """Orders with their fills, families, groups and stops; ids; nothing of the market. JSON knows every value."""
    kept = [order for order in desk.book if order.transmitted]
    return {
        "orders": [_row(order) for order in kept],
        "matched": [msgspec.to_builtins(one) for one in map(partial(_matched, desk), kept) if one is not None],
        "last_ids": sorted(desk.book.last_ids.items()),
        "next_perm_id": desk.book.next_perm_id,
        "next_bound_id": desk.book.next_bound_id,
        "auto_bind": desk.auto_bind,
    }


def restore(desk: Desk, saved: dict[str, Any]) -> None:
    """Into a desk that has no orders yet. A stock that is not listed any more raises KeyError."""
    assert not desk.book.orders, "only an empty desk can be restored"
    for row in saved["orders"]:
        order = _order(desk, row)
        desk.book.add(order)
        if not order.done:
            desk.expect(order)
        if not order.done and order.why_held == "locate":
            placing.seek_shares(desk, order)
    now = desk.venue.now()
    happened: list[Outcome] = []
    for row in saved["matched"]:
        happened += desk.matcher.submit(msgspec.convert(row, SimOrder), market_open=desk.venue.is_open(now))
    desk.book.last_ids = dict(map(tuple, saved["last_ids"]))
    desk.book.next_perm_id = saved["next_perm_id"]
    desk.book.next_bound_id = saved["next_bound_id"]
    desk.auto_bind = saved["auto_bind"]
    # A market that stands already may fill an order on its way in; its mere status is nothing new to anybody.
    outcomes.apply(desk, [one for one in happened if not isinstance(one, StatusChanged)], now)


def _matched(desk: Desk, order: GatewayOrder) -> SimOrder | None:
    """The matcher's side of the order; None if it was refused before it came there."""
    try:
        return desk.matcher.order(order.perm_id)
    except KeyError:
        return None


def _row(order: GatewayOrder) -> dict[str, Any]:
    plain = {name: getattr(order, name) for name in PLAIN_FIELDS}
    return plain | {"con_id": order.stock.con_id, "request": msgspec.to_builtins(order.request)}


def _order(desk: Desk, row: dict[str, Any]) -> GatewayOrder:
    plain = {name: row[name] for name in PLAIN_FIELDS}
    stock = desk.listings.by_con_id[row["con_id"]]
    return GatewayOrder(**plain, stock=stock, request=msgspec.convert(row["request"], PlaceOrder))
