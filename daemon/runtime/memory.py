"""How strategies go on from a snapshot: from their memory where it is theirs, else from the rows of the journal.

After an upgrade, or an edit of a strategy or its parameters, what was remembered means something else. Such a strategy
begins anew and is shown the last rows that the journal holds, as a cold start would show it those of the broker's
history: no order comes of them, and the book (positions, orders, protection) stays what it is.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from daemon.engine.snapshot import grafted
from daemon.runtime.engine_port import BuildEngine, Engine
from daemon.runtime.feed import DAY_S
from shared.config import Config
from shared.events import BarsClosed, PricesRescaled
from shared.io.journal import JournalReader
from shared.messages import decode_event


class Past(Struct, frozen=True, eq=False, kw_only=True):
    """The journal up to event `seq`, and how an engine of its configuration is built."""

    journal: JournalReader
    seq: int
    config: Config
    build_engine: BuildEngine


class Anew(Struct, frozen=True, kw_only=True):
    """A strategy that was shown `rows` rows in the place of its memory, and why."""

    reason: str
    rows: int


def go_on(engine: Engine, state: bytes, past: Past) -> list[Anew]:
    """Restore the engine; the strategies that begin anew."""
    misfits = engine.restore_what_fits(state)
    if not misfits:
        return []
    twin = past.build_engine(past.config)
    rows = _shown(twin, past)
    engine.restore(grafted(state, twin.snapshot(), misfits))
    return [Anew(reason=why, rows=rows) for why in misfits.values()]


def _shown(twin: Engine, past: Past) -> int:
    """How many rows the twin was shown, with the splits between them."""
    bars = past.config.bars
    wanted = max(bars.warm_up, DAY_S // bars.interval_s)
    rows = 0
    for payload in past.journal.last_events((BarsClosed.__name__, PricesRescaled.__name__), wanted, until_seq=past.seq):
        event = decode_event(payload)
        if isinstance(event, BarsClosed):
            event = replace(event, warm_up=True)
            rows += 1
        twin.handle(event)
    return rows
