"""What `openbell data verify` does: files or the store, one after the other; one that cannot be read stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from research.ingest.quality.compare import compare
from research.ingest.quality.finding import Limits
from research.ingest.quality.table import Table, read_table
from research.ingest.quality.verify import Actions, Report, verify
from research.ingest.stored_table import stored_actions, stored_table
from shared.errors import DataError, NotFound
from shared.io.bar_library import BarStore
from shared.io.stored_actions import Action


class Verified(Struct, frozen=True):
    """One table and its report, or the line that says why there is none."""

    table: Table | None
    report: Report | None
    fault: str = ""


def verify_files(path: Path, limits: Limits, *, actions: Actions | None, against: Path | None) -> Iterator[Verified]:
    """A file, or every table of a folder in the order of names."""
    other = None if against is None else read_table(against)
    for file in _files(path):
        try:
            table = read_table(file)
            report = verify(table, limits, actions)
            if other is not None:
                report = _with(report, table, other, limits)
        except DataError as error:
            yield Verified(None, None, str(error))
        else:
            yield Verified(table, report)


def verify_store(store: BarStore, limits: Limits, symbols: tuple[str, ...] | None) -> Iterator[Verified]:
    """Every frequency of the store: the files first, then what is in those that can be read."""
    frequencies = store.frequencies()
    if not frequencies:
        raise NotFound(f"{store.folder}: no bars in the store; openbell data fetch brings some")
    for frequency in frequencies:
        held = store.noted_symbols(frequency)
        sound = []
        for symbol in held if symbols is None else [each for each in symbols if each in held]:
            faults = store.damaged_parts(symbol, frequency)
            yield from (Verified(None, None, fault) for fault in faults)
            if not faults:
                sound.append(symbol)
        if sound:
            table = stored_table(store, frequency, sound)
            yield Verified(table, verify(table, limits, stored_actions(store, frequency, sound)))


def read_action_table(path: Path) -> Actions:
    """The actions of a table as `openbell replay --actions` takes it, by symbol."""
    from shared.io.action_table import load_actions

    if not path.is_file():
        raise NotFound(f"{path}: no such file, allowed: a .csv or .parquet table of dividends and splits")
    found: dict[str, list[Action]] = {}
    for each in load_actions(path):
        action = Action(ex_date=each.ex_date, dividend=each.dividend, split=each.coefficient)
        found.setdefault(each.symbol, []).append(action)
    return found


def _with(report: Report, table: Table, other: Table, limits: Limits) -> Report:
    from msgspec.structs import replace

    return replace(report, findings=(*report.findings, *compare(table, other, limits)))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in {".parquet", ".csv"})
    if not found:
        raise NotFound(f"{path}: no .parquet or .csv table in this folder")
    return found
