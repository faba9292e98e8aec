# ruff: noqa: N802 - the methods carry the names by which IB's protocol calls them back
"""The raw callbacks that every connection has; order_wrapper.py and data_wrapper.py add their own.

Nothing is decided here and nothing waits. ib_insync's own wrapper and its `Trade` are not used: under errors
10349, 201, 110, 104, 135 and 161 they say what is not so (TWS.md 4).
"""

from __future__ import annotations

from typing import Protocol

import structlog

from brokers.ib.codes import CodeClass, CodeTable
from brokers.ib.decoder import MESSAGES
from brokers.ib.requests import COMPLETED_ORDERS, OPEN_ORDERS, POSITIONS, TIME, Requests

log = structlog.get_logger("brokers.ib")

NO_REQUEST = -1
_LISTS = {5: OPEN_ORDERS, 61: POSITIONS, 101: COMPLETED_ORDERS, 49: TIME}
"""Unreadable message id to the question whose answer it was part of."""
_REQ_ID_AT = {10: 1, 11: 1, 17: 1, 63: 2}
"""Message id to the field that holds its request id."""
_CHANGES = frozenset({3, 4, 5, 11})
"""Messages that may tell a change of one of our orders: lost, they leave us in doubt."""
HISTORY = 17


class Hooks(Protocol):
    """What concerns the connection as a whole."""

    def on_session_code(self, code: int, text: str) -> None:
        """A code that belongs to no request and no order."""

    def on_doubt(self, reason: str) -> None:
        """A message about orders was lost; what we believe of them may be wrong."""

    def on_closed(self, reason: str) -> None:
        """The socket is gone."""


class Wrapper:
    """What ib_insync's Client and our RawDecoder call; one per connection."""

    def __init__(self, *, requests: Requests, hooks: Hooks, codes: CodeTable) -> None:
        self.accounts: tuple[str, ...] = ()
        self._requests = requests
        self._hooks = hooks
        self._codes = codes

    def connectAck(self) -> None:
        """The version is agreed; accounts and the next order id follow."""

    def managedAccounts(self, accounts: str) -> None:
        self.accounts = tuple(name.strip() for name in accounts.split(",") if name.strip())

    def nextValidId(self, order_id: int) -> None:
        """ib_insync's Client has taken the id before it calls here."""
        log.debug("broker.next_order_id", order_id=order_id)

    def setEventsDone(self) -> None:
        """The socket is closed, by whomever."""
        self._hooks.on_closed("the broker closed the connection")

    def connectionClosed(self) -> None:
        """Called right after setEventsDone, which has said it."""

    def error(self, req_id: int, code: int, text: str, _advanced_reject: str = "") -> None:
        """Errors, warnings and notices share this door; the id may be an order's, a request's or none."""
        if req_id == NO_REQUEST:
            self._hooks.on_session_code(code, text)
        elif self._requests.is_open(req_id):
            log.info("broker.request_message", code=code, text=text)
            if self._codes.class_of(code) is not CodeClass.NOTICE:
                self._requests.refuse(req_id, code, text)
        elif not self.takes_error(req_id, code, text):
            log.info("broker.message", id=req_id, code=code, text=text)

    def takes_error(self, _req_id: int, _code: int, _text: str) -> bool:
        """An error on the id of an order or a stream; False if there is none with it."""
        return False

    def unreadable(self, fields: list[str], error: Exception) -> None:
        """A message could not be decoded or handled: its answer is incomplete, its change lost."""
        kind = int(fields[0]) if fields and fields[0].isdigit() else 0
        what = MESSAGES.get(kind, "unknown message")
        log.error("broker.unreadable", message=what, fields=fields[:12], exc_info=error)
        key = _LISTS.get(kind) or _request_id(kind, fields)
        was_answer = self._requests.spoil(key, f"{what} could not be read")
        if kind == HISTORY and isinstance(key, int):
            self._requests.end(key)
        if kind in _CHANGES and not was_answer:
            self._hooks.on_doubt(f"a message ({what}) could not be read")


def _request_id(kind: int, fields: list[str]) -> int | None:
    """The request id in an unreadable message, None if even that is unreadable."""
    place = _REQ_ID_AT.get(kind)
    if place is None:
        return NO_REQUEST
    try:
        return int(fields[place])
    except (IndexError, ValueError):
        return None
