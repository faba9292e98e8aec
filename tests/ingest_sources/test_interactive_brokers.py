"""History over the wire of a simulated gateway that refuses whoever asks too fast, with its faults."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from brokers.ib.codes import code_table
from brokers.ib.connection import Address
from brokers.simulated.gateway.faults.plan import FaultPlan
from brokers.simulated.gateway.faults.rule import rule_of
from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.market.synthetic import SyntheticMarket
from research.ingest.sources.following_clock import FollowingClock
from research.ingest.sources.history_pace import HistoryPace
from research.ingest.sources.interactive_brokers import InteractiveBrokers, windows
from research.ingest.sources.source import SourceUnavailable
from shared.io.bar_library import BarStore
from shared.market import Instrument
from tests.ingest_sources.builders import DAY, MINUTE, Silent, a_fetcher, a_retrying, wanted
from tests.ingest_sources.clocks import HandTurned
from tests.ingest_sources.gateway_thread import GatewayTime, a_gateway_beside

SYMBOLS = ("SPY", "AAPL", "IBM")
MARKET = SyntheticMarket(seed=7, symbols=SYMBOLS, history_sessions=4)
DAYS = sorted(MARKET._earlier_days())
PACE_VIOLATION = "pacing violation"


def a_plan(*faults):
    rules = [rule_of(fault) for fault in faults]
    assert [mistakes for _, mistakes in rules if mistakes] == []
    return FaultPlan(rules=tuple(rule for rule, _ in rules if rule is not None))


class Visit:
    """A gateway with manual time and a source at it; what went over the wire is in `wire`."""

    def __init__(self, folder, *, market=MARKET, **settings):
        self._folder = folder
        self._market = market
        self._settings = settings
        self.wire_file = folder / "wire.jsonl"

    def __enter__(self):
        self._beside = a_gateway_beside(
            self._market, ManualClock(MARKET.opens_at), pacing="reject", record_path=self.wire_file, **self._settings
        )
        gateway, loop = self._beside.__enter__()
        self.time = GatewayTime(gateway, loop)
        clock = FollowingClock(self.time, may_follow=False)
        self.source = InteractiveBrokers(
            address=Address(host="127.0.0.1", port=gateway.port, client_id=9),
            codes=code_table(""),
            instrument=Instrument(symbol=""),
            clock=clock,
            pace=HistoryPace(self._folder / "asked.json", clock),
            retrying=a_retrying(clock),
            connect_timeout_s=5.0,
            answer_within_s=1.0,
        )
        self.source.open()
        return self

    def __exit__(self, *_):
        self.source.close()
        self._beside.__exit__(None, None, None)

    def fetch(self, store, interval_s=MINUTE, symbols=SYMBOLS, *, last=DAYS[-1], terms=None, **rest):
        asked = [wanted(symbol, interval_s, DAYS[0], last, **rest) for symbol in symbols]
        return a_fetcher(self.source, store, **(terms or {})).run(asked, Silent())

    @property
    def wire(self):
        return self.wire_file.read_text()


def assert_complete(store, symbols=SYMBOLS, what="TRADES", bar_s=MINUTE, frequency="1m"):
    """Every bar of the market's past, once, with its values."""
    panel = BarStore(store).read(symbols, frequency, view="split")
    for column, symbol in enumerate(symbols):
        told = MARKET.history(symbol, end_at=MARKET.opens_at, duration_s=len(DAYS) * 86_400.0, bar_s=bar_s, what=what)
        printed = ~np.isnan(panel.close[:, column])
        np.testing.assert_array_equal(panel.opened_at[printed] // 10**9, told.starts_at.astype(np.int64))
        for name in ("open", "high", "low", "close"):
            np.testing.assert_array_equal(getattr(panel, name)[printed, column], getattr(told, name))


def test_minutes_of_all_symbols_come_whole_and_without_a_violation(tmp_path):
    with Visit(tmp_path) as visit:
        fates = visit.fetch(tmp_path / "store")
    assert [fate.state for fate in fates] == ["stored"] * len(SYMBOLS)
    assert_complete(tmp_path / "store")
    assert PACE_VIOLATION not in visit.wire


def test_the_pace_holds_over_runs_and_threads_where_the_sixty_are_almost_used_up(tmp_path):
    at_s = MARKET.opens_at - 30
    before = [[at_s, f"{number} SMART TRADES", "asked by the run before"] for number in range(54)]
    (tmp_path / "asked.json").write_text(json.dumps(before))
    with Visit(tmp_path) as visit:
        fates = visit.fetch(tmp_path / "store")
        assert visit.time.now_s() >= at_s + 600.0
    assert [fate.state for fate in fates] == ["stored"] * len(SYMBOLS)
    assert PACE_VIOLATION not in visit.wire


def test_a_violation_that_somebody_else_has_caused_is_waited_out(tmp_path):
    fault = {"name": "history_refused", "how": "420", "message": "reqHistoricalData", "nth": 2}
    with Visit(tmp_path, faults=a_plan(fault)) as visit:
        fates = visit.fetch(tmp_path / "store")
        assert any(seconds >= 15.0 for seconds in visit.time.slept)
    assert [fate.state for fate in fates] == ["stored"] * len(SYMBOLS)
    assert_complete(tmp_path / "store")


@pytest.mark.parametrize("how", ["162", "366", "200", "late", "never"])
def test_a_question_that_is_not_answered_is_asked_again(tmp_path, how):
    fault = {"name": "history_refused", "how": how, "nth": 3, "message": "reqHistoricalData"}
    with Visit(tmp_path, faults=a_plan(fault)) as visit:
        (fate,) = visit.fetch(tmp_path / "store", symbols=("SPY",))
    assert fate.state == "stored"
    assert_complete(tmp_path / "store", ("SPY",))
    assert PACE_VIOLATION not in visit.wire


@pytest.mark.parametrize("how", ["unknown_zone", "naive", "no_volume", "future_bar"])
def test_an_answer_that_cannot_be_is_asked_for_again(tmp_path, how):
    fault = {"name": "odd_history", "how": how, "nth": 2, "message": "historicalData"}
    with Visit(tmp_path, faults=a_plan(fault)) as visit:
        (fate,) = visit.fetch(tmp_path / "store", symbols=("SPY",))
    assert (fate.state, fate.reason) == ("stored", "")
    assert_complete(tmp_path / "store", ("SPY",))


def test_an_answer_that_stays_odd_is_one_line_and_what_came_before_is_kept(tmp_path):
    fault = {"name": "odd_history", "how": "no_volume"}
    with Visit(tmp_path, faults=a_plan(fault)) as visit:
        (fate,) = visit.fetch(tmp_path / "store", symbols=("SPY",))
    assert fate.state == "failed"
    assert "ib: SPY: volume -1 of bar" in fate.reason


@pytest.mark.parametrize("shows", ["bid", "ask", "midpoint"])
def test_quotes_are_bars_without_volume(tmp_path, shows):
    with Visit(tmp_path) as visit:
        (fate,) = visit.fetch(tmp_path / "store", interval_s=DAY, symbols=("AAPL",), shows=shows)
    assert (fate.state, fate.added) == ("stored", len(DAYS))
    assert_complete(tmp_path / "store", ("AAPL",), shows.upper(), 86_400, "1d")
    assert BarStore(tmp_path / "store").read(["AAPL"], "1d", view="split").volume.sum() == 0.0


def test_prices_are_marked_as_split_adjusted(tmp_path):
    with Visit(tmp_path) as visit:
        visit.fetch(tmp_path / "store", interval_s=DAY, symbols=("SPY",))
    (span,) = BarStore(tmp_path / "store").spans()
    assert (span.adjustment, span.sources) == ("split", ("ib",))


@pytest.mark.parametrize(("hours", "flag"), [("regular", "1"), ("extended", "0")])
def test_hours_are_asked_for_as_wanted(tmp_path, hours, flag):
    with Visit(tmp_path) as visit:
        visit.fetch(tmp_path / "store", interval_s=DAY, symbols=("SPY",), hours=hours)
    (asked,) = [line for line in visit.wire.splitlines() if "1 day" in line]
    assert f'"1 day","4 D","{flag}","TRADES","2"' in asked


def test_a_symbol_that_tws_does_not_know_stops_no_other(tmp_path):
    with Visit(tmp_path) as visit:
        fates = visit.fetch(tmp_path / "store", interval_s=DAY, symbols=("NOPE", "SPY"))
    assert [fate.state for fate in fates] == ["failed", "stored"]
    assert "NOPE (USD) is unknown to TWS, allowed: exactly one contract" in fates[0].reason


def test_a_gateway_that_is_not_there_is_one_line(tmp_path):
    clock = FollowingClock(HandTurned(), may_follow=True)
    source = InteractiveBrokers(
        address=Address(host="127.0.0.1", port=1, client_id=9), codes=code_table(""), instrument=Instrument(symbol=""),
        clock=clock, pace=HistoryPace(tmp_path / "asked.json", clock), retrying=a_retrying(clock),
        connect_timeout_s=1.0, answer_within_s=1.0,
    )  # fmt: skip
    with pytest.raises(SourceUnavailable, match=r"ib: broker at 127\.0\.0\.1:1: connection refused"):
        source.open()
    source.close()


def test_windows_are_what_a_question_may_span():
    days = [len(sessions) for sessions in windows(wanted(interval_s=300))]
    assert days == [5, 5]
    assert [len(sessions) for sessions in windows(wanted())] == [10]
    assert [len(sessions) for sessions in windows(wanted(interval_s=MINUTE))] == [1] * 10


def test_a_clock_follows_a_simulated_gateway_but_never_back():
    wall = HandTurned()
    clock = FollowingClock(wall, may_follow=True)
    market = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
    clock.observe(market, 120.0)
    wall.pass_by(10)
    assert clock.now_s() == pytest.approx(market.timestamp() + 1_200)
    clock.observe(market, 120.0)
    assert clock.now_s() == pytest.approx(market.timestamp() + 1_200)
    clock.sleep(60)
    assert wall.slept == [0.5]


def test_a_clock_that_may_not_follow_is_the_walls():
    wall = HandTurned()
    clock = FollowingClock(wall, may_follow=False)
    clock.observe(datetime(2013, 10, 8, tzinfo=UTC), 120.0)
    assert (clock.now_s(), clock.speed) == (wall.now_s(), 1.0)
