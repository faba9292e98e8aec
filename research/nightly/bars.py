"""The bars of a night: from the file or folder that is configured, or else the rows that the journal holds."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

from research.nightly.night import Night, session_before
from research.nightly.record_files import file_hash
from shared.errors import DataError, NotFound
from shared.events import BarsClosed
from shared.io.bar_library import BarStore
from shared.io.bar_places import frequency_of
from shared.io.bar_store import BarPanel, load_bars
from shared.io.fingerprints import panel_hash
from shared.io.journal import JournalReader
from shared.io.journal_bars import bars_of
from shared.io.journal_place import read_journal
from shared.messages import decode_event
from shared.sessions import session_at_or_after

_SESSION_S = 23_400
_SUFFIXES = (".parquet", ".csv")


def no_bars(night: Night) -> str:
    """Why there are no bars to work on; empty if there are: no file is configured and nothing was traded yet."""
    try:
        first_session(night)
    except NotFound as nothing:
        return str(nothing)
    return ""


def first_session(night: Night) -> date:
    """The first session of the nightly backtest: `[nightly] sessions` of them, or what the journal has traded on.

    Raises:
        NotFound: the bars are the journal's, and there is none, or none of its rows was traded on.
    """
    calendar = night.config.session.calendar
    earliest = session_before(calendar, night.session, night.config.nightly.sessions - 1)
    if night.data is not None or night.config.nightly.refresh:
        return earliest
    with read_journal(night.config) as journal:
        return max(earliest, session_at_or_after(calendar, first_traded(journal) - timedelta(microseconds=1)).session)


def first_traded(journal: JournalReader) -> datetime:
    """The close of the first row that was no warm-up.

    Raises:
        NotFound: there is none.
    """
    for payload in journal.events_of_kind(BarsClosed.__name__):
        event = decode_event(payload)
        if isinstance(event, BarsClosed) and not event.warm_up:
            return event.closed_at
    raise NotFound(f"{journal.place}: no row was ever traded on")


def night_bars(night: Night) -> BarPanel:
    """The rows of the nightly backtest, warm-up before them, up to the close of the night's session.

    Raises:
        DataError: the bars cannot be read, or do not reach the session. NotFound: there is no journal.
    """
    return _reaching(night, *_panel(night))


def _reaching(night: Night, panel: BarPanel, source: str) -> BarPanel:
    last = datetime.fromtimestamp(int(panel.closed_at[-1]) / 1e9, UTC)
    if last.date() != night.hours.closes_at.date():
        ends = f"the last bar closed at {last:%Y-%m-%d %H:%M} UTC"
        raise DataError(f"{source}: {ends}, allowed: bars of the session of {night.session}")
    return panel


def begins_with_the_store(night: Night) -> bool:
    """Whether a live start goes on from all stored bars, and the night has them: from a file or the store."""
    return night.config.features.start == "stored" and bool(night.data or night.config.nightly.refresh)


def remembered_bars(night: Night) -> BarPanel:
    """The rows up to the session's close that a daemon remembers which starts after this night.

    Raises:
        DataError: the bars cannot be read, or do not reach the session. NotFound: there is no journal.
    """
    return _reaching(night, *_panel(night, has_all=begins_with_the_store(night)))


def bars_hash(night: Night) -> str:
    """What the bars are made of: the content of files or store, or the journal's chain at the session's last event."""
    if night.data is None and night.config.nightly.refresh:
        return panel_hash(_from_store(night, bars_from(night)))
    if night.data is None:
        with read_journal(night.config) as journal:
            return journal_hash(journal, night)
    files = [night.data] if night.data.is_file() else sorted(night.data.iterdir())
    digest = hashlib.sha256()
    for path in files:
        if path.suffix in _SUFFIXES:
            digest.update(path.name.encode() + b"\0" + file_hash(path).encode())
    return digest.hexdigest()


def journal_hash(journal: JournalReader, night: Night) -> str:
    """The number and chain of the last event that belongs to the session; the chain covers all before it."""
    last = journal.last_seq(night.journal_until)
    record = next(journal.records(after_seq=last - 1), None) if last else None
    return f"{last}:{record.chain.hex()}" if record is not None else "0"


def bars_from(night: Night) -> date:
    """The first day whose bars are needed: the warm-up lies before the first session."""
    config = night.config
    per_session = max(_SESSION_S // config.bars.interval_s, 1)
    spare = -(-config.bars.warm_up // per_session) + 1
    return session_before(config.session.calendar, first_session(night), spare)


def _panel(night: Night, *, has_all: bool = False) -> tuple[BarPanel, str]:
    """The bars, all there are or those of the nightly backtest, and where they come from."""
    if night.data is None and not night.config.nightly.refresh:
        return _from_journal(night), "the journal"
    begin = None if has_all else bars_from(night)
    if night.data is None:
        return _from_store(night, begin), f"{night.config.base_dir / night.config.data.folder}"
    symbols = night.config.universe.symbols
    return load_bars(night.data, symbols=symbols, start=begin, end=night.session), f"{night.data}"


def _from_store(night: Night, begin: date | None) -> BarPanel:
    config = night.config
    calendar = config.data.calendar or config.session.calendar
    store = BarStore(config.base_dir / config.data.folder, calendar=calendar)
    frequency = frequency_of(config.bars.interval_s)
    return store.read(config.universe.symbols, frequency, begin, night.session, view=config.stored_view)


def _from_journal(night: Night) -> BarPanel:
    config = night.config
    with read_journal(config) as journal:
        return bars_of(journal, config.universe.symbols, config.bars.interval_s, until=night.hours.closes_at)
