"""History kept up to date, past ticks, dates in every style, and requests that cannot be answered."""

import asyncio

import pytest

from brokers.simulated.gateway.data.times import bar_date, has_zone, parse_duration, parse_time
from brokers.simulated.gateway.protocol.wire import Unreadable
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

NEW_YORK_0930 = 1381239000.0  # 2013-10-08 13:30 UTC


def errors(ib):
    return [code for _, code, _ in ib.errors]


async def test_a_history_kept_up_to_date_repeats_the_forming_bar_with_the_same_date(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100.0, 102.0, 99.0, 101.0, 600.0), *[flat(101.0)] * 30])
    ib = await desktop.connect()
    bars = await ib.reqHistoricalDataAsync(
        desktop.spy, "", "600 S", "1 min", "TRADES", useRTH=True, formatDate=2, keepUpToDate=True
    )
    told = []
    bars.updateEvent += lambda kept, is_new: told.append((kept[-1].date.timestamp() - OPENS_AT, is_new))
    await desktop.play(13)
    assert told[:2] == [(0.0, True), (0.0, False)]
    assert told[11:] == [(0.0, False), (60.0, True)]
    assert (bars[-2].open, bars[-2].high, bars[-2].low, bars[-2].close) == (100.0, 102.0, 99.0, 101.0)
    assert bars[-2].volume == 4000 + 600 + 10 * 4000


async def test_a_cancelled_history_ends_with_162_and_one_that_is_over_with_366(desktop):
    ib = await desktop.connect()
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "600 S", "1 min", "TRADES", useRTH=True, keepUpToDate=True)
    ib.cancelHistoricalData(bars)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 162
    ib.client.cancelHistoricalData(4711)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 366


async def test_past_ticks_are_trades_quotes_or_midpoints(desktop):
    ib = await desktop.connect()
    start, count = "20131008-13:30:00", 3
    trades = await ib.reqHistoricalTicksAsync(desktop.spy, start, "", count, "TRADES", useRth=True)
    quotes = await ib.reqHistoricalTicksAsync(desktop.spy, start, "", count, "BID_ASK", useRth=True)
    middles = await ib.reqHistoricalTicksAsync(desktop.spy, start, "", count, "MIDPOINT", useRth=True)
    assert (trades[0].time.timestamp() - OPENS_AT, trades[0].price, trades[0].size) == (0.0, 100.0, 100.0)
    assert (quotes[0].priceBid, quotes[0].priceAsk, quotes[0].sizeBid) == (99.99, 100.01, 1000.0)
    assert [tick.price for tick in middles] == [100.0] * 3


@pytest.mark.parametrize(
    ("start", "end", "count", "what", "code"),
    [
        ("20131008-13:30:00", "20131008-13:31:00", 5, "TRADES", 321),
        ("", "", 5, "TRADES", 321),
        ("20131008-13:30:00", "", 0, "TRADES", 321),
        ("20131008-13:30:00", "", 1001, "TRADES", 321),
        ("20131008-13:30:00", "", 5, "VOLUME", 321),
        ("yesterday", "", 5, "TRADES", 10314),
    ],
)
async def test_past_ticks_that_cannot_be_had_say_why(desktop, start, end, count, what, code):
    ib = await desktop.connect()
    ib.client.reqHistoricalTicks(900, desktop.spy, start, end, count, what, True, False, [])
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (900, code)


async def test_a_date_without_a_zone_draws_warning_2174_and_is_answered(desktop):
    ib = await desktop.connect()
    bars = await ib.reqHistoricalDataAsync(
        desktop.spy, "20131008 09:30:00", "600 S", "1 min", "TRADES", useRTH=True, formatDate=2
    )
    assert errors(ib)[-1] == 2174
    assert bars[-1].date.timestamp() == OPENS_AT - 60


@pytest.mark.parametrize(("what", "keep"), [("ADJUSTED_LAST", False), ("TRADES", True)])
async def test_an_end_date_does_not_go_with_adjusted_prices_or_with_a_kept_history(desktop, what, keep):
    ib = await desktop.connect()
    end = "20131008-13:30:00"
    ib.client.reqHistoricalData(77, desktop.spy, end, "600 S", "1 min", what, True, 2, keep, [])
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, 321)


@pytest.mark.parametrize("refused", [{"pattern": "SP"}, {"pattern": "zzz"}])
async def test_symbols_are_found_by_ticker_and_by_name(desktop, refused):
    ib = await desktop.connect()
    found = await ib.reqMatchingSymbolsAsync(refused["pattern"])
    assert [one.contract.symbol for one in found] == (["SPY"] if refused["pattern"] == "SP" else [])
    assert [one.contract.symbol for one in await ib.reqMatchingSymbolsAsync("business machines")] == ["IBM"]


async def test_an_unknown_market_rule_is_an_error_and_the_next_question_is_answered(desktop):
    ib = await desktop.connect()
    ib.client.reqMarketRule(999)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 321
    increments = await asyncio.wait_for(ib.reqMarketRuleAsync(26), 5)
    assert [(one.lowEdge, one.increment) for one in increments] == [(0.0, 0.01)]


async def test_hours_show_the_coming_days_with_weekends_closed(desktop):
    ib = await desktop.connect()
    (details,) = await ib.reqContractDetailsAsync(desktop.spy)
    assert details.liquidHours.split(";")[0] == "20131008:0930-20131008:1600"
    assert details.tradingHours.split(";")[0] == "20131008:0400-20131008:2000"
    assert details.liquidHours.split(";")[4] == "20131012:CLOSED"


@pytest.mark.parametrize(
    ("format_date", "version", "style", "text"),
    [
        (2, 176, "instrument", "1381239000"),
        (1, 176, "instrument", "20131008 09:30:00 US/Eastern"),
        (1, 157, "instrument", "20131008  09:30:00"),
        (1, 176, "operator", "20131008 15:30:00 MET"),
        (1, 176, "utc", "20131008-13:30:00"),
    ],
)
def test_a_bars_date_follows_the_request_the_version_and_the_setting(format_date, version, style, text):
    assert bar_date(NEW_YORK_0930, 60, format_date, version=version, style=style) == text


@pytest.mark.parametrize("format_date", [1, 2])
def test_a_daily_bar_is_always_a_date(format_date):
    assert bar_date(NEW_YORK_0930, 86_400, format_date, version=176) == "20131008"


@pytest.mark.parametrize(
    ("text", "zoned"),
    [
        ("20131008 09:30:00", False),
        ("20131008 09:30:00 US/Eastern", True),
        ("20131008-13:30:00", True),
        ("20131008 15:30 MET", True),
    ],
)
def test_an_instant_is_read_in_every_spelling(text, zoned):
    assert parse_time(text) == NEW_YORK_0930
    assert has_zone(text) is zoned


@pytest.mark.parametrize("text", ["", "20131308 09:30:00", "20131008 09:30:00 Nowhere/Land", "now", "20131008 9"])
def test_an_unreadable_instant_is_refused(text):
    with pytest.raises(Unreadable, match="invalid"):
        parse_time(text)


@pytest.mark.parametrize(("text", "seconds"), [("60 S", 60), ("2 D", 172_800), ("1 W", 432_000), ("1 Y", 21_772_800)])
def test_durations_count_trading_days(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "0 D", "-1 D", "1 X", "1.5 D", "99999999999 D", "69 Y"])
def test_a_bad_duration_is_refused(text):
    with pytest.raises(Unreadable, match="duration"):
        parse_duration(text)
