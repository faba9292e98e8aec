"""What the strategies remember of all stored bars, kept beside the features and carried on by each build.

The daemon's own engine is shown every row inside the regular hours, and every split of the table of actions, as a
replay shows them, without a broker: what its strategies, ranges and price screen remember then is what a live start
goes on from (shared/io/warm_start.py).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from daemon.engine.assembly import build_engine
from daemon.engine.engine import Engine
from research.backtest.assembly import timeline_of
from research.backtest.corporate_actions import NOTHING_DUE, Schedule, schedule
from research.backtest.session_bars import session_bars
from research.backtest.timeline import Timeline, TimelineRow
from research.features.bar_prints import digest_of, prints_of
from research.features.record import read_bars_record
from shared.config import Config
from shared.corporate_actions import DueAction
from shared.errors import DataError, NotFound
from shared.events import BarsClosed, PricesRescaled
from shared.indicators.indicator import IntArray
from shared.io.action_table import load_actions
from shared.io.bar_disk import RealDisk, only_writer, put
from shared.io.bar_store import BarPanel
from shared.io.fingerprints import deciding_hash
from shared.io.warm_start import WARM_START_FILE, WarmStart, read_warm_start, sealed, settings_of
from shared.market import sealed as read_only


def carry_on(config: Config, panel: BarPanel, folder: Path) -> str:
    """Bring the strategies' memory in `folder` up to the bars that its features were built from; says what was done.

    Raises:
        DataError: symbols of the universe have no bars, or the file cannot be written.
        Refused: a build is at work there.
    """
    mine = _of_universe(panel, config.universe.symbols)
    timeline, prints = timeline_of(config, mine), prints_of(mine.opened_at, mine)
    wanted = _wanted(config, mine, timeline, prints, folder)
    try:
        with only_writer(folder):
            before = _usable(folder / WARM_START_FILE, wanted, mine, prints)
            if before is not None and (before.rows, before.bars) == (wanted.rows, wanted.bars):
                return f"warm start up to {wanted.closed_at:%Y-%m-%d %H:%M} UTC kept"
            engine = build_engine(config)
            if before is not None:
                engine.restore(before.state)
            first = 0 if before is None else before.rows
            show(engine, mine, timeline, splits=splits_of(config, mine, timeline), first=first)
            put(RealDisk(), folder / WARM_START_FILE, sealed(replace(wanted, state=engine.snapshot())))
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written ({error.strerror})") from None
    return f"warm start up to {wanted.closed_at:%Y-%m-%d %H:%M} UTC from {len(mine) - first:,} rows"


def _of_universe(panel: BarPanel, symbols: tuple[str, ...]) -> BarPanel:
    """The columns of the universe, in its order."""
    if panel.symbols == symbols:
        return panel
    places = {symbol: place for place, symbol in enumerate(panel.symbols)}
    missing = [symbol for symbol in symbols if symbol not in places]
    if missing:
        raise DataError(f"features: no bars of {', '.join(missing[:5])}, allowed: bars of the whole universe")
    columns = [places[symbol] for symbol in symbols]
    values = {name: getattr(panel, name)[:, columns] for name in ("open", "high", "low", "close", "volume")}
    return replace(panel, symbols=symbols, **values)


def _wanted(config: Config, mine: BarPanel, timeline: Timeline, prints: IntArray, folder: Path) -> WarmStart:
    """What will be written, still without its state."""
    bars = read_bars_record(folder)
    return WarmStart(
        settings=settings_of(config),
        code=deciding_hash(config),
        digest=digest_of(mine.symbols, mine.interval_s, prints, len(mine)),
        bars="" if bars is None else bars.digest,
        rows=len(mine),
        closed_at=timeline.rows[-1].closed_at,
        state=b"",
    )


def _usable(path: Path, wanted: WarmStart, mine: BarPanel, prints: IntArray) -> WarmStart | None:
    """What is there, if it was made by the same settings and code from the first rows of these very bars."""
    with suppress(DataError, NotFound):
        before = read_warm_start(path)
        if (before.settings, before.code) == (wanted.settings, wanted.code) and 0 < before.rows <= len(mine):
            same = before.digest == digest_of(mine.symbols, mine.interval_s, prints, before.rows)
            return before if same else None
    return None


def splits_of(config: Config, mine: BarPanel, timeline: Timeline) -> Schedule:
    """What the configured table says of splits and distributions; DataError where the bars do not show them."""
    if not config.replay_actions:
        return NOTHING_DUE
    actions = load_actions(config.base_dir / config.replay_actions)
    return schedule(actions, mine.symbols, session_bars(mine, timeline))


def show(
    engine: Engine, mine: BarPanel, timeline: Timeline, *, splits: Schedule, first: int = 0, warm_up: bool = True
) -> None:
    """The rows of the timeline that lie in the panel from `first` on; a split comes before its session's first row."""
    begin = int(np.searchsorted(timeline.rows.places, first))
    for at in range(begin, len(timeline.rows)):
        row = timeline.rows[at]
        if row.opens_session and at:
            for due in splits.due.get(row.hours.session, ()):
                if due.price_ratio != 1:
                    engine.handle(_rescaled(due, row.hours.opens_at))
        engine.handle(_bars(mine, row, warm_up=warm_up))


def _rescaled(due: DueAction, opens_at: datetime) -> PricesRescaled:
    return PricesRescaled(
        received_at=opens_at,
        symbol=due.symbol,
        ratio=due.price_ratio,
        ex_date=due.ex_date,
        changes_shares=due.ratio != 1,
    )


def _bars(mine: BarPanel, row: TimelineRow, *, warm_up: bool) -> BarsClosed:
    return BarsClosed(
        received_at=row.closed_at,
        closed_at=row.closed_at,
        interval_s=mine.interval_s,
        row=read_only(mine.row(row.index)),
        warm_up=warm_up,
    )
