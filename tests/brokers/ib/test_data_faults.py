"""The data faults of TWS.md 4, from the gateway's switchboard to what is said of the data."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from shared.commands import PlaceBracket
from shared.errors import BrokerUnavailable
from shared.events import ConnectionRestored, DataQualityReported, OrderFilled, TradingHalted
from tests.brokers.ib.gateways import MARKET, SYMBOLS, a_gateway, connected, play
from tests.brokers.ib.peers import DATA, Notebook, a_bracket

OPEN_S = 600.0


class Stream:
    """A gateway in its session, a broker that streams from it on the market's clock, and what was heard."""

    def __init__(self, gateway, broker, heard: Notebook) -> None:
        self.gateway, self.broker, self.heard = gateway, broker, heard

    async def plays(self, steps: int = 1) -> None:
        await play(self.gateway, self.broker, steps)
        await self.broker.warm_up(interval_s=60, bars=1 + int(self.gateway.clock.now()) % 997, before=self.now)

    async def plays_until(self, holds, steps_max: int = 60) -> None:
        """Play until it holds: what was refused or died is asked for again on the loop's clock."""
        for _ in range(steps_max):
            if holds():
                return
            await play(self.gateway, self.broker, 1)
        await self.heard.until(holds)

    def runs_again(self) -> bool:
        """Whether all streams have been asked for, quotes last, and the first of those has come."""
        return self.subscribed() == sorted(SYMBOLS) and not math.isnan(self.heard.quotes[-1][1])

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.gateway.clock.now(), UTC)

    @property
    def qualities(self) -> list[tuple[str, str]]:
        return [(event.symbol, event.quality) for event in self.heard.of(DataQualityReported)]

    def subscribed(self) -> list[str]:
        client = self.gateway.session.clients.get(DATA)
        return sorted(one.stock.symbol for one in client.subscriptions.bars.values()) if client else []


@asynccontextmanager
async def a_stream():
    heard = Notebook()
    async with a_gateway(at=MARKET.opens_at + OPEN_S) as gateway:
        now = lambda: datetime.fromtimestamp(gateway.clock.now(), UTC)  # noqa: E731 - the market's clock
        async with connected(gateway, heard, clock=now) as broker:
            stream = Stream(gateway, broker, heard)
            await broker.subscribe()
            await stream.plays()
            yield stream


@pytest.mark.parametrize(("how", "missing"), [("gap", 1), ("duplicate", 0), ("reorder", 1)])
async def test_fault_42_bars_are_passed_on_in_order_and_once(how, missing):
    async with a_stream() as stream:
        stream.gateway.faults.inject("bar_disorder", how=how, delay_s=12, symbol="SPY", count=1)
        await stream.plays(8)
        starts = [opened_at for symbol, opened_at, *_ in stream.heard.bars if symbol == "SPY"]
    assert starts == sorted(set(starts))
    assert len(starts) == len([one for one in stream.heard.bars if one[0] == "AAPL"]) - missing


async def test_fault_43_a_stream_that_stops_is_said_asked_for_again_and_lives_again():
    async with a_stream() as stream:
        stream.gateway.faults.inject("stream_stops", what="bars", symbol="SPY", for_s=60)
        await stream.plays(5)
        await stream.heard.until(lambda: stream.qualities)
        assert stream.qualities == [("SPY", "silent")]
        await stream.plays(20)
        await stream.heard.until(lambda: len(stream.qualities) == 2)
        assert stream.subscribed() == sorted(SYMBOLS)
    assert stream.qualities == [("SPY", "silent"), ("SPY", "live")]


async def test_fault_14_after_1101_every_stream_runs_once_and_bars_are_told_once():
    async with a_stream() as stream:
        stream.gateway.controls.lose_server(data_kept=False)
        await stream.heard.until(lambda: stream.qualities)
        stream.gateway.controls.restore_server(data_kept=False)
        await stream.heard.until(lambda: stream.heard.of(ConnectionRestored) and stream.runs_again())
        await stream.plays(6)
        assert stream.subscribed() == sorted(SYMBOLS)
        starts = [(symbol, opened_at) for symbol, opened_at, *_ in stream.heard.bars]
    assert len(starts) == len(set(starts))
    assert stream.qualities == [("", "silent"), ("", "live")]


async def test_fault_15_a_storm_of_farms_is_said_once_and_orders_go_on():
    async with a_stream() as stream:
        stream.gateway.faults.inject("farm_storm", times=5)
        await stream.broker.execute(PlaceBracket(bracket=a_bracket()))
        await stream.plays_until(lambda: stream.qualities[-1:] == [("", "live")])
        assert stream.heard.of(OrderFilled)
    assert stream.qualities == [("", "silent"), ("", "live")]
    assert "ConnectionLost" not in stream.heard.told


@pytest.mark.parametrize("how", ["minus_one", "zero", "nan"])
async def test_fault_47_a_price_that_is_none_never_is_a_price(how):
    async with a_stream() as stream:
        stream.gateway.faults.inject("bad_ticks", how=how, symbol="SPY")
        await stream.plays(4)
        sides = [side for symbol, *quote, _ in stream.heard.quotes for side in quote]
        assert stream.gateway.faults.log
    assert all(math.isnan(side) or side > 0 for side in sides)
    assert any(math.isnan(side) for side in sides)


async def test_fault_48_a_halt_and_its_end_are_told():
    async with a_stream() as stream:
        stream.gateway.faults.inject("halt", symbol="SPY", code=2, for_s=30)
        await stream.plays(12)
    told = [(event.symbol, event.code) for event in stream.heard.of(TradingHalted)]
    assert told == [("SPY", 2), ("SPY", 0)]


async def test_fault_49_a_downgrade_is_told_for_every_instrument_and_so_is_its_end():
    async with a_stream() as stream:
        stream.gateway.faults.inject("downgrade", for_s=30)
        await stream.plays(3)
        assert sorted(stream.qualities) == sorted((symbol, "delayed") for symbol in SYMBOLS)
        assert all(math.isnan(bid) for symbol, bid, *_ in stream.heard.quotes[-1:])
        await stream.plays(10)
    assert sorted(stream.qualities[2:]) == sorted((symbol, "live") for symbol in SYMBOLS)


async def test_fault_50_another_login_takes_the_data_and_orders_still_fill():
    async with a_stream() as stream:
        stream.gateway.faults.inject("competing_session", for_s=60)
        await stream.broker.server_time()
        await stream.broker.execute(PlaceBracket(bracket=a_bracket()))
        await stream.heard.until(lambda: stream.qualities)
        assert stream.qualities == [("", "competing")]
        await play(stream.gateway, stream.broker, 11)
        assert stream.heard.of(OrderFilled)
        assert stream.qualities == [("", "competing")]
        await stream.plays(6)
        await stream.heard.until(lambda: ("", "live") in stream.qualities)
        quotes = len(stream.heard.quotes)
        await stream.plays(6)
        assert len(stream.heard.quotes) > quotes
        assert stream.subscribed() == sorted(SYMBOLS)


@pytest.mark.parametrize("how", ["366", "420", "200"])
async def test_fault_45_a_refused_history_is_not_an_empty_one(how):
    async with a_stream() as stream:
        stream.gateway.faults.inject("history_refused", how=how)
        with pytest.raises(BrokerUnavailable, match=how):
            await stream.broker.warm_up(interval_s=300, bars=3, before=stream.now)
