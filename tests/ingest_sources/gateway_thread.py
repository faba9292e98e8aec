"""A simulated gateway on a loop of its own, beside a test that waits in its own thread."""

import asyncio
import threading
from contextlib import contextmanager

from brokers.simulated.gateway.server import SimulatedGateway


@contextmanager
def a_gateway_beside(market, clock=None, **settings):
    """The gateway and its loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    async def opened():
        gateway = SimulatedGateway(market, clock, port=0, **settings)
        return await gateway.__aenter__()

    gateway = run(opened())
    try:
        yield gateway, loop
    finally:
        run(gateway.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class GatewayTime:
    """A PaceClock that is the gateway's manual clock: who sleeps moves the market on."""

    def __init__(self, gateway, loop):
        self._clock = gateway.clock
        self._loop = loop
        self._lock = threading.Lock()
        self.slept = []

    def now_s(self):
        return self._clock.now()

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(seconds)
            self._loop.call_soon_threadsafe(self._clock.advance_to, self._clock.now() + seconds)
            moved = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop)
            moved.result(10)
