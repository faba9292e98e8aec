"""Which stored bars cannot be: the checks, one line each, and the error that names the first bad row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, structs

from shared.errors import DataError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PRICES = ("open", "high", "low", "close")
NO_TIME = int(np.iinfo(np.int64).min)
NO_GAP = int(np.iinfo(np.int64).max)
SECOND_NS = 1_000_000_000
DAILY_S = 86_400
SAME_SESSION_NS = 12 * 3600 * SECOND_NS


class SourceFile(Struct, frozen=True, eq=False):
    """A file as it was read, kept so that an error can quote it.

    `cells` is the Arrow table; `row_numbers[i]` is the data row in the file, counted from 1 below the header;
    `skipped` counts lines that had too few or too many cells.
    """

    path: str
    cells: pa.Table
    row_numbers: Integers
    time_column: str
    interval_s: int | None
    skipped: int = 0


class BarTable(Struct, frozen=True, kw_only=True, eq=False):
    """Bars in the long layout, every array of shape (rows,), in the order of the files.

    `file` and `position` say where a bar stands; `code` indexes `symbols`; `opened_at` is nanoseconds UTC,
    NO_TIME where the cell was no time; prices and volume are NaN where the cell was no number.
    """

    files: tuple[SourceFile, ...]
    symbols: tuple[str, ...]
    file: Integers
    position: Integers
    code: Integers
    opened_at: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.opened_at)

    def where(self, kept: Flags) -> BarTable:
        """Return the table of the kept rows."""
        if kept.all():
            return self
        arrays = {name: value[kept] for name, value in structs.asdict(self).items() if name not in {"files", "symbols"}}
        return structs.replace(self, **arrays)


class Rule(Struct, frozen=True):
    """One way for a bar to be wrong, as an error says it; `shown` are the columns whose cells it quotes."""

    what: str
    allowed: str
    shown: tuple[str, ...]


IsBad = Callable[[BarTable], Flags]


def _price_checks(name: str) -> tuple[tuple[Rule, IsBad], ...]:
    def is_no_number(bars: BarTable) -> Flags:
        return np.asarray(~np.isfinite(getattr(bars, name)))

    def is_not_positive(bars: BarTable) -> Flags:
        return np.asarray(getattr(bars, name) <= 0.0)

    return (
        (Rule(f"{name} is not a number", "a finite price above 0", (name,)), is_no_number),
        (Rule(f"{name} is not positive", "a price above 0", (name,)), is_not_positive),
    )


def _range_check(name: str) -> tuple[Rule, IsBad]:
    def is_outside(bars: BarTable) -> Flags:
        price = getattr(bars, name)
        return np.asarray((price > bars.high) | (price < bars.low))

    rule = Rule(f"{name} outside low to high", f"low <= {name} <= high", (name, "low", "high"))
    return rule, is_outside


def _has_no_symbol(bars: BarTable) -> Flags:
    nameless = np.array([not symbol.strip() for symbol in bars.symbols], dtype=np.bool_)
    return np.asarray(nameless[bars.code])


UTC_OR_DAY = "ts: UTC with offset, such as 2013-10-08T13:30:00+00:00; date: such as 2013-10-08"

# A bar is reported under the first of these that it breaks.
CHECKS: tuple[tuple[Rule, IsBad], ...] = (
    (Rule("no symbol", "a ticker", ("symbol",)), _has_no_symbol),
    (Rule("no time", UTC_OR_DAY, ("ts", "date")), lambda bars: bars.opened_at == NO_TIME),
    *(check for name in PRICES for check in _price_checks(name)),
    (Rule("volume is not a number", "0 or more", ("volume",)), lambda bars: ~np.isfinite(bars.volume)),
    (Rule("volume is negative", "0 or more", ("volume",)), lambda bars: bars.volume < 0.0),
    (Rule("high below low", "high >= low", ("high", "low")), lambda bars: bars.high < bars.low),
    _range_check("open"),
    _range_check("close"),
)
OUT_OF_ORDER = len(CHECKS)  # looks at the bars before, and only at those that break no check
SOUND = -1


class CheckedBars(Struct, frozen=True, eq=False):
    """Sound bars, the seconds each covers, and how many bad ones were left out."""

    bars: BarTable
    interval_s: int
    dropped: int


def checked(bars: BarTable, *, interval_s: int | None, drop_bad_bars: bool) -> CheckedBars:
    """Return the sound bars, or raise DataError on the first bad one unless bad bars are to be dropped.

    `interval_s` None: the most common gap inside a session; for a `date` table it is always a day.
    """
    daily = bars.files[0].time_column == "date"
    broken = np.full(len(bars), SOUND)
    for number, (_, is_bad) in reversed(list(enumerate(CHECKS))):
        broken[is_bad(bars)] = number
    in_question = np.flatnonzero(broken == SOUND)
    asked = bars.where(broken == SOUND)
    gaps = _gaps(asked.code, asked.opened_at)
    interval_s = DAILY_S if daily else interval_s or _common_gap_s(gaps)
    least_gap = 1 if daily else max(1, interval_s * SECOND_NS)
    broken[in_question[gaps < least_gap]] = OUT_OF_ORDER
    bad = np.flatnonzero(broken != SOUND)
    if len(bad) and (not drop_bad_bars or len(bad) == len(bars)):
        first = int(bad[0])
        gap = int(gaps[np.searchsorted(in_question, first)]) if broken[first] == OUT_OF_ORDER else None
        rule = CHECKS[broken[first]][0] if gap is None else _order_rule(bars, first, gap, interval_s)
        raise DataError(_line(bars, first, rule, len(bad) - 1))
    if not interval_s:
        raise DataError(f"{bars.files[0].path}: interval unknown, allowed: two bars of a symbol in one session")
    return CheckedBars(bars.where(broken == SOUND), interval_s, len(bad))


def _gaps(code: Integers, opened_at: Integers) -> Integers:
    """Return, per row, nanoseconds since the latest earlier row of its symbol; NO_GAP for its first."""
    gaps = np.full(len(code), NO_GAP)
    is_same = code[1:] == code[:-1]
    if (code[1:] >= code[:-1]).all():  # symbol after symbol, as saved: the row before is the latest, if times rise
        steps = np.diff(opened_at)
        if (steps[is_same] > 0).all():
            gaps[1:][is_same] = steps[is_same]
            return gaps
    times, rank = np.unique(opened_at, return_inverse=True)
    by_symbol = np.argsort(code, kind="stable")
    latest = np.maximum.accumulate(code[by_symbol] * len(times) + rank[by_symbol])
    later = np.flatnonzero(np.diff(code[by_symbol]) == 0) + 1
    gaps[by_symbol[later]] = opened_at[by_symbol[later]] - times[latest[later - 1] % max(1, len(times))]
    return gaps


def _common_gap_s(gaps: Integers) -> int:
    """Return the most common gap inside a session in seconds, 0 if there is none."""
    inside = gaps[(gaps > 0) & (gaps < SAME_SESSION_NS)]
    if not len(inside):
        return 0
    lengths, counts = np.unique(inside, return_counts=True)
    return max(1, int(lengths[np.argmax(counts)]) // SECOND_NS)


def _order_rule(bars: BarTable, row: int, gap_ns: int, interval_s: int) -> Rule:
    what = "duplicate time" if gap_ns == 0 else "decreasing time" if gap_ns < 0 else "overlapping bars"
    before = np.datetime64(int(bars.opened_at[row]) - gap_ns, "ns")
    allowed = f"at least {interval_s} s after the one before, {np.datetime_as_string(before, unit='s')} UTC"
    return Rule(what, allowed, ("symbol", "ts", "date"))


def _line(bars: BarTable, row: int, rule: Rule, others: int) -> str:
    source = bars.files[bars.file[row]]
    position = int(bars.position[row])
    shown = [name for name in rule.shown if name not in {"ts", "date"} - {source.time_column}]
    cells = ", ".join(f"{name} {_quoted(source.cells[name][position].as_py())}" for name in shown)
    more = f" (and {others} more bad bars)" if others else ""
    number = source.row_numbers[position]
    return f"{source.path}: row {number}: {rule.what}: {cells}, allowed: {rule.allowed}{more}"


def _quoted(cell: object) -> str:
    if isinstance(cell, str):
        return cell if cell.strip() else "(empty)"
    return "(empty)" if cell is None else str(cell)
