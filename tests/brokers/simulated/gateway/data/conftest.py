from contextlib import AsyncExitStack

import pytest

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from tests.brokers.simulated.gateway.conftest import Desktop


@pytest.fixture
async def desktop_on():
    """Builds a Desktop on any market, ten minutes before its open; everything is closed again after the test."""
    async with AsyncExitStack() as stack:

        async def build(market, **settings):
            clock = ManualClock(market.opens_at - 600)
            gateway = SimulatedGateway(market, clock, port=0, **settings)
            desktop = Desktop(await stack.enter_async_context(gateway), clock)
            stack.callback(desktop.disconnect)
            return desktop

        yield build
