"""The times of a ticker: in an index, or in use by one company; at another time the letters are another instrument.

An instrument is named TICKER@FIRST_DAY. A spell runs from its first day to the day before `until` (None: still).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from research.ingest.point_in_time.as_of import PointInTimeTable
from research.ingest.point_in_time.known_by import end_of_day, start_of_day
from research.ingest.point_in_time.reading import days_of, read_table
from research.ingest.universe.tickers import COLUMNS, ticker_files
from shared.errors import DataError


class Spell(Struct, frozen=True, order=True):
    """One time of one ticker; `cik` is the company's number, 0 where the source has none."""

    ticker: str
    first_day: date
    until: date | None = None
    cik: int = 0

    @property
    def instrument(self) -> str:
        return f"{self.ticker}@{self.first_day}"

    def holds_on(self, day: date) -> bool:
        return self.first_day <= day and (self.until is None or day < self.until)


def load_membership(path: Path) -> tuple[Spell, ...]:
    """Index membership (ticker, start_date, end_date: no member any more on that day; empty: still), sorted.

    DataError for a spell that ends before it begins or overlaps another of its ticker.
    """
    rows = read_table(path, ("ticker", "start_date", "end_date"))
    starts, ends = days_of(rows, "start_date", path), days_of(rows, "end_date", path, may_be_empty=True)
    gone = ends.notna()
    each = zip(rows["ticker"], starts.dt.date, ends.dt.date, gone, strict=True)
    return _checked(path, [Spell(ticker, start, end if is_gone else None) for ticker, start, end, is_gone in each])


def ticker_spells(path: Path, by: date) -> tuple[Spell, ...]:
    """Who used each ticker when, from the dated lists (tickers.py) of a folder up to and including this day.

    A ticker that another CIK has in the next list, or that was away in between, begins a new spell there.
    """
    files = [(day, one) for day, one in sorted(ticker_files(path).items()) if day <= by]
    open_spells: dict[str, Spell] = {}
    closed: list[Spell] = []
    for day, file in files:
        rows = read_table(file, COLUMNS)
        listed = {str(ticker): int(cik) for ticker, cik in zip(rows["ticker"], rows["cik"], strict=True)}
        for ticker, spell in [*open_spells.items()]:
            if listed.get(ticker) != spell.cik:
                closed.append(Spell(ticker, spell.first_day, day, spell.cik))
                del open_spells[ticker]
        for ticker, cik in listed.items():
            open_spells.setdefault(ticker, Spell(ticker, day, None, cik))
    return tuple(sorted([*closed, *open_spells.values()], key=_place))


def spell_on(spells: Iterable[Spell], ticker: str, day: date) -> Spell | None:
    """The ticker's spell of this day, if it has one."""
    return next((spell for spell in spells if spell.ticker == ticker and spell.holds_on(day)), None)


class Rename(Struct, frozen=True, order=True):
    """From `day` on the same company trades under `after` instead of `before`: its bars are one history."""

    day: date
    before: str
    after: str
    cik: int


def renames(spells: Iterable[Spell]) -> tuple[Rename, ...]:
    """Tickers that a company (CIK) changed from one list to the next, by day.

    Only where one ticker of it went and one came: of several share classes nobody says which became which.
    """
    gone: dict[tuple[int, date], list[str]] = {}
    come: dict[tuple[int, date], list[str]] = {}
    for spell in spells:
        if not spell.cik:
            continue
        come.setdefault((spell.cik, spell.first_day), []).append(spell.ticker)
        if spell.until is not None:
            gone.setdefault((spell.cik, spell.until), []).append(spell.ticker)
    pairs = [(at, old, come[at]) for at, old in gone.items() if at in come]
    return tuple(sorted(Rename(at[1], old[0], new[0], at[0]) for at, old, new in pairs if len(old) == len(new) == 1))


def members_on(spells: Iterable[Spell], day: date) -> tuple[str, ...]:
    """The tickers in the index on this day, sorted: with those that left it later, without those that came later."""
    return tuple(sorted(spell.ticker for spell in spells if spell.holds_on(day)))


def membership_table(spells: Sequence[Spell]) -> PointInTimeTable:
    """Membership for the as-of join: column `is_member` by ticker, known when its day begins in New York."""
    import pandas as pd

    changes = [(spell.ticker, spell.first_day, True) for spell in spells]
    changes += [(spell.ticker, spell.until, False) for spell in spells if spell.until is not None]
    changes.sort(key=lambda one: (one[0], one[1], one[2]))  # left and came back on one day: a member
    rows = pd.DataFrame(changes, columns=["symbol", "day", "is_member"])
    days = pd.to_datetime(rows["day"]).astype("datetime64[ns]")
    return PointInTimeTable(rows.assign(day=days, known_by=start_of_day(days)))


def load_sectors(path: Path) -> PointInTimeTable:
    """Sectors by symbol from dated snapshots (snapshot, symbol, sector), each known at the end of its day."""
    rows = read_table(path, ("snapshot", "symbol", "sector"))
    days = days_of(rows, "snapshot", path)
    return PointInTimeTable(rows[["symbol", "sector"]].assign(known_by=end_of_day(days)))


def _checked(path: Path, found: Iterable[Spell]) -> tuple[Spell, ...]:
    spells = sorted(found, key=_place)
    for spell in spells:
        if spell.until is not None and spell.until <= spell.first_day:
            raise DataError(
                f"{path}: {spell.ticker} {spell.first_day} to {spell.until}, allowed: an end after the start"
            )
    for before, after in pairwise(spells):
        if before.ticker == after.ticker and (before.until is None or before.until > after.first_day):
            raise DataError(
                f"{path}: {after.ticker} begins again on {after.first_day} while it has been in since "
                f"{before.first_day}, allowed: spells of a ticker one after the other"
            )
    return tuple(spells)


def _place(spell: Spell) -> tuple[str, date]:
    return spell.ticker, spell.first_day
