"""Where the bar store keeps what: names of frequencies, of folders for symbols, of parts for periods.

    bars/FREQUENCY/SYMBOL/PERIOD.parquet    actions/SYMBOL.parquet

The period of a part is a year, for bars of 1 to 4 minutes a month, for shorter ones a day: a part stays small
enough to be written anew by each refresh, and a finished one is never touched again. All are New York's.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt

from shared.errors import DataError
from shared.io.bar_checks import DAILY_S, Integers
from shared.io.bar_part import new_york_days

DAILY = "1d"
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": DAILY_S}
_FREQUENCY = re.compile(r"([1-9]\d{0,3})([smhd])")
_PART_OF_YEAR_S, _PART_OF_MONTH_S = 300, 60
_SYMBOL_LENGTH_MAX = 64
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{name}{number}" for name in ("COM", "LPT") for number in range(1, 10))}
"""Names that a Windows share refuses, with whatever suffix."""


def interval_s_of(frequency: str) -> int:
    """Seconds of a frequency such as 1d, 1h, 15m, 1m, 5s; raises DataError for any other."""
    found = _FREQUENCY.fullmatch(frequency)
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < seconds <= DAILY_S or frequency_of(seconds) != frequency:
        raise DataError(f"frequency {frequency!r}, allowed: 1d, or seconds, minutes or hours such as 5s, 15m, 1h")
    return seconds


def frequency_of(interval_s: int) -> str:
    """The one name of an interval: in the largest unit that divides it."""
    unit = next(unit for unit in "dhms" if interval_s % _UNITS_S[unit] == 0)
    return f"{interval_s // _UNITS_S[unit]}{unit}"


def folder_name(symbol: str) -> str:
    """A file name for the symbol that is safe everywhere, differs in more than case, and can be read back."""
    if not symbol or symbol != symbol.strip() or not symbol.isprintable() or len(symbol) > _SYMBOL_LENGTH_MAX:
        raise DataError(f"symbol {symbol!r}, allowed: 1 to {_SYMBOL_LENGTH_MAX} printable characters, no blank around")
    kept = "".join(letter if _is_plain(letter) else _escaped(letter) for letter in symbol)
    if kept.startswith(".") or kept.partition(".")[0] in _RESERVED:
        kept = _escaped(kept[0]) + kept[1:]
    return kept[:-1] + _escaped(".") if kept.endswith(".") else kept


def symbol_of(name: str) -> str:
    """The symbol of a folder's name."""
    return unquote(name)


def periods_of(opened_at: Integers, interval_s: int) -> npt.NDArray[np.str_]:
    """The name of the part that each instant belongs to, such as 2014, 2014-06 or 2014-06-09."""
    days = new_york_days(opened_at).astype("datetime64[D]")
    unit = "Y" if interval_s >= _PART_OF_YEAR_S else "M" if interval_s >= _PART_OF_MONTH_S else "D"
    return days.astype(f"datetime64[{unit}]").astype(np.str_)


def _is_plain(letter: str) -> bool:
    return letter.isascii() and (letter.isupper() or letter.isdigit() or letter in ".-_")


def _escaped(letter: str) -> str:
    return quote(letter, safe="") if quote(letter, safe="") != letter else f"%{ord(letter):02X}"
