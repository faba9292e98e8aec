"""What IB's message codes mean to us: the table is codes.toml beside this file, an operator's file overrides it."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from msgspec import Struct

from shared.errors import ConfigError

CANCELLED = 202
LOCATING_SHARES = 404
CLIENT_ID_IN_USE = 326
PORT_RESET = 1300
SERVER_LOST = frozenset({1100, 2110})
SERVER_BACK_DATA_LOST = 1101
SERVER_BACK = frozenset({1101, 1102})
CANCEL_ANSWERS = frozenset({161, 10147, 10148})
NO_HISTORY = 162
TOO_MANY_LINES = 101
FARM_BROKEN = frozenset({2103, 2105})
FARM_WELL = frozenset({2104, 2106})
COMPETING_SESSION = 10197
NOT_LIVE = frozenset({354, 10089, 10167, 10168, 10186})
"""What is said where live data are not subscribed: delayed data come instead, or none."""
DELAYED_SHOWN = 10167
PARTLY_LIVE = 10090


class CodeClass(enum.StrEnum):
    """What a code leads to."""

    NOTICE = "notice"  # a note in the log
    DATA = "data"  # the data request it names has failed; no order is touched
    ORDER_FINAL = "order_final"  # ends a new order; on an order that already works it means ASK
    SESSION = "session"  # the connection
    ASK = "ask"  # says nothing certain: OrderUnknown, and the broker is asked


class Code(Struct, frozen=True):
    """One line of the table."""

    number: int
    code_class: CodeClass
    meaning: str


class CodeTable:
    """Looks codes up; one that is not in the table means ASK."""

    def __init__(self, codes: Mapping[int, Code]) -> None:
        self.codes = dict(codes)

    def class_of(self, number: int) -> CodeClass:
        code = self.codes.get(number)
        return CodeClass.ASK if code is None else code.code_class


def code_table(path: str = "") -> CodeTable:
    """The shipped table, with what the operator's file at `path` says instead or besides.

    Raises:
        ConfigError: the file cannot be read; one line for each of its mistakes.
    """
    shipped = _codes_of(resources.files(__package__).joinpath("codes.toml").read_text(encoding="utf-8"), "codes.toml")
    if not path:
        return CodeTable(shipped)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"broker.codes_file: {path} cannot be read ({error})") from None
    return CodeTable(shipped | _codes_of(text, path))


def _codes_of(text: str, path: str) -> dict[int, Code]:
    """The codes of a file: a table per class, in it `number = "meaning"`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no TOML ({error})") from None
    codes: dict[int, Code] = {}
    mistakes: list[str] = []
    for name, rows in tables.items():
        if name not in set(CodeClass) or not isinstance(rows, dict):
            mistakes.append(f"{path}:{_line_of(text, name)}: class {name}, allowed are [{'], ['.join(CodeClass)}]")
            continue
        for number, meaning in rows.items():
            fault = _fault_of(number, meaning, codes)
            if fault:
                mistakes.append(f"{path}:{_line_of(text, number, name)}: [{name}] {number} = {meaning!r}, {fault}")
            else:
                codes[int(number)] = Code(int(number), CodeClass(name), meaning)
    if mistakes:
        raise ConfigError(mistakes)
    return codes


def _fault_of(number: str, meaning: object, before: Mapping[int, Code]) -> str:
    if not (number.isascii() and number.isdigit() and len(number) <= len("999999")):
        return "allowed is a code of IB: a number up to 999999"
    if not isinstance(meaning, str) or not meaning:
        return "allowed is its meaning as a text"
    if int(number) in before:
        return f"but the code stands in [{before[int(number)].code_class}] too, allowed is one class"
    return ""


def _line_of(text: str, key: str, table: str = "") -> int:
    """The number of the line that begins with the key, in its table if one is named."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if (header := re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line)) is not None:
            current = header[1]
            if not table and current == key:
                return number
        elif re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line) is not None and table in {"", current}:
            return number
    return 1
