"""A new order's way in: may it come, does it rest in the market, is it refused or held."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, cast

from brokers.simulated.gateway.accounts.account_refusals import account_refusal
from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.orders import outcomes
from brokers.simulated.gateway.orders.announcing import works_outside_rth
from brokers.simulated.gateway.orders.modify import modify
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import (
    DUPLICATE_ID,
    EXCHANGE_CLOSED,
    GROUP_FILLED,
    LOCATE,
    MISSING_PARENT,
    OFF_TICK,
    READ_ONLY,
    UNKNOWN_CONTRACT,
    Refusal,
    capped,
    rejected,
    too_far,
    unreadable,
)
from brokers.simulated.gateway.orders.rules import ORDER_ID_MAX, hours_refusal_of, refusal_of
from brokers.simulated.gateway.orders.terms import read_terms
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.sim_order import OrderType, Side, SimOrder, Tif

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk


def place(desk: Desk, client_id: int, wanted: PlaceOrder, *, at: float, market_open: bool) -> None:
    """A new order, or a change of a live one of the same client and id."""
    known = desk.book.find(client_id, wanted.order_id)
    stock = desk.listings.find(wanted.contract)
    refusal = _id_refusal(desk, client_id, wanted, known)
    if refusal is None:
        refusal = UNKNOWN_CONTRACT if stock is None else may_not_come(desk, wanted, stock)
    is_lost = refusal is None and known is None and _loses_leg(desk, wanted)
    if refusal is None and known is None:
        refusal = OFF_TICK if is_lost else _by_conduct(desk)
    if stock is None or (refusal and (known or not refusal.is_rejection)):
        desk.reporter.refuse(client_id, wanted.order_id, refusal or UNKNOWN_CONTRACT)
        if is_lost:
            _transmit_what_is_left(desk, client_id, wanted, at)
    elif known is not None:
        modify(desk, known, wanted, at)
    else:
        order = new_order(desk, client_id, wanted, stock, at)
        refusal = refusal or _not_now(desk, order, at, market_open=market_open)
        desk.book.add(order)
        if refusal:
            outcomes.reject(desk, order, refusal, at)
        else:
            enter(desk, order, at, market_open=market_open)


def may_not_come(desk: Desk, wanted: PlaceOrder, stock: Listed) -> Refusal | None:
    """What is wrong with a request in itself, whenever it comes."""
    if desk.settings.read_only:
        return READ_ONLY
    return account_refusal(desk.accounts, wanted.account) or refusal_of(wanted, stock)


def _id_refusal(desk: Desk, client_id: int, wanted: PlaceOrder, known: GatewayOrder | None) -> Refusal | None:
    if known is not None:
        return DUPLICATE_ID if known.done else None
    if not 0 < wanted.order_id <= ORDER_ID_MAX:
        return unreadable(f"Order id {wanted.order_id} is out of range")
    if wanted.order_id < desk.book.next_valid_id(client_id):
        return DUPLICATE_ID
    parent = desk.book.find(client_id, wanted.parent_id) if wanted.parent_id else None
    is_missing = parent is None or (parent.done and not parent.filled)
    return MISSING_PARENT if wanted.parent_id and is_missing else None


def _by_conduct(desk: Desk) -> Refusal | None:
    """The refusal of an order with which nothing is wrong (faults 27, 29)."""
    return desk.conduct.reject_next.pop(0) if desk.conduct.reject_next else None


def _loses_leg(desk: Desk, wanted: PlaceOrder) -> bool:
    """Whether this is the bracket leg that gets lost (fault 28)."""
    is_lost = desk.conduct.lose_leg != "" and desk.conduct.lose_leg == _leg(wanted)
    if is_lost:
        desk.conduct.lose_leg = ""
    return is_lost


def _leg(wanted: PlaceOrder) -> str:
    if not wanted.parent_id:
        return "" if wanted.transmit else "parent"
    return "limit" if wanted.order_type in {"LMT", "LIT"} else "stop"


def _transmit_what_is_left(desk: Desk, client_id: int, wanted: PlaceOrder, at: float) -> None:
    """The leg that did not come was the one that transmits: its family goes without it (TWS.md 3.11)."""
    parent = desk.book.find(client_id, wanted.parent_id) if wanted.parent_id and wanted.transmit else None
    if parent is not None and not parent.done and not parent.transmitted:
        outcomes.apply(desk, desk.matcher.modify(parent.perm_id, transmit=True), at)


def new_order(desk: Desk, client_id: int, wanted: PlaceOrder, stock: Listed, at: float) -> GatewayOrder:
    parent = desk.book.find(client_id, wanted.parent_id) if wanted.parent_id else None
    terms = read_terms(wanted)
    order = GatewayOrder(
        perm_id=desk.book.new_perm_id(),
        client_id=client_id,
        account=wanted.account or (parent.account if parent else desk.accounts.default.account),
        request=wanted,
        stock=stock,
        quantity=wanted.quantity,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        good_till=terms.good_till,
        good_after=terms.good_after,
        oca_group=wanted.oca_group or (str(parent.perm_id) if parent else ""),
        parent_perm_id=parent.perm_id if parent else 0,
        placed_at=at,
    )
    if wanted.oca_group and wanted.oca_type:
        order.oca_type = wanted.oca_type
    return order


def _not_now(desk: Desk, order: GatewayOrder, at: float, *, market_open: bool) -> Refusal | None:
    """Why a sound order is rejected as things stand."""
    wanted = order.request
    if wanted.oca_group and desk.matcher.group_is_filled(wanted.oca_group):
        return GROUP_FILLED
    if not market_open and wanted.order_type == "MKT" and desk.settings.closed_market == "reject":
        return EXCHANGE_CLOSED
    return hours_refusal_of(wanted, desk.venue, desk.settings, at) or unaffordable(desk, order)


def unaffordable(desk: Desk, order: GatewayOrder) -> Refusal | None:
    """201 in IB's words where the account's margin does not carry the order; children close, they cost nothing."""
    price = order.limit_price or desk.venue.market_price(order)
    if order.parent_perm_id or not price > 0:
        return None
    ledger = desk.accounts[order.account]
    reason = ledger.affordable(order.stock.con_id, order.request.side, order.remaining, price)
    return rejected(reason) if reason else None


def enter(desk: Desk, order: GatewayOrder, at: float, *, market_open: bool) -> None:
    """Into the market, unless something holds the order back."""
    cap = _cap(desk, order)
    if desk.conduct.hold_next:
        desk.conduct.hold_next -= 1
        withhold(desk, order, at)
    elif not _is_located(desk, order):
        order.status, order.why_held = "Inactive", "locate"
        withhold(desk, order, at)
        desk.reporter.show(order)
        desk.reporter.warn(order, LOCATE)
        seek_shares(desk, order)
    elif cap and desk.settings.beyond_band == "cancel":
        order.status, order.transmitted = "PreSubmitted", True
        outcomes.record(desk, order, at, "new")
        desk.reporter.show(order)
        outcomes.cancelled(desk, order, too_far(order.limit_price or 0.0, desk.venue.market_price(order)), at)
    else:
        order.cap_price, order.warning = cap, capped(cap) if cap else ""
        submit(desk, order, at, market_open=market_open)


def _cap(desk: Desk, order: GatewayOrder) -> float:
    """The price to which a limit far through the market is capped; 0 where it is not (TWS.md 3.9)."""
    band, price = desk.settings.price_band, desk.venue.market_price(order)
    if not math.isfinite(band) or order.limit_price is None or order.request.order_type != "LMT" or not price > 0:
        return 0.0
    is_buy = order.request.side == "BUY"
    bound = order.stock.min_tick * round(price * (1 + band if is_buy else 1 - band) / order.stock.min_tick)
    is_beyond = order.limit_price > bound if is_buy else order.limit_price < bound
    return round(bound, 6) if is_beyond else 0.0


def submit(desk: Desk, order: GatewayOrder, at: float, *, market_open: bool) -> None:
    """Hand the order to the matcher."""
    sim = sim_order(desk, order)
    desk.expect(order)
    if order.good_after is not None or order.good_till is not None:
        desk.on_time(at=at)
    outcomes.apply(desk, desk.matcher.submit(sim, market_open=market_open), at)


def withhold(desk: Desk, order: GatewayOrder, at: float) -> None:
    """Known to the matcher, so that children may follow, but not transmitted to it."""
    order.withheld = order.transmitted = True
    outcomes.record(desk, order, at, "new")
    desk.matcher.submit(sim_order(desk, order), market_open=desk.venue.is_open(at))


def seek_shares(desk: Desk, order: GatewayOrder) -> None:
    """Try again later to borrow what a short sale waits for."""
    desk.venue.schedule.after(desk.settings.locate_retry_s, partial(_locate, desk, order))


def _locate(desk: Desk, order: GatewayOrder) -> None:
    if order.done or not order.withheld:
        return
    if _is_located(desk, order):
        release(desk, order, desk.venue.now())
    else:
        seek_shares(desk, order)


def release(desk: Desk, order: GatewayOrder, at: float) -> None:
    """What held the order is gone: it and its family go into the market."""
    order.withheld = False
    outcomes.apply(desk, desk.matcher.modify(order.perm_id, transmit=True), at)


def _is_located(desk: Desk, order: GatewayOrder) -> bool:
    """Whether the shares of a sale beyond the position can be borrowed (TWS.md 3.8)."""
    if order.request.side == "BUY" or order.parent_perm_id:
        return True
    held = max(desk.accounts[order.account].quantity(order.stock.symbol), 0.0)
    short = order.remaining - held
    return short <= 0 or desk.locates.take(order.stock.con_id, short)


def sim_order(desk: Desk, order: GatewayOrder) -> SimOrder:
    """The order as the matcher takes it."""
    wanted, terms = order.request, read_terms(order.request)
    return SimOrder(
        key=order.perm_id,
        instrument=order.stock.index,
        side=cast("Side", wanted.side),
        quantity=order.quantity,
        order_type=cast("OrderType", wanted.order_type),
        limit_price=order.cap_price or order.limit_price,
        stop_price=order.stop_price,
        trail_amount=terms.trail_amount,
        trail_percent=terms.trail_percent,
        limit_offset=terms.limit_offset,
        parent_key=order.parent_perm_id or None,
        oca_group=order.oca_group,
        oca_type=order.oca_type,
        tif=cast("Tif", wanted.tif),
        tick=order.stock.min_tick,
        good_till=order.good_till,
        good_after=order.good_after,
        trigger_method=wanted.trigger_method,
        all_or_none=wanted.all_or_none,
        outside_rth=works_outside_rth(order),
        transmit=wanted.transmit and not _is_withheld(desk, order),
    )


def _is_withheld(desk: Desk, order: GatewayOrder) -> bool:
    """Whether the order or one of its parents is held back."""
    if order.withheld or not order.parent_perm_id:
        return order.withheld
    return _is_withheld(desk, desk.book.orders[order.parent_perm_id])
