"""Orders of the broker's report against the book: which live, which ended, which never were.

Executions the book lacks are booked first; then every live order is settled by evidence: an open line, a completed
line, or its absence from two complete reports. An order of ours that the book does not know is adopted: its reference
tells the plan and the leg. What could not be asked changes nothing. Foreign orders are named and never touched.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.discrepancy import EXECUTIONS, Discrepancy, lacks
from daemon.engine.order_life import Happening
from shared.events import BrokerReported
from shared.ids import exec_correction, exec_stem, parse_ref
from shared.market import Universe
from shared.orders import CompletedOrder, Fill, Leg, OpenOrder, Order, OrderStatus, OrderType, Side, WorkingOrder

LOST_AFTER_REPORTS = 2
LOST_AFTER_S = 15.0
STOP_LOST_AFTER_S = 4.0
"""An order that left a moment ago may be on its way still: absence counts only from this age on. A stop's sooner: there
is no time to wait, and a second one in the same OCA group does no harm."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FILLED = "filled"
_NEEDED = ("open_orders", "completed_orders", *EXECUTIONS)
_HELD_STATUS = "PendingSubmit"
"""TWS has the order and has not sent it on: a preset, a precaution, a queue (TWS.md 4.39). It works for nobody."""
_SEEKING_STATUS = "Inactive"
"""TWS looks for shares to borrow, and what the account has of them waits with the rest of the order (TWS.md 3.8)."""
_AT_WORK = ("PreSubmitted", "Submitted")


def missing_fills(book: Book, report: BrokerReported, universe: Universe) -> list[Fill]:
    """Executions of our orders, and any liquidation by the broker, that the book has not booked, oldest first."""
    known, symbols = book.fills, universe.symbols
    mine = [fill for fill in report.fills if _concerns_us(fill, symbols)]
    lacking = [fill for fill in mine if _is_news(known.get(exec_stem(fill.exec_id)), fill)]
    return sorted(lacking, key=lambda fill: (fill.filled_at, fill.exec_id))


def _concerns_us(fill: Fill, symbols: tuple[str, ...]) -> bool:
    return fill.is_liquidation or (parse_ref(fill.ref) is not None and fill.symbol in symbols)


def _is_news(known: Fill | None, fill: Fill) -> bool:
    return known is None or exec_correction(known.exec_id) < exec_correction(fill.exec_id)


def settle_orders(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    """Settle every live order by the evidence of the report; returns what was different."""
    _note_numbers(book, report)
    book.forget_unlent()
    found = _confirm_open(book, report, universe)
    if lacks(report, *_NEEDED):
        return found
    open_refs = {order.ref for order in report.open_orders}
    completed = {order.ref: order for order in report.completed_orders}
    for ref in [ref for ref in book.suspicions if ref not in open_refs]:
        del book.suspicions[ref]
    for ref, working in list(book.orders.items()):
        if ref in open_refs or working.sent_at >= report.asked_at:
            continue
        if ref in completed:
            found += _complete(book, completed[ref])
        else:
            found += _miss(book, working, report.received_at)
    return found


def _miss(book: Book, working: WorkingOrder, now: datetime) -> list[Discrepancy]:
    working.missing_reports += 1
    if working.missing_reports < LOST_AFTER_REPORTS or not _is_overdue(working, working.sent_at, now):
        return []
    ref = working.order.ref
    book.move(ref, Happening.LOST)
    text = f"{ref}: the broker does not know this order, it is taken as lost"
    return [Discrepancy(kind="lost_order", symbol=working.order.symbol, text=text)]


def _is_overdue(working: WorkingOrder, since: datetime, now: datetime) -> bool:
    age_s = (now - since).total_seconds()
    return age_s >= (STOP_LOST_AFTER_S if working.leg in PROTECTIVE else LOST_AFTER_S)


def _note_numbers(book: Book, report: BrokerReported) -> None:
    """With an empty memory the numbers of plans that are long over are known to the broker only."""
    for completed in report.completed_orders:
        ref = parse_ref(completed.ref)
        if ref is not None:
            book.note_number(ref)


def _confirm_open(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    shown = {(order.ref, order.perm_id) for order in report.open_orders}
    for order in report.open_orders:
        if parse_ref(order.ref) is None or order.symbol not in universe.symbols:
            text = f"{order.symbol}: order {order.side} {order.quantity} (permId {order.perm_id}) is not ours"
            found.append(Discrepancy(kind="foreign_order", symbol=order.symbol, text=text))
            continue
        known = book.orders.get(order.ref)
        if known is not None and (order.ref, known.perm_id) not in shown:
            _follow_twin(book, known, order.perm_id)
        if known is not None and order.perm_id and known.perm_id not in (0, order.perm_id):
            text = f"{order.ref}: lives twice at the broker, permId {known.perm_id} and {order.perm_id}, cancelling"
            found.append(Discrepancy(kind="double_perm_id", symbol=order.symbol, text=text, ref=order.ref))
        else:
            found += _confirm(book, order, report.received_at)
            if not lacks(report, *EXECUTIONS):
                _learn_filled(book, order)
    return found


def _follow_twin(book: Book, working: WorkingOrder, perm_id: int) -> None:
    """The permId that the book knows has gone, the other under its reference is left: the order is that one.

    Not where nobody has heard of an end, or asked for it: that another stands in its place is an alarm of its own.
    """
    is_open = working.status in (OrderStatus.UNKNOWN, OrderStatus.CANCELLING)
    if not is_open or not perm_id or working.perm_id in (0, perm_id):
        return
    working.perm_id, working.taken_back = perm_id, 0
    working.filled = _filled_by(book, working)
    book.touch(book.plans[working.plan])


def _confirm(book: Book, order: OpenOrder, now: datetime) -> list[Discrepancy]:
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
    if working.leg is not Leg.ENTRY and order.quantity != working.order.quantity:  # only what rests there counts
        working.order = replace(working.order, quantity=order.quantity)
    if working.leg in PROTECTIVE and order.stop_price and order.stop_price != working.order.stop_price:
        working.order = replace(working.order, stop_price=order.stop_price)
    if order.status in _AT_WORK:
        working.is_given_up = False
    if _is_held(book, working, order.status):
        if not _is_held_for_good(book, working, order.status, now):
            book.move(order.ref, Happening.SILENCE)  # nobody has confirmed it
            return found
        if order.status == _SEEKING_STATUS and order.side is Side.SELL:
            book.unlent[order.symbol] = now
            was_to_go = order.ref in book.plans[working.plan].cancels_asked
            working.is_given_up = was_to_go and working.leg in PROTECTIVE  # IB may leave that unanswered: ibi#363
        text = f"{order.ref}: TWS holds it back ({order.status}), it works for nobody; it is cancelled and sent anew"
        found.append(Discrepancy(kind="held_order", symbol=order.symbol, text=text, ref=order.ref))
    elif book.suspicions.get(order.ref) == "held":
        del book.suspicions[order.ref]
    book.move(order.ref, Happening.ACCEPTED)
    return found


def _learn_filled(book: Book, order: OpenOrder) -> None:
    """More than its executions come to, in two reports: one was taken back, and its order got nothing back."""
    working, told, before = book.orders.get(order.ref), f"{_FILLED} {order.filled}", book.suspicions.get(order.ref, "")
    if working is None or order.filled is None or (before and not before.startswith(_FILLED)):
        return
    book.suspicions.pop(order.ref, None)
    if order.filled > working.spent and before != told:
        book.suspicions[order.ref] = told
    else:
        working.taken_back = max(order.filled - working.filled, 0)
        book.plans[working.plan].has_lost_shares |= working.leg is Leg.ENTRY and working.taken_back > 0


def _is_held(book: Book, working: WorkingOrder, status: str) -> bool:
    """Whether the order protects or closes nothing though it should."""
    is_kept_back = status == _HELD_STATUS and working.status is not OrderStatus.CANCELLING
    return (is_kept_back and working.leg is not Leg.ENTRY) or is_sought(book, working, status)


def is_sought(book: Book, working: WorkingOrder | None, status: str) -> bool:
    """Whether a stop or exit waits for shares to borrow; an exit may, for a loan of all it sells."""
    if status != _SEEKING_STATUS or working is None or working.status is OrderStatus.CANCELLING:
        return False
    return working.leg in PROTECTIVE or (working.leg is not Leg.ENTRY and not book.is_short_sale(working.order))


def _is_held_for_good(book: Book, working: WorkingOrder, status: str, now: datetime) -> bool:
    """Whether two reports in a row show it held, and longer than an order may be on its way."""
    was_held = book.suspicions.get(working.order.ref) == "held"
    book.suspicions[working.order.ref] = "held"
    since = max(working.sent_at, book.connected_at or working.sent_at)
    if status == _SEEKING_STATUS and _would_another_be(book, working):
        return False
    return was_held and book.is_connected and _is_overdue(working, since, now)


def _would_another_be(book: Book, working: WorkingOrder) -> bool:
    """Whether a stop in its place would wait for shares to borrow too, and nobody wants this one gone or smaller."""
    plan = book.plans[working.plan]
    is_wanted = working.order.ref not in plan.cancels_asked and working.remaining <= plan.open_quantity
    return is_wanted and book.is_short_sale(working.order)


def _doubt_cancel(book: Book, order: OpenOrder) -> None:
    """A cancel after which two reports in a row show the order at work went unheard: it may be asked again."""
    if order.status == "PendingCancel":
        return
    if book.suspicions.pop(order.ref, "") == "uncancelled":
        book.plans[book.orders[order.ref].plan].take_off_awaited(order.ref)
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
        tif="DAY" if ref.leg in (Leg.ENTRY, Leg.EXIT) else "GTC",
        oca_group="" if ref.leg is Leg.ENTRY else order.oca_group or ref.plan_id,
        trail_amount=order.trail_amount,
        trail_percent=order.trail_percent,
        good_till=order.good_till,
    )
    plan = book.plan_of(ref, symbol=order.symbol, side=order.side)
    plan.take_off_awaited(order.ref)
    plan.join_group(rebuilt.oca_group)
    if ref.leg in PROTECTIVE and plan.stop_price is None:
        plan.stop_price = order.stop_price
    if ref.leg is Leg.TAKE_PROFIT and plan.take_profit_price is None:
        plan.take_profit_price = order.limit_price
    book.enter_order(rebuilt, _LONG_AGO)
    adopted = book.orders[order.ref]
    adopted.perm_id = order.perm_id
    adopted.filled = _filled_by(book, adopted)


def _complete(book: Book, completed: CompletedOrder) -> list[Discrepancy]:
    working = book.orders[completed.ref]
    fills = _executions_of(book, completed.ref)  # of a twin under the same reference as well
    is_corrected = any(exec_correction(fill.exec_id) > 1 for fill in fills)  # what it was before may be untold
    told = max(working.filled, sum(fill.quantity for fill in fills))
    is_told = completed.filled <= told or is_corrected
    if completed.status == "Filled" and (working.remaining == 0 or (is_told and completed.filled > 0)):
        book.move(completed.ref, Happening.ALL_FILLED)  # its OCA group may have reduced it
        return []
    if completed.status == "Filled" or not is_told:
        book.move(completed.ref, Happening.SILENCE)
        text = f"{completed.ref}: the broker says {completed.status}, {completed.filled} filled; executions are missing"
        return [Discrepancy(kind="missing_fill", symbol=completed.symbol, text=text)]
    happening = Happening.REJECTED if completed.status == "Inactive" else Happening.CANCELLED
    book.move(completed.ref, happening)
    text = f"{completed.ref}: ended at the broker as {completed.status} without our hearing of it"
    return [Discrepancy(kind="missed_end", symbol=completed.symbol, text=text)]


def _filled_by(book: Book, working: WorkingOrder) -> int:
    """Shares of its own executions, without those of a twin under its reference."""
    return sum(fill.quantity for fill in _executions_of(book, working.order.ref) if working.is_mine(fill))


def _executions_of(book: Book, ref: str) -> list[Fill]:
    return [fill for fill in book.fills.values() if fill.ref == ref]
