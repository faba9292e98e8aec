"""The same session as the backtest sees it: the journal's own rows, bar fills, from the daemon's first row on.

It begins where the journal begins and not at the day's open: what a strategy counts and what it held came from there.
What the strategies took over from the stored bars at a start they take over at the same row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import numpy as np

from daemon.engine.assembly import build_engine
from daemon.engine.snapshot import from_bytes
from research.backtest.result import ReplayResult
from research.backtest.run import RunOptions, run_replay
from research.nightly.bars import first_traded
from research.nightly.live_day import equity_before, of_the_day
from research.nightly.night import Night
from research.nightly.order_log import OrderLog, OrderStory
from shared.config import Config
from shared.errors import DataError
from shared.events import StrategiesWarmed
from shared.io.bar_store import BarPanel
from shared.io.journal import JournalReader
from shared.io.journal_bars import bars_of
from shared.messages import decode_event
from shared.sessions import session_at_or_after

_MICROSECOND_NS = 1_000


def replayed_day(journal: JournalReader, night: Night, config: Config, since: datetime) -> tuple[OrderStory, ...]:
    """The orders of the night's session as the replay has them under `config`, decided from row `since` on.

    Raises:
        DataError: the journal's rows cannot be replayed.
    """
    panel = bars_of(journal, config.universe.symbols, config.bars.interval_s, until=night.hours.closes_at)
    began_at = first_traded(journal)
    session = session_at_or_after(config.session.calendar, began_at - timedelta(microseconds=1))
    options = RunOptions(memories=_memories(journal, config))
    result = run_replay(_as_lived(journal, config, panel, began_at), panel, start=session.session, options=options)
    log = _log_of(result, panel)
    return of_the_day(log, night, since)


def _memories(journal: JournalReader, config: Config) -> tuple[StrategiesWarmed, ...]:
    """The memories that the runs took over, but for those of other strategies or another universe than `config` has."""
    told = [decode_event(payload) for payload in journal.events_of_kind(StrategiesWarmed.__name__)]
    return tuple(event for event in told if isinstance(event, StrategiesWarmed) and _fits(event, config))


def _fits(event: StrategiesWarmed, config: Config) -> bool:
    engine = build_engine(config)
    try:
        engine.restore(event.state)
        return engine.desks.keys() <= from_bytes(event.state).desks.keys()
    except DataError:
        return False


def _as_lived(journal: JournalReader, config: Config, panel: BarPanel, began_at: datetime) -> Config:
    """The same configuration with the money the account had then, and every row before as warm-up."""
    equity = equity_before(journal, began_at)
    replay = config.replay if equity is None else config.replay.model_copy(update={"starting_cash": equity})
    bars = config.bars.model_copy(update={"warm_up": len(panel)})
    return config.model_copy(update={"replay": replay, "bars": bars}).based_at(config.base_dir)


def _log_of(result: ReplayResult, panel: BarPanel) -> OrderLog:
    log, closes = OrderLog(), _Closes(panel)
    for decision in result.decisions:
        at = decision.decided_at
        log.decided(decision.command, at, at, partial(closes.last, at))
    for entry in result.fills:
        log.filled(entry.fill)
    return log


class _Closes:
    """The last close of each symbol at an instant."""

    def __init__(self, panel: BarPanel) -> None:
        self._column = {symbol: column for column, symbol in enumerate(panel.symbols)}
        self._closed_at = panel.closed_at
        self._close = panel.close

    def last(self, at: datetime, symbol: str) -> float | None:
        row = int(np.searchsorted(self._closed_at, int(at.timestamp() * 1e6) * _MICROSECOND_NS, side="right"))
        known = self._close[:row, self._column[symbol]]
        known = known[~np.isnan(known)]
        return float(known[-1]) if len(known) else None
