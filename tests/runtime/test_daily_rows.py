"""With daily bars a row is a whole session: what the streams have not seen of it is asked of the broker's history."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from brokers.port import ClosedRow
from daemon.runtime.clock import MarketClock
from daemon.runtime.feed import Feed, Intervals
from daemon.runtime.inbox import Inbox
from shared.events import BarsClosed
from shared.market import Bar, Instrument, Universe
from tests.runtime.builders import a_row
from tests.runtime.test_connection import Line, run  # noqa: F401 - a fixture

OPEN, CLOSE = datetime(2013, 10, 8, 13, 30, tzinfo=UTC), datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
DAY = timedelta(days=1)
UNIVERSE = Universe((Instrument(symbol="SPY"), Instrument(symbol="IBM")))
DAYS = Intervals("XNYS", 86_400)


def a_row_of(closed_at):
    return ClosedRow(closed_at=closed_at, row=a_row(100.0))


class Day:
    """A feed of daily rows, its clock, and the inbox behind it."""

    def __init__(self, now):
        self.clock = MarketClock(may_follow=True, monotonic=asyncio.get_running_loop().time)
        self.clock.follow(now, 1.0)
        self.inbox = Inbox(100)
        self.feed = Feed(universe=UNIVERSE, intervals=DAYS, clock=self.clock, inbox=self.inbox, row_grace_s=0.01)

    def put(self, *closes, is_remembered=False):
        self.feed.put_history([a_row_of(closed_at) for closed_at in closes], is_remembered=is_remembered)

    def deliver(self, *opens):
        for opened_at in opens:
            for symbol in UNIVERSE.symbols:
                self.feed.on_bar(symbol, opened_at, 5, Bar(100.0, 100.0, 100.0, 100.0, 10.0))

    async def rows(self):
        """What came: the session's date, and whether it is history that leads to no entry."""
        await asyncio.sleep(0.05)
        events = [await self.inbox.take() for _ in range(len(self.inbox))]
        return [(event.closed_at.day, event.warm_up) for event in events if isinstance(event, BarsClosed)]


@pytest.mark.parametrize(
    ("now", "is_history"),
    [(CLOSE + timedelta(minutes=5), False), (OPEN + DAY - timedelta(minutes=1), False), (OPEN + DAY, True)],
)
async def test_the_last_sessions_row_is_decided_on_as_long_as_the_next_session_has_not_begun(now, is_history):
    day = Day(now)
    day.put(CLOSE - DAY, CLOSE)
    assert await day.rows() == [(7, True), (8, is_history)]


async def test_rows_before_a_stored_start_lead_to_nothing_since_strategies_know_nothing_yet():
    day = Day(CLOSE + timedelta(minutes=5))
    day.put(CLOSE - DAY, CLOSE, is_remembered=True)
    assert await day.rows() == [(7, True), (8, True)]


async def test_a_session_that_the_streams_have_seen_from_the_open_on_is_a_row_at_its_close():
    day = Day(OPEN - timedelta(minutes=5))
    day.feed.begin()
    day.deliver(OPEN, CLOSE - timedelta(seconds=5))
    assert await day.rows() == [(8, False)]


@pytest.mark.parametrize("seen_before", [(), (OPEN, OPEN + timedelta(seconds=5))])
async def test_a_session_in_which_the_streams_began_anew_is_left_to_the_history(seen_before):
    """Its open, high, low and volume are not in the stream, and no decision may be left out for it."""
    day = Day(OPEN - timedelta(minutes=5))
    day.feed.begin()
    day.deliver(*seen_before)
    day.clock.follow(OPEN + timedelta(hours=3), 1.0)
    day.feed.begin()
    day.deliver(OPEN + timedelta(hours=3, seconds=5), CLOSE - timedelta(seconds=5))
    streamed = await day.rows()
    day.clock.follow(CLOSE + timedelta(minutes=1), 1.0)
    day.put(CLOSE)
    assert (streamed, await day.rows()) == ([], [(8, False)])


@pytest.mark.parametrize(
    ("after", "until", "rows"),
    [
        (CLOSE, CLOSE + DAY - timedelta(seconds=1), 0),
        (CLOSE, CLOSE + DAY, 1),
        (CLOSE + 3 * DAY, CLOSE + 6 * DAY, 1),  # over a weekend
        (datetime(2013, 12, 23, 21, 0, tzinfo=UTC), datetime(2013, 12, 24, 18, 30, tzinfo=UTC), 1),  # a half day
    ],
)
def test_so_many_daily_rows_are_missed_as_sessions_have_ended(after, until, rows):
    assert DAYS.rows_between(after, until) == rows


async def test_a_row_that_no_stream_brings_is_asked_for_once_its_session_is_over(tmp_path, run):  # noqa: F811 - the fixture
    made = Line(tmp_path, bars={"interval_s": 86_400})
    made.broker.history = [a_row_of(CLOSE - DAY)]
    run(made)
    await made.up()
    made.broker.history = [a_row_of(CLOSE - DAY), a_row_of(CLOSE)]
    made.clock.follow(CLOSE + timedelta(seconds=50), 1.0)
    await asyncio.sleep(0.1)
    early = len(made.broker.history_asked)
    made.clock.follow(CLOSE + timedelta(seconds=70), 1.0)
    rows = [await made.taken(BarsClosed) for _ in range(2)]
    assert [(row.closed_at, row.warm_up) for row in rows] == [(CLOSE - DAY, True), (CLOSE, False)]
    assert (early, len(made.broker.history_asked)) == (1, 2)


async def test_a_bar_of_the_moment_after_the_close_may_still_change_and_is_not_asked_for(tmp_path, run):  # noqa: F811 - the fixture
    made = Line(tmp_path, bars={"interval_s": 86_400})
    made.clock.follow(CLOSE + timedelta(seconds=20), 1.0)
    run(made)
    await made.up()
    ((_interval_s, _bars, before),) = made.broker.history_asked
    assert before < CLOSE
