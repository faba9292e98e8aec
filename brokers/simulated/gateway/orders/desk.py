"""The order desk: clients' orders into the matcher, the matcher's outcomes into messages and the ledger.

Every client has its own order ids, the account has one series of permIds. Orders outlive the connection that
placed them: the desk knows client ids, not sockets, and `tell` drops what nobody is there to hear. Times come
from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from msgspec.structs import replace

from brokers.simulated.commission import CommissionModel, commission_of_next_fill
from brokers.simulated.gateway.accounts.ledger import Execution, Ledger, OrderEnded, OrderRecorded
from brokers.simulated.gateway.data.listing import Listed, Listings
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import (
    DUPLICATE_ID,
    GROUP_FILLED,
    MISMATCH,
    MISSING_PARENT,
    ORDER_ID_MAX,
    PRICED_BY_LIMIT,
    PRICED_BY_STOP,
    UNKNOWN_CONTRACT,
    Refusal,
    invalid,
    modify_refusal_of,
    refusal_of,
    unreadable,
)
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.matching import (
    Cancelled,
    Filled,
    Matcher,
    OrderType,
    Outcome,
    Reduced,
    Side,
    SimOrder,
    StatusChanged,
)

Tell = Callable[[int, Message], None]
FIRST_PERM_ID = 1_700_000_001
DUST = 1e-9
COMMISSION_MODEL: CommissionModel = "ib_fixed"


class Desk:
    """All orders of the account. What changes something takes `at`, the market time in epoch seconds."""

    def __init__(self, ledger: Ledger, listings: Listings, matcher: Matcher, tell: Tell) -> None:
        self.ledger = ledger
        self._listings = listings
        self._matcher = matcher
        self._tell = tell
        self.orders: dict[int, GatewayOrder] = {}
        """Every order by permId, refused ones included, in the order in which they came."""
        self._perm_ids: dict[tuple[int, int], int] = {}
        self._last_ids: dict[int, int] = {}

    # ------------------------------------------------------------------ asking

    def next_valid_id(self, client_id: int) -> int:
        return self._last_ids.get(client_id, 0) + 1

    def open_orders(self, client_id: int | None = None) -> list[GatewayOrder]:
        """Working orders, of one client or of all; what is not transmitted is invisible (TWS.md 3.3)."""
        return [
            order
            for order in self.orders.values()
            if order.transmitted and not order.done and client_id in {None, order.client_id}
        ]

    def completed_orders(self) -> list[GatewayOrder]:
        return [order for order in self.orders.values() if order.done]

    # ------------------------------------------------------------------ what clients do

    def place(self, client_id: int, wanted: PlaceOrder, *, at: float, market_open: bool) -> None:
        """A new order, or a change of a live one of the same client and id."""
        stock = self._listings.find(wanted.contract)
        known = self._order_of(client_id, wanted.order_id)
        refusal = self._id_refusal(client_id, wanted, known) or (
            UNKNOWN_CONTRACT if stock is None else refusal_of(wanted, stock, self.ledger.account)
        )
        if stock is None or (refusal and (known or not refusal.is_rejection)):
            self._refuse(client_id, wanted.order_id, refusal or UNKNOWN_CONTRACT)
        elif known is not None:
            self._modify(known, wanted, at)
        else:
            self._last_ids[client_id] = wanted.order_id
            if refusal is None and wanted.oca_group and self._matcher.group_is_filled(wanted.oca_group):
                refusal = GROUP_FILLED
            order = self._new_order(client_id, wanted, stock)
            if refusal:
                self._reject(order, refusal, at)
            else:
                self._submit(order, at, market_open=market_open)

    def cancel(self, client_id: int, order_id: int, *, at: float) -> None:
        order = self._order_of(client_id, order_id)
        if order is None:
            text = f"OrderId {order_id} that needs to be cancelled is not found."
            self._refuse(client_id, order_id, Refusal(10147, text))
        elif order.done:
            text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
            self._refuse(client_id, order_id, Refusal(10148, text))
        else:
            self.apply(self._matcher.cancel(order.perm_id), at)

    def cancel_all(self, *, at: float) -> None:
        """Global cancel: every client's orders, also those not transmitted."""
        for order in list(self.orders.values()):
            if not order.done:
                self.apply(self._matcher.cancel(order.perm_id), at)

    def close_session(self, *, at: float) -> None:
        """The session ends: DAY orders go."""
        self.apply(self._matcher.on_close(), at)

    # ------------------------------------------------------------------ what the market does

    def on_quote(self, index: int, bid: float, ask: float, *, at: float, regular: bool) -> None:
        self.apply(self._matcher.on_quote(index, bid, ask, regular=regular), at)

    def on_trade(self, index: int, price: float, size: float, *, at: float, regular: bool) -> None:
        self.apply(self._matcher.on_trade(index, price, size, regular=regular), at)

    def working_indexes(self) -> set[int]:
        """The instruments in which an order works; the others' trades touch nobody."""
        return {order.instrument for order in self._matcher.working()}

    def apply(self, outcomes: Iterable[Outcome], at: float) -> None:
        """Tell the owners what happened and write it into the ledger."""
        for outcome in outcomes:
            order = self.orders[outcome.key]
            match outcome:
                case StatusChanged():
                    self._status_changed(order, outcome, at)
                case Filled():
                    self._filled(order, outcome, at)
                case Reduced():
                    order.quantity = outcome.quantity
                    self._record(order, at, "reduced")
                    self._show(order)
                case Cancelled():
                    self._cancelled(order, outcome.reason, at)

    # ------------------------------------------------------------------ leaves

    def _order_of(self, client_id: int, order_id: int) -> GatewayOrder | None:
        perm_id = self._perm_ids.get((client_id, order_id))
        return None if perm_id is None else self.orders[perm_id]

    def _id_refusal(self, client_id: int, wanted: PlaceOrder, known: GatewayOrder | None) -> Refusal | None:
        if not 0 < wanted.order_id <= ORDER_ID_MAX:
            return unreadable(f"Order id {wanted.order_id} is out of range")
        if known is not None:
            return DUPLICATE_ID if known.done else None
        if wanted.order_id < self.next_valid_id(client_id):
            return DUPLICATE_ID
        if wanted.parent_id and self._order_of(client_id, wanted.parent_id) is None:
            return MISSING_PARENT
        return None

    def _new_order(self, client_id: int, wanted: PlaceOrder, stock: Listed) -> GatewayOrder:
        parent = self._order_of(client_id, wanted.parent_id) if wanted.parent_id else None
        order = GatewayOrder(
            perm_id=FIRST_PERM_ID + len(self.orders),
            client_id=client_id,
            request=wanted,
            stock=stock,
            quantity=wanted.quantity,
            limit_price=wanted.limit_price if wanted.order_type in PRICED_BY_LIMIT else None,
            stop_price=wanted.aux_price if wanted.order_type in PRICED_BY_STOP else None,
            oca_group=wanted.oca_group or (str(parent.perm_id) if parent else ""),
            parent_perm_id=parent.perm_id if parent else 0,
        )
        if wanted.oca_group and wanted.oca_type:
            order.oca_type = wanted.oca_type
        self.orders[order.perm_id] = order
        self._perm_ids[client_id, wanted.order_id] = order.perm_id
        return order

    def _submit(self, order: GatewayOrder, at: float, *, market_open: bool) -> None:
        sim = SimOrder(
            key=order.perm_id,
            instrument=order.stock.index,
            side=cast("Side", order.request.side),
            quantity=order.quantity,
            order_type=cast("OrderType", order.request.order_type),
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            parent_key=order.parent_perm_id or None,
            oca_group=order.oca_group,
            oca_type=order.oca_type,
            tif=order.request.tif,
            outside_rth=order.request.outside_rth,
            transmit=order.request.transmit,
        )
        self.apply(self._matcher.submit(sim, market_open=market_open), at)
        if order.transmitted and not market_open and not order.request.outside_rth:
            text = "Order Message:\nWarning: Your order will not be placed at the exchange until it opens."
            self._tell(order.client_id, answers.error(order.order_id, 399, text))

    def _modify(self, order: GatewayOrder, wanted: PlaceOrder, at: float) -> None:
        refusal = modify_refusal_of(order, wanted)
        if refusal is None and self._listings.find(wanted.contract) is not order.stock:
            refusal = MISMATCH
        limit = wanted.limit_price if wanted.order_type in PRICED_BY_LIMIT else None
        stop = wanted.aux_price if wanted.order_type in PRICED_BY_STOP else None
        reason = self._matcher.modify_refusal(
            order.perm_id, quantity=wanted.quantity, limit_price=limit, stop_price=stop
        )
        if refusal or reason:
            self._refuse(order.client_id, order.order_id, refusal or invalid(reason))
            return
        order.request = replace(wanted, parent_id=order.request.parent_id)
        order.quantity, order.limit_price, order.stop_price = wanted.quantity, limit, stop
        if order.transmitted:
            self._record(order, at, "modified")
        outcomes = self._matcher.modify(
            order.perm_id,
            quantity=wanted.quantity,
            limit_price=limit,
            stop_price=stop,
            transmit=wanted.transmit,
        )
        self.apply(outcomes, at)

    def _status_changed(self, order: GatewayOrder, outcome: StatusChanged, at: float) -> None:
        order.status, order.why_held = outcome.status, outcome.why_held
        if not order.transmitted:
            order.transmitted = True
            self._record(order, at, "new")
        self._show(order)

    def _filled(self, order: GatewayOrder, outcome: Filled, at: float) -> None:
        fee = commission_of_next_fill(
            COMMISSION_MODEL, order.filled, order.average_price, outcome.quantity, outcome.price
        )
        order.take_fill(outcome.quantity, outcome.price)
        order.status, order.why_held = ("Filled", "") if order.remaining <= DUST else ("Submitted", "")
        if order.status == "Filled":
            order.completed_at, order.completed_status = at, f"Filled Size: {order.filled:g}"
        execution = self._execution(order, outcome, at)
        charged = self.ledger.book(execution, fee)
        self._tell(order.client_id, answers.execution(execution, order.stock, self.ledger.account))
        self._show(order)
        order.commission = (order.commission or 0.0) + fee
        self._tell(order.client_id, answers.open_order(order, self.ledger.account))
        self._tell(order.client_id, answers.commission(charged))

    def _execution(self, order: GatewayOrder, outcome: Filled, at: float) -> Execution:
        serial = order.perm_id - FIRST_PERM_ID
        middle = f"{int(at):08x}.{serial:06x}{order.fills:02x}"
        return Execution(
            at=at,
            exec_id=f"0000e0d5.{middle}.01",
            perm_id=order.perm_id,
            client_id=order.client_id,
            order_id=order.order_id,
            order_ref=order.request.order_ref,
            con_id=order.stock.con_id,
            symbol=order.stock.symbol,
            side=order.request.side,
            quantity=outcome.quantity,
            price=outcome.price,
            filled=order.filled,
            average_price=order.average_price,
        )

    def _cancelled(self, order: GatewayOrder, reason: str, at: float) -> None:
        order.status, order.why_held = "Cancelled", ""
        order.completed_at, order.completed_status = at, f"Cancelled by {reason or 'Trader'}"
        self._end(order, reason, at)
        self._tell(order.client_id, answers.order_status(order))
        text = f"Order Canceled - reason:{reason}"
        self._tell(order.client_id, answers.error(order.order_id, 202, text))

    def _reject(self, order: GatewayOrder, refusal: Refusal, at: float) -> None:
        """Inactive, error 201, Inactive again: the wire trace of ibi#554 (TWS.md 3.8)."""
        order.status, order.transmitted = "Inactive", True
        order.completed_at, order.completed_status = at, refusal.text
        self._record(order, at, "new")
        self._end(order, refusal.text, at)
        self._show(order)
        self._refuse(order.client_id, order.order_id, refusal)
        self._show(order)

    def _refuse(self, client_id: int, order_id: int, refusal: Refusal) -> None:
        self._tell(client_id, answers.error(order_id, refusal.code, refusal.text))

    def _show(self, order: GatewayOrder) -> None:
        self._tell(order.client_id, answers.open_order(order, self.ledger.account))
        self._tell(order.client_id, answers.order_status(order))

    def _record(self, order: GatewayOrder, at: float, change: str) -> None:
        self.ledger.record(
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

    def _end(self, order: GatewayOrder, reason: str, at: float) -> None:
        self.ledger.record(
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
