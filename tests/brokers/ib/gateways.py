"""A simulated gateway inside the test, an adapter at it, and market time by hand."""

from __future__ import annotations

from contextlib import asynccontextmanager

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.synthetic import SyntheticMarket
from tests.brokers.ib.peers import ib_broker

SYMBOLS = ("SPY", "AAPL")
MARKET = SyntheticMarket(seed=7, symbols=SYMBOLS, history_sessions=3)


@asynccontextmanager
async def a_gateway(*, at: float = MARKET.opens_at, **settings):
    """A TWS whose clock only the test moves."""
    async with SimulatedGateway(MARKET, ManualClock(at), port=0, **settings) as gateway:
        yield gateway


@asynccontextmanager
async def connected(gateway, listener, **settings):
    broker = ib_broker(gateway.port, listener, *SYMBOLS, **settings)
    await broker.connect()
    try:
        yield broker
    finally:
        await broker.disconnect()


async def play(gateway, broker, steps: int = 1) -> None:
    """Let `steps` five-second steps happen; when the time is answered, all they led to has arrived."""
    for _ in range(steps):
        gateway.clock.advance_to(gateway.clock.now() + MARKET.step_s)
        played = gateway.clock.now()
        await broker.server_time()
        assert gateway.session.next_step_at >= played
