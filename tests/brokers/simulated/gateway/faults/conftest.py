from contextlib import AsyncExitStack

import pytest

from tests.brokers.simulated.gateway.runtime.raw_client import RawClient


@pytest.fixture
async def raw():
    """Builds a RawClient of a desktop; the sockets are closed after the test."""
    async with AsyncExitStack() as stack:

        async def build(desktop, **how):
            client = await RawClient.connected(desktop.gateway.port, **how)
            stack.callback(client.close)
            return client

        yield build
