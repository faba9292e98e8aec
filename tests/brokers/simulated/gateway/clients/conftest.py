"""One desktop per client library and server version: the same tests hold for all of them."""

import asyncio
from importlib import import_module

import pytest

from tests.brokers.simulated.gateway.scripted_market import a_bar, flat

TIMEOUT_S = 5.0
QUIET_THEN_UP_THEN_DOWN = (
    *[flat(100.0)] * 6,
    a_bar(100.0, 103.0, 100.0, 103.0),
    *[flat(103.0)] * 6,
    a_bar(103.0, 103.0, 97.0, 97.0),
    *[flat(97.0)] * 400,
)


class Connected:
    """A client library at one server version, connected to a gateway whose clock the test moves."""

    def __init__(self, library, desktop, ib):
        self.library = library
        self.desktop = desktop
        self.ib = ib
        self.gateway = desktop.gateway
        self.stock = library.Stock("SPY", "SMART", "USD")

    async def play(self, steps=1):
        await self.desktop.play(steps)

    async def heard(self):
        await self.desktop.heard(self.ib)

    async def answer(self, coroutine):
        """The answer of a request that may need market time to pass."""
        asked = asyncio.ensure_future(coroutine)
        async with asyncio.timeout(TIMEOUT_S):
            while not asked.done():
                await self.heard()
                if not asked.done():
                    await self.play()
        return asked.result()

    def placed(self, order):
        return self.ib.placeOrder(self.stock, order)


@pytest.fixture(params=["ib_insync", "ib_async"])
def library(request):
    return import_module(request.param)


@pytest.fixture(params=[157, 176])
def version(request):
    return request.param


@pytest.fixture
async def desk(desktop_with, library, version):
    desktop = await desktop_with(list(QUIET_THEN_UP_THEN_DOWN))
    await desktop.play()
    ib = await desktop.connect(1, library=library, version=version)
    connected = Connected(library, desktop, ib)
    await ib.qualifyContractsAsync(connected.stock)
    return connected
