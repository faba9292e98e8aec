"""Safeguards of what is believed: executions once, orders by evidence, unknown is neither dead nor empty."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from brokers.ib.codes import CodeClass
from brokers.ib.register import Ended
from daemon.engine.order_life import Happening
from shared.commands import Command, Flatten, PlaceBracket, ReplaceStop
from shared.ids import exec_correction, exec_stem
from shared.orders import BracketOrder, Leg, OrderStatus
from tests.simulation.safeguards.safeguard import Part, Safeguard, always, equal_to, returning

_ON_FILL = "daemon.engine.executions:Executions.on_fill"
_LIVE = -1
"""The request id of an execution that nobody asked for."""


def _renamed(book: Any, fill: Any) -> Any:
    """The execution under an id that the book cannot have; the same whenever the same events are handled again."""
    return replace(fill, exec_id=f"{fill.exec_id}~{len(book.fills)}")


def _every_arrival(on_fill: Any) -> Any:
    """Each time an execution is told it is booked."""

    def instead(self: Any, fill: Any, now: datetime, *, recovered: bool = False) -> Any:
        return on_fill(self, _renamed(self._book, fill), now, recovered=recovered)

    return instead


def _forgetful(execution: Any) -> Any:
    """The adapter tells each execution again as often as it hears of it."""

    def instead(self: Any, fill: Any) -> None:
        self._told.clear()
        execution(self, fill)

    return instead


def _beside_the_first(on_fill: Any) -> Any:
    """A correction is booked beside what it corrects."""

    def instead(self: Any, fill: Any, now: datetime, *, recovered: bool = False) -> Any:
        known = self._book.fills.get(exec_stem(fill.exec_id))
        is_correction = known is not None and exec_correction(known.exec_id) < exec_correction(fill.exec_id)
        return on_fill(self, _renamed(self._book, fill) if is_correction else fill, now, recovered=recovered)

    return instead


def _living_orders_only(on_fill: Any) -> Any:
    """An execution of an order that was told as ended is passed over."""

    def instead(self: Any, fill: Any, now: datetime, *, recovered: bool = False) -> Any:
        if fill.ref in self._book.closed_orders:
            return []
        return on_fill(self, fill, now, recovered=recovered)

    return instead


def _live_only(exec_details: Any) -> Any:
    """Executions that come because they were asked for are passed over, as if there were none."""

    def instead(self: Any, req_id: int, raw: Any) -> None:
        if req_id == _LIVE:
            exec_details(self, req_id, raw)

    return instead


def _dead_by_silence(next_status: Any) -> Any:
    """What is not answered is taken as never having been."""

    def instead(status: OrderStatus, happening: Happening) -> Any:
        return next_status(status, Happening.LOST if happening is Happening.SILENCE else happening)

    return instead


def _sent_again(on_silence: Any) -> Any:
    """What is not answered in time is sent again, under the same reference."""

    def instead(self: Any, ref: str) -> list[Command]:
        working = self._book.orders.get(ref)
        if working is None or working.status is not OrderStatus.PENDING or not self._book.is_connected:
            silent: list[Command] = on_silence(self, ref)
            return silent
        again = ("no answer in time, sent again",)
        if working.leg is Leg.ENTRY:
            legs = {order.leg: order.order for order in self._book.orders_of(working.plan)}
            stop, target = legs.get(Leg.STOP_LOSS), legs.get(Leg.TAKE_PROFIT)
            if stop is not None:
                bracket = BracketOrder(entry=working.order, stop_loss=stop, take_profit=target)
                return [PlaceBracket(bracket=bracket, reasons=again), self.await_order(working.order)]
        kind = Flatten if working.leg is Leg.EXIT else ReplaceStop
        return [kind(order=working.order, reasons=again), self.await_order(working.order)]

    return instead


def _final_if_unlisted(class_of: Any) -> Any:
    """A code that nobody has listed ends the order it names."""
    return lambda self, number: class_of(self, number) if number in self.codes else CodeClass.ORDER_FINAL


def _final_if_noticed(class_of: Any) -> Any:
    """A warning on an order (10349 and its like) ends it."""

    def instead(self: Any, number: int) -> CodeClass:
        found: CodeClass = class_of(self, number)
        is_warning = found is CodeClass.NOTICE and (number in {399, 404, 2109} or number > 10_000)
        return CodeClass.ORDER_FINAL if is_warning else found

    return instead


def _rejected_at_once(_refused: Any) -> Any:
    """A final code ends also an order that works."""

    def instead(self: Any, record: Any, code: int, text: str) -> None:
        self._rejected(record, code, text)

    return instead


def _final_though_working(working: Any) -> Any:
    """What was told as ended stays ended, even where it is told to work afterwards."""

    def instead(self: Any, record: Any, status: str, quantity: int | None) -> None:
        if record.ended not in {Ended.CANCELLED, Ended.REJECTED}:
            working(self, record, status, quantity)

    return instead


TRUTH = (
    Safeguard(
        name="executions_once",
        guards="an execution counts once, however often it is told (execId stem)",
        breaks=("I6", "I5"),
        parts=(Part(_ON_FILL, _every_arrival), Part("brokers.ib.fill_news:FillNews.execution", _forgetful)),
    ),
    Safeguard(
        name="corrections_replace",
        guards="a corrected execution takes the place of the first",
        breaks=("I6", "I5"),
        parts=(Part(_ON_FILL, _beside_the_first),),
    ),
    Safeguard(
        name="late_executions_count",
        guards="an execution counts also after its order was told as cancelled or filled",
        breaks=("I6", "I5", "I1"),
        parts=(Part(_ON_FILL, _living_orders_only),),
    ),
    Safeguard(
        name="executions_are_asked",
        guards="after a reconnect the executions are asked for, none is taken as never having been",
        breaks=("I6", "I5", "I1"),
        parts=(
            Part("brokers.ib.order_wrapper:OrderWrapper.execDetails", _live_only),
            Part("daemon.engine.reconcile:missing_fills", returning([])),
        ),
    ),
    Safeguard(
        name="unanswered_is_not_empty",
        guards="what could not be asked settles nothing",
        breaks=("I12",),
        parts=(
            Part("daemon.engine.reconcile:lacks", returning(value=False)),
            Part("daemon.engine.position_breaks:lacks", returning(value=False)),
            Part("shared.events:BrokerReported.is_complete", always(value=True)),
        ),
    ),
    Safeguard(
        name="silence_is_not_the_end",
        guards="an order without an answer is unknown and counts as live",
        breaks=("I3", "I5", "I7", "I16"),
        parts=(Part("daemon.engine.book:next_status", _dead_by_silence),),
    ),
    Safeguard(
        name="no_blind_resend",
        guards="an order without an answer is asked about, never sent again",
        breaks=("I3", "I13"),
        parts=(
            Part("daemon.engine.answers:Answers.on_silence", _sent_again),
            Part("brokers.ib.orders:_sent_before", returning(None)),
        ),
    ),
    Safeguard(
        name="acknowledgement_timer",
        guards="an order that is not answered is noticed after its time, and asked about",
        breaks=("I16", "I1", "I18"),
        parts=(Part("daemon.engine.answers:Answers.on_silence", returning([])),),
    ),
    Safeguard(
        name="two_reports_before_lost",
        guards="an order is lost only after two complete reports without it, and not while it may be on its way",
        breaks=("I3", "I5", "I2"),
        parts=(
            Part("daemon.engine.reconcile:LOST_AFTER_REPORTS", equal_to(1)),
            Part("daemon.engine.reconcile:LOST_AFTER_S", equal_to(-1.0)),
            Part("daemon.engine.reconcile:STOP_LOST_AFTER_S", equal_to(-1.0)),
        ),
    ),
    Safeguard(
        name="unlisted_codes_ask",
        guards="a code of IB that is not in the table is a question, not the end of an order",
        breaks=("I3", "I5", "I2", "I16"),
        parts=(
            Part("brokers.ib.codes:CodeTable.class_of", _final_if_unlisted),
            Part("brokers.ib.order_news:OrderNews._refused", _rejected_at_once),
        ),
    ),
    Safeguard(
        name="warnings_end_nothing",
        guards="a warning on an order (399, 10349) does not end it",
        breaks=("I3", "I5", "I2", "I16"),
        parts=(
            Part("brokers.ib.codes:CodeTable.class_of", _final_if_noticed),
            Part("brokers.ib.order_news:OrderNews._refused", _rejected_at_once),
        ),
    ),
    Safeguard(
        name="working_after_its_end_is_doubt",
        guards="an order told as ended and then as working is in doubt",
        breaks=("I3", "I5"),
        parts=(Part("brokers.ib.order_news:OrderNews._working", _final_though_working),),
    ),
    Safeguard(
        name="double_perm_id",
        guards="two live orders under one reference are both pulled",
        breaks=("I3",),
        parts=(Part("daemon.engine.truth:Truth._cancel_doubles", returning([])),),
    ),
    Safeguard(
        name="ids_never_roll_back",
        guards="no order id at or below the highest seen is used again",
        breaks=("I3", "I1", "I2", "I5"),
        parts=(Part("brokers.ib.session:Session.never_below", returning(None)),),
    ),
    Safeguard(
        name="commission_sentinels",
        guards="a commission that is no number yet is not counted",
        breaks=("I5", "I16"),
        parts=(
            Part("brokers.ib.translate:UNSET_ABOVE", equal_to(float("inf"))),
            Part("brokers.ib.translate:UNSET_COMMISSION", equal_to(float("nan"))),
        ),
    ),
)
