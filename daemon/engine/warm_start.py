"""Strategies go on from what they remembered after the last stored bar, not from the few rows of a broker's history.

What a strategy and its ranges remember, and what the price screen and the value at risk know of the past, become those
of an engine that was shown every stored bar. Plans, orders, holdings and views stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from daemon.engine import snapshot
from daemon.engine.book import Book
from daemon.engine.desk import Desk
from shared.commands import Command, Notify
from shared.events import StrategiesWarmed

WARM_START_TAKEN = "warm_start_taken"


def take(event: StrategiesWarmed, book: Book, desks: Mapping[str, Desk]) -> list[Command]:
    """Take over the state, unless rows that are newer than it have been seen.

    Raises:
        DataError: it is of another strategy, other symbols or parameters; the runtime has tried it before.
    """
    if book.last_row_at is not None and book.last_row_at > event.closed_at:
        return []
    stored = snapshot.from_bytes(event.state)
    for name, desk in desks.items():
        desk.restore(stored.desks[name])
    book.prices = stored.book.prices
    if book.returns is not None and stored.book.returns is not None:
        book.returns = stored.book.returns
    text = f"strategies go on from the stored bars up to {event.closed_at:%Y-%m-%d %H:%M} UTC"
    return [Notify(level="info", code=WARM_START_TAKEN, text=text)]
