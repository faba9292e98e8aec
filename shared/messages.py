"""The one codec between messages and bytes (MessagePack): exact round trip, NaN and arrays included."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np

from shared.commands import Command
from shared.events import Event


def _encode_array(value: Any) -> bytes:  # noqa: ANN401 - msgspec's hook takes whatever it does not know
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value, dtype="<f8").tobytes()
    if isinstance(value, np.generic):
        message = f"messages: {value!r} is a numpy scalar, plain Python numbers are allowed"
        raise TypeError(message)
    message = f"messages: cannot encode {type(value).__name__}"
    raise NotImplementedError(message)


def _decode_array(wanted: type, value: Any) -> Any:  # noqa: ANN401 - msgspec's hook
    if wanted is np.ndarray:
        return np.frombuffer(value, dtype="<f8")
    message = f"messages: cannot decode {wanted.__name__}"
    raise NotImplementedError(message)


_T = TypeVar("_T")
_ENCODER = msgspec.msgpack.Encoder(enc_hook=_encode_array)
_EVENT: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event, dec_hook=_decode_array)
_COMMAND: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


def encode(message: object) -> bytes:
    """The bytes of an event, a command or any Struct made of the vocabulary."""
    return _ENCODER.encode(message)


def decode_event(data: bytes) -> Event:
    """The event in `data`; msgspec.DecodeError if it is none."""
    return _EVENT.decode(data)


def decode_command(data: bytes) -> Command:
    """The command in `data`; msgspec.DecodeError if it is none."""
    return _COMMAND.decode(data)


def decode_as(data: bytes, wanted: type[_T]) -> _T:
    """`data` as a Struct of type `wanted` (snapshots)."""
    return msgspec.msgpack.decode(data, type=wanted, dec_hook=_decode_array)


def kind_of(message: object) -> str:
    """The tag under which a message is journalled, for example 'BarsClosed'."""
    return type(message).__name__
