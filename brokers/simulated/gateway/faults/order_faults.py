"""Faults 21 and 27 to 41: orders refused, lost, held, filled against the rules. The ledger follows them."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from brokers.simulated.gateway.faults.fault import CLIENT, SYMBOL, Act, Aim, Fault, Meet, NothingThere, Parameters, Undo
from brokers.simulated.gateway.faults.site import switched
from brokers.simulated.gateway.orders.refusals import Refusal
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.request_shapes import Request

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.site import Site
    from brokers.simulated.gateway.orders.order import GatewayOrder
    from brokers.simulated.gateway.runtime.client import Client

Share = Annotated[float, Meta(gt=0, le=1)]
Pieces = Annotated[int, Meta(ge=1, le=1000)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
STOPS = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})


def _known(site: Site, client: Client, order_id: int) -> GatewayOrder | None:
    """The client's live order of this id."""
    owned = (
        one
        for one in site.session.desk.orders.values()
        if (one.client_id, one.order_id) == (client.client_id, order_id)
    )
    return next((one for one in owned if not one.done), None)


def _is_new(site: Site, _parameters: Parameters, client: Client, wanted: ask.PlaceOrder) -> bool:
    return not wanted.what_if and _known(site, client, wanted.order_id) is None


# ------------------------------------------------------------------ 21: fills in parts


class Parts(Parameters, frozen=True):
    """`share` of the newest order is filled in so many pieces; then the rest is cancelled, or not."""

    pieces: Pieces = 2
    share: Share = 0.5
    cancels_rest: bool = True


def _fill_in_parts(site: Site, parameters: Parts, aim: Aim) -> None:
    order = site.order(aim)
    fillable = math.floor(site.fillable(order))
    if fillable < 1:
        raise NothingThere
    whole = max(math.floor(fillable * parameters.share), 1)
    pieces = min(parameters.pieces, whole)
    price = site.price(order)
    for piece in range(pieces):
        quantity = float(whole // pieces + (piece < whole % pieces))
        site.session.desk.fill(order.perm_id, quantity, price, tells_group=True)
    if parameters.cancels_rest and not order.done:
        site.session.desk.cancel_by_broker(order.perm_id, "Remainder cancelled by exchange")


# ------------------------------------------------------------------ 27 to 30: refusals


class Rejection(Parameters, frozen=True):
    reason: Text = "The exchange is closed."


def _reject(site: Site, parameters: Rejection, client: Client, wanted: ask.PlaceOrder) -> bool:
    refusal = Refusal(201, f"Order rejected - reason:{parameters.reason}", is_rejection=True)
    with switched(site.session.desk.conduct, reject_next=[refusal]):
        site.handle(client, wanted)
    return True


def _lose_stop(site: Site, _parameters: Parameters, client: Client, wanted: ask.PlaceOrder) -> bool:
    with switched(site.session.desk.conduct, lose_leg="stop"):
        site.handle(client, wanted)
    return True


def _is_stop_leg(site: Site, parameters: Parameters, client: Client, wanted: ask.PlaceOrder) -> bool:
    return _is_new(site, parameters, client, wanted) and bool(wanted.parent_id) and wanted.order_type in STOPS


class DuplicateId(Parameters, frozen=True):
    lives: bool = False


def _refuse_id(site: Site, parameters: DuplicateId, client: Client, wanted: ask.PlaceOrder) -> bool:
    site.say(client, wanted.order_id, 103, "Duplicate order id")
    return not parameters.lives


class ChangeRefusal(Parameters, frozen=True):
    code: Literal[104, 105, 110, 135, 329] = 135


def _refuse_change(site: Site, parameters: ChangeRefusal, client: Client, wanted: ask.PlaceOrder) -> bool:
    with switched(site.session.desk.conduct, modify_refusal=parameters.code):
        site.handle(client, wanted)
    return True


def _is_change(site: Site, _parameters: Parameters, client: Client, wanted: ask.PlaceOrder) -> bool:
    return not wanted.what_if and _known(site, client, wanted.order_id) is not None


# ------------------------------------------------------------------ 31 to 33: cancels


class CancelAnswer(Parameters, frozen=True):
    """161 comes first and the fill `delay_s` later; 10148 comes behind the fill."""

    code: Literal[161, 10148] = 161
    delay_s: Annotated[float, Meta(ge=0, le=86_400)] = 5.0


def _cancel_too_late(site: Site, parameters: CancelAnswer, client: Client, wanted: ask.CancelOrder) -> bool:
    order = _known(site, client, wanted.order_id)
    assert order is not None
    is_early = parameters.code == 161  # noqa: PLR2004 - the code of TWS.md 3.13
    with switched(site.session.desk.conduct, cancel="161" if is_early else "fill_first"):
        site.handle(client, wanted)
    if is_early:
        site.session.agenda.after(parameters.delay_s, partial(_fill_rest, site, order))
    return True


def _fill_rest(site: Site, order: GatewayOrder) -> None:
    live = 0.0 if order.done or order.withheld else site.fillable(order)
    if live > 0:
        site.session.desk.fill(order.perm_id, live, site.price(order), tells_group=True)
        site.session.settle()


def _may_still_fill(site: Site, _parameters: Parameters, client: Client, wanted: ask.CancelOrder) -> bool:
    """A cancel can come too late for an order in the market only: TWS itself pulls what it has not sent on."""
    order = _known(site, client, wanted.order_id)
    return order is not None and site.fillable(order) > 0


def _is_live_order(site: Site, _parameters: Parameters, client: Client, wanted: ask.CancelOrder) -> bool:
    return _known(site, client, wanted.order_id) is not None


def _never_cancel(site: Site, _parameters: Parameters, client: Client, wanted: ask.CancelOrder) -> bool:
    with switched(site.session.desk.conduct, cancel="never"):
        site.handle(client, wanted)
    return True


class LocateFound(Parameters, frozen=True):
    delay_s: Annotated[float, Meta(gt=0, le=86_400)] = 60.0


def _locate(site: Site, parameters: LocateFound, client: Client, wanted: ask.PlaceOrder) -> bool:
    """Inactive with 404 for want of shares; a cancel meanwhile comes to nothing, then shares are found."""
    stock = site.session.listings.find(wanted.contract)
    searches = site.session.desk.locates.searches
    if stock is None:
        return False
    searches[stock.con_id] += 1
    site.handle(client, wanted)
    forget = site.watch(partial(_is_cancel_of, client, wanted.order_id))

    def find() -> None:
        forget()
        searches[stock.con_id] -= 1

    site.session.agenda.after(parameters.delay_s, find)
    return True


def _is_cancel_of(owner: Client, order_id: int, client: Client, request: Request) -> bool:
    is_owner = client.client_id == owner.client_id
    return is_owner and isinstance(request, ask.CancelOrder) and request.order_id == order_id


def _is_short_sale(site: Site, parameters: Parameters, client: Client, wanted: ask.PlaceOrder) -> bool:
    """A child sells what its parent has bought, or is at work only with its parent."""
    if wanted.parent_id or wanted.side != "SELL" or not _is_new(site, parameters, client, wanted):
        return False
    return site.session.ledger.quantity(wanted.contract.symbol) < wanted.quantity


# ------------------------------------------------------------------ 34 to 38: the broker's own hand


class BrokerCancel(Parameters, frozen=True):
    reason: Text = "Your account has insufficient margin"
    liquidates: bool = False


def _broker_cancels(site: Site, parameters: BrokerCancel, aim: Aim) -> None:
    """Cancel every live order that is meant; `liquidates` closes the position too, with liquidation=1."""
    orders = site.orders(aim)
    held = [
        (ledger.account, con_id)
        for ledger in site.session.accounts
        for con_id, position in ledger.positions.items()
        if position.quantity and aim.symbol in {"", position.symbol}
    ]
    if not orders and not (parameters.liquidates and held):
        raise NothingThere
    for order in orders:
        if not order.done:
            site.session.desk.cancel_by_broker(order.perm_id, parameters.reason)
    for account, con_id in held if parameters.liquidates else ():
        site.session.desk.liquidate(con_id, account)


def _overfill(site: Site, _parameters: Parameters, aim: Aim) -> None:
    """Both legs of a working pair: the newest OCA group with two of them, each as if the other had not."""
    groups: dict[str, list[GatewayOrder]] = {}
    for order in site.in_market(aim):
        if order.oca_group and site.fillable(order) > 0:
            groups.setdefault(order.oca_group, []).append(order)
    pairs = [legs for legs in groups.values() if len(legs) > 1]
    if not pairs:
        raise NothingThere
    legs = pairs[-1]
    quantities = [(leg, site.fillable(leg), leg.stop_price or site.price(leg)) for leg in legs]
    for leg, quantity, price in quantities:
        site.session.desk.fill(leg.perm_id, quantity, price)


class PartAndDrop(Parameters, frozen=True):
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    how: Literal["fin", "rst", "mid_frame"] = "rst"


def _fill_part_and_drop(site: Site, parameters: PartAndDrop, aim: Aim) -> None:
    """The newest order without a parent; the client is gone before it hears of it."""
    parents = [order for order in site.in_market(aim) if not order.parent_perm_id and order.remaining > 1]
    if not parents:
        raise NothingThere
    order = parents[-1]
    price = site.price(order)
    site.controls.drop(order.client_id, parameters.how)
    quantity = max(float(math.floor(order.remaining * parameters.share)), 1.0)
    site.session.desk.fill(order.perm_id, quantity, price, tells_group=True)


def _duplicate(site: Site, _parameters: Parameters, aim: Aim) -> None:
    site.session.desk.duplicate_live(site.order(aim).perm_id)


class ManualOrder(Parameters, frozen=True):
    side: Literal["BUY", "SELL"] = "BUY"
    quantity: Annotated[float, Meta(gt=0, le=1_000_000)] = 100.0
    limit_price: Annotated[float, Meta(ge=0)] = 0.0


def _manual_order(site: Site, parameters: ManualOrder, aim: Aim) -> None:
    price = parameters.limit_price or None
    symbol = site.stock(aim).symbol
    site.session.desk.manual_order(symbol, parameters.side, parameters.quantity, limit_price=price)


# ------------------------------------------------------------------ 39 to 41: silence


def _hold(site: Site, _parameters: Parameters, client: Client, wanted: ask.PlaceOrder) -> bool:
    with switched(site.session.desk.conduct, hold_next=1):
        site.handle(client, wanted)
    return True


def _queue(site: Site, _parameters: Parameters, aim: Aim) -> Undo:
    site.controls.lose_server(aim.for_s)
    return site.controls.restore_server


class WhatIf(Parameters, frozen=True):
    how: Literal["sentinels", "both", "silent"] = "sentinels"


def _what_if(site: Site, parameters: WhatIf, client: Client, wanted: ask.PlaceOrder) -> bool:
    with switched(site.session.desk.conduct, what_if=parameters.how):
        site.handle(client, wanted)
    return True


def _is_what_if(_site: Site, _parameters: Parameters, _client: Client, wanted: ask.PlaceOrder) -> bool:
    return wanted.what_if


ORDER_FAULTS = (
    Fault(number=21, name="fill_in_parts", severity="mild", parameters=Parts,
          way=Act(_fill_in_parts, None, (CLIENT, SYMBOL)),
          text="The newest order fills in pieces, then its rest is cancelled."),
    Fault(number=27, name="reject_order", severity="mild", parameters=Rejection,
          way=Meet(ask.PlaceOrder, _reject, _is_new),
          text="A new order becomes Inactive with 201."),
    Fault(number=28, name="lose_stop_leg", severity="rough", way=Meet(ask.PlaceOrder, _lose_stop, _is_stop_leg),
          text="The stop leg of a bracket gets 110 and does not exist; its family works without it."),
    Fault(number=29, name="duplicate_order_id", severity="rough", parameters=DuplicateId,
          way=Meet(ask.PlaceOrder, _refuse_id, _is_new),
          text="103 for an id that is free; with `lives` the order is taken all the same."),
    Fault(number=30, name="refuse_change", severity="mild", parameters=ChangeRefusal,
          way=Meet(ask.PlaceOrder, _refuse_change, _is_change),
          text="A change gets 135, 104, 105, 110 or 329; the order works on as it was."),
    Fault(number=31, name="cancel_too_late", severity="mild", parameters=CancelAnswer,
          way=Meet(ask.CancelOrder, _cancel_too_late, _may_still_fill),
          text="A cancel is answered by 161 and a fill comes later, or by a fill and 10148."),
    Fault(number=32, name="cancel_unanswered", severity="rough",
          way=Meet(ask.CancelOrder, _never_cancel, _is_live_order),
          text="A cancelled order stays PendingCancel for ever."),
    Fault(number=33, name="locate_found", severity="rough", parameters=LocateFound,
          way=Meet(ask.PlaceOrder, _locate, _is_short_sale),
          text="A short sale is Inactive with 404; cancelled or not, it fills when shares are found."),
    Fault(number=34, name="broker_cancels", severity="rough", parameters=BrokerCancel,
          way=Act(_broker_cancels, None, (CLIENT, SYMBOL)),
          text="IB cancels with 202 and a reason, and liquidates if `liquidates`."),
    Fault(number=35, name="overfill_group", severity="brutal", way=Act(_overfill, None, (CLIENT, SYMBOL)),
          text="Both legs of an OCA group fill."),
    Fault(number=36, name="fill_part_and_drop", severity="rough", parameters=PartAndDrop,
          way=Act(_fill_part_and_drop, None, (CLIENT, SYMBOL)),
          text="The newest parent fills partly while its client is disconnected."),
    Fault(number=37, name="duplicate_live", severity="brutal", way=Act(_duplicate, None, (CLIENT, SYMBOL)),
          text="An order id comes back with a second permId, both live."),
    Fault(number=38, name="manual_order", severity="mild", parameters=ManualOrder,
          way=Act(_manual_order, None, (SYMBOL,)),
          text="Somebody enters an order in TWS by hand."),
    Fault(number=39, name="hold_order", severity="rough", way=Meet(ask.PlaceOrder, _hold, _is_new),
          text="A preset or a precaution holds a new order: PendingSubmit and no more messages."),
    Fault(number=40, name="queue_orders", severity="rough", way=Act(_queue, 1200.0),
          text="Orders placed after 1100 wait in TWS and go to the market when the link is back."),
    Fault(number=41, name="what_if_unset", severity="mild", parameters=WhatIf,
          way=Meet(ask.PlaceOrder, _what_if, _is_what_if),
          text="whatIf is answered with unset values only, with both, or not at all."),
)  # fmt: skip
