"""What the journal's last row leaves the engine believing: positions and orders, while a daemon runs or after it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from daemon.engine.assembly import build_engine
from daemon.engine.book import Book
from daemon.runtime.holdings import holdings_of
from daemon.runtime.memory import Past, go_on
from shared.errors import NotFound
from shared.io.journal import JournalReader
from shared.io.journal_audit import config_of
from shared.messages import decode_event


class LastKnown(Struct, frozen=True, kw_only=True):
    """A book and the market time of its last event."""

    book: Book
    at: datetime
    run: str


class OrderLine(Struct, frozen=True, kw_only=True):
    """An order that is not over; `age_s` since it was sent, in market seconds, prices in currency."""

    ref: str
    symbol: str
    side: str
    quantity: int
    filled: int
    order_type: str
    limit_price: float | None
    stop_price: float | None
    tif: str
    status: str
    perm_id: int
    age_s: float


class PositionLine(Struct, frozen=True, kw_only=True):
    """A position with what protects it."""

    symbol: str
    quantity: int
    average_price: float
    protected: bool
    stops: tuple[str, ...]


def last_known(journal: JournalReader) -> LastKnown:
    """The book after the journal's last event.

    Raises:
        NotFound: the journal holds no run yet.
    """
    snapshot, at = journal.last_snapshot(), journal.last_received_at()
    if snapshot is None or at is None:
        raise NotFound(f"{journal.place}: no run has written here yet")
    config = config_of(journal.run(snapshot.run_id))
    engine = build_engine(config)
    go_on(engine, snapshot.payload, Past(journal=journal, seq=snapshot.seq, config=config, build_engine=build_engine))
    for record in journal.records(after_seq=snapshot.seq):
        engine.handle(decode_event(record.payload))
    return LastKnown(book=engine.book, at=at, run=snapshot.run_id)


def order_lines(known: LastKnown) -> list[OrderLine]:
    """Working and unknown orders, oldest first."""
    return [
        OrderLine(
            ref=ref,
            symbol=working.order.symbol,
            side=working.order.side.value,
            quantity=working.order.quantity,
            filled=working.filled,
            order_type=working.order.order_type.value,
            limit_price=working.order.limit_price,
            stop_price=working.order.stop_price,
            tif=working.order.tif,
            status=working.status.value,
            perm_id=working.perm_id,
            age_s=round((known.at - working.sent_at).total_seconds(), 1),
        )
        for ref, working in known.book.orders.items()
    ]


def position_lines(known: LastKnown) -> list[PositionLine]:
    return [
        PositionLine(
            symbol=held.symbol,
            quantity=held.quantity,
            average_price=held.average_price,
            protected=held.protected,
            stops=held.stops,
        )
        for held in holdings_of(known.book)
    ]
