"""What is written beside features: whose bars they are made from, which code made them, which files are theirs.

    FOLDER/bars.json                       the bars: symbols, interval, rows, and the names of the next two
    FOLDER/opened_at-DIGEST.parquet        opening instant of every row (T, 1), int64 nanoseconds UTC
    FOLDER/prints-DIGEST.parquet           running prints of the bars (T, n), bar_prints.py
    FOLDER/CALL/features.json              one call of an indicator: rows, code, bars, parts; written last
    FOLDER/CALL/state-GENERATION           the indicator's state after the last row
    FOLDER/CALL/FEATURE.FIRST_ROW.GENERATION.parquet

What no .json names is left over from a build that was killed, and counts for nothing.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from research.features.parts import Values, read_part
from shared.errors import DataError
from shared.io.bar_disk import Disk, put

BARS_FILE, CALL_FILE = "bars.json", "features.json"
FORMAT = "openbell.features/1"

_Record = TypeVar("_Record", bound=Struct)


class BarsRecord(Struct, frozen=True, kw_only=True):
    """The bars that a folder of features goes with; `digest` is that of the last row (bar_prints.digest_of)."""

    format: str = FORMAT
    symbols: tuple[str, ...]
    interval_s: int
    rows: int
    digest: str

    @property
    def width(self) -> int:
        return len(self.symbols)


class CallRecord(Struct, frozen=True, kw_only=True):
    """One call of an indicator over the first `rows` rows; `digest` is of their bars, `code` of what computed them.

    `sectors` is the digest of the sectors of these rows, empty where no feature of the call is taken within any.
    `parts` holds first row and generation of each part, which ends where the next one begins; the generation rises
    with every build that wrote something.
    """

    format: str = FORMAT
    call: str
    features: tuple[str, ...]
    code: str
    digest: str
    rows: int
    width: int
    rows_per_part: int
    generation: int
    parts: tuple[tuple[int, int], ...]
    sectors: str = ""

    def spans(self) -> list[tuple[int, int, int]]:
        """First row, the one behind the last, and generation of each part."""
        ends = [first for first, _ in self.parts[1:]] + [self.rows]
        return [(first, end, generation) for (first, generation), end in zip(self.parts, ends, strict=True)]

    def part_names(self, feature: str) -> list[str]:
        return [part_name(feature, first, generation) for first, generation in self.parts]

    def file_names(self) -> set[str]:
        """Every file that belongs to it."""
        names = {name for feature in self.features for name in self.part_names(feature)}
        return {CALL_FILE, state_name(self.generation), *names}


def slug(text: str) -> str:
    """A name of a feature as one of a file: readable, and its own by eight digits of a hash."""
    plain = re.sub(r"[^a-z0-9.]+", "_", text.lower()).strip("_")
    return f"{plain[:80]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def part_name(feature: str, first: int, generation: int) -> str:
    return f"{slug(feature)}.{first}.{generation}.parquet"


def state_name(generation: int) -> str:
    return f"state-{generation}"


def axis_names(digest: str) -> tuple[str, str]:
    """The files of opening instants and of prints."""
    return f"opened_at-{digest[:16]}.parquet", f"prints-{digest[:16]}.parquet"


def read_bars_record(folder: Path) -> BarsRecord | None:
    """None where there are no features yet; DataError where the file is none."""
    return _read(folder / BARS_FILE, BarsRecord)


def read_call_record(folder: Path) -> CallRecord | None:
    """The same for the folder of a call."""
    return _read(folder / CALL_FILE, CallRecord)


def write_record(disk: Disk, path: Path, record: Struct) -> None:
    """Whole or not at all; raises OSError."""
    put(disk, path, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def read_rows(folder: Path, record: CallRecord, feature: str, first: int, end: int) -> list[Values]:
    """The rows `first` to `end` (without it) of a feature, one array per part that they lie in."""
    found: list[Values] = []
    for begin, last, generation in record.spans():
        if begin < end and last > first:
            path = folder / part_name(feature, begin, generation)
            found.append(read_part(path, record.width, max(first - begin, 0), min(end, last) - begin))
    return found


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    try:
        record = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(
            f"{path}: no record of features ({error}), allowed: what openbell features build wrote"
        ) from None
    if getattr(record, "format", None) != FORMAT:
        raise DataError(f"{path}: another format, allowed: {FORMAT}; build again with --anew")
    return record
