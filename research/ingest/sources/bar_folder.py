"""Bars that somebody has already: .parquet and .csv files as shared/io/bar_store.py reads them, actions beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from threading import Lock

import numpy as np

from research.ingest.sources.bar_rows import cut, day_of, regular_only
from research.ingest.sources.clock import PaceClock
from research.ingest.sources.source import Chunk, Wanted
from shared.errors import DataError, NotFound
from shared.io.bar_checks import DAILY_S, NO_TIME, PRICES
from shared.io.bar_files import VALUES, read_bars
from shared.io.bar_part import Adjustment, Bars
from shared.io.bar_store import BarPanel, load_bars
from shared.io.stored_actions import Action

NAME = "csv"
ACTION_COLUMNS = ("symbol", "ex_date", "dividend_amount", "split_coefficient")


class BarFolder:
    """`path` is a file or a folder; `adjustment` is what whoever made it did to the prices."""

    name = NAME
    parallel = 2

    def __init__(
        self, path: Path, clock: PaceClock, *, adjustment: Adjustment, actions: Path | None, drop_bad_bars: bool
    ) -> None:
        self._path = path
        self._clock = clock
        self._adjustment = adjustment
        self._actions_path = actions
        self._drop_bad_bars = drop_bad_bars
        self._lock = Lock()
        self._panel: BarPanel | None = None
        self._is_whole = True
        self._actions: dict[str, list[Action]] | None = None

    @property
    def adjustment(self) -> Adjustment:
        return self._adjustment

    def open(self) -> None:
        """There is no connection to make."""

    def now_s(self) -> float:
        return self._clock.now_s()

    def refusal(self, wanted: Wanted) -> str:
        return "" if wanted.shows == "trades" else f"{NAME} holds trades, not {wanted.shows}"

    def contents(self) -> tuple[tuple[str, ...], date, date]:
        """Every symbol of the files, and their first and last day. Raises DataError where nothing can be read."""
        table = read_bars(self._path, drop_bad_bars=True)
        times = table.opened_at[table.opened_at != NO_TIME]
        if not len(times):
            load_bars(self._path)  # says what is wrong with the first of them
            raise DataError(f"{self._path}: no bars, allowed: a file with at least one")
        symbols = tuple(sorted({*table.symbols} - {""}))
        return symbols, day_of(int(times.min())), day_of(int(times.max()))

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        panel = self._panel_of(wanted)
        if panel.interval_s != wanted.interval_s:
            raise DataError(
                f"{self._path}: {wanted.symbol}: bars of {panel.interval_s} s, allowed: {wanted.interval_s} s as wanted"
            )
        bars = cut(_of(panel, wanted.symbol), wanted.first, wanted.last)
        if wanted.hours == "regular":
            bars = regular_only(bars, wanted.interval_s, wanted.calendar)
        yield Chunk(
            first=wanted.first,
            last=wanted.last,
            bars=bars,
            actions=tuple(
                action
                for action in self._actions_of(wanted.symbol)
                if wanted.first <= action.ex_date <= wanted.last and wanted.interval_s == DAILY_S
            ),
        )

    def close(self) -> None:
        """Nothing is open."""

    def _panel_of(self, wanted: Wanted) -> BarPanel:
        """All of it, read once; where one symbol spoils it, each by itself, so that the others can be had."""
        with self._lock:
            if self._panel is None and self._is_whole:
                try:
                    self._panel = load_bars(self._path, drop_bad_bars=self._drop_bad_bars)
                except DataError:
                    self._is_whole = False
            panel = self._panel
            if panel is not None and wanted.symbol in panel.symbols:
                return panel
            return load_bars(self._path, [wanted.symbol], drop_bad_bars=self._drop_bad_bars)

    def _actions_of(self, symbol: str) -> list[Action]:
        with self._lock:
            if self._actions is None:
                self._actions = read_actions_table(self._actions_path) if self._actions_path else {}
            return self._actions.get(symbol, [])


def read_actions_table(path: Path) -> dict[str, list[Action]]:
    """The actions of a CSV or Parquet table by symbol, its columns ACTION_COLUMNS.

    Raises:
        NotFound: there is no such file.
        DataError: it cannot be read, or a row cannot be.
    """
    import pandas as pd

    if not path.exists():
        raise NotFound(f"{path}: no such file, allowed: a .csv or .parquet file of {', '.join(ACTION_COLUMNS)}")
    try:
        is_csv = path.suffix.lower() == ".csv"
        table = pd.read_csv(path, keep_default_na=False, dtype=str) if is_csv else pd.read_parquet(path)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: unreadable: {str(error).splitlines()[0]}, allowed: .csv or .parquet") from None
    missing = [name for name in ACTION_COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"{path}: missing column: {', '.join(missing)}; found: {', '.join(map(str, table.columns))}")
    found: dict[str, list[Action]] = {}
    for number, cells in enumerate(table[list(ACTION_COLUMNS)].itertuples(index=False, name=None), start=1):
        symbol, ex_date, dividend, split = map(str, cells)
        try:
            action = Action(
                ex_date=date.fromisoformat(ex_date[:10]),
                dividend=float(dividend or 0),
                split=float(split or 1),
                source=NAME,
            )
        except ValueError as error:
            raise DataError(f"{path}: row {number}: {error}, allowed: an ISO date and two numbers") from None
        found.setdefault(symbol, []).append(action)
    return found


def _of(panel: BarPanel, symbol: str) -> Bars:
    """The symbol's printed bars."""
    column = panel.symbols.index(symbol)
    values = {name: getattr(panel, name)[:, column] for name in VALUES}
    printed = ~np.isnan(np.column_stack([values[name] for name in PRICES])).all(axis=1)
    return Bars(opened_at=panel.opened_at[printed], **{name: array[printed] for name, array in values.items()})
