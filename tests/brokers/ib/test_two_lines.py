"""Orders and data over client ids of their own: the loss of the data alone stops no order and heals by itself."""

import asyncio

import pytest

from shared.commands import PlaceBracket
from shared.errors import BrokerUnavailable, ConfigError
from shared.events import DataQualityReported, OrderAccepted
from tests.brokers.ib.feeds import a_feed
from tests.brokers.ib.gateways import SYMBOLS, a_gateway, connected, play
from tests.brokers.ib.peers import DATA, NOW, Notebook, ScriptedTws, a_bracket, ib_broker
from tests.runtime.builders import eventually

IN_USE = "4|2|-1|326|Unable to connect as the client id is already in use.||"


def test_one_client_id_for_both_is_refused():
    with pytest.raises(ConfigError, match=r"broker.data_client_id: 7 is that of the orders"):
        ib_broker(1, Notebook(), data_client_id=7)


@pytest.mark.parametrize(("client", "whose"), [(7, r"client id 7 is in use"), (8, r"client id 8 is in use.*for data")])
async def test_either_client_id_in_use_is_told_in_one_line_and_nothing_stays_open(client, whose):
    async with a_gateway() as gateway:
        other = ib_broker(gateway.port, Notebook(), *SYMBOLS, client_id=client, data_client_id=9)
        await other.connect()
        listener = Notebook()
        broker = ib_broker(gateway.port, listener, *SYMBOLS)
        with pytest.raises(BrokerUnavailable, match=whose) as caught:
            await broker.connect()
        assert "\n" not in str(caught.value)
        await other.disconnect()
        await eventually(lambda: not list(gateway.session.each_client()))
        assert await broker.connect() == "DU7654321"
        await broker.disconnect()
    assert listener.events == []


async def test_without_the_data_line_orders_and_questions_go_on_and_history_says_so():
    async with a_feed() as feed:
        feed.tws.reset(DATA)
        assert await feed.until_quality() == [("", "silent")]
        await feed.broker.execute(PlaceBracket(bracket=a_bracket()))
        assert len(await feed.tws.until("3", 3)) == 3
        assert (await feed.broker.report()).is_complete
        assert feed.broker.is_connected
        with pytest.raises(BrokerUnavailable, match="the line for data is lost"):
            await feed.broker.warm_up(interval_s=60, bars=1, before=NOW)
        await feed.broker.subscribe()
    assert "ConnectionLost" not in feed.notebook.told


async def test_a_lost_data_line_comes_back_by_itself_with_its_streams_and_is_live_when_bars_flow():
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(feed.bid(680.0), feed.bar())
        feed.tws.reset(DATA)
        await feed.until_quality()
        assert feed.notebook.quotes[-1][0] == "SPY"
        assert str(feed.notebook.quotes[-1][1]) == "nan"
        await feed.tws.until("50", 4)
        await feed.tws.until("1", 4)
        await feed.hears(feed.bar(after_s=0), feed.bar(after_s=5), feed.bar(after_s=10))
    assert feed.qualities == [("", "silent"), ("", "live")]
    assert len(feed.notebook.bars) == 3  # the one that came again is not told again


async def test_a_data_line_that_is_refused_is_tried_again():
    async with a_feed() as feed:
        greeting = feed.tws.greeting
        feed.tws.greeting = [IN_USE]
        feed.tws.reset(DATA)
        await feed.until_quality()
        await feed.tws.until("71", 3)
        feed.tws.greeting = greeting
        await feed.tws.until("50", 2)
    (lost,) = feed.notebook.of(DataQualityReported)
    assert lost.quality == "silent"


async def test_leaving_while_the_data_line_is_lost_leaves_nothing_behind():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.subscribe()
        tws.reset(DATA)
        await broker.disconnect()
        await broker.connect()
        assert broker.is_connected
        await broker.disconnect()


async def test_whoever_is_ended_while_it_leaves_leaves_both_lines():
    async with a_gateway() as gateway:
        broker = ib_broker(gateway.port, Notebook(), *SYMBOLS)
        await broker.connect()
        leaving = asyncio.create_task(broker.disconnect())
        await asyncio.sleep(0)
        leaving.cancel()
        await eventually(lambda: not list(gateway.session.each_client()))
        with pytest.raises(asyncio.CancelledError):
            await leaving


async def test_against_a_gateway_the_data_line_drops_and_heals_while_a_bracket_is_placed():
    listener = Notebook()
    async with a_gateway() as gateway, connected(gateway, listener) as broker:
        await broker.subscribe()
        await play(gateway, broker, 3)
        gateway.controls.drop(DATA, "rst")
        await listener.until(lambda: listener.of(DataQualityReported))
        await broker.execute(PlaceBracket(bracket=a_bracket()))
        await play(gateway, broker, 3)
        assert listener.of(OrderAccepted)
        before = len(listener.bars)
        clients, quotes = gateway.session.clients, len(listener.quotes)
        await listener.until(lambda: len(listener.quotes) > quotes and DATA in clients)
        await play(gateway, broker, 3)
        await listener.until(lambda: len(listener.bars) > before + 2)
    assert [event.quality for event in listener.of(DataQualityReported)] == ["silent", "live"]
