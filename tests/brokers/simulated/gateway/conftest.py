import asyncio
from contextlib import AsyncExitStack

import ib_insync
import pytest

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from tests.brokers.simulated.gateway.raw_client import RawClient
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, STEP_S, ScriptedMarket, flat

TIMEOUT_S = 5.0


class Desktop:
    """A gateway on a clock that the test moves, and the ib_insync clients connected to it."""

    def __init__(self, gateway, clock):
        self.gateway = gateway
        self.clock = clock
        self.steps_played = 0
        self.spy = ib_insync.Stock("SPY", "SMART", "USD")
        self._clients = []

    async def connect(self, client_id=1, *, library=ib_insync, version=None):
        """A connected IB of the library; `version` is the highest it offers in the handshake."""
        ib = library.IB()
        if version is not None:
            ib.client.MaxClientVersion = version
        ib.errors = []
        ib.errorEvent += lambda *error: ib.errors.append(error[:3])
        self._clients.append(ib)
        await ib.connectAsync("127.0.0.1", self.gateway.port, clientId=client_id, timeout=TIMEOUT_S)
        return ib

    async def play(self, steps=1):
        """Let the market go on by so many steps; every client has heard of it when this returns."""
        self.steps_played += steps
        at = OPENS_AT + STEP_S * self.steps_played
        self.clock.advance_to(at)
        async with asyncio.timeout(TIMEOUT_S):
            await self.gateway.session.played_to(at)
            for ib in self._clients:
                await self.heard(ib)

    async def heard(self, ib):
        """The client has read everything that was sent before this question."""
        if ib.isConnected():
            async with asyncio.timeout(TIMEOUT_S):
                await ib.reqCurrentTimeAsync()

    def disconnect(self):
        for ib in self._clients:
            ib.disconnect()


@pytest.fixture
async def desktop_with():
    """Builds a Desktop on a scripted market; everything is closed again after the test."""
    async with AsyncExitStack() as stack:

        async def build(script=None, *, events=None, **settings):
            market = ScriptedMarket(script or [flat(100.0)] * 50, lasts_s=3600, events=events)
            clock = ManualClock(OPENS_AT - 60)
            gateway = SimulatedGateway(market, clock, port=0, **settings)
            desktop = Desktop(await stack.enter_async_context(gateway), clock)
            stack.callback(desktop.disconnect)
            return desktop

        yield build


@pytest.fixture
async def desktop(desktop_with):
    """SPY stands still at 100.00, bid 99.99, ask 100.01; the first step has been played."""
    standing = await desktop_with()
    await standing.play()
    return standing


@pytest.fixture
async def raw():
    """Builds a RawClient of a desktop; the sockets are closed after the test."""
    async with AsyncExitStack() as stack:

        async def build(desktop, **how):
            client = await RawClient.connected(desktop.gateway.port, **how)
            stack.callback(client.close)
            return client

        yield build
