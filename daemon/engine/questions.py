"""What a report leaves open, and when the broker is asked again.

Soon, and less and less often, for every report tells the whole day. What came up just now is asked about soon though
something else has been open for long. Whether open shares have their stop is asked as often after an hour as after a
second.
"""

from __future__ import annotations

from collections.abc import Iterator

from daemon.engine.book import Book
from daemon.engine.position_breaks import REPORTS_TO_SETTLE
from daemon.engine.settlement import DENIED_FOR
from shared.events import BrokerReported
from shared.orders import OrderStatus

ASK_AGAIN_S, ASK_AGAIN_S_MAX = 2.0, 30.0
_PATIENCE = 10
"""A question that has been open for so many times its pause is asked at that pause."""


def ask_again_after_s(book: Book, report: BrokerReported) -> float | None:
    """Note what this report leaves open; how long to wait for the next one, None if nothing needs it."""
    if not book.is_connected:
        book.questions = {}
        return None
    now = report.received_at
    book.questions = {question: book.questions.get(question, now) for question in _open(book, report)}
    if not book.questions:
        return None
    youngest_s = (now - max(book.questions.values())).total_seconds()
    patient_s = min(max(ASK_AGAIN_S, youngest_s / _PATIENCE), ASK_AGAIN_S_MAX)
    return ASK_AGAIN_S if book.is_protection_doubtful() else patient_s


def _open(book: Book, report: BrokerReported) -> Iterator[str]:
    """Each with what it is about: another quantity, or an execution in between, is another question."""
    if not report.is_complete:
        yield "answer"
    for ref, order in book.orders.items():
        if order.status is OrderStatus.UNKNOWN or order.missing_reports > 0:
            yield f"order {ref}"
    for ref, suspicion in book.suspicions.items():
        if suspicion == "sighted" or suspicion.startswith("filled"):
            yield f"{suspicion} {ref}"
    for symbol in book.accepts:
        yield f"accept {symbol}"
    for symbol in book.legs_gone:
        yield f"leg {symbol}"
    for symbol, seen in book.breaks.items():
        is_open = seen.same < REPORTS_TO_SETTLE or book.is_in_doubt(symbol)
        if is_open or _has_traded_lately(book, symbol, report):
            yield f"break {symbol} {seen.broker_quantity:g} {seen.executions}"
    for symbol, lock in book.locks.items():
        if symbol not in book.breaks and not book.has_split(symbol):  # no share differs, nobody is waited for: may heal
            yield f"lock {symbol} {lock.clean_reports}"


def _has_traded_lately(book: Book, symbol: str, report: BrokerReported) -> bool:
    """Whether the figure may lag behind an execution of ours: as soon as it does not, the lock is to heal."""
    since = book.in_broker_time(report.received_at) - DENIED_FOR
    return any(fill.filled_at > since for fill in book.fills.values() if fill.symbol == symbol)
