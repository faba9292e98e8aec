"""The engine's whole memory as bytes, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from daemon.engine.book import Book
from daemon.engine.desk import Desk, DeskState
from shared.errors import DataError, OpenbellError
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


def of_universe(data: bytes, symbols: tuple[str, ...]) -> EngineState:
    """As `from_bytes`; DataError too if it is of other instruments, or of another order of them."""
    state = from_bytes(data)
    if state.symbols != symbols:
        were, are = ", ".join(state.symbols), ", ".join(symbols)
        raise DataError(f"snapshot of the engine: universe is {were}, allowed: {are}")
    return state


def remember(state: EngineState, desks: Mapping[str, Desk]) -> dict[str, str]:
    """Give the desks their memories; those that do not fit are left out: why, by strategy.

    One of which the state knows nothing, a new strategy, begins anew without a word.
    """
    misfits: dict[str, str] = {}
    for name, desk in desks.items():
        if name in state.desks:
            try:
                desk.restore(state.desks[name])
            except (OpenbellError, ValueError, TypeError, LookupError, AttributeError) as error:  # as old as it may be
                misfits[name] = f"strategy {name}: {' '.join(str(error).split()) or type(error).__name__}"
    return misfits


def grafted(data: bytes, donor: bytes, strategies: Iterable[str]) -> bytes:
    """The state in `data` with the memories that these strategies have in `donor`."""
    state, other = from_bytes(data), from_bytes(donor)
    return to_bytes(replace(state, desks={**state.desks, **{name: other.desks[name] for name in strategies}}))
