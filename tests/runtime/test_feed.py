"""Rows by hand: two instruments, minutes of 5-second bars."""

import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest

from brokers.port import ClosedRow
from daemon.runtime.clock import MarketClock
from daemon.runtime.feed import Feed, Intervals, RowBuilder
from daemon.runtime.inbox import Inbox
from shared.events import BarsClosed
from shared.market import Bar, Instrument, Universe

OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
CLOSE = datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
UNIVERSE = Universe((Instrument(symbol="SPY"), Instrument(symbol="IBM")))
MINUTES = Intervals("XNYS", 60)


def at(seconds):
    return OPEN + timedelta(seconds=seconds)


def a_bar(close=100.0, *, high=None, low=None, volume=10.0):
    return Bar(close, high or close, low or close, close, volume)


@pytest.fixture
def rows():
    return RowBuilder(UNIVERSE, MINUTES)


def fill(rows, symbol, first, last, price=100.0):
    """5-second bars opened from `first` to `last`; everything that closed."""
    return [closed for second in range(first, last + 1, 5) for closed in rows.add(symbol, at(second), 5, a_bar(price))]


def test_a_row_closes_when_the_last_instrument_has_delivered_its_last_bar(rows):
    assert fill(rows, "SPY", 0, 55) == []
    assert fill(rows, "IBM", 0, 50) == []
    (closed,) = rows.add("IBM", at(55), 5, a_bar(185.0))
    assert closed.closed_at == at(60)
    assert closed.row.close.tolist() == [100.0, 185.0]
    assert closed.row.volume.tolist() == [120.0, 120.0]


def test_a_row_holds_first_open_highest_high_lowest_low_last_close_and_the_sum_of_volume(rows):
    rows.add("SPY", at(0), 5, Bar(10.0, 12.0, 9.5, 11.0, 1.0))
    rows.add("SPY", at(5), 5, Bar(11.0, 11.5, 8.0, 8.5, 2.0))
    (closed,) = rows.close(at(60))
    row = closed.row
    assert [float(values[0]) for values in (row.open, row.high, row.low, row.close, row.volume)] == [
        10.0,
        12.0,
        8.0,
        8.5,
        3.0,
    ]


def test_an_instrument_that_printed_nothing_is_nan(rows):
    rows.add("SPY", at(0), 5, a_bar())
    (closed,) = rows.close(at(60))
    assert math.isnan(closed.row.close[1])
    assert math.isnan(closed.row.volume[1])


def test_a_newer_bar_of_the_silent_instrument_closes_the_row_too(rows):
    fill(rows, "SPY", 0, 55)
    (closed,) = rows.add("IBM", at(60), 5, a_bar())
    assert closed.closed_at == at(60)
    assert math.isnan(closed.row.close[1])


def test_older_rows_close_before_a_newer_one(rows):
    fill(rows, "SPY", 0, 115)
    assert [closed.closed_at for closed in rows.close(at(120))] == [at(60), at(120)]


def test_a_bar_for_a_closed_row_is_counted_and_dropped(rows):
    rows.add("SPY", at(0), 5, a_bar())
    rows.close(at(60))
    assert rows.add("IBM", at(55), 5, a_bar()) == []
    assert rows.counts.late == 1
    assert rows.newest_end() is None


def test_a_repeated_bar_is_taken_once(rows):
    rows.add("SPY", at(0), 5, a_bar())
    rows.add("SPY", at(0), 5, a_bar())
    (closed,) = rows.close(at(60))
    assert (closed.row.volume[0], rows.counts.repeated) == (10.0, 1)


@pytest.mark.parametrize(
    "bar",
    [
        Bar(10.0, 9.0, 11.0, 10.0, 1.0),
        Bar(-1.0, 1.0, -1.0, 1.0, 1.0),
        Bar(10.0, 10.0, 10.0, 10.0, -5.0),
        Bar(10.0, math.inf, 10.0, 10.0, 1.0),
        Bar(10.0, math.nan, 10.0, 10.0, 1.0),
    ],
)
def test_an_impossible_bar_is_counted_and_never_part_of_a_row(rows, bar):
    rows.add("SPY", at(0), 5, bar)
    (closed,) = rows.close(at(60))
    assert math.isnan(closed.row.close[0])
    assert rows.counts.impossible == 1


def test_a_daily_row_ends_with_the_session_even_on_a_half_day():
    daily = Intervals("XNYS", 86_400)
    opened_at = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
    assert daily.end_of(opened_at) == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    assert daily.start_of(daily.end_of(opened_at)) == datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


def test_an_hour_that_holds_the_open_begins_with_the_session():
    assert Intervals("XNYS", 3600).start_of(datetime(2013, 10, 8, 14, 0, tzinfo=UTC)) == OPEN


class Line:
    """A feed that follows a market of its own, and the inbox behind it."""

    def __init__(self, *, row_grace_s=60.0, subscribed_at=OPEN):
        self.clock = MarketClock(may_follow=True, monotonic=asyncio.get_running_loop().time)
        self.clock.follow(subscribed_at, 1.0)
        self.inbox = Inbox(100)
        self.feed = Feed(
            universe=UNIVERSE,
            intervals=MINUTES,
            clock=self.clock,
            inbox=self.inbox,
            row_grace_s=row_grace_s,
        )
        self.feed.begin()

    def deliver(self, symbol, first, last):
        for second in range(first, last + 1, 5):
            self.feed.on_bar(symbol, at(second), 5, a_bar())

    async def taken(self):
        event = await asyncio.wait_for(self.inbox.take(), 5)
        assert isinstance(event, BarsClosed)
        return event


async def test_a_silent_instrument_holds_a_row_up_only_for_the_grace_time():
    line = Line(row_grace_s=0.01)
    line.deliver("SPY", 0, 55)
    event = await line.taken()
    assert (event.closed_at, event.warm_up) == (at(60), False)
    assert math.isnan(event.row.close[1])
    line.feed.close()


async def test_a_clock_that_is_an_hour_ahead_closes_no_row_before_its_bars_have_come():
    line = Line(row_grace_s=0.01)
    line.clock.not_before(at(3600))
    line.deliver("SPY", 0, 50)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line.inbox.take(), 0.3)
    line.deliver("SPY", 55, 55)
    line.deliver("IBM", 0, 55)
    assert (await line.taken()).row.close[1] == a_bar().close
    line.feed.close()


async def test_a_newer_bar_starts_the_grace_of_the_row_before():
    line = Line(row_grace_s=0.01)
    line.deliver("SPY", 0, 50)
    line.deliver("SPY", 60, 60)
    assert (await line.taken()).closed_at == at(60)
    line.feed.close()


async def test_the_row_in_which_the_streams_began_leads_to_no_order():
    line = Line(subscribed_at=at(22))
    for symbol in UNIVERSE.symbols:
        line.deliver(symbol, 25, 115)
    assert [(event.closed_at, event.warm_up) for event in [await line.taken(), await line.taken()]] == [
        (at(60), True),
        (at(120), False),
    ]
    line.feed.close()


async def test_rows_of_history_are_fed_once_and_only_if_they_are_news():
    line = Line(subscribed_at=at(180))
    builder = RowBuilder(UNIVERSE, MINUTES)
    fill(builder, "SPY", 0, 175)
    history = builder.close(at(180))
    line.feed.resume(at(60))
    assert line.feed.put_history(history) == 2
    assert line.feed.put_history([ClosedRow(closed_at=at(120), row=history[0].row)]) == 0
    events = [await line.taken(), await line.taken()]
    assert [(event.closed_at, event.warm_up) for event in events] == [(at(120), True), (at(180), True)]
    assert line.feed.last_row_at == at(180)


class StoppedWatch:
    """Monotonic time that stands; whoever reads it a thousand times without an end spins."""

    def __init__(self):
        self.now, self.readings = 0.0, 0

    def __call__(self):
        self.readings += 1
        assert self.readings < 1000, "the feed spins"
        return self.now


async def test_what_is_left_below_a_clocks_tick_ends_the_wait_instead_of_spinning():
    """Found by simulation (brutal 24021): 4e-12 s were left, sleeping for them returned at once, for ever."""
    watch = StoppedWatch()
    clock = MarketClock(may_follow=False, monotonic=watch)
    inbox = Inbox(100)
    feed = Feed(universe=UNIVERSE, intervals=MINUTES, clock=clock, inbox=inbox, row_grace_s=0.01)
    feed.begin()
    watch.now = 32763.7
    feed.on_bar("SPY", at(50), 5, a_bar())
    watch.now = 32763.7 + 5
    event = await asyncio.wait_for(inbox.take(), 5)
    assert isinstance(event, BarsClosed)
    assert event.closed_at == at(60)
    feed.close()


@pytest.mark.parametrize(
    ("after", "until", "interval_s", "rows"),
    [
        (at(420), at(600), 60, 3),
        (at(420), at(630), 60, 3),
        (CLOSE, CLOSE + timedelta(hours=10), 60, 0),
        (CLOSE - timedelta(minutes=2), CLOSE + timedelta(hours=10), 60, 2),
        (CLOSE - timedelta(minutes=1), at(86_400 + 600), 60, 1 + 10),
        (CLOSE, at(3 * 86_400), 3600, 2 * 7),  # two whole sessions, their first rows of half an hour
        (CLOSE + timedelta(days=3), at(5 * 86_400), 60, 0),  # a weekend
        (CLOSE, CLOSE + timedelta(days=2), 86_400, 2),
        (at(600), at(420), 60, 0),
    ],
)
def test_rows_are_missed_only_while_the_exchange_is_open(after, until, interval_s, rows):
    """Found by simulation (brutal 40277): each reconnect of a weekend asked for a day of history."""
    assert Intervals("XNYS", interval_s).rows_between(after, until) == rows
