"""One difference between the broker's report and the book, and how a person is told of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from daemon.engine.book import Book
from shared.commands import Command, Notify
from shared.events import BrokerReported

EXECUTIONS = ("fills", "executions")
"""The two names under which the question for executions may stand in `unanswered`: the field's and the request's."""

_SAID_ONCE = ("foreign_order", "foreign_position", "double_perm_id", "missing_fill", "report_incomplete")
_LEVELS: dict[str, Literal["info", "warning", "critical"]] = {
    "healed": "info",
    "double_perm_id": "critical",
    "held_order": "critical",
    "corporate_action": "critical",
    "account_drift": "critical",
}


class Discrepancy(Struct, frozen=True, kw_only=True):
    """What differs, in words, and the figures where they are in question.

    `broker_quantity` is signed, `average_cost` per share with commission; `ref` is the order's, if one is concerned.
    `split_ratio`: new shares for an old one, of what looks like a split; `price`: the last believable one.
    """

    kind: str
    symbol: str
    text: str
    broker_quantity: float | None = None
    average_cost: float = 0.0
    split_ratio: float | None = None
    price: float | None = None
    ref: str = ""


def lacks(report: BrokerReported, *names: str) -> bool:
    """Whether one of these questions was not answered: an empty list then says nothing."""
    return any(name in report.unanswered for name in names)


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
