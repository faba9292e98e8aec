"""One client id's socket with its open questions; it is connected once and lost once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from brokers.ib.connection import Connection
from brokers.ib.requests import Key, Requests
from shared.errors import BrokerUnavailable


class Turns(Protocol):
    """Who says when a question may leave."""

    async def turn(self) -> None:
        """Return when the next question may leave."""


class Line:
    """Socket, handshake, ids and questions of one client id."""

    def __init__(self, connection: Connection, requests: Requests, turns: Turns) -> None:
        self.connection = connection
        self.requests = requests
        self.server_lost = ""
        """Why TWS cannot be believed though it answers (1100, 2110); empty if it can."""
        self.is_over = False
        self._turns = turns

    @property
    def client(self) -> Any:  # noqa: ANN401 - ib_insync's request methods are untyped
        return self.connection.client

    @property
    def is_connected(self) -> bool:
        return not self.is_over and self.connection.is_ready

    def check(self) -> None:
        """Raise BrokerUnavailable unless requests can be sent and answers can be believed."""
        self.check_socket()
        if self.server_lost:
            raise BrokerUnavailable(self.server_lost)

    def check_socket(self) -> None:
        """Raise BrokerUnavailable unless the socket stands."""
        if not self.is_connected:
            raise BrokerUnavailable("not connected to the broker")

    def next_id(self) -> int:
        """A fresh id: requests and orders share one sequence, so that an error's id has one meaning."""
        self.check_socket()
        return int(self.client.getReqId())

    async def turn(self) -> None:
        """Return when a question may leave, the socket still there."""
        await self._turns.turn()
        self.check_socket()

    async def ask(self, name: str, key: Key, send: Callable[[], None], timeout_s: float) -> list[Any]:
        """A question in its turn. Raises what Requests.ask raises."""
        await self.turn()
        return await self.requests.ask(name, key, send, timeout_s)

    async def ask_by_id(self, name: str, send: Callable[[int], None], timeout_s: float) -> list[Any]:
        """A question that carries a request id of its own."""
        req_id = self.next_id()
        return await self.ask(name, req_id, lambda: send(req_id), timeout_s)

    def end(self, reason: str) -> None:
        """Nothing is asked any more, what is open is unanswered."""
        self.is_over = True
        self.requests.close(reason)
