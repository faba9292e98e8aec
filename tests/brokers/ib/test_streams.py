"""The 5-second bars as they come over the wire, and what of them is passed on."""

import math
from datetime import UTC, datetime

from brokers.port import Broker
from shared.market import Bar
from tests.brokers.ib.peers import DATA, Notebook, ScriptedTws, data_settled, ib_broker

START = int(datetime(2026, 11, 20, 15, 0, tzinfo=UTC).timestamp())


async def heard(*bars: str):
    """The bars passed on and the counts, for what TWS says after `50|3|<request id>|`."""
    notebook = Notebook()
    async with ScriptedTws() as tws:
        ib = ib_broker(tws.port, notebook)
        broker: Broker = ib
        await broker.connect()
        await broker.subscribe()
        (request,) = await tws.until("50")
        tws.say(*(f"50|3|{request[2]}|{bar}|" for bar in bars), client=DATA)
        await data_settled(ib)
        await broker.disconnect()
    return notebook.bars, ib.stream_counts


async def test_a_bar_is_told_with_its_symbol_its_start_and_its_length():
    bars, _ = await heard(f"{START}|680|681|679|680.5|1200|680.1|40")
    assert bars == [("SPY", datetime(2026, 11, 20, 15, 0, tzinfo=UTC), 5, Bar(680.0, 681.0, 679.0, 680.5, 1200.0))]


async def test_repeated_and_late_bars_are_dropped_and_counted():
    bar = "680|681|679|680.5|1200|680.1|40"
    bars, counts = await heard(*(f"{START + offset}|{bar}" for offset in (5, 15, 10, 15, 20)))
    assert [opened_at.timestamp() - START for _, opened_at, _, _ in bars] == [5, 15, 20]
    assert (counts.repeated, counts.impossible) == (2, 0)


async def test_impossible_bars_are_dropped_and_counted():
    bars, counts = await heard(
        f"{START}|-1|-1|-1|-1|0|0|0", f"{START + 5}|680|670|679|680|5|0|0", "0|680|680|680|680|5|0|0"
    )
    assert bars == []
    assert counts.impossible == 3


async def test_a_pause_prints_nothing_and_an_untold_volume_is_none():
    bars, _ = await heard(f"{START}|680|680|680|680|0|680|0", f"{START + 5}|680|681|680|680|-1|680|-1")
    assert math.isnan(bars[0][3].close)
    assert bars[1][3] == Bar(680.0, 681.0, 680.0, 680.0, 0.0)


async def test_subscribing_again_leaves_the_streams_alone_that_run():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        await broker.subscribe()
        await broker.subscribe()
        await data_settled(broker)
        assert (len(tws.requests("50")), tws.requests("51")) == (1, [])
        await broker.disconnect()
