"""The bar store: raw bars of many instruments and frequencies in one folder, and the corporate actions beside them.

Raw prices are stored, adjusted ones computed on reading. A part that is being written is there wholly or as it was
before; the same bars again change nothing; bars that contradict stored ones are refused unless they are to replace
them. So a refresh that was killed is simply done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from shared.errors import DataError, NotFound
from shared.io.bar_checks import DAILY_S, SECOND_NS, Integers
from shared.io.bar_disk import Disk, RealDisk, only_writer, put
from shared.io.bar_files import VALUES, at_new_york
from shared.io.bar_manifest import (
    MANIFEST,
    SeriesNote,
    Span,
    note_of,
    notes_of,
    parts_in,
    read_manifest,
    session_days,
    span_of,
)
from shared.io.bar_part import (
    ADJUSTMENTS,
    Bars,
    Part,
    as_file,
    no_bars,
    read_part,
    refuse_bad_bars,
    refuse_scales,
    shown,
    written,
)
from shared.io.bar_places import folder_name, interval_s_of, periods_of, symbol_of
from shared.io.bar_store import DAY_LASTS_NS, BarPanel
from shared.io.panel_of_bars import panel_of
from shared.io.price_adjustment import applied, factors
from shared.io.stored_actions import Action, actions_as_file, read_actions, refuse_bad_action

VIEWS = ADJUSTMENTS
_FOREVER = int(np.iinfo(np.int64).max)


class Appended(Struct, frozen=True):
    """What an append did: bars that were new, that were there already, that took the place of others."""

    added: int
    same: int
    replaced: int


class BarStore:
    """The store in `folder`, which is made by the first append; gaps are those of the exchange `calendar`.

    Errors are one line each. DataError: what was given or what is stored is wrong, the store is as it was.
    Refused: another process writes this series. NotFound: no such bars.
    """

    def __init__(self, folder: str | Path, *, calendar: str = "XNYS", disk: Disk | None = None) -> None:
        self.folder = Path(folder)
        self._calendar = calendar
        self._disk = disk or RealDisk()

    @cached_property
    def _sessions(self) -> Integers:
        return session_days(self._calendar)

    def append(  # noqa: PLR0913 - what is stored, and three things to know about it
        self,
        symbol: str,
        frequency: str,
        bars: Bars,
        *,
        source: str,
        adjustment: str = "raw",
        replace: bool = False,
        fetched_at: datetime | None = None,
        rescaled_at: datetime | None = None,
    ) -> Appended:
        """Add bars of one symbol; finished bars only, for a stored bar is not changed without `replace`.

        `adjustment` says what a source did to its prices: a series holds one kind. `fetched_at` is noted with every
        part that changes. Adjusted prices keep the scale of the stored ones, whose beginning is noted too, or begin a
        new one at `rescaled_at`: then every part is given whole, and until all are changed the series cannot be read.
        """
        where = f"{symbol} {frequency} from {source}"
        interval_s = interval_s_of(frequency)
        if adjustment not in ADJUSTMENTS:
            raise DataError(f"{where}: adjustment {adjustment!r}, allowed: {', '.join(ADJUSTMENTS)}")
        refuse_bad_bars(where, bars)
        folder = self._series(symbol, frequency)
        if not len(bars):
            return Appended(0, 0, 0)
        given = Part(
            bars=bars,
            sources=np.full(len(bars), source, dtype=object),
            adjustment=adjustment,
            interval_s=interval_s,
            fetched_at=written(fetched_at),
        )
        with self._writing(folder):
            begun = written(rescaled_at or fetched_at)
            scale = self._scale(where, folder, adjustment, begun, is_new=rescaled_at is not None)
            given = msgspec.structs.replace(given, adjusted_at=scale)
            merged = {path: _merged(where, path, part, replace=replace) for path, part in _by_period(folder, given)}
            for path, (part, done) in merged.items():
                if done.added or done.replaced or rescaled_at is not None:
                    put(self._disk, path, as_file(symbol, part))
            self._note(folder, symbol, frequency)
        done_to = [done for _, done in merged.values()]
        return Appended(*(sum(getattr(done, name) for done in done_to) for name in Appended.__struct_fields__))

    def read(
        self,
        symbols: Sequence[str] | None,
        frequency: str,
        start: date | None = None,
        end: date | None = None,
        *,
        view: str = "raw",
        as_of: datetime | None = None,
    ) -> BarPanel:
        """The bars of these symbols (all, sorted, if None) between two New York days, both included.

        `view`: raw; split, adjusted for splits; total, for dividends too. `as_of` (aware) leaves out every bar that
        closed later and every action not yet ex or known then: what could be known at that instant.
        """
        interval_s = interval_s_of(frequency)
        if view not in VIEWS:
            raise DataError(f"view {view!r}, allowed: {', '.join(VIEWS)}")
        chosen = tuple(dict.fromkeys(symbols)) if symbols is not None else self.symbols(frequency)
        if as_of is not None and as_of.tzinfo is None:
            raise DataError(f"as_of {as_of} has no time zone, allowed: an instant such as 2014-06-09T20:00:00+00:00")
        window = _window(start, end)
        found = [_cut(self._viewed(symbol, frequency, (view, as_of, window)), window) for symbol in chosen]
        if not sum(map(len, found)):
            span = f"from {start or 'the first day'} to {end or 'the last'}"
            named = ", ".join(chosen) or "any symbol"
            raise NotFound(f"{self.folder}: no {frequency} bars of {named} {span}")
        return panel_of(chosen, found, interval_s)

    def actions(self, symbol: str) -> tuple[Action, ...]:
        """The dividends and splits of a symbol in the order of their ex-dates; none is an answer."""
        return read_actions(self.folder / "actions" / f"{folder_name(symbol)}.parquet")

    def put_actions(self, symbol: str, actions: Iterable[Action], *, replace: bool = False) -> int:
        """Add actions; how many were new or changed. One that contradicts a stored one is refused as in `append`.

        A repeated report keeps the earliest `known_at`.
        """
        path = self.folder / "actions" / f"{folder_name(symbol)}.parquet"
        with self._writing(path.parent, path.name):
            held = {action.ex_date: action for action in read_actions(path)}
            merged = dict(held)
            for action in actions:
                refuse_bad_action(f"{symbol} actions from {action.source}", action)
                merged[action.ex_date] = _agreed(symbol, merged.get(action.ex_date), action, replace=replace)
            changed = sum(held.get(day) != action for day, action in merged.items())
            if changed:
                in_order = tuple(merged[day] for day in sorted(merged))
                put(self._disk, path, actions_as_file(symbol, in_order))
        return changed

    def symbols(self, frequency: str) -> tuple[str, ...]:
        """Whose bars are there, sorted."""
        interval_s_of(frequency)
        folders = _folders(self.folder / "bars" / frequency)
        return tuple(sorted(symbol_of(folder.name) for folder in folders if parts_in(folder)))

    def noted_symbols(self, frequency: str) -> tuple[str, ...]:
        """Whose bars are there or ought to be, for a manifest names them; sorted."""
        interval_s_of(frequency)
        folders = _folders(self.folder / "bars" / frequency)
        return tuple(sorted(symbol_of(folder.name) for folder in folders if parts_in(folder) or read_manifest(folder)))

    def frequencies(self) -> tuple[str, ...]:
        """At which frequencies bars are there, the longest first."""
        names = [folder.name for folder in _folders(self.folder / "bars")]
        return tuple(sorted(names, key=interval_s_of, reverse=True))

    def spans(self, frequency: str | None = None, symbols: Sequence[str] | None = None) -> tuple[Span, ...]:
        """What is there, by frequency and symbol; from the manifests where they are fresh, else from the parts."""
        found = []
        for each in self.frequencies() if frequency is None else (frequency,):
            for symbol in self.symbols(each) if symbols is None else symbols:
                notes = notes_of(self._series(symbol, each), self._sessions)
                found += [span_of(symbol, each, notes, self._sessions)] if notes else []
        return tuple(found)

    def rebuild(self, symbol: str, frequency: str) -> None:
        """Write the manifest of a series anew from its parts; without any part there is none."""
        folder = self._series(symbol, frequency)
        if not (parts_in(folder) or read_manifest(folder)):
            raise NotFound(f"{folder}: no {frequency} bars of {symbol}")
        with self._writing(folder):
            (folder / MANIFEST).unlink(missing_ok=True)
            if parts_in(folder):
                self._note(folder, symbol, frequency)

    def damaged_parts(self, symbol: str, frequency: str) -> tuple[str, ...]:
        """One line per part that cannot be read or that changed without this store; empty when all is well."""
        folder = self._series(symbol, frequency)
        kept = read_manifest(folder)
        faults, scales = [], []
        for path in parts_in(folder):
            try:
                now = note_of(path, read_part(path), self._sessions)
            except DataError as error:
                faults.append(f"{error}")
                continue
            scales.append(now.adjusted_at)
            if path.name in kept and kept[path.name].checksum != now.checksum:
                faults.append(f"{path}: checksum differs from the manifest's, allowed: files that only openbell writes")
        try:
            refuse_scales(f"{folder}", scales)
        except DataError as error:
            faults.append(f"{error}")
        faults += [f"{folder / name}: missing, the manifest names it" for name in kept if not (folder / name).exists()]
        return tuple(faults)

    def _scale(self, where: str, folder: Path, adjustment: str, begun: str, *, is_new: bool) -> str:
        """The scale that the given prices are on: that of the stored ones, or one that begins now."""
        notes = notes_of(folder, self._sessions)
        held = notes[0].adjustment if notes else adjustment
        if held != adjustment:
            raise DataError(
                f"{where}: {adjustment} prices, but the stored ones are {held}, allowed: one kind in a series; "
                "keep the other in a store of its own"
            )
        if adjustment == "raw":
            return ""
        if is_new or not notes:
            return begun
        refuse_scales(where, [note.adjusted_at for note in notes])
        return notes[0].adjusted_at

    def _series(self, symbol: str, frequency: str) -> Path:
        interval_s_of(frequency)
        return self.folder / "bars" / frequency / folder_name(symbol)

    def _viewed(self, symbol: str, frequency: str, how: tuple[str, datetime | None, tuple[int, int]]) -> Bars:
        view, as_of, (first, last) = how
        folder = self._series(symbol, frequency)
        where = f"{symbol} {frequency}"
        actions = applied(self.actions(symbol), as_of) if view != "raw" else ()
        if actions:  # later ones change earlier prices, by the closes of their own time
            last = _FOREVER
        bars, adjustment = self._joined(folder, interval_s_of(frequency), first, last)
        if adjustment not in {None, "raw"} and (adjustment != view or as_of is not None):
            asked = f"view {view}" + ("" if as_of is None else " as of an instant")
            raise DataError(
                f"{where}: stored {adjustment}-adjusted by its source, {asked} cannot be made of it, "
                f"allowed: view {adjustment}, or raw bars in the store"
            )
        if as_of is not None:
            bars = bars.at(_closes(bars.opened_at, interval_s_of(frequency)) <= int(as_of.timestamp()) * SECOND_NS)
        if view in {"raw", adjustment}:
            return bars
        by = factors(where, bars.opened_at, bars.close, actions, dividends=view == "total")
        prices = {name: getattr(bars, name) * by.price for name in VALUES if name != "volume"}
        return Bars(opened_at=bars.opened_at, volume=bars.volume * by.volume, **prices)

    def _joined(self, folder: Path, interval_s: int, first: int, last: int) -> tuple[Bars, str | None]:
        """The bars of the parts that reach into the window, and what their source did to them."""
        names = periods_of(np.array([first, last]), interval_s)
        parts = [read_part(path, with_sources=False) for path in parts_in(folder) if names[0] <= path.stem <= names[1]]
        kinds = sorted({part.adjustment for part in parts})
        if len(kinds) > 1:
            raise DataError(f"{folder}: parts of {' and '.join(kinds)} prices, allowed: one kind")
        refuse_scales(f"{folder}", [part.adjusted_at for part in parts])
        if len(parts) == 1:
            return parts[0].bars, kinds[0]
        values = {name: [getattr(part.bars, name) for part in parts] for name in ("opened_at", *VALUES)}
        if not parts:
            return no_bars(), None
        return Bars(**{name: np.concatenate(arrays) for name, arrays in values.items()}), kinds[0]

    @contextmanager
    def _writing(self, folder: Path, file: str = "") -> Iterator[None]:
        """Hold the lock; a disk that fails is one line about the folder, where all is as before the failing write."""
        try:
            self._disk.make_folder(folder)
            with only_writer(folder, file):
                yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(
                f"{folder / file}: cannot be written: {reason}, allowed: a disk with room and rights "
                "to it; then do it again"
            ) from error

    def _note(self, folder: Path, symbol: str, frequency: str) -> None:
        """Write the manifest if it is not what the parts say."""
        notes = notes_of(folder, self._sessions)
        if notes != tuple(read_manifest(folder).values()):
            kept = SeriesNote(symbol=symbol, frequency=frequency, parts=notes)
            put(self._disk, folder / MANIFEST, msgspec.json.format(msgspec.json.encode(kept), indent=1))


def _by_period(folder: Path, given: Part) -> Iterator[tuple[Path, Part]]:
    """The parts that the bars go to, in the order of time."""
    periods = periods_of(given.bars.opened_at, given.interval_s)
    for period in np.unique(periods):
        of_it = periods == period
        yield (
            folder / f"{period}.parquet",
            msgspec.structs.replace(given, bars=given.bars.at(of_it), sources=given.sources[of_it]),
        )


def _merged(where: str, path: Path, given: Part, *, replace: bool) -> tuple[Part, Appended]:
    """The part with the bars given, and what that does to the one on the disk."""
    if not path.exists():
        return given, Appended(len(given.bars), 0, 0)
    held = read_part(path)
    if held.adjusted_at != given.adjusted_at and not np.isin(held.bars.opened_at, given.bars.opened_at).all():
        lacking = int(held.bars.opened_at[~np.isin(held.bars.opened_at, given.bars.opened_at)][0])
        raise DataError(
            f"{where}: bar {shown(lacking)} is stored and not among those on the new scale, allowed: all of "
            f"{path.name} anew; or remove the series and fetch it again"
        )
    times, at, of_given = np.intersect1d(held.bars.opened_at, given.bars.opened_at, return_indices=True)
    differs = np.zeros(len(times), dtype=np.bool_)
    for name in VALUES:
        differs |= getattr(held.bars, name)[at] != getattr(given.bars, name)[of_given]
    if differs.any() and not replace:
        raise DataError(_conflict(where, held.bars.at(at[differs]), given.bars.at(of_given[differs])))
    kept = np.ones(len(held.bars), dtype=np.bool_)
    kept[at[differs]] = False
    taken = np.ones(len(given.bars), dtype=np.bool_)
    taken[of_given[~differs]] = False
    bars = held.bars.at(kept).joined(given.bars.at(taken))
    order = np.argsort(bars.opened_at, kind="stable")
    sources = np.concatenate([held.sources[kept], given.sources[taken]])[order]
    done = Appended(int(taken.sum() - differs.sum()), int((~differs).sum()), int(differs.sum()))
    fetched_at = max(held.fetched_at, given.fetched_at)
    return msgspec.structs.replace(given, bars=bars.at(order), sources=sources, fetched_at=fetched_at), done


def _conflict(where: str, held: Bars, given: Bars) -> str:
    changed = [name for name in VALUES if getattr(held, name)[0] != getattr(given, name)[0]]
    values = ", ".join(
        f"{name} {getattr(given, name)[0]:.10g} (stored {getattr(held, name)[0]:.10g})" for name in changed
    )
    others = f" (and {len(held) - 1} more bars)" if len(held) > 1 else ""
    return (
        f"{where}: bar {shown(held.opened_at[0])} contradicts the stored one: {values}{others}, "
        "allowed: the same values, or --replace"
    )


def _agreed(symbol: str, held: Action | None, given: Action, *, replace: bool) -> Action:
    if held is None:
        return given
    if held.says == given.says:
        return held if held.is_known_at <= given.is_known_at else msgspec.structs.replace(held, known_at=given.known_at)
    if not replace:
        raise DataError(
            f"{symbol} actions from {given.source}: {given.ex_date}: dividend {given.dividend:g}, "
            f"split {given.split:g} contradict "
            f"the stored {held.dividend:g}, {held.split:g}, allowed: the same values, or --replace"
        )
    return given


def _window(start: date | None, end: date | None) -> tuple[int, int]:
    """The first instant, and the last that is included, in nanoseconds UTC."""
    first = at_new_york(start, time.min) if start else 0
    return first, at_new_york(end + timedelta(days=1), time.min) - 1 if end else _FOREVER


def _cut(bars: Bars, window: tuple[int, int]) -> Bars:
    first, last = np.searchsorted(bars.opened_at, [window[0], window[1]])
    return bars.at(slice(int(first), int(last)))


def _closes(opened_at: Integers, interval_s: int) -> Integers:
    return opened_at + (DAY_LASTS_NS if interval_s == DAILY_S else interval_s * SECOND_NS)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
