"""What our own gate refused, told once. *Denied* is ours, *rejected* is the broker's."""

from __future__ import annotations

from daemon.engine.book import Book
from shared.commands import Command, Notify
from shared.orders import OrderIntent, RiskVerdict


def note_denial(book: Book, intent: OrderIntent, verdict: RiskVerdict) -> list[Command]:
    """Say it once, and again only when other rules object; an exit that is held back is somebody's business today."""
    rules = ",".join(breach.rule for breach in verdict.breaches)
    if book.refusals.get(_key(intent)) == rules:
        return []
    book.refusals[_key(intent)] = rules
    text = f"{intent.strategy} {intent.side} {intent.quantity} {intent.symbol}: {'; '.join(texts_of(verdict))}"
    return [Notify(level="warning" if intent.reduces else "info", code=f"{_what(intent)}_denied", text=text)]


def forget_denial(book: Book, intent: OrderIntent) -> None:
    """It was approved: the next denial is news."""
    book.refusals.pop(_key(intent), None)


def texts_of(verdict: RiskVerdict) -> tuple[str, ...]:
    """What each breach says."""
    return tuple(breach.text for breach in verdict.breaches)


def _key(intent: OrderIntent) -> str:
    return f"{_what(intent)}:{intent.strategy}:{intent.symbol}"


def _what(intent: OrderIntent) -> str:
    return "exit" if intent.reduces else "entry"
