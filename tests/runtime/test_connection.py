"""Coming up, staying up, being lost: in this order and no other."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from brokers.port import ClosedRow
from daemon.runtime.clock import MarketClock
from daemon.runtime.connection import Connection
from daemon.runtime.feed import Feed, Intervals
from daemon.runtime.guard import check_account, check_keys
from daemon.runtime.inbox import Inbox
from daemon.runtime.notices import Notices
from daemon.runtime.reports import Reporter
from daemon.runtime.session import SessionKeeper
from shared.account import Account
from shared.commands import Notify
from shared.errors import ConfigError
from shared.events import AccountReported, BarsClosed, BrokerReported, ConnectionLost, ConnectionRestored
from tests.fakes.broker import FakeBroker
from tests.runtime.builders import a_config, a_row, at, eventually


class Line:
    """A connection to an in-memory broker whose market stands at 600 s after the open (unless it follows none)."""

    def __init__(self, folder, *, follows=True, **changes):
        self.config = a_config(folder, **changes)
        self.clock = MarketClock(may_follow=True, monotonic=asyncio.get_running_loop().time)
        if follows:
            self.clock.follow(at(600), 1)
        self.inbox = Inbox(1000)
        self.broker = FakeBroker(self.clock.now)
        self.feed = Feed(
            universe=self.config.universe_of(),
            intervals=Intervals("XNYS", self.config.bars.interval_s),
            clock=self.clock,
            inbox=self.inbox,
            row_grace_s=1,
        )
        self.reporter = Reporter(broker=self.broker, inbox=self.inbox, clock=self.clock, every_s=60)
        self.session, self.notices = SessionKeeper(self.config.session, self.clock, self.inbox), Notices()
        self.connection = Connection(
            config=self.config,
            broker=self.broker,
            clock=self.clock,
            inbox=self.inbox,
            feed=self.feed,
            reporter=self.reporter,
            session=self.session,
            notices=self.notices,
        )

    async def begin(self):
        self.broker.log.append("begin")

    async def taken(self, kind):
        """The next event of that kind."""
        async with asyncio.timeout(5):
            while not isinstance(event := await self.inbox.take(), kind):
                pass
        return event

    async def up(self):
        await eventually(lambda: self.connection.is_streaming)


@pytest.fixture
async def run():
    tasks = []

    def start(made):
        tasks.append(asyncio.create_task(made.connection.run(made.begin)))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def line(tmp_path):
    return lambda **changes: Line(tmp_path, **changes)


def history(*minutes):
    return [ClosedRow(closed_at=at(60 * minute), row=a_row(165.0)) for minute in minutes]


async def test_it_comes_up_in_the_order_that_lets_nothing_be_missed(line, run):
    made = line()
    made.broker.history = history(8, 9, 10)
    run(made)
    await made.up()
    assert made.broker.log[:5] == ["connect", "begin", "report", "warm_up", "subscribe"]
    assert (await made.taken(ConnectionRestored)).account_id == "DU1234567"
    assert (await made.taken(BrokerReported)).is_complete
    assert [(await made.taken(BarsClosed)).closed_at for _ in range(3)] == [at(480), at(540), at(600)]


async def test_a_new_daemon_asks_for_the_configured_rows_and_a_recovered_one_for_those_it_missed(line, run):
    new, recovered = line(), line()
    recovered.feed.resume(at(420))
    run(new)
    run(recovered)
    await new.up()
    await recovered.up()
    assert [asked[:2] for asked in new.broker.history_asked] == [(60, 5)]
    assert [asked[:2] for asked in recovered.broker.history_asked] == [(60, 3)]


async def test_without_history_it_trades_on_what_comes(line, run):
    made = line()
    made.broker.fails_next = ["warm_up"]
    run(made)
    await made.up()
    assert "subscribe" in made.broker.log


async def test_a_gateway_that_is_not_there_is_said_once_and_tried_for_ever(line, run):
    made = line()
    made.broker.is_down = True
    made.connection._hint.set()
    with capture_logs() as lines:
        task = run(made)
        await eventually(lambda: made.broker.log.count("connect") > 1)
        made.connection.on_event(ConnectionRestored(received_at=at(600), account_id=""))
        await eventually(lambda: made.broker.log.count("connect") > 2)
    assert [line["event"] for line in lines] == ["broker_unreachable"]
    assert not task.done()
    assert len(made.inbox) == 0


async def test_what_is_doubted_while_the_streams_start_is_asked_at_once(line, run):
    made = line()
    made.broker.streams = asyncio.Event()
    run(made)
    asking = asyncio.create_task(made.reporter.run())
    await eventually(lambda: "subscribe" in made.broker.log)
    made.reporter.ask()
    await eventually(lambda: made.broker.log.count("report") == 2)
    assert not made.connection.is_streaming
    made.broker.streams.set()
    await made.up()
    asking.cancel()


async def test_a_lost_connection_is_told_once_and_then_everything_is_asked_again(line, run):
    made = line()
    run(made)
    await made.up()
    lost = ConnectionLost(received_at=at(600), reason="socket closed")
    made.broker.is_connected = False
    made.connection.on_event(lost)
    made.connection.on_event(lost)
    await made.taken(ConnectionLost)
    assert made.reporter.is_open is False
    await made.up()
    await made.taken(ConnectionRestored)
    after = made.broker.log[made.broker.log.index("disconnect") :]
    assert [call for call in after if call != "server_time"][:4] == [
        "disconnect",
        "connect",
        "begin",
        "report",
    ]
    assert not any(isinstance(event, ConnectionLost) for event in made.inbox._waiting)


async def test_a_gateway_that_lost_its_server_is_waited_for_on_the_same_line_and_then_asked_everything(line, run):
    made = line()
    run(made)
    await made.up()
    made.connection.on_event(ConnectionLost(received_at=at(600), reason="1100"))
    await made.taken(ConnectionLost)
    assert made.reporter.is_open is False
    before = len(made.broker.log)
    made.connection.on_event(ConnectionRestored(received_at=at(600), account_id="DU1234567"))
    await made.taken(ConnectionRestored)
    await made.up()
    assert (await made.taken(BrokerReported)).is_complete
    after = [call for call in made.broker.log[before:] if call != "server_time"]
    assert [call for call in after if call != "warm_up"] == ["report", "subscribe"]


async def test_a_line_that_dies_while_the_server_is_away_is_built_anew(line, run):
    made = line()
    run(made)
    await made.up()
    made.connection.on_event(ConnectionLost(received_at=at(600), reason="1100"))
    await made.taken(ConnectionLost)
    made.broker.fails_next = ["server_time"]
    await made.taken(ConnectionRestored)
    assert "disconnect" in made.broker.log
    assert not any(isinstance(event, ConnectionLost) for event in made.inbox._waiting)


async def test_a_broker_that_no_longer_tells_the_time_is_lost(line, run):
    made = line()
    made.broker.fails_next = ["server_time"]
    run(made)
    await made.up()
    assert "no answer to the question for the time" in (await made.taken(ConnectionLost)).reason


@pytest.mark.parametrize(("broker_is_behind_s", "said_s"), [(285, 285), (-285, -285), (1.5, 0)])
async def test_a_report_says_how_far_our_clock_was_ahead_of_the_brokers(line, run, broker_is_behind_s, said_s):
    made = line(follows=False)
    made.broker.behind_s = broker_is_behind_s
    run(made)
    await made.up()
    await eventually(lambda: made.connection.probe.answered_s is not None)
    assert (await made.reporter.report()).clock_ahead_s == pytest.approx(said_s, abs=0.5)


async def test_a_market_that_is_followed_has_no_clock_of_its_own(line, run):
    made = line()
    made.broker.behind_s = 285
    run(made)
    await made.up()
    await eventually(lambda: made.connection.probe.answered_s is not None)
    assert (await made.reporter.report()).clock_ahead_s == 0


async def test_a_reconnect_that_fails_half_way_is_a_loss_of_its_own(line, run):
    made = line()
    made.broker.fails_next = ["subscribe"]
    run(made)
    await made.taken(ConnectionRestored)
    assert (await made.taken(ConnectionLost)).reason == "subscribe: no answer"
    made.connection._hint.set()
    await made.taken(ConnectionRestored)


@pytest.mark.parametrize(
    ("mode", "account", "reported", "says"),
    [
        ("paper", "", "U7654321", "reports account U7***21, which is not a paper account"),
        ("paper", "DU1111111", "DU1234567", "the configuration names DU***11"),
        ("live", "U1111111", "DU1234567", 'reports the paper account DU***67; mode is "live"'),
        ("live", "U1111111", "U2222222", "reports account U2***22, the configuration names U1***11"),
    ],
)
async def test_an_account_that_must_not_be_traded_ends_the_run_before_anything_is_asked(
    line, run, mode, account, reported, says
):
    made = line(mode=mode, account=account)
    made.broker.account = reported
    with pytest.raises(ConfigError, match=re.escape(says)):
        await run(made)
    assert made.broker.log == ["connect"]


@pytest.mark.parametrize(
    ("mode", "account", "live_flag", "says"),
    [
        ("live", "U1111111", False, "needs --live on the command line"),
        ("live", "", True, "account: is empty"),
        ("live", "DU1111111", True, "is a paper account"),
        ("paper", "", True, '--live: mode is "paper" in the configuration'),
    ],
)
def test_keys_that_do_not_agree_are_refused(tmp_path, mode, account, live_flag, says):
    with pytest.raises(ConfigError, match=re.escape(says)):
        check_keys(a_config(tmp_path, mode=mode, account=account), live_flag=live_flag)


def test_three_keys_that_agree_open_the_door(tmp_path):
    config = a_config(tmp_path, mode="live", account="U1111111")
    check_keys(config, live_flag=True)
    check_account(config, "U1111111")


SUNDAY = datetime(2013, 10, 13, 5, 30, tzinfo=UTC)  # 01:30 in New York: every login has ended half an hour ago


async def test_f15_a_gateway_without_its_weekly_login_is_one_clear_message_and_heals_by_itself(line, run):
    """F15, TWS.md 4.17: the port is refused for a day; a person must log in, once told."""
    made = line()
    heard: list[Notify] = []
    made.notices.listen(heard.append)
    run(made)
    await made.up()
    made.broker.is_down = True
    made.connection.on_event(ConnectionLost(received_at=made.clock.now(), reason="reset by peer"))
    await eventually(lambda: made.broker.log.count("connect") == 2)
    made.clock.follow(SUNDAY, 1)
    for _ in range(3):
        made.connection._hint.set()
        await asyncio.sleep(0.01)
    await eventually(lambda: heard and heard[-1].code == "login_needed")
    assert [notice.code for notice in heard].count("login_needed") == 1
    assert heard[-1].level == "critical"
    assert "positions and orders are not known" in heard[-1].text
    made.broker.is_down = False
    made.connection._hint.set()
    await made.up()


async def test_a_gateway_that_restarts_on_schedule_raises_no_alarm(line, run):
    """TWS.md 4.16: silence in a quiet window is expected, said once and quietly."""
    made = line()
    heard: list[Notify] = []
    made.notices.listen(heard.append)
    made.clock.follow(datetime(2013, 10, 9, 3, 44, tzinfo=UTC), 1)  # 23:44 in New York, a minute before the restart
    made.session.scheduled()
    made.broker.is_down = True
    run(made)
    await eventually(lambda: bool(heard))
    assert [(notice.code, notice.level) for notice in heard] == [("broker_quiet", "info")]


async def test_a_market_that_runs_faster_is_asked_more_often(line):
    made = line()
    made.clock.follow(at(600), 10)
    assert made.reporter._pause_s() == 6.0  # every 60 s of the market's time
    made.clock.follow(at(600), 5000)
    assert made.reporter._pause_s() == 1.0


async def test_a_server_that_is_back_without_a_word_of_its_loss_is_asked_everything_as_well(line, run):
    """storm 2289: the 1100 could not be read, and after the 1102 an entry left before anything was compared."""
    made = line()
    run(made)
    await made.up()
    before = len(made.broker.log)
    made.connection.on_event(ConnectionRestored(received_at=at(600), account_id="DU1234567"))
    assert "its loss was not told" in (await made.taken(ConnectionLost)).reason
    assert (await made.taken(BrokerReported)).is_complete
    assert "connect" not in made.broker.log[before:]


@pytest.mark.parametrize(("account", "heard"), [("DU1234567", 1), ("DU9999999", 0)])
async def test_what_a_line_says_before_its_account_is_known_counts_only_if_it_is_ours(line, run, account, heard):
    """storm 2382: TWS came back logged in to another account; its figures got into the journal, which was of it."""
    made = line(account="DU1234567")
    made.broker.account = account
    told = Account(account_id=account, net_liquidation=1.0, cash=1.0, buying_power=1.0)
    connect = made.broker.connect

    async def connected():
        made.connection.on_event(AccountReported(received_at=at(600), account=told))
        return await connect()

    made.broker.connect = connected
    task = run(made)
    if heard:
        await made.up()
    else:
        with pytest.raises(ConfigError):
            await task
    assert sum(isinstance(event, AccountReported) for event in made.inbox._waiting) == heard
