"""Listens to the bytes between daemon and gateway and writes down what they mean for orders; changes nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.wire import Unreadable, fields_of
from brokers.simulated.gateway.runtime.session import Session
from tests.simulation.history import CancelSent, LineChanged, Ordered, Sent, Told
from tests.simulation.world.network import Wire
from tests.simulation.world.process import OWNER
from tests.simulation.world.recorder import Recorder

_LENGTH = struct.Struct(">I")
_PREFIX = b"API\0"
_VERSION = 176
_PLACE = b"3"
_ASKED = frozenset({b"3", b"4", b"58", b"71"})
_TOLD: dict[bytes, tuple[str, dict[str, int]]] = {
    b"3": ("orderStatus", {"orderId": 1, "status": 2, "filled": 3, "remaining": 4, "permId": 6, "clientId": 9}),
    b"4": ("error", {"reqId": 2, "code": 3, "text": 4}),
    b"5": ("openOrder", {"orderId": 1, "symbol": 3}),
    b"11": (
        "execDetails",
        {"reqId": 1, "orderId": 2, "symbol": 4, "execId": 14, "side": 18, "shares": 19, "price": 20},
    ),
    b"59": ("commissionReport", {"execId": 2, "commission": 3}),
}


_REPEATED = frozenset({"execDetails", "commissionReport", "openOrder", "orderStatus"})
"""Every report tells them again: only what this connection has not told before is written down."""


class _Frames:
    """Cuts a stream of bytes into payloads; `skip` bytes stand before the first frame."""

    def __init__(self, prefix: bytes = b"") -> None:
        self._prefix = prefix
        self._bytes = b""

    def of(self, data: bytes) -> list[bytes]:
        self._bytes += data
        if self._prefix and len(self._bytes) >= len(self._prefix):
            self._bytes = self._bytes.removeprefix(self._prefix)
            self._prefix = b""
        found = []
        at = 0
        while len(self._bytes) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes, at)
            if len(self._bytes) - at - _LENGTH.size < length:
                break
            at += _LENGTH.size
            found.append(self._bytes[at : at + length])
            at += length
        self._bytes = self._bytes[at:]
        return found


class Tap:
    """On one connection. `on_order` hears of each order's bytes before they are under way; it may end the process."""

    def __init__(
        self,
        wire: Wire,
        recorder: Recorder,
        session: Session,
        traded_at: dict[int, float],
        on_order: Callable[[], None],
    ) -> None:
        self._wire, self._recorder, self._session = wire, recorder, session
        self._traded_at, self._on_order = traded_at, on_order
        self._process = recorder.process
        self._client_id = -1
        self._asked, self._said = _Frames(_PREFIX), _Frames()
        self._refs: dict[int, str] = {}
        self._told: dict[bytes, None] = {}
        wire.client.on_bytes = self._hear_daemon
        wire.client.on_delivery = self._hear_gateway
        wire.on_ended = lambda: self.line("down")

    def line(self, state: str) -> None:
        """The connection came up, went down, or is deaf."""
        if self._client_id >= 0:
            at, process = self._recorder.now(), self._process
            self._recorder.add(LineChanged(at=at, process=process, client_id=self._client_id, state=state))

    # ------------------------------------------------------------------ from the daemon

    def _hear_daemon(self, data: bytes) -> None:
        for payload in self._asked.of(data):
            kind = payload.partition(b"\0")[0]
            if kind not in _ASKED:
                continue
            if kind == _PLACE and not self._may_leave():
                return
            with suppress(Unreadable):
                self._take(decode(fields_of(payload), _VERSION))

    def _may_leave(self) -> bool:
        """Whether the daemon outlives this order's first byte."""
        self._on_order()
        owner = OWNER.get()
        return owner is None or owner.is_alive

    def _take(self, request: Any) -> None:
        match request:
            case ask.StartApi():
                self._client_id = request.client_id
                self._wire.label = str(request.client_id)
                self.line("up")
            case ask.PlaceOrder() if not request.what_if:
                self._refs[request.order_id] = request.order_ref
                self._recorder.add(self._sent(request))
            case ask.CancelOrder():
                self._cancelled(request.order_id, self._ref_of(request.order_id))
            case ask.ReqGlobalCancel():
                self._cancelled(0, "")

    def _ref_of(self, order_id: int) -> str:
        """What the order of this id is called; one that did not leave over this connection the gateway knows."""
        known = self._session.desk.book.find(self._client_id, order_id)
        if order_id in self._refs or known is None:
            return self._refs.get(order_id, "?")
        return known.request.order_ref or f"permId {known.perm_id}"

    def _cancelled(self, order_id: int, ref: str) -> None:
        recorder = self._recorder
        cancel = CancelSent(
            at=recorder.now(), process=self._process, client_id=self._client_id, order_id=order_id, ref=ref
        )
        recorder.add(cancel)

    def _sent(self, request: ask.PlaceOrder) -> Sent:
        session = self._session
        index = next(
            (place for place, name in enumerate(session.market.symbols) if name == request.contract.symbol), None
        )
        last = bid = ask_ = last_at = None
        if index is not None:
            tape = session.tape
            last, bid, ask_ = (_known(float(side[index])) for side in (tape.last, tape.bid, tape.ask))
            last_at = self._traded_at.get(index)
        return Sent(
            at=self._recorder.now(),
            process=self._process,
            client_id=self._client_id,
            order_id=request.order_id,
            parent_id=request.parent_id,
            transmit=request.transmit,
            oca_type=request.oca_type,
            last=last,
            last_at=last_at,
            bid=bid,
            ask=ask_,
            order=Ordered(
                ref=request.order_ref,
                symbol=request.contract.symbol,
                side=request.side,
                quantity=request.quantity,
                order_type=request.order_type,
                limit_price=request.limit_price,
                stop_price=request.trail_stop_price if request.order_type == "TRAIL" else request.aux_price,
                oca_group=request.oca_group,
                tif=request.tif,
            ),
        )

    # ------------------------------------------------------------------ from the gateway

    def _hear_gateway(self, data: bytes) -> None:
        for payload in self._said.of(data):
            known = _TOLD.get(payload.partition(b"\0")[0])
            if known is None:
                continue
            name, places = known
            if name in _REPEATED:
                news = payload.partition(b"\0")[2].partition(b"\0")[2] if name == "execDetails" else payload
                if news in self._told:
                    continue
                self._told[news] = None
            fields = fields_of(payload)
            if name == "error" and fields[3:4] == ["2199"]:  # the simulation's own mark; a fault may have cut the rest
                continue
            told = {key: fields[place] if place < len(fields) else "" for key, place in places.items()}
            recorder = self._recorder
            recorder.add(
                Told(at=recorder.now(), process=self._process, client_id=self._client_id, name=name, fields=told)
            )


def _known(value: float) -> float | None:
    return value if value == value else None  # noqa: PLR0124 - NaN alone differs from itself
