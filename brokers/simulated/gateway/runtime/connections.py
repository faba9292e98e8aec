"""The sockets: who may come in, the handshake, one task per client that answers it until it goes.

Nothing a connection sends can disturb another one: before START_API whatever is not a handshake is cut, at most
HANDSHAKES_MAX connections may be without one, none for longer than HANDSHAKE_S, and a client that sends much lets
the others have their turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.answers import NO_REQUEST, error
from brokers.simulated.gateway.protocol.handshake import OLDEST, PREFIX, Offer, agreed_version, offer_of
from brokers.simulated.gateway.protocol.layout import VERSION
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.wire import Unreadable, fields_of, frame, read_payload
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.dispatch import answer
from brokers.simulated.gateway.runtime.message_rate import BREACHES_MAX, MessageRate
from brokers.simulated.gateway.runtime.session import Session

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
CLIENTS_MAX = 32
HANDSHAKES_MAX = 64
HANDSHAKE_S = 10.0
FRAMES_PER_TURN = 64
"""After so many frames in a row a client lets the others have their turn."""
PACED_BY_REQUEST = "PACEAPI"
START_API = b"71\0"
FARM_TEXTS = {
    2103: "Market data farm connection is broken:",
    2104: "Market data farm connection is OK:",
    2105: "HMDS data farm connection is broken:",
    2106: "HMDS data farm connection is OK:",
    2107: "HMDS data farm connection is inactive but should be available upon demand.",
    2108: "Market data farm connection is inactive but should be available upon demand.",
    2119: "Market data farm is connecting:",
    2157: "Sec-def data farm connection is broken:",
    2158: "Sec-def data farm connection is OK:",
}
ID_IN_USE = (326, "Unable to connect as the client id is already in use. Retry with a unique client id.")
TOO_MANY = (507, f"Bad message: already {CLIENTS_MAX} clients are connected")
LINK_BROKEN = (
    2110,
    "Connectivity between Trader Workstation and server is broken. It will be restored automatically.",
)

LISTEN_RETRY_S = 5.0
"""Market seconds after which a port that somebody else has taken is tried again."""


class Connections:
    """The listener and everyone who came through it. Its switches are turned by controls.py."""

    def __init__(self, session: Session) -> None:
        self.port = session.settings.port
        self.thawed = asyncio.Event()
        """Clear while this TWS is frozen: it reads nothing, and nobody gets through the handshake."""
        self.thawed.set()
        self.is_chopped = False
        self.mute_next = 0
        """So many connections get no answer to their handshake."""
        self.withhold_next: list[set[str]] = []
        """From each of the next connections so many kinds of messages are withheld once."""
        self.handshake_s = HANDSHAKE_S
        self.lingers_s = 0.0
        """So long the id of a client that has gone stays taken."""
        self.on_admit: Callable[[Client], None] = lambda _: None
        self._session = session
        self._server: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._without_handshake = 0
        self._lingering: set[int] = set()
        self._is_closed = False

    # ------------------------------------------------------------------ listener

    async def listen(self) -> None:
        """Accept connections on `port`; 0 finds a free one. Raises OSError when it is taken."""
        if self._server is not None:
            return
        server = await asyncio.start_server(self._accept, HOST, self.port)
        if self._is_closed:
            server.close()
            return
        self._server = server
        self.port = server.sockets[0].getsockname()[1]

    def listen_again(self) -> None:
        """As `listen`, as soon as the loop gets to it; a port that is taken meanwhile is tried again and again."""
        task = asyncio.get_running_loop().create_task(self._listen_or_log())
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def _listen_or_log(self) -> None:
        try:
            await self.listen()
        except OSError as fault:
            log.warning("cannot listen on port %d yet: %s", self.port, fault.strerror)
            self._session.agenda.after(LISTEN_RETRY_S, self.listen_again)

    def deafen(self) -> None:
        """Refuse connections: nobody listens any more. Those that stand are not touched."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close(self) -> None:
        """End everything."""
        self._is_closed = True
        self.deafen()
        for client in self._session.each_client():
            client.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ one connection

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = None
        try:
            await self.serve(reader, writer)
        except asyncio.CancelledError:
            log.debug("connection closed: the gateway stops")
        finally:
            self._tasks.pop(task, None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its first byte to its last; reader and writer may as well be in memory."""
        try:
            client = await self._admit_in_time(reader, writer)
            if client is not None:
                await self._attend(client, reader)
        except (Unreadable, ConnectionError) as fault:
            log.warning("connection closed: %s", fault)
        except TimeoutError:
            log.warning("connection closed: no handshake within %g s", self.handshake_s)
        finally:
            writer.close()

    async def _admit_in_time(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Client | None:
        """Handshake and START_API; None if the client cannot be served."""
        if self._without_handshake >= HANDSHAKES_MAX:
            log.warning("connection closed: %d others have not shaken hands yet", HANDSHAKES_MAX)
            return None
        self._without_handshake += 1
        try:
            await self.thawed.wait()
            if self.mute_next > 0:
                self.mute_next -= 1
                await _until_it_goes(reader)
                return None
            async with asyncio.timeout(self.handshake_s):
                return await self._admit(reader, writer)
        finally:
            self._without_handshake -= 1

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Client | None:
        offered = await read_offer(reader)
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
        connected_at = answers.local_time(self._session.server_time(), "%Y%m%d %H:%M:%S %Z")
        writer.write(frame((version, connected_at)))
        await writer.drain()
        payload = await read_payload(reader)
        if payload is None:
            return None
        started = decode(fields_of(payload), version) if payload.startswith(START_API) else None
        if not isinstance(started, ask.StartApi):
            raise Unreadable("the first request after the handshake must be START_API")
        client = Client(writer, started.client_id, version)
        client.options = f"{offered.options} {started.capabilities}".strip()
        return self._register(client)

    def _register(self, client: Client) -> Client | None:
        refusal = None
        if client.client_id in self._session.clients or client.client_id in self._lingering:
            refusal = ID_IN_USE
        elif len(self._session.clients) >= CLIENTS_MAX:
            refusal = TOO_MANY
        if refusal is not None:
            log.warning("client %d refused: %s", client.client_id, refusal[1])
            client.send(error(NO_REQUEST, *refusal))
            client.close()
            return None
        self._session.clients[client.client_id] = client
        log.info("client %d connected at version %d", client.client_id, client.version)
        client.is_chopped = self.is_chopped
        if self.withhold_next:
            client.withheld = self.withhold_next.pop(0)
        self.on_admit(client)
        self._welcome(client)
        return client

    def _welcome(self, client: Client) -> None:
        """What a client is told without asking: accounts, its next order id, and how the farms are."""
        names = self._session.accounts.names
        client.send(message(layouts.MANAGED_ACCOUNTS, accounts=managed_accounts(names)))
        client.send(message(layouts.NEXT_VALID_ID, orderId=self._session.desk.next_valid_id(client.client_id)))
        if self._session.is_connected:
            for farm, code in self._session.farms.items():
                client.send(error(NO_REQUEST, code, FARM_TEXTS[code] + farm))
        else:
            client.send(error(NO_REQUEST, *LINK_BROKEN))
        client.send(self._session.notice())
        client.flush()

    async def _attend(self, client: Client, reader: asyncio.StreamReader) -> None:
        """Answer the client until it goes."""
        frames, rate = 0, MessageRate()
        try:
            while (payload := await read_payload(reader)) is not None:
                await self.thawed.wait()
                if client.is_gone:
                    return
                if client.tap is not None:
                    client.tap(client, "client", payload)
                if await self._is_within_rate(client, rate):
                    answer(self._session, client, payload)
                self._session.flush()
                if rate.breaches >= BREACHES_MAX:
                    client.close()
                    return
                frames += 1
                await client.drain()
                if not frames % FRAMES_PER_TURN:
                    await asyncio.sleep(0)
        finally:
            self._leave(client)

    async def _is_within_rate(self, client: Client, rate: MessageRate) -> bool:
        """Whether the message is to be answered; silent pacing answers it later (TWS.md 3.36)."""
        session, limit = self._session, self._session.messages_per_s
        if session.pacing == "off":
            return True
        if session.pacing == "silent" or PACED_BY_REQUEST in client.options:
            while (wait_s := rate.wait_s(session.clock.paced_s(), limit)) > 0:
                await session.clock.pause(wait_s)
            rate.count(session.clock.paced_s())
            return True
        if rate.breaches_with(session.clock.paced_s(), limit):
            text = f"Max rate of messages per second has been exceeded:max={limit} rec={limit + 1} ({rate.breaches})"
            client.send(error(NO_REQUEST, 100, text))
            return False
        return True

    def _leave(self, client: Client) -> None:
        if self._session.clients.get(client.client_id) is client:
            del self._session.clients[client.client_id]
        if self.lingers_s:
            self._lingering.add(client.client_id)
            self._session.agenda.after(self.lingers_s, lambda: self._lingering.discard(client.client_id))
        log.info("client %d has gone", client.client_id)


def managed_accounts(names: tuple[str, ...]) -> str:
    """The accounts as TWS lists them: logins with several really end with a comma (TWS.md 2.3)."""
    return ",".join((*names, "")) if len(names) > 1 else names[0]


async def _until_it_goes(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 12):
        pass


async def read_offer(reader: asyncio.StreamReader) -> Offer | None:
    """The versions a client offers; None if it is gone. Raises Unreadable if it speaks otherwise."""
    try:
        prefix = await reader.readexactly(len(PREFIX))
    except asyncio.IncompleteReadError:
        return None
    if prefix != PREFIX:
        raise Unreadable(f"a connection begins with 'API', this one with {prefix!r}")
    payload = await read_payload(reader)
    return None if payload is None else offer_of(payload)
