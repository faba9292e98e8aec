"""The socket side: accept, handshake, one task per client, one task that plays the market.

`async with SimulatedGateway(market, speed=120, port=0) as gateway:` is the door for Python; `gateway.port`,
`gateway.ledger` and `gateway.clock` are what a test reads.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from brokers.simulated.gateway.accounts.ledger import Ledger
from brokers.simulated.gateway.accounts.ledger_file import LedgerFile
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.answers import NO_REQUEST, error
from brokers.simulated.gateway.protocol.handshake import OLDEST, PREFIX, Offer, agreed_version, offer_of
from brokers.simulated.gateway.protocol.layout import VERSION
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.wire import Unreadable, fields_of, frame, read_payload
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.clock import MarketClock, RunningClock
from brokers.simulated.gateway.runtime.dispatch import answer
from brokers.simulated.gateway.runtime.playback import play
from brokers.simulated.gateway.runtime.session import Session
from brokers.simulated.market.source import MarketSource

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
CLIENTS_MAX = 32
HANDSHAKE_S = 10.0
FRAMES_PER_TURN = 64
"""After so many frames in a row a client lets the others have their turn."""

FARMS_OK = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)


class Settings(Struct, frozen=True, kw_only=True):
    """How the gateway runs; `lead_in_s` and `speed` are market time, `gather_s` is wall time.

    With `wait_for_client` the clock stands until somebody has subscribed to real-time bars and, as clients
    throttle their requests, no further subscription has come for `gather_s`.
    """

    speed: float = 120.0
    port: int = 4010
    lead_in_s: float = 60.0
    wait_for_client: bool = False
    gather_s: float = 1.25
    account: str = "DU7654321"
    cash: float = 1_000_000.0
    participation: float | None = 1.0
    ledger_path: Path | None = None


class SimulatedGateway:
    """A TWS on 127.0.0.1 with one market, one account and up to 32 clients."""

    def __init__(self, market: MarketSource, clock: MarketClock | None = None, **settings: object) -> None:
        self.settings = Settings(**settings)  # type: ignore[arg-type]  # Settings names and checks its fields
        begins_at = market.opens_at - self.settings.lead_in_s
        self.clock = clock or RunningClock(begins_at, self.settings.speed)
        self.session = Session(
            market, self.clock, self.settings.account, self.settings.cash, self.settings.participation
        )
        self.port = self.settings.port
        self.closed = asyncio.Event()
        """Set when the market session has been played to its end."""
        self._server: asyncio.Server | None = None
        self._ledger_file: LedgerFile | None = None
        self._play: asyncio.Task[None] | None = None
        self._starting: asyncio.TimerHandle | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def ledger(self) -> Ledger:
        return self.session.ledger

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.settings.port)
        self.port = self._server.sockets[0].getsockname()[1]
        if self.settings.ledger_path is not None:
            self._ledger_file = LedgerFile(self.settings.ledger_path)
            self.session.on_records = self._ledger_file.append
        self._play = asyncio.create_task(self._play_session())
        if self.settings.wait_for_client:
            self.session.on_bars_wanted = self._gather
        else:
            self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._starting is not None:
            self._starting.cancel()
        if self._server is not None:
            self._server.close()
        for client in self.session.each_client():
            client.close()
        tasks = [task for task in (self._play, *self._connections) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ledger_file is not None:
            self.session.settle()
            self._ledger_file.summary(self.ledger)
            self._ledger_file.__exit__(kind, fault, trace)

    def dump(self) -> None:
        """Write an account line into the ledger file, if there is one."""
        if self._ledger_file is not None:
            self._ledger_file.summary(self.ledger)

    async def _play_session(self) -> None:
        try:
            await play(self.session)
            self.closed.set()
        except Exception:
            log.exception("playback stopped")
            raise

    def _gather(self) -> None:
        """Start the clock when the burst of subscriptions seems to be over."""
        if self._starting is not None:
            self._starting.cancel()
        self._starting = asyncio.get_running_loop().call_later(self.settings.gather_s, self._start)

    def _start(self) -> None:
        self.session.on_bars_wanted = lambda: None
        self.clock.start()
        self.session.tell_all(self.session.notice())
        self.session.flush()

    # ------------------------------------------------------------------ clients

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            client = await self._admit(reader, writer)
            if client is not None:
                await self._attend(client, reader)
        except (Unreadable, ConnectionError) as fault:
            log.warning("connection closed: %s", fault)
        except TimeoutError:
            log.warning("connection closed: no handshake within %g s", HANDSHAKE_S)
        except asyncio.CancelledError:
            log.debug("connection closed: the gateway stops")
        finally:
            self._connections.discard(task)
            writer.close()

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Client | None:
        """Handshake and START_API; None if the client cannot be served."""
        async with asyncio.timeout(HANDSHAKE_S):
            offered = await _read_offer(reader)
            if offered is None:
                return None
            version = agreed_version(offered)
            if version is None:
                log.warning(
                    "client refused: it offers versions %d..%d, this gateway speaks %d and %d",
                    offered.lowest,
                    offered.highest,
                    OLDEST,
                    VERSION,
                )
                return None
            # Alone in its segment: official clients drop what follows in the same read (TWS.md 2.1).
            connected_at = answers.local_time(datetime.now(UTC).timestamp(), "%Y%m%d %H:%M:%S %Z")
            writer.write(frame((version, connected_at)))
            await writer.drain()
            payload = await read_payload(reader)
        if payload is None:
            return None
        started = decode(fields_of(payload), version) if payload.startswith(b"71\0") else None
        if not isinstance(started, ask.StartApi):
            raise Unreadable("the first request after the handshake must be START_API")
        return self._register(Client(writer, started.client_id, version))

    def _register(self, client: Client) -> Client | None:
        refusal = None
        if client.client_id in self.session.clients:
            refusal = (
                326,
                "Unable to connect as the client id is already in use. Retry with a unique client id.",
            )
        elif len(self.session.clients) >= CLIENTS_MAX:
            refusal = (507, f"Bad message: already {CLIENTS_MAX} clients are connected")
        if refusal is not None:
            log.warning("client %d refused: %s", client.client_id, refusal[1])
            client.send(error(NO_REQUEST, *refusal))
            client.close()
            return None
        self.session.clients[client.client_id] = client
        log.info("client %d connected", client.client_id)
        client.send(message(layouts.MANAGED_ACCOUNTS, accounts=self.ledger.account))
        client.send(message(layouts.NEXT_VALID_ID, orderId=self.session.desk.next_valid_id(client.client_id)))
        for code, text in FARMS_OK:
            client.send(error(NO_REQUEST, code, text))
        client.send(self.session.notice())
        client.flush()
        return client

    async def _attend(self, client: Client, reader: asyncio.StreamReader) -> None:
        """Answer the client until it goes."""
        frames = 0
        try:
            while (payload := await read_payload(reader)) is not None:
                answer(self.session, client, payload)
                self.session.flush()
                frames += 1
                if not frames % FRAMES_PER_TURN:
                    await client.drain()
                    await asyncio.sleep(0)
        finally:
            del self.session.clients[client.client_id]
            log.info("client %d has gone", client.client_id)


async def _read_offer(reader: asyncio.StreamReader) -> Offer | None:
    """The versions a client offers; None if it is gone. Raises Unreadable if it speaks otherwise."""
    try:
        prefix = await reader.readexactly(len(PREFIX))
    except asyncio.IncompleteReadError:
        return None
    if prefix != PREFIX:
        raise Unreadable(f"a connection begins with 'API', this one with {prefix!r}")
    payload = await read_payload(reader)
    return None if payload is None else offer_of(payload)
