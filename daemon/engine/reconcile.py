"""The broker's report against the book: what is different, and what follows from it.

The report is the broker's word; the book is ours. Fills the book lacks are booked; orders of unknown fate are settled
by evidence; a difference in quantity locks the instrument until reports are clean again. What could not be asked
changes nothing. Foreign orders and positions are reported and never touched.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from daemon.engine.book import PROTECTIVE, Book, Lock
from daemon.engine.order_life import Happening
from shared.commands import Command, Notify
from shared.events import BrokerReported
from shared.ids import exec_correction, exec_stem, parse_ref
from shared.market import Universe
from shared.orders import CompletedOrder, Fill, Leg, OpenOrder, Order, OrderStatus, OrderType

LOST_AFTER_REPORTS = 2
CLEAN_REPORTS_TO_UNLOCK = 2
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_SAID_ONCE = ("foreign_order", "foreign_position", "double_perm_id", "missing_fill", "report_incomplete")
_LEVELS: dict[str, Literal["info", "warning", "critical"]] = {"healed": "info", "double_perm_id": "critical"}
_NEEDED_FOR_ORDERS = ("open_orders", "completed_orders", "fills")
_NEEDED_FOR_POSITIONS = ("positions", "fills")


class Discrepancy(Struct, frozen=True, kw_only=True):
    """One difference between the broker and the book."""

    kind: str
    symbol: str
    text: str
    broker_quantity: float | None = None


def missing_fills(book: Book, report: BrokerReported, universe: Universe) -> list[Fill]:
    """Executions of our orders that the book has not booked, oldest first."""
    known = book.fills
    mine = [fill for fill in report.fills if parse_ref(fill.ref) is not None and fill.symbol in universe.symbols]
    lacking = [fill for fill in mine if _is_news(known.get(exec_stem(fill.exec_id)), fill)]
    return sorted(lacking, key=lambda fill: (fill.filled_at, fill.exec_id))


def _is_news(known: Fill | None, fill: Fill) -> bool:
    return known is None or exec_correction(known.exec_id) < exec_correction(fill.exec_id)


def settle_orders(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    """Settle every live order by the evidence of the report; returns what was different."""
    _note_numbers(book, report)
    found = _confirm_open(book, report, universe)
    if any(name in report.unanswered for name in _NEEDED_FOR_ORDERS):
        return found
    open_refs = {order.ref for order in report.open_orders}
    completed = {order.ref: order for order in report.completed_orders}
    for ref in [ref for ref in book.suspicions if ":" in ref and ref not in open_refs]:
        del book.suspicions[ref]
    for ref, working in list(book.orders.items()):
        if ref in open_refs or working.sent_at >= report.asked_at:
            continue
        if ref in completed:
            found += _complete(book, completed[ref])
            continue
        working.missing_reports += 1
        if working.missing_reports >= LOST_AFTER_REPORTS:
            book.move(ref, Happening.LOST)
            text = f"{ref}: the broker does not know this order, it is taken as lost"
            found.append(Discrepancy(kind="lost_order", symbol=working.order.symbol, text=text))
    return found


def _note_numbers(book: Book, report: BrokerReported) -> None:
    """With an empty memory the numbers of plans that are long over are known to the broker only."""
    for completed in report.completed_orders:
        ref = parse_ref(completed.ref)
        if ref is not None:
            book.note_number(ref)


def _confirm_open(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    for order in report.open_orders:
        if parse_ref(order.ref) is None or order.symbol not in universe.symbols:
            text = f"{order.symbol}: order {order.side} {order.quantity} (permId {order.perm_id}) is not ours"
            found.append(Discrepancy(kind="foreign_order", symbol=order.symbol, text=text))
            continue
        known = book.orders.get(order.ref)
        if known is not None and order.perm_id and known.perm_id not in (0, order.perm_id):
            text = f"{order.ref}: lives twice at the broker, permId {known.perm_id} and {order.perm_id}"
            found.append(Discrepancy(kind="double_perm_id", symbol=order.symbol, text=text))
        else:
            found += _confirm(book, order)
    return found


def _confirm(book: Book, order: OpenOrder) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    if order.ref not in book.orders:
        if order.ref in book.closed_orders and book.suspicions.pop(order.ref, "") != "sighted":
            book.suspicions[order.ref] = "sighted"  # its end may have crossed the report on the way
            return []
        _adopt(book, order)
        text = f"{order.ref}: works at the broker but not in the book, adopted"
        found.append(Discrepancy(kind="unbooked_order", symbol=order.symbol, text=text))
    working = book.orders[order.ref]
    working.perm_id = order.perm_id or working.perm_id
    working.missing_reports = 0
    if working.status is OrderStatus.CANCELLING:
        _doubt_cancel(book, order)
    if working.leg in PROTECTIVE and order.quantity < working.order.quantity:  # only what rests there protects
        working.order = replace(working.order, quantity=order.quantity)
    book.move(order.ref, Happening.ACCEPTED)
    return found


def _doubt_cancel(book: Book, order: OpenOrder) -> None:
    """A cancel after which two reports in a row show the order at work went unheard: it may be asked again."""
    if order.status == "PendingCancel":
        return
    if book.suspicions.pop(order.ref, "") == "uncancelled":
        book.move(order.ref, Happening.SILENCE)
    else:
        book.suspicions[order.ref] = "uncancelled"


def _adopt(book: Book, order: OpenOrder) -> None:
    """Rebuild what the reference and the broker's line tell of an order of ours."""
    kinds = {kind.value: kind for kind in OrderType}
    ref = book.ref_of(order.ref)
    rebuilt = Order(
        ref=order.ref,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=kinds.get(order.order_type, OrderType.MARKET),
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        oca_group="" if ref.leg is Leg.ENTRY else ref.plan_id,
    )
    plan = book.plan_of(ref, symbol=order.symbol, side=order.side)
    if ref.leg in PROTECTIVE and plan.stop_price is None:
        plan.stop_price = order.stop_price
    if ref.leg is Leg.TAKE_PROFIT and plan.take_profit_price is None:
        plan.take_profit_price = order.limit_price
    book.enter_order(rebuilt, _LONG_AGO)
    stems = [fill for fill in book.fills.values() if fill.ref == order.ref]
    book.orders[order.ref].filled = sum(fill.quantity for fill in stems)


def _complete(book: Book, completed: CompletedOrder) -> list[Discrepancy]:
    working = book.orders[completed.ref]
    if completed.status == "Filled" and working.remaining == 0:
        book.move(completed.ref, Happening.ALL_FILLED)
        return []
    if completed.status == "Filled" or completed.filled > working.filled:
        book.move(completed.ref, Happening.SILENCE)
        text = f"{completed.ref}: the broker says {completed.status}, {completed.filled} filled; executions are missing"
        return [Discrepancy(kind="missing_fill", symbol=completed.symbol, text=text)]
    happening = Happening.REJECTED if completed.status == "Inactive" else Happening.CANCELLED
    book.move(completed.ref, happening)
    text = f"{completed.ref}: ended at the broker as {completed.status} without our hearing of it"
    return [Discrepancy(kind="missed_end", symbol=completed.symbol, text=text)]


def compare_positions(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    """Quantity differences per instrument; positions outside the universe are foreign."""
    if any(name in report.unanswered for name in _NEEDED_FOR_POSITIONS):
        return []
    at_broker = {position.symbol: position.quantity for position in report.positions if position.quantity}
    symbols = universe.symbols
    found = [
        Discrepancy(
            kind="foreign_position",
            symbol=symbol,
            text=f"{symbol}: the broker holds {quantity:g}, this instrument is not traded here",
        )
        for symbol, quantity in at_broker.items()
        if symbol not in symbols
    ]
    for symbol in symbols:
        ours, theirs = book.position(symbol).quantity, float(at_broker.get(symbol, 0.0))
        if ours != theirs:
            text = f"{symbol}: the book holds {ours}, the broker {theirs:g}"
            found.append(Discrepancy(kind="quantity_break", symbol=symbol, text=text, broker_quantity=theirs))
    return found


def update_locks(
    book: Book, breaks: list[Discrepancy], now: datetime, *, event: BrokerReported, at_once: bool
) -> list[Discrepancy]:
    """Lock instruments whose break was seen twice (or `at_once`), unlock after clean reports; returns the changes.

    Positions lag fills by seconds, so one difference alone is a suspicion only. A report that could not tell the
    positions neither locks nor heals.
    """
    if any(name in event.unanswered for name in _NEEDED_FOR_POSITIONS):
        return []
    changes = [discrepancy for discrepancy in breaks if discrepancy.kind == "foreign_position"]
    broken = {discrepancy.symbol: discrepancy for discrepancy in breaks if discrepancy not in changes}
    for symbol, discrepancy in broken.items():
        if symbol in book.locks:
            book.locks[symbol].clean_reports = 0
            book.locks[symbol].broker_quantity = discrepancy.broker_quantity
        elif at_once or discrepancy.kind == "double_perm_id" or symbol in book.suspicions:
            book.locks[symbol] = Lock(cause=discrepancy.text, since=now, broker_quantity=discrepancy.broker_quantity)
            changes.append(discrepancy)
        else:
            book.suspicions[symbol] = discrepancy.text
    for symbol in [symbol for symbol in book.suspicions if symbol not in broken and ":" not in symbol]:
        del book.suspicions[symbol]
    return changes + _heal(book, broken)


def _heal(book: Book, broken: dict[str, Discrepancy]) -> list[Discrepancy]:
    changes: list[Discrepancy] = []
    for symbol, lock in list(book.locks.items()):
        if symbol in broken:
            continue
        lock.clean_reports += 1
        lock.broker_quantity = None
        if lock.clean_reports >= CLEAN_REPORTS_TO_UNLOCK:
            del book.locks[symbol]
            changes.append(Discrepancy(kind="healed", symbol=symbol, text=f"{symbol}: reports are clean again"))
    return changes


def incompleteness(book: Book, report: BrokerReported) -> list[Discrepancy]:
    """What could not be asked; said once until a report is complete again."""
    if report.is_complete:
        book.noted = {text: kind for text, kind in book.noted.items() if kind != "report_incomplete"}
        return []
    text = f"could not ask for {', '.join(report.unanswered)}; nothing is concluded from that"
    return [Discrepancy(kind="report_incomplete", symbol="", text=text)]


def notes(book: Book, found: list[Discrepancy]) -> list[Command]:
    """Tell a person of every discrepancy, of the same one only once."""
    commands: list[Command] = []
    for discrepancy in found:
        if discrepancy.kind in _SAID_ONCE:
            if book.noted.get(discrepancy.text) is not None:
                continue
            book.noted[discrepancy.text] = discrepancy.kind
        level = _LEVELS.get(discrepancy.kind, "warning")
        commands.append(Notify(level=level, code=discrepancy.kind, text=discrepancy.text))
    return commands
