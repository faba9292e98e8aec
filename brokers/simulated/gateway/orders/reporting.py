"""What clients are told about their orders, and in which order (TWS.md 3.1, 3.2).

The sequence of a fill is that of a real capture: execDetails, openOrder, orderStatus, openOrder with the
commission, commissionReport. Nothing guarantees it; `Conduct` changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from brokers.simulated.gateway.accounts.records import CommissionCharged, Execution
from brokers.simulated.gateway.orders.conduct import Conduct
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import Refusal
from brokers.simulated.gateway.orders.terms import terms_of
from brokers.simulated.gateway.orders.venue import Schedule
from brokers.simulated.gateway.protocol import answers, data_answers
from brokers.simulated.gateway.protocol.message import Message, repeated
from brokers.simulated.gateway.protocol.wire import Value

ECHOED = (
    "goodAfterTime", "goodTillDate", "triggerMethod", "allOrNone", "hidden", "displaySize", "minQty", "rule80A",
    "discretionaryAmt", "shortSaleSlot", "designatedLocation", "exemptCode", "modelCode", "percentOffset",
    "sweepToFill", "clearingAccount", "notHeld", "solicited",
)  # fmt: skip
"""Fields of placeOrder that openOrder and completedOrder repeat as the client wrote them."""
NOT_SAID = frozenset({"", "0", "0.0"})
"""Texts with which clients say nothing: then the field shows what a real TWS was seen to send."""
Tell = Callable[[int, Message], None]


class Reporter:
    """Speaks to client ids; `tell` drops what nobody is there to hear."""

    def __init__(self, tell: Tell, schedule: Schedule, conduct: Conduct) -> None:
        self.conduct = conduct
        self._tell = tell
        self._schedule = schedule

    def show(self, order: GatewayOrder) -> None:
        self.open_order(order)
        self.status(order)

    def open_order(self, order: GatewayOrder) -> None:
        self._say(order, open_order(order))

    def status(self, order: GatewayOrder) -> None:
        self._say(order, order_status(order))

    def refuse(self, client_id: int, order_id: int, refusal: Refusal) -> None:
        self._tell(client_id, answers.error(order_id, refusal.code, refusal.text))

    def warn(self, order: GatewayOrder, refusal: Refusal) -> None:
        self.refuse(order.client_id, order.order_id, refusal)

    def bound(self, order: GatewayOrder) -> None:
        self._say(order, data_answers.order_bound(order.perm_id, order.client_id, order.order_id))

    def executed(self, order: GatewayOrder, execution: Execution) -> None:
        self._say(order, answers.execution(execution, order.stock, order.account))

    def filled(self, order: GatewayOrder, execution: Execution, charged: CommissionCharged) -> None:
        """One execution and all that follows; the order is as it is after it, but for the commission."""
        paid = answers.commission(charged)
        how = self.conduct.status_order
        if self.conduct.commission == "before":
            self._say(order, paid)
        if how == "status_first":
            self.show(order)
        self.executed(order, execution)
        if how == "natural":
            self.show(order)
        elif how == "late":
            self._schedule.after(self.conduct.status_delay_s, partial(self.show, order))
        order.commission = (order.commission or 0.0) + charged.commission
        if self.conduct.commission == "normal":
            if how in {"natural", "status_first"}:
                self.open_order(order)
            self._say(order, paid)
        elif self.conduct.commission == "late":
            self._schedule.after(self.conduct.commission_delay_s, partial(self._say, order, paid))

    def _say(self, order: GatewayOrder, message: Message) -> None:
        self._tell(order.client_id, message)
        if message.name in self.conduct.duplicates:
            self._tell(order.client_id, message)


def open_order(order: GatewayOrder, **extra: Value) -> Message:
    """The order as it stands; `extra` replaces fields by their protocol names (whatIf, margins)."""
    return answers.open_order(order, order.account, **(_terms(order) | extra))


def order_status(order: GatewayOrder) -> Message:
    message = answers.order_status(order)
    return Message(message.layout, {**message.values, "mktCapPrice": order.cap_price}) if order.cap_price else message


def completed_order(order: GatewayOrder) -> Message:
    message = answers.completed_order(order, order.account)
    return repeated(message.layout, tuple({**message.values, **_echo(order), **_trail(order)}.items()))


def _terms(order: GatewayOrder) -> dict[str, Value]:
    """What the client sent beside the main terms, and where the live order differs from it."""
    fields = _echo(order) | _trail(order)
    return fields | {"warningText": order.warning} if order.warning else fields


def _echo(order: GatewayOrder) -> dict[str, Value]:
    return {name: text for name in ECHOED if (text := order.request.raw.get(name, "")) not in NOT_SAID}


def _trail(order: GatewayOrder) -> dict[str, Value]:
    """A trailing order's distance, and its stop where it stands now."""
    if not terms_of(order.request).trails:
        return {}
    fields: dict[str, Value] = {
        "auxPrice": order.request.aux_price or 0.0,
        "trailStopPrice": order.stop_price,
        "adjustedTrailStop": order.stop_price,  # the same once more: clients read the later of the two
        "trailingPercent": order.request.trailing_percent,
    }
    if order.request.limit_price_offset is not None:
        fields["lmtPriceOffset"] = order.request.limit_price_offset
    return fields
