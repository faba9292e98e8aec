"""A strategy's state as bytes and back, exactly.

MessagePack knows None, bool, int, float, str and lists. Everything else is written as a list of two, the
name of its kind and its content, and therefore a list itself is written as ["list", [...]].
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np

from shared.errors import ConfigError, DataError
from shared.indicators.indicator import Indicator
from strategies.mark import indicator_mark

ALLOWED = "int, float, str, bool, None, date, datetime, list, tuple, dict, numpy array or number, indicator"

_MARK_DIGITS = 16

Value = Any  # whatever a user's strategy keeps


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Whose state it is, and the state: attribute by attribute. `mark` says what it began as and what code keeps it."""

    strategy: str
    symbols: tuple[str, ...]
    params: dict[str, Value]
    state: dict[str, Value]
    mark: str = ""

    def refuse_if_other(self, found: Snapshot) -> None:
        """DataError if `found` belongs to another strategy, symbols or parameters, or was kept by other code."""
        for field in ("strategy", "symbols", "params"):
            mine, other = getattr(self, field), getattr(found, field)
            if mine != other:
                raise DataError(f"snapshot of strategy {self.strategy}: {field} is {other}, allowed: {mine}")
        if self.mark != found.mark:
            raise DataError(
                f"snapshot of strategy {self.strategy}: kept by other code or with other indicators "
                f"({found.mark or 'without a mark'}), allowed: {self.mark}"
            )


def pack(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot; ConfigError naming strategy, attribute and type of what cannot be carried."""
    writer = _Writer(snapshot.strategy)
    # A second writer: a strategy may well keep one of its parameters as an attribute.
    params_writer = _Writer(snapshot.strategy)
    params = {name: params_writer.write(value, f"params.{name}") for name, value in snapshot.params.items()}
    state = {name: writer.write(value, name) for name, value in snapshot.state.items()}
    return msgspec.msgpack.encode(msgspec.structs.replace(snapshot, params=params, state=state))


def mark_of(fresh: Snapshot, kept_by: str) -> str:
    """The mark of a memory that begins as `fresh` (names, parameters, shapes), kept by the code `kept_by`."""
    return hashlib.sha256(pack(fresh) + kept_by.encode()).hexdigest()[:_MARK_DIGITS]


def unpack(data: bytes, mine: Snapshot | None = None) -> Snapshot:
    """The snapshot in `data`; DataError if it is none, or not that of `mine`: then nothing of its state is read."""
    try:
        written = msgspec.msgpack.decode(data, type=Snapshot)
    except msgspec.DecodeError as error:
        raise DataError(f"snapshot of a strategy: {len(data)} bytes that are none ({error})") from error
    params = {name: _read(value) for name, value in written.params.items()}
    if mine is not None:
        mine.refuse_if_other(msgspec.structs.replace(written, params=params))
    state = {name: _read(value) for name, value in written.state.items()}
    return msgspec.structs.replace(written, params=params, state=state)


class _Writer:
    """Writes one snapshot; refuses what it cannot carry, and an object in two places (it would be two)."""

    def __init__(self, strategy: str) -> None:
        self._strategy = strategy
        # The objects are kept, so that no later one can get the id of one that is gone.
        self._places: dict[int, tuple[object, str]] = {}

    def write(self, value: Value, place: str) -> Value:
        kind = type(value)
        if value is None or kind in {bool, float, str} or (kind is int and -(2**63) <= value < 2**63):
            return value
        if kind is int:
            return ["int", str(value)]
        if kind is date:
            return ["date", value.isoformat()]
        if kind is datetime:
            return ["datetime", [value.isoformat(), value.fold]]
        if isinstance(value, np.generic) and not value.dtype.hasobject:
            return ["number", _array_bytes(np.asarray(value))]
        self._refuse_twice(value, place)
        if kind is np.ndarray and not value.dtype.hasobject:
            return ["array", _array_bytes(value)]
        if kind in {list, tuple}:
            return [kind.__name__, [self.write(item, f"{place}[{i}]") for i, item in enumerate(value)]]
        if kind is dict:
            return ["dict", self._pairs(value, place)]
        if isinstance(value, Indicator):
            content = [kind.__module__, kind.__qualname__, indicator_mark(value), self._pairs(vars(value), place)]
            return ["indicator", content]
        raise ConfigError(
            f"strategy {self._strategy}: {place} is {kind.__name__}, which a snapshot cannot carry, allowed: {ALLOWED}"
        )

    def _pairs(self, mapping: dict[Value, Value], place: str) -> list[Value]:
        return [
            [self.write(key, f"{place} key"), self.write(item, f"{place}[{key!r}]")] for key, item in mapping.items()
        ]

    def _refuse_twice(self, value: object, place: str) -> None:
        if type(value) is tuple:
            return  # cannot change, so two copies are as good as one
        before = self._places.setdefault(id(value), (value, place))[1]
        if before != place:
            raise ConfigError(
                f"strategy {self._strategy}: {before} and {place} are one object, allowed: a copy for each"
            )


def _array_bytes(array: Value) -> bytes:
    """Numpy's own format: it keeps type, byte order, shape and memory order."""
    written = io.BytesIO()
    np.lib.format.write_array(written, array, allow_pickle=False)
    return written.getvalue()


def _read_array(content: bytes) -> Value:
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _read_indicator(content: list[Value]) -> Indicator:
    module, name, *marked, pairs = content
    indicator = _class_of(module, name).__new__(_class_of(module, name))
    vars(indicator).update(_read_pairs(pairs))
    if marked != [indicator_mark(indicator)]:
        raise DataError(
            f"snapshot of a strategy: indicator {module}.{name} was kept by other code ({_marks(marked)}), "
            f"allowed: {indicator_mark(indicator)}"
        )
    return indicator


def _marks(marked: list[Value]) -> str:
    return ", ".join(map(str, marked)) or "without a mark"


def _class_of(module: str, name: str) -> type[Indicator]:
    """The youngest indicator class of that name: a strategy's file may have been loaded more than once."""
    waiting: list[type[Indicator]] = [Indicator]
    found: type[Indicator] | None = None
    while waiting:
        candidate = waiting.pop(0)
        waiting.extend(candidate.__subclasses__())
        if (candidate.__module__, candidate.__qualname__) == (module, name):
            found = candidate
    if found is None:
        raise DataError(f"snapshot of a strategy: indicator {module}.{name} is not loaded")
    return found


def _read_pairs(pairs: list[Value]) -> dict[Value, Value]:
    return {_read(key): _read(item) for key, item in pairs}


_READERS: dict[str, Callable[[Value], Value]] = {
    "int": int,
    "date": date.fromisoformat,
    "datetime": lambda content: datetime.fromisoformat(content[0]).replace(fold=content[1]),
    "number": lambda content: _read_array(content)[()],
    "array": _read_array,
    "list": lambda content: [_read(item) for item in content],
    "tuple": lambda content: tuple(_read(item) for item in content),
    "dict": _read_pairs,
    "indicator": _read_indicator,
}


def _read(written: Value) -> Value:
    if not isinstance(written, list):
        return written
    kind, content = written
    if kind not in _READERS:
        raise DataError(f"snapshot of a strategy: kind {kind!r}, allowed: {', '.join(_READERS)}")
    return _READERS[kind](content)
