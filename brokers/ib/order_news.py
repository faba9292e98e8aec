"""What the broker says of our orders, as events: once per real change, and never more certain than it is.

openOrder, orderStatus and errors come in any order, twice, or not at all (TWS.md 3.1, 3.2). Executions are not
handled here: a status is a hint, `Filled` included. Orders without one of our references are never spoken of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from ib_insync import Order as IbOrder

from brokers.ib import codes
from brokers.ib.codes import CodeClass, CodeTable
from brokers.ib.register import Ended, OrderRecord, OrderRegister
from brokers.ib.translate import open_order_of
from brokers.port import Clock
from shared.events import Event, OrderAccepted, OrderCancelled, OrderRejected, OrderUnknown
from shared.ids import parse_ref

log = structlog.get_logger("brokers.ib")

WORKING = frozenset({"PreSubmitted", "Submitted"})
NOT_YET = frozenset({"PendingSubmit", "ApiPending", "PendingCancel"})
GONE = frozenset({"Cancelled", "ApiCancelled"})
FINAL = GONE | {"Filled"}
INACTIVE = "Inactive"
GROUP_FILLED = "oca group is already filled"
REASON_WAIT_S = 0.5
"""How long the reason of an Inactive order, or of a cancel nobody asked for, may come behind the status."""


class OrderNews:
    """Turns callbacks into events; `emit` takes them."""

    def __init__(self, register: OrderRegister, emit: Callable[[Event], None], clock: Clock, codes: CodeTable) -> None:
        self._codes = codes
        self._register = register
        self._emit = emit
        self._clock = clock
        self._waiting: dict[OrderRecord, asyncio.TimerHandle] = {}

    def close(self) -> None:
        """The connection is gone; nobody waits for a reason any more."""
        for record in list(self._waiting):
            self._stop_waiting(record)
            if record.status in GONE:
                self._cancelled(record, record.status)

    def open_order(self, order: IbOrder, status: str, *, is_answer: bool = False) -> None:
        """An openOrder message: the order's terms, and a status without its whyHeld; `is_answer`: we have asked."""
        if parse_ref(order.orderRef) is None or order.whatIf:
            return
        line = open_order_of(order, status, "")
        terms = (line.quantity, line.limit_price, line.stop_price)
        record = self._register.find(
            ref=line.ref, perm_id=line.perm_id, client_id=line.client_id, order_id=line.order_id
        )
        if record is None:
            record = self._register.add(
                OrderRecord(
                    ref=line.ref,
                    order_id=line.order_id,
                    client_id=line.client_id,
                    terms=terms,
                    perm_id=line.perm_id,
                )
            )
        self._register.name_perm(record, line.perm_id)
        # A filled order's openOrder may show a quantity of 0: that is no change of terms.
        record.terms = terms if status not in FINAL else record.terms
        record.trailed_to = line.stop_price if line.order_type.startswith("TRAIL") else None
        record.parent_id = int(order.parentId)
        record.oca_group, record.oca_type = order.ocaGroup, int(order.ocaType)
        if is_answer and status in WORKING and record.ended in {Ended.CANCELLED, Ended.REJECTED}:
            record.revive()
        self._take(record, status, record.why_held, quantity=line.quantity)

    def status(self, *, order_id: int, client_id: int, perm_id: int, status: str, why_held: str) -> None:
        """An orderStatus message."""
        record = self._register.find(perm_id=perm_id, client_id=client_id, order_id=order_id)
        if record is None:
            return
        self._register.name_perm(record, perm_id)
        record.why_held = why_held
        self._take(record, status, why_held)

    def executed(self, *, order_id: int, client_id: int) -> None:
        """An execution tells the id of an order that TWS may have forgotten."""
        self._register.ids.note(client_id, order_id)

    def error(self, order_id: int, code: int, text: str) -> bool:
        """An error on an order id; False if no order of ours has it."""
        record = self._register.by_order_id(order_id)
        if record is None:
            return False
        log.info("broker.order_message", ref=record.ref, code=code, text=text)
        if code in codes.CANCEL_ANSWERS:
            record.is_cancel_asked = False
        match self._codes.class_of(code):
            case CodeClass.NOTICE:
                if code == codes.LOCATING_SHARES:
                    record.why_held = "locate"
            case CodeClass.ORDER_FINAL if code != codes.CANCELLED:
                self._refused(record, code, text)
            case CodeClass.ORDER_FINAL if self._register.has_twin(record) and record.status not in GONE:
                self._unknown(record, f"one of two orders under its id was cancelled: {text}")
            case CodeClass.ORDER_FINAL:
                self._cancelled(record, text)
            case _:
                asked = "cancel answered " if code in codes.CANCEL_ANSWERS else ""
                self._unknown(record, f"{asked}{code} {text}")
        return True

    # ------------------------------------------------------------------ leaves

    def _take(self, record: OrderRecord, status: str, why_held: str, *, quantity: int | None = None) -> None:
        if status in WORKING and record.status in GONE:
            self._cancelled(record, record.status)
        record.status = status
        if status in WORKING or (status == INACTIVE and "locate" in why_held):
            self._working(record, status, quantity)
        elif status == INACTIVE:
            self._inactive(record)
        elif status in GONE:
            self._gone(record, status)
        elif status == "Filled":
            record.ended = Ended.FILLED
        elif status not in NOT_YET:
            self._unknown(record, f"status {status!r} is not known")

    def _working(self, record: OrderRecord, status: str, quantity: int | None) -> None:
        self._stop_waiting(record)
        if record.ended in {Ended.CANCELLED, Ended.REJECTED}:
            if not record.is_doubted:
                record.is_doubted = True
                self._say_unknown(record, f"was reported {record.ended}, then {status}")
            return
        shown = (record.perm_id, status, record.terms)
        if record.ended is Ended.FILLED or shown == record.shown:
            return
        record.shown = shown
        self._emit(
            OrderAccepted(
                received_at=self._clock(),
                ref=record.ref,
                perm_id=record.perm_id,
                broker_status=status,
                quantity=quantity,
                stop_price=record.trailed_to,
            )
        )

    def _inactive(self, record: OrderRecord) -> None:
        """Rejected, if nothing is being located; the reason may come a moment later (ibi#554)."""
        if record.complaint is not None:
            self._rejected(record, *record.complaint)
        else:
            self._wait_for_reason(record)

    def _gone(self, record: OrderRecord, status: str) -> None:
        """Cancelled; why, says a 202 that may come a moment later, unless it was our own will."""
        if record.complaint is not None:
            self._cancelled(record, record.complaint[1])
        elif record.is_cancel_asked:
            self._cancelled(record, status)
        else:
            self._wait_for_reason(record)

    def _wait_for_reason(self, record: OrderRecord) -> None:
        if record.ended is Ended.NOT and record not in self._waiting:
            loop = asyncio.get_running_loop()
            self._waiting[record] = loop.call_later(REASON_WAIT_S, self._no_reason_came, record)

    def _no_reason_came(self, record: OrderRecord) -> None:
        self._waiting.pop(record, None)
        if record.status in GONE:
            self._cancelled(record, record.status)
        elif record.status == INACTIVE and "locate" not in record.why_held:
            self._rejected(record, 0, "Inactive, without a reason")

    def _refused(self, record: OrderRecord, code: int, text: str) -> None:
        """Final for an order that never worked; another may have lost only a change (ibi#502, ibi#647)."""
        record.complaint = (code, text)
        if record.was_accepted and record.status != INACTIVE:
            self._unknown(record, f"{code} {text}")
        else:
            self._rejected(record, code, text)

    def _rejected(self, record: OrderRecord, code: int, text: str) -> None:
        self._stop_waiting(record)
        if record.ended is not Ended.NOT:
            return
        record.ended = Ended.REJECTED
        is_group_filled = GROUP_FILLED in text.lower()
        self._emit(
            OrderRejected(
                received_at=self._clock(), ref=record.ref, code=code, text=text, is_group_filled=is_group_filled
            )
        )

    def _cancelled(self, record: OrderRecord, reason: str) -> None:
        self._stop_waiting(record)
        if record.ended is not Ended.NOT:
            return
        record.ended = Ended.CANCELLED
        if self._register.is_any_alive(record.ref):
            self._say_unknown(record, f"one of two orders under its reference has ended: {reason}")
            return
        self._emit(OrderCancelled(received_at=self._clock(), ref=record.ref, reason=reason))

    def _unknown(self, record: OrderRecord, reason: str) -> None:
        if record.ended not in {Ended.CANCELLED, Ended.REJECTED}:
            self._say_unknown(record, reason)

    def _say_unknown(self, record: OrderRecord, reason: str) -> None:
        self._emit(OrderUnknown(received_at=self._clock(), ref=record.ref, reason=reason))

    def _stop_waiting(self, record: OrderRecord) -> None:
        if (waiting := self._waiting.pop(record, None)) is not None:
            waiting.cancel()
