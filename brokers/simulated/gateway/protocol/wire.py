"""Framing and values of the TWS socket protocol (TWS.md 2.1).

A frame is a 4-byte big-endian length and that many bytes of NUL-terminated UTF-8 fields. Clients write the
same value in several ways (`0`, `0.0`, empty, an unset double in two spellings), so reading is tolerant and
writing is exact.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Value: TypeAlias = str | int | float | bool | None

UNSET_DOUBLE = "1.7976931348623157E308"
_UNSET = float(UNSET_DOUBLE)
UNSET_INTEGER = 2147483647
UNSET_DECIMAL = 2.0**127
"""Read as a double: the largest signed number of 128 bits, the unset quantity of 10.x clients."""
INFINITE = frozenset({"Infinite", "Infinity"})
"""ib_insync writes the first, official clients of 10.x the second."""
FRAME_BYTES_MAX = 1 << 20
"""A client's longest honest request is below 2 kB; beyond this bound it is not speaking our protocol."""


_LENGTH = struct.Struct(">I")
_digits = float.__repr__
_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e16
"""Numbers between these are written by Python without an exponent."""


class Unreadable(ValueError):  # noqa: N818 - names the state of the message
    """A frame or field that cannot be understood; its text is what error 320 tells the client."""


def text_of(value: Value) -> str:
    """The text of one field: integral numbers without a decimal point, booleans as 1 and 0, None as empty."""
    return TEXT_BY_TYPE.get(type(value), _text_of_subclass)(value)


def _text_of_subclass(value: Value) -> str:
    """A numpy number, or an enumeration of texts or integers."""
    if isinstance(value, float):
        return _number_text(value)
    return str.__str__(value) if isinstance(value, str) else int.__repr__(int(value or 0))


def _number_text(value: float) -> str:
    if _PLAIN_FROM <= value < _PLAIN_BELOW:
        text = _digits(value)
        return text[:-2] if text[-2:] == ".0" else text
    return _rare_number_text(value)


def _rare_number_text(value: float) -> str:
    """Negative numbers, and those that Python writes with an exponent or a word, down to twelve decimals."""
    assert not math.isnan(value), "NaN never goes on the wire"
    if math.isinf(value):
        return "Infinite"
    if value == _UNSET:
        return UNSET_DOUBLE
    if value.is_integer():
        return str(int(value))
    text = _digits(value)
    if "e" in text:
        text = f"{value:.12f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


TEXT_BY_TYPE: dict[type, Callable[[Any], str]] = {
    str: str.__str__,
    float: _number_text,
    int: int.__repr__,
    bool: lambda value: "1" if value else "0",
    type(None): lambda _: "",
}
"""The writers behind `text_of`, for loops that save its call."""


def escaped(text: str) -> str:
    r"""A text as TWS writes names and error texts since version 153: what is not ASCII as `\uXXXX`, or shorter."""
    return text if text.isascii() and "\\" not in text else text.encode("unicode_escape").decode()


def frame(fields: Iterable[Value]) -> bytes:
    """One frame, ready to send."""
    return framed("".join(f"{text_of(field)}\0" for field in fields))


def framed(text: str) -> bytes:
    """The frame around fields that are joined already, each with its NUL."""
    payload = text.encode()
    return _LENGTH.pack(len(payload)) + payload


def renumbered(frame: bytes, first: int) -> bytes:
    """The frame with another number in the first field behind the message id."""
    kind, _, fields = frame[_LENGTH.size :].partition(b"\0")
    payload = b"%b\0%d\0%b" % (kind, first, fields.partition(b"\0")[2])
    return _LENGTH.pack(len(payload)) + payload


def fields_of(payload: bytes) -> list[str]:
    """The fields of one frame's payload; a last field without its NUL counts as a field."""
    pieces = payload.decode(errors="replace").split("\0")
    if pieces and not pieces[-1]:
        pieces.pop()
    return pieces


async def read_payload(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame's payload, or None when the peer has gone. Raises Unreadable beyond FRAME_BYTES_MAX."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(4))
        if length > FRAME_BYTES_MAX:
            raise Unreadable(f"frame of {length} bytes, allowed are {FRAME_BYTES_MAX}")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


class FieldReader:
    """Takes the fields of one request in order; every fault names the field and the text found there."""

    def __init__(self, fields: list[str]) -> None:
        self._fields = fields
        self._next = 0
        self.seen: dict[str, str] = {}
        """The texts read so far by name: later fields may depend on them."""

    def text(self, name: str) -> str:
        if self._next >= len(self._fields):
            raise Unreadable(f"Unable to parse field {name!r}: the message ends after {len(self._fields)} fields")
        value = self._fields[self._next]
        self._next += 1
        self.seen[name] = value
        return value

    def number(self, name: str) -> float | None:
        """A double, or None where it is unset (empty, or the largest double or decimal in any spelling)."""
        return number_of(name, self.text(name))

    def integer(self, name: str) -> int:
        """An integer; empty and unset read as 0."""
        return integer_of(name, self.text(name))

    def flag(self, name: str) -> bool:
        return bool(self.integer(name))


def number_of(name: str, text: str) -> float | None:
    """The double written as `text`; None when unset."""
    if not text:
        return None
    if text in INFINITE:
        return math.inf
    try:
        value = float(text)
    except ValueError:
        raise Unreadable(f"Unable to parse field {name!r}: {text!r} is not a number") from None
    if math.isnan(value) or math.isinf(value):
        raise Unreadable(f"Unable to parse field {name!r}: {text!r} is not a finite number")
    return None if value >= _UNSET or value == UNSET_DECIMAL else value


def integer_of(name: str, text: str) -> int:
    """The integer written as `text`; 0 when empty or unset."""
    if text.lower() in {"true", "false"}:
        return int(text.lower() == "true")
    value = number_of(name, text)
    if value is None:
        return 0
    if not value.is_integer():
        raise Unreadable(f"Unable to parse field {name!r}: {text!r} is not an integer")
    return 0 if value == UNSET_INTEGER else int(value)
