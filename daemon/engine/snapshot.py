"""The engine's whole memory as bytes, and back."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from daemon.engine.book import Book
from daemon.engine.desk import DeskState
from shared.errors import DataError
from shared.messages import decode_as, encode


class EngineState(Struct, frozen=True, kw_only=True):
    """The book, what each desk remembers (by strategy name), and which instrument stands in which column."""

    symbols: tuple[str, ...]
    book: Book
    desks: dict[str, DeskState]


def to_bytes(state: EngineState) -> bytes:
    """The same state gives the same bytes."""
    return encode(state)


def from_bytes(data: bytes) -> EngineState:
    """The state in `data`; DataError if it is none (another release wrote it, or it is damaged)."""
    try:
        return decode_as(data, EngineState)
    except msgspec.MsgspecError as error:
        raise DataError(f"snapshot of the engine: {len(data)} bytes that are none ({error})") from error
