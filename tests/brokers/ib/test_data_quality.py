"""Silent streams, broken farms, stolen data: what is said, what is asked for again, and how it ends."""

import pytest

from tests.brokers.ib.feeds import a_feed
from tests.brokers.ib.peers import DATA


def farm(code: int, name: str = "usfarm") -> str:
    return f"4|2|-1|{code}|Market data farm connection:{name}||"


async def test_a_storm_of_a_farm_is_said_once_and_ends_when_bars_flow():
    async with a_feed() as feed:
        await feed.hears(*[farm(2103), farm(2104)] * 20)
        assert feed.qualities == [("", "silent")]
        await feed.hears(feed.bar(after_s=0))
        assert feed.qualities == [("", "silent")]
        await feed.hears(feed.bar(after_s=5))
        assert feed.qualities == [("", "silent"), ("", "live")]


@pytest.mark.parametrize("broken", [2103, 2105])
async def test_a_farm_that_is_still_broken_keeps_the_data_silent_while_another_ones_bars_flow(broken):
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(farm(broken), *(feed.bar(after_s=5 * n) for n in range(4)))
        assert feed.qualities == [("", "silent")]
        await feed.hears(farm(broken + 1), feed.bar(after_s=20), feed.bar(after_s=25))
        assert feed.qualities == [("", "silent"), ("", "live")]


async def test_a_farm_whose_end_is_never_said_is_well_when_every_stream_flows():
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(farm(2103), *(feed.bar("SPY", after_s=5 * n) for n in range(2)))
        assert feed.qualities == [("", "silent")]
        await feed.hears(*(feed.bar("IBM", after_s=5 * n) for n in range(2)))
        assert feed.qualities == [("", "silent"), ("", "live")]


async def test_dormant_farms_are_harmless():
    async with a_feed() as feed:
        await feed.hears(*(farm(code) for code in (2107, 2108, 2104, 2106, 2158)))
        assert feed.qualities == []


async def test_another_login_takes_the_data_and_gives_them_back():
    async with a_feed("SPY", "IBM") as feed:
        ids = [feed.bars_id("SPY"), feed.bars_id("IBM"), feed.quotes_id("SPY"), feed.quotes_id("IBM")]
        await feed.hears(*(f"4|2|{number}|10197|No market data during competing live session||" for number in ids))
        assert feed.qualities == [("", "competing")]
        feed.passes(16)
        await feed.tws.until("50", 4)
        await feed.hears(*(feed.bar(after_s=20 + 5 * n) for n in range(2)))
        assert feed.qualities[:2] == [("", "competing"), ("", "live")]
        await feed.hears(feed.bar("IBM", after_s=30))
        assert [quality for quality in feed.qualities if quality[0] == "SPY"] == []
        assert feed.qualities[-1] == ("IBM", "live")


@pytest.mark.parametrize("code", [420, 10225, 10182, 200, 162])
async def test_a_stream_that_tws_ends_is_silent_until_it_flows_again(code):
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(f"4|2|{feed.bars_id('SPY')}|{code}|something||")
        assert feed.qualities == [("SPY", "silent")]
        feed.passes(10)
        await feed.hears(feed.bar("IBM", after_s=10))
        feed.passes(6)
        again = (await feed.tws.until("50", 3))[2]
        assert again[4] == "SPY"
        await feed.hears(feed.bar(after_s=15))
        assert feed.qualities == [("SPY", "silent"), ("SPY", "live")]


async def test_a_stream_that_stops_without_a_word_is_said_asked_for_again_and_comes_back():
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(feed.bar("SPY"), feed.bar("IBM"))
        first = feed.bars_id("SPY")
        feed.passes(10)
        await feed.hears(feed.bar("IBM", after_s=10))
        feed.passes(6)
        assert await feed.until_quality() == [("SPY", "silent")]
        await feed.tws.until("50", 3)
        assert [fields[2] for fields in feed.tws.requests("51")] == [first]
        await feed.hears(feed.bar("SPY", after_s=15))
        assert feed.qualities == [("SPY", "silent"), ("SPY", "live")]
        assert feed.bars_id("SPY") != first


async def test_after_1102_streams_that_flow_are_left_alone_and_those_that_do_not_are_asked_for_again():
    async with a_feed("SPY", "IBM") as feed:
        feed.tws.say("4|2|-1|1100|lost||", client=DATA)
        await feed.until_quality()
        feed.passes(600)
        feed.tws.say("4|2|-1|1102|restored, data maintained||", feed.bid(680.0), client=DATA)
        await feed.notebook.until(lambda: feed.notebook.quotes)
        feed.passes(10)
        await feed.hears(feed.bar("SPY", after_s=600), feed.bar("SPY", after_s=605))
        assert feed.qualities == [("", "silent"), ("", "live")]
        feed.passes(6)
        assert (await feed.until_quality(3))[2] == ("IBM", "silent")
        again = (await feed.tws.until("50", 3))[2:]
        assert [fields[4] for fields in again] == ["IBM"]


async def test_after_1101_every_stream_is_asked_for_once_though_the_daemon_subscribes_too():
    async with a_feed("SPY", "IBM") as feed:
        old = [feed.bars_id("SPY"), feed.bars_id("IBM")]
        await feed.hears("4|2|-1|1100|lost||", "4|2|-1|1101|restored, data lost||")
        await feed.tws.until("50", 4)
        await feed.broker.subscribe()
        await feed.tws.until("1", 4)
        await feed.settle()
        assert [fields[4] for fields in feed.tws.requests("50")] == ["SPY", "IBM"] * 2
        assert [fields[4] for fields in feed.tws.requests("1")] == ["SPY", "IBM"] * 2
        assert [fields[2] for fields in feed.tws.requests("51")] == old


async def test_while_all_data_are_silent_single_instruments_are_not_spoken_of():
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(farm(2103))
        feed.passes(20)
        await feed.tws.until("50", 4)
        assert feed.qualities == [("", "silent")]
