"""Quotes, halts and entitlements, as a TWS says them."""

import math

import pytest

from brokers.ib.quality import DataQuality
from brokers.ib.quotes import Quotes
from shared.events import DataQualityReported, TradingHalted
from tests.brokers.ib.feeds import OPEN_AT, a_feed
from tests.brokers.ib.peers import Notebook


def shown(feed) -> list[tuple[str, float | None, float | None]]:
    """The quotes told, None for NaN."""
    return [
        (symbol, *(None if math.isnan(side) else side for side in (bid, ask)))
        for symbol, bid, ask, _ in feed.notebook.quotes
    ]


async def test_a_quote_is_told_when_a_side_changes_and_only_then():
    async with a_feed() as feed:
        await feed.hears(feed.bid(680.0), feed.ask(680.1), feed.ask(680.1), feed.bid(680.05))
    assert shown(feed) == [("SPY", 680.0, None), ("SPY", 680.0, 680.1), ("SPY", 680.05, 680.1), ("SPY", None, None)]
    assert {quote[3] for quote in feed.notebook.quotes} == {OPEN_AT}


@pytest.mark.parametrize("price", [-1, 0, "NaN", "1.7976931348623157E308"])
async def test_a_price_that_is_none_is_nan(price):
    async with a_feed() as feed:
        await feed.hears(feed.bid(680.0), feed.bid(price))
        assert shown(feed) == [("SPY", 680.0, None), ("SPY", None, None)]


async def test_a_crossed_quote_and_a_spike_are_passed_on_as_they_came():
    async with a_feed() as feed:
        await feed.hears(feed.bid(681.0), feed.ask(680.0), feed.ask(680000.0))
        assert shown(feed)[1:] == [("SPY", 681.0, 680.0), ("SPY", 681.0, 680000.0)]


async def test_delayed_prices_and_last_prices_are_no_quotes():
    async with a_feed() as feed:
        number = feed.quotes_id("SPY")
        await feed.hears(*(f"1|6|{number}|{tick}|680.0|3|0|" for tick in (4, 66, 67, 68)))
        assert feed.notebook.quotes == []


async def test_without_quotes_none_are_asked_for():
    async with a_feed(quotes=False) as feed:
        await feed.settle()
        assert feed.tws.requests("1") == []


def test_only_the_first_hundred_instruments_are_quoted():
    notebook, symbols = Notebook(), tuple(f"S{number}" for number in range(103))
    quotes = Quotes(notebook, DataQuality(notebook.on_event, lambda: OPEN_AT, len(symbols)), lambda: OPEN_AT)
    assert quotes.wanted(symbols) == list(symbols[:100])
    quotes.open(1, "S1")
    assert quotes.wanted(symbols) == ["S0", *symbols[2:100]]


async def test_too_many_lines_turns_the_quotes_of_that_instrument_off_and_bars_go_on():
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(f"4|2|{feed.quotes_id('IBM')}|101|Max number of tickers has been reached||", feed.bar("IBM"))
        await feed.broker.subscribe()
        await feed.settle()
        assert len(feed.tws.requests("1")) == 2
    assert [symbol for symbol, *_ in feed.notebook.bars] == ["IBM"]
    assert feed.qualities == []


async def test_a_halt_is_told_once_with_its_code_and_ends_with_nought():
    async with a_feed() as feed:
        number = feed.quotes_id("SPY")
        await feed.hears(*(f"45|6|{number}|49|{code}|" for code in ("0", "2", "2.0", "-1", "0", "1")))
    assert [(event.symbol, event.code) for event in feed.notebook.of(TradingHalted)] == [
        ("SPY", 2),
        ("SPY", 0),
        ("SPY", 1),
    ]


async def test_a_halt_that_nobody_takes_back_ends_with_the_first_bar_that_began_after_it_and_has_volume():
    async with a_feed() as feed:
        await feed.hears(f"45|6|{feed.quotes_id('SPY')}|49|2|", feed.bar(after_s=0))
        during = [event.code for event in feed.notebook.of(TradingHalted)]
        await feed.hears(feed.bar(after_s=10))
    assert during == [2]
    assert [event.code for event in feed.notebook.of(TradingHalted)] == [2, 0]


@pytest.mark.parametrize(("data_type", "quality"), [(2, "frozen"), (3, "delayed"), (4, "delayed")])
async def test_the_kind_of_market_data_is_told_and_takes_the_quote_away(data_type, quality):
    async with a_feed() as feed:
        number = feed.quotes_id("SPY")
        await feed.hears(feed.bid(680.0), f"58|1|{number}|{data_type}|", feed.bid(679.0))
        assert (shown(feed)[-1], feed.qualities) == (("SPY", None, None), [("SPY", quality)])
        await feed.hears(f"58|1|{number}|1|", feed.bid(681.0))
        assert (shown(feed)[-1], feed.qualities[1:]) == (("SPY", 681.0, None), [("SPY", "live")])


@pytest.mark.parametrize("code", [354, 10089, 10167, 10168, 10186])
async def test_data_that_are_not_subscribed_are_delayed(code):
    async with a_feed("SPY", "IBM") as feed:
        await feed.hears(f"4|2|{feed.quotes_id('IBM')}|{code}|not subscribed||")
    (event,) = feed.notebook.of(DataQualityReported)
    assert (event.symbol, event.quality) == ("IBM", "delayed")
    assert str(code) in event.reason


async def test_a_part_that_is_not_subscribed_changes_nothing():
    async with a_feed() as feed:
        await feed.hears(f"4|2|{feed.quotes_id('SPY')}|10090|part||", feed.bid(680.0))
        assert (feed.qualities, shown(feed)) == ([], [("SPY", 680.0, None)])


async def test_a_refused_line_is_asked_for_again_after_a_minute_of_the_market():
    async with a_feed() as feed:
        await feed.hears(f"4|2|{feed.quotes_id('SPY')}|354|not subscribed||")
        feed.passes(61)
        await feed.tws.until("1", 2)
        await feed.hears(f"58|1|{feed.quotes_id('SPY')}|1|", feed.bid(680.0), feed.bar(after_s=60))
        assert (feed.qualities[0], feed.qualities[-1]) == (("SPY", "delayed"), ("SPY", "live"))
        assert shown(feed) == [("SPY", 680.0, None)]
