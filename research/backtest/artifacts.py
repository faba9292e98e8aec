"""The files of a replay: figures, decisions, fills, tear sheet and what it is made from. Each is whole or not there.

replay.json, decisions.jsonl, fills.csv    what happened, for programs
tear_sheet.json, curve.parquet, round_trips.parquet    what the pictures are made from (research/tear_sheet/store.py)
tear_sheet.html, replay.png    the pictures, for people
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec

from research.backtest.result import ReplayResult
from research.backtest.summary import Summary, summarise
from research.tear_sheet.record import Record
from research.tear_sheet.store import stored
from shared.errors import DataError
from shared.io.whole_file import write_whole_bytes

PAGE, PICTURE = "tear_sheet.html", "replay.png"
FILL_COLUMNS = (
    "filled_at",
    "symbol",
    "side",
    "quantity",
    "price",
    "commission",
    "slippage",
    "ref",
    "exec_id",
)


def write_artifacts(folder: Path, result: ReplayResult, record: Record, *, pictures: bool = True) -> list[Path]:
    """Write every file into `folder` (made if absent); DataError if it cannot be written."""
    contents = {
        "replay.json": summary_json(summarise(result)),
        "decisions.jsonl": b"".join(line + b"\n" for line in result.decision_lines()),
        "fills.csv": fills_csv(result),
        **stored(record),
    }
    return write_files(folder, contents | (_drawn(record) if pictures else {}))


def write_pictures(folder: Path, record: Record) -> list[Path]:
    """Write page and picture of a record into `folder`; DataError if they cannot be written."""
    return write_files(folder, _drawn(record))


def summary_json(summary: Summary) -> bytes:
    """The summary as indented JSON; null where a figure does not exist."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def fills_csv(result: ReplayResult) -> bytes:
    """One line per execution, with a header; instants in UTC, money in currency."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FILL_COLUMNS)
    for entry in result.fills:
        fill = entry.fill
        writer.writerow(
            (
                fill.filled_at.isoformat(),
                fill.symbol,
                fill.side.value,
                fill.quantity,
                repr(fill.price),
                f"{entry.commission:.6f}",
                f"{entry.slippage:.6f}",
                fill.ref,
                fill.exec_id,
            )
        )
    return text.getvalue().encode()


def _drawn(record: Record) -> dict[str, bytes]:
    from research.backtest.picture import draw
    from research.tear_sheet.page import render

    return {PAGE: render(record), PICTURE: draw(record)}


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write each whole, by its name, into `folder` (made if absent); DataError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole_bytes(folder / name, content)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror}, allowed: a folder of yours") from None
    return [folder / name for name in contents]
