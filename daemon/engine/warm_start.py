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

WARM_START_TAKEN, WARM_START_REFUSED = "warm_start_taken", "warm_start_refused"


def take(event: StrategiesWarmed, book: Book, desks: Mapping[str, Desk]) -> list[Command]:
    """Take over the state, unless rows, or splits and distributions, that are newer than it have been told.

    Raises:
        DataError: it is of another strategy, other symbols or parameters; the runtime has tried it before.
    """
    if book.last_row_at is not None and book.last_row_at > event.closed_at:
        return []
    ends = f"the stored bars up to {event.closed_at:%Y-%m-%d %H:%M} UTC"
    if newer := [symbol for symbol, day in book.rescaled.items() if day > event.closed_at.date()]:
        text = f"{ends} end before prices of {', '.join(newer)} were rescaled; the strategies go on from the journal"
        return [Notify(level="warning", code=WARM_START_REFUSED, text=text)]
    stored = snapshot.from_bytes(event.state)
    for name, desk in desks.items():
        desk.restore(stored.desks[name])
    book.prices = stored.book.prices
    if book.returns is not None and stored.book.returns is not None:
        book.returns = stored.book.returns
    return [Notify(level="info", code=WARM_START_TAKEN, text=f"strategies go on from {ends}")]
