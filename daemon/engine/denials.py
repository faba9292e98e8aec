"""What our own gate refused, told once. *Denied* is ours, *rejected* is the broker's."""

from __future__ import annotations

from daemon.engine.book import Book
from shared.commands import Command, Notify
from shared.orders import OrderIntent, RiskVerdict


def note_denial(book: Book, intent: OrderIntent, verdict: RiskVerdict) -> list[Command]:
    """Say it once, and again only when other rules object."""
    key = f"{intent.strategy}:{intent.symbol}"
    rules = ",".join(breach.rule for breach in verdict.breaches)
    if book.refusals.get(key) == rules:
        return []
    book.refusals[key] = rules
    what = "exit" if intent.reduces else "entry"
    text = f"{intent.strategy} {intent.side} {intent.quantity} {intent.symbol}: {'; '.join(texts_of(verdict))}"
    return [Notify(level="info", code=f"{what}_denied", text=text)]


def texts_of(verdict: RiskVerdict) -> tuple[str, ...]:
    """What each breach says."""
    return tuple(breach.text for breach in verdict.breaches)
