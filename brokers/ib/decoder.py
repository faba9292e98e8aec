"""ib_insync's decoder with four changes, so that no message is lost in silence and none is decoded twice.

Only the messages we live on are decoded; a failure is reported instead of logged and forgotten; an execution
keeps its time as text, because ib_insync drops the whole execution if it does not know the zone (TWS.md
3.26).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, TypeAlias

from ib_insync.decoder import Decoder

from brokers.ib.translate import RawExecution

MESSAGES = {
    1: "priceSizeTick",
    3: "orderStatus",
    4: "error",
    5: "openOrder",
    6: "updateAccountValue",
    9: "nextValidId",
    10: "contractDetails",
    11: "execDetails",
    15: "managedAccounts",
    17: "historicalData",
    45: "tickGeneric",
    49: "currentTime",
    50: "realtimeBar",
    52: "contractDetailsEnd",
    53: "openOrderEnd",
    54: "accountDownloadEnd",
    55: "execDetailsEnd",
    58: "marketDataType",
    59: "commissionReport",
    61: "position",
    62: "positionEnd",
    63: "accountSummary",
    64: "accountSummaryEnd",
    101: "completedOrder",
    102: "completedOrdersEnd",
}
"""Message id to the wrapper's method. What the wrapper of a session has no method for is passed over."""

_Call: TypeAlias = tuple[Callable[..., None], tuple[Any, ...]]
_READ: dict[type, Callable[[str], object]] = {int: int, float: float, bool: lambda text: bool(int(text))}
_EXECUTION_FIELDS = 27
_COMMISSION_FIELDS = 8
_EXECUTION = b"11"
_REPEATED = (b"5", _EXECUTION, b"59", b"101")
"""Every report tells these again, as often as there were orders and executions in the day."""
REMEMBERED_MAX = 1024
"""Messages of one kind whose meaning is kept; beyond it they are decoded anew."""


class Receiver(Protocol):
    """What the decoder tells beside the callbacks."""

    def unreadable(self, fields: list[str], error: Exception) -> None:
        """A message we live on could not be decoded or handled."""


class RawDecoder(Decoder):
    """Decodes one message after the other; `wrapper` has the methods of MESSAGES and of Receiver."""

    def __init__(self, wrapper: Receiver, server_version: int) -> None:
        self._telling = _Telling(wrapper)
        super().__init__(self._telling, server_version)  # type: ignore[arg-type]  # wider than ib_insync says
        self.receiver = wrapper
        self._known: dict[bytes, dict[bytes, _Call]] = {kind: {} for kind in _REPEATED}
        self.handlers = {number: self.handlers[number] for number, name in MESSAGES.items() if hasattr(wrapper, name)}

    def wrap(self, methodName: str, types: list[type], skip: int = 2) -> Callable[[list[str]], None]:  # noqa: N803
        """The parent's handler for simple messages, without its catch-all; a short message is an error."""

        def handler(fields: list[str]) -> None:
            given = fields[skip : skip + len(types)]
            if len(given) < len(types):
                raise ValueError(f"{methodName} of {len(fields)} fields")
            values = [_value(kind, field) for kind, field in zip(types, given, strict=True)]
            getattr(self.receiver, methodName)(*values)

        return handler

    def parse(self, obj: Any) -> None:  # noqa: ANN401 - one of its dataclasses
        """As the parent, several times as fast: a report tells every order of the day again."""
        given = vars(obj)
        shape: Any = type(obj)
        for name, convert, default in _conversions(shape):
            text = given[name]
            if type(text) is str:
                given[name] = convert(text) if text else default

    def read(self, payload: bytes) -> None:
        """One message as on the wire. What was told before, letter by letter, is told again without decoding it."""
        kind, _, rest = payload.partition(b"\0")
        known = self._known.get(kind)
        if known is None:
            self.interpret(_fields_of(payload))
            return
        req_id = b""
        if kind == _EXECUTION:  # the same execution under the number of another question
            req_id, _, rest = rest.partition(b"\0")
        call = known.get(rest)
        if call is not None:
            self._tell_again(call, req_id, payload)
            return
        self.interpret(_fields_of(payload))
        call = self._telling.taken()
        if call is not None:
            if len(known) >= REMEMBERED_MAX:
                known.clear()
            known[rest] = call

    def _tell_again(self, call: _Call, req_id: bytes, payload: bytes) -> None:
        method, values = call
        try:
            if req_id:
                method(int(req_id), *values[1:])
            else:
                method(*values)
        except Exception as error:  # noqa: BLE001 - as in `interpret`
            self.receiver.unreadable(_fields_of(payload), error)

    def interpret(self, fields: list[str]) -> None:
        try:
            handler = self.handlers.get(int(fields[0]))
            if handler is not None:
                handler(fields)
        except Exception as error:  # noqa: BLE001 - whatever it is: that message is lost, the next must be read
            self.receiver.unreadable(fields, error)

    def commissionReport(self, fields: list[str]) -> None:  # noqa: N802 - the parent's name
        """A recorded report of a real TWS (2023) has a ninth field, which the parent takes for an error."""
        super().commissionReport(fields[:_COMMISSION_FIELDS])  # type: ignore[no-untyped-call]

    def execDetails(self, fields: list[str]) -> None:  # noqa: N802 - the parent's name
        if len(fields) < _EXECUTION_FIELDS:
            raise ValueError(f"an execution of {len(fields)} fields")
        raw = RawExecution(
            order_id=int(fields[2] or 0),
            con_id=int(fields[3] or 0),
            symbol=fields[4],
            sec_type=fields[5],
            currency=fields[11],
            exec_id=fields[14],
            time=fields[15],
            account=fields[16],
            side=fields[18],
            shares=float(fields[19]),
            price=float(fields[20]),
            perm_id=int(fields[21] or 0),
            client_id=int(fields[22] or 0),
            order_ref=fields[26],
            is_liquidation=fields[23] not in {"", "0"},
        )
        self.wrapper.execDetails(int(fields[1]), raw)  # type: ignore[arg-type, call-arg]  # wider than ib_insync says


class _Telling:
    """Between the decoder and who receives: keeps the last call of those that come again."""

    def __init__(self, receiver: Any) -> None:  # noqa: ANN401 - has the methods of MESSAGES
        self._call: _Call | None = None
        self._receiver = receiver

    def taken(self) -> _Call | None:
        """The call since this was last asked, None if there was none."""
        call, self._call = self._call, None
        return call

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method of the receiver
        return getattr(self._receiver, name)

    def openOrder(self, *values: object) -> None:  # noqa: N802 - the protocol's name, as those below
        self._tell(self._receiver.openOrder, values)

    def execDetails(self, *values: object) -> None:  # noqa: N802 - the library's name
        self._tell(self._receiver.execDetails, values)

    def commissionReport(self, *values: object) -> None:  # noqa: N802 - the library's name
        self._tell(self._receiver.commissionReport, values)

    def completedOrder(self, *values: object) -> None:  # noqa: N802 - the library's name
        self._tell(self._receiver.completedOrder, values)

    def _tell(self, method: Callable[..., None], values: tuple[object, ...]) -> None:
        self._call = (method, values)
        method(*values)


def _fields_of(payload: bytes) -> list[str]:
    """The texts of a message, each with a NUL behind it, as ib_insync reads them."""
    return payload.decode(errors="backslashreplace").split("\0")[:-1]


@cache
def _conversions(shape: Any) -> tuple[tuple[str, Callable[[str], object], object], ...]:  # noqa: ANN401 - a dataclass
    """What is no text in one of ib_insync's dataclasses: field, how its text is read, what stands for empty."""
    fields = [field for field in dataclasses.fields(shape) if type(field.default) in _READ]
    return tuple((field.name, _READ[type(field.default)], field.default) for field in fields)


def _value(kind: type, field: str) -> Any:  # noqa: ANN401 - one of str, int, float, bool
    if kind is str:
        return field
    if kind is bool:
        return bool(int(field or 0))
    return kind(field or 0)
