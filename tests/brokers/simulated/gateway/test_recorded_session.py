import asyncio
import datetime as dt

import pytest
from ib_insync import IB, Stock

from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.recorded import RecordedMarket
from tests.architecture.source import ROOT

RECORDED = ROOT.parent / "shared/data/intraday"
pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.exists(), reason=f"no recorded market at {RECORDED}"),
]


async def test_the_bars_of_a_recorded_session_arrive_as_they_are_in_the_source():
    market = RecordedMarket(RECORDED, session=dt.date(2013, 10, 8), symbols=("SPY", "IBM"))
    async with SimulatedGateway(market, port=0, speed=5000.0, wait_for_client=True, lead_in_s=0.0) as gateway:
        ib = IB()
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=1, timeout=10)
        bars = ib.reqRealTimeBars(Stock("SPY", "SMART", "USD"), 5, "TRADES", useRTH=True)
        await asyncio.wait_for(gateway.closed.wait(), 60)
        await asyncio.wait_for(ib.reqCurrentTimeAsync(), 10)
        ib.disconnect()

    source = {
        step.starts_at: (step.open[0], step.high[0], step.low[0], step.close[0], step.volume[0])
        for step in market.steps()
        if step.starts_at >= market.opens_at and step.volume[0] > 0
    }
    received = {
        bar.time.timestamp(): (bar.open_, bar.high, bar.low, bar.close, bar.volume) for bar in bars if bar.volume > 0
    }
    assert received == source
    assert len(received) > 4000
