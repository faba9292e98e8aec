"""Positions of the broker's report against the book: breaks that are watched, locks, and what is not ours.

Positions lag fills by seconds (TWS.md 4.53): a break locks its instrument with the second report that shows it, at
least GRACE_S later and with no execution of it in between; right after a connect and at a split, at once. A lock heals
after clean reports in a row. What could not be asked neither locks nor heals, but for a split that the cost shows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from daemon.engine.book import Book
from daemon.engine.corporate_action import has_cost_of, is_held, proposal, ratio_shown
from daemon.engine.discrepancy import EXECUTIONS, Discrepancy, lacks
from daemon.engine.locks import Break, Lock
from daemon.engine.settlement import agree, lacking_of_others
from shared.account import BrokerPosition
from shared.events import BrokerReported
from shared.market import Universe

CLEAN_REPORTS_TO_UNLOCK = 2
REPORTS_TO_LOCK = 2
REPORTS_TO_SETTLE = 3
GRACE_S = 2.0
_FRESH_S = 5.0
_ONE_SHARE = 1.0  # a fraction of a share cannot be traded by us: it is foreign or of a split, not a break
_NEEDED = ("positions", *EXECUTIONS)


def compare_positions(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    """Quantity differences per instrument; positions outside the universe are foreign."""
    if lacks(report, *_NEEDED):
        return _splits_by_cost(book, report, universe)
    at_broker = {position.symbol: position for position in report.positions if position.quantity}
    quantities = {symbol: float(position.quantity) for symbol, position in at_broker.items()}
    held = _held(book, universe)
    _note_foreign(book, held, report)
    found = [_foreign(symbol, quantity) for symbol, quantity in quantities.items() if symbol not in held]
    differing = [symbol for symbol in universe.symbols if held[symbol] != quantities.get(symbol, 0.0)]
    broken: list[str] = []
    for symbol in differing:
        theirs = quantities.get(symbol, 0.0)
        ratio = ratio_shown(book, report, symbol, theirs)
        if abs(held[symbol] - theirs) < _ONE_SHARE and ratio is None:
            continue
        broken.append(symbol)
        found.append(_break(book, universe, symbol, at_broker.get(symbol), ratio))
    lacking = lacking_of_others(book, report, [symbol for symbol in universe.symbols if not held[symbol]])
    agree(book, [symbol for symbol in universe.symbols if symbol not in broken and symbol not in lacking], report)
    return found


def _splits_by_cost(book: Book, report: BrokerReported, universe: Universe) -> list[Discrepancy]:
    """Where executions could not be asked, positions say nothing but this: none moves shares and cost like a split."""
    if lacks(report, "positions"):
        return []
    held, found = _held(book, universe), []
    for line in [line for line in report.positions if held.get(line.symbol, 0)]:
        ratio = ratio_shown(book, report, line.symbol, float(line.quantity))
        if ratio is not None and has_cost_of(ratio, book.position(line.symbol), [line.average_cost]):
            found.append(_break(book, universe, line.symbol, line, ratio))
    return found


def _break(
    book: Book, universe: Universe, symbol: str, line: BrokerPosition | None, ratio: Fraction | None
) -> Discrepancy:
    """`line` is the broker's, None where he holds nothing of it."""
    theirs = 0.0 if line is None else float(line.quantity)
    column = universe.index(symbol)
    text = f"{symbol}: the book holds {book.quantity(symbol)}, the broker {theirs:g}"
    if ratio is not None:
        text += f"; {proposal(book, universe.instruments[column], ratio)}"
    return Discrepancy(
        kind="quantity_break" if ratio is None else "corporate_action",
        symbol=symbol,
        text=text,
        broker_quantity=theirs,
        average_cost=0.0 if line is None else line.average_cost,
        split_ratio=None if ratio is None else float(ratio),
        price=book.prices.good_price(column),
    )


def explain_legs_gone(book: Book, report: BrokerReported) -> None:
    """Positions alone are a word of what is held where they are the book's and lag behind no execution any more.

    Other ones may be of a split or of executions that were not told: they explain nothing.
    """
    if lacks(report, "positions"):
        return
    quantities = {position.symbol: float(position.quantity) for position in report.positions}
    settled_at = report.asked_at - timedelta(seconds=_FRESH_S)
    for symbol, gone_at in list(book.legs_gone.items()):
        may_lag = settled_at < gone_at <= report.received_at
        if not may_lag and quantities.get(symbol, 0.0) == book.quantity(symbol):
            del book.legs_gone[symbol]


def _foreign(symbol: str, quantity: float) -> Discrepancy:
    text = f"{symbol}: the broker holds {quantity:g}, this instrument is not traded here"
    return Discrepancy(kind="foreign_position", symbol=symbol, text=text)


def _held(book: Book, universe: Universe) -> dict[str, int]:
    """Our signed shares per instrument of the universe."""
    held = dict.fromkeys(universe.symbols, 0)
    for plan in book.plans.values():
        if plan.symbol in held:
            held[plan.symbol] += plan.signed_quantity
    return held


def _note_foreign(book: Book, held: dict[str, int], report: BrokerReported) -> None:
    """What the broker holds beyond ours, in our direction or the other; whole shares that it lacks are a break."""
    book.foreign_positions, book.foreign_costs = {}, {}
    for position in report.positions:
        theirs, ours = float(position.quantity), held.get(position.symbol, 0)
        if theirs not in (0.0, ours) and (theirs * ours < 0 or abs(theirs) > abs(ours) - _ONE_SHARE):
            book.foreign_positions[position.symbol] = theirs - ours
            book.foreign_costs[position.symbol] = position.average_cost


def update_locks(book: Book, found: list[Discrepancy], event: BrokerReported, *, at_once: bool) -> list[Discrepancy]:
    """Watch every break, lock what is broken for sure (or `at_once`), heal after clean reports; returns the changes."""
    if lacks(event, *_NEEDED):
        splits = [item for item in found if item.kind == "corporate_action" and _watch(book, item, event)]
        return [change for split in splits for change in _lock(book, split, event)]
    changes = [discrepancy for discrepancy in found if discrepancy.kind == "foreign_position"]
    broken = {item.symbol: item for item in found if item.broker_quantity is not None}
    for symbol in [symbol for symbol in book.breaks if symbol not in broken]:
        del book.breaks[symbol]
    _end_doubles(book, found)
    for discrepancy in found:
        if discrepancy.kind == "foreign_position":
            continue
        is_sure = discrepancy.broker_quantity is None or _watch(book, discrepancy, event)
        if is_sure or at_once or discrepancy.symbol in book.locks:
            changes += _lock(book, discrepancy, event)
    return changes + _heal(book, {discrepancy.symbol for discrepancy in found})


def _end_doubles(book: Book, found: list[Discrepancy]) -> None:
    """An order that lived twice is gone: where quantities still differ, the instrument is locked for that alone."""
    doubled = {item.symbol for item in found if item.kind == "double_perm_id"}
    for item in found:
        lock = book.locks.get(item.symbol)
        if lock is not None and lock.kind == "double_perm_id" and item.symbol not in doubled:
            lock.kind, lock.cause = "quantity_break", item.text


def _watch(book: Book, found: Discrepancy, event: BrokerReported) -> bool:
    """Count one more report that shows the break; whether it is sure enough to lock."""
    theirs = found.broker_quantity or 0.0
    executions = sum(fill.symbol == found.symbol for fill in book.fills.values())
    may_be_late = _is_fresh(book, found.symbol, event.asked_at)
    seen = book.breaks.get(found.symbol)
    if seen is None or seen.executions != executions:
        book.breaks[found.symbol] = Break(
            kind=found.kind,
            text=found.text,
            since=event.received_at,
            seen_at=event.received_at,
            broker_quantity=theirs,
            average_cost=found.average_cost,
            executions=executions,
            may_be_late=may_be_late,
            began_at=book.in_broker_time(event.received_at),
        )
        return found.kind == "corporate_action"
    is_another_look = (event.asked_at - seen.seen_at).total_seconds() >= GRACE_S
    if is_another_look:
        seen.reports, seen.same, seen.seen_at = seen.reports + 1, seen.same + 1, event.received_at
    if theirs != seen.broker_quantity:
        seen.same = 1
    seen.kind, seen.text, seen.broker_quantity = found.kind, found.text, theirs
    seen.average_cost, seen.may_be_late = found.average_cost or seen.average_cost, may_be_late  # nothing has no cost
    return seen.reports >= REPORTS_TO_LOCK or found.kind == "corporate_action"


def _lock(book: Book, found: Discrepancy, event: BrokerReported) -> list[Discrepancy]:
    is_fresh, lock = _is_fresh(book, found.symbol, event.asked_at), book.locks.get(found.symbol)
    followed = None if lock is None else lock.broker_quantity  # what he held before the execution, and the execution
    quantity = followed if is_fresh else found.broker_quantity
    if lock is None:
        lock = Lock(
            cause=found.text, told=found.text, since=event.received_at, kind=found.kind, broker_quantity=quantity
        )
        book.locks[found.symbol] = lock
        lock.show_split(found.split_ratio, found.price)
        return [found]
    lock.clean_reports = 0
    lock.broker_quantity = quantity if found.broker_quantity is not None else lock.broker_quantity
    lock.show_split(found.split_ratio, found.price)
    if found.kind == "quantity_break" or (found.kind == lock.kind and found.broker_quantity is not None):
        if not _is_another_break(book, lock, found):
            return []
        lock.told = found.text
        if lock.kind == "quantity_break" or lock.split_ratio is not None:
            lock.cause = found.text
        return [found]
    if found.kind == lock.kind:
        return []
    lock.kind, lock.cause = found.kind, found.text
    lock.told = found.text if found.broker_quantity is not None else lock.told
    return [found]


def _is_another_break(book: Book, lock: Lock, found: Discrepancy) -> bool:
    """Whether the quantities that two reports show are others than a person was told of."""
    seen = book.breaks.get(found.symbol)
    told, shown = (text.partition(";")[0] for text in (lock.told, found.text))  # behind it: what looks like a split
    return seen is not None and seen.same >= REPORTS_TO_LOCK and shown != told


def _is_fresh(book: Book, symbol: str, asked_at: datetime) -> bool:
    """An execution so young that the broker's positions may not have it yet."""
    since = book.in_broker_time(asked_at) - timedelta(seconds=_FRESH_S)
    return any(fill.filled_at > since for fill in book.fills.values() if fill.symbol == symbol)


def _heal(book: Book, broken: set[str]) -> list[Discrepancy]:
    changes: list[Discrepancy] = []
    book.unsplit = {symbol: ratio for symbol, ratio in book.unsplit.items() if is_held(book, symbol)}
    for symbol, lock in list(book.locks.items()):
        if symbol in broken or symbol in book.unsplit:
            continue
        lock.clean_reports += 1
        lock.broker_quantity = None
        if book.has_split(symbol):  # the quantities agree again: nothing stands against a stop any more
            lock.end_split()
        if lock.clean_reports >= CLEAN_REPORTS_TO_UNLOCK:
            del book.locks[symbol]
            changes.append(Discrepancy(kind="healed", symbol=symbol, text=f"{symbol}: reports are clean again"))
    return changes
