"""What IB's message codes mean to us; the table itself is codes.toml beside this file."""

from __future__ import annotations

import enum
import tomllib
from importlib import resources

from msgspec import Struct

CANCELLED = 202
LOCATING_SHARES = 404
CLIENT_ID_IN_USE = 326
PORT_RESET = 1300
SERVER_LOST = frozenset({1100, 2110})
SERVER_BACK_DATA_LOST = 1101
SERVER_BACK = frozenset({1101, 1102})
CANCEL_ANSWERS = frozenset({161, 10147, 10148})
NO_HISTORY = 162


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


def _read() -> dict[int, Code]:
    text = resources.files(__package__).joinpath("codes.toml").read_text(encoding="utf-8")
    codes: dict[int, Code] = {}
    for name, lines in tomllib.loads(text).items():
        for number, meaning in lines.items():
            assert int(number) not in codes, f"codes.toml: {number} stands in two classes"
            codes[int(number)] = Code(int(number), CodeClass(name), meaning)
    return codes


CODES = _read()


def class_of(number: int) -> CodeClass:
    """The class of a code; one that is not in the table means ASK."""
    code = CODES.get(number)
    return CodeClass.ASK if code is None else code.code_class
