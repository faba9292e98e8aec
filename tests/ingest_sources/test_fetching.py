"""What is asked for, what is stored, and what one fault may spoil."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from research.ingest.fetching_coverage import Coverage
from research.ingest.fetching_plan import Asked, WrongUsage, last_complete, place_of, symbols_of, wanted_of
from research.ingest.sources.bar_rows import bars_of, day_ns
from research.ingest.sources.source import Chunk, SourceRefuses, SourceUnavailable
from shared.config import load_config
from shared.errors import DataError
from shared.io.bar_library import BarStore
from shared.io.stored_actions import Action
from tests.ingest_sources.builders import Silent, a_fetcher, wanted
from tests.ingest_sources.clocks import NOW, HandTurned

ROOT = Path(__file__).resolve().parents[2]
DAYS = [date(2014, 6, day) for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]


class Scripted:
    """A Source of one bar a day, in chunks of `days_each`; `closes` gives the price, `faults` what symbols raise."""

    name = "scripted"
    parallel = 1

    def __init__(self, *, adjustment="raw", scale=1.0, faults=None, days=DAYS, days_each=30, now=NOW, actions=()):
        self.adjustment = adjustment
        self.asked = []
        self._scale, self._faults, self._days = scale, faults or {}, days
        self._days_each, self._now, self._actions = days_each, now, actions

    def open(self):
        pass

    def close(self):
        pass

    def now_s(self):
        return self._now.timestamp()

    def refusal(self, wanted):
        return "" if wanted.shows == "trades" else "scripted has trades only"

    def chunks(self, wanted):
        self.asked.append((wanted.symbol, wanted.first, wanted.last))
        first = wanted.first
        while first <= wanted.last:
            last = min(wanted.last, first + timedelta(days=self._days_each - 1))
            if first >= date(2014, 6, 9) and wanted.symbol in self._faults:
                raise self._faults[wanted.symbol]
            rows = [(day_ns(day), *[day.day * self._scale] * 4, 100.0) for day in self._days if first <= day <= last]
            yield Chunk(first=first, last=last, bars=bars_of(rows, wanted.symbol), actions=self._actions)
            first = last + timedelta(days=1)


def closes(folder, symbol="AAPL"):
    return BarStore(folder).read([symbol], "1d", view="raw").close[:, 0].tolist()


def test_what_was_answered_is_not_asked_again(tmp_path):
    first, second = Scripted(), Scripted()
    assert a_fetcher(first, tmp_path).run([wanted()], Silent())[0].added == 10
    (again,) = a_fetcher(second, tmp_path).run([wanted()], Silent())
    assert (again.state, second.asked) == ("nothing_new", [])
    assert closes(tmp_path) == [2, 3, 4, 5, 6, 9, 10, 11, 12, 13]


def test_a_refresh_asks_only_for_the_days_that_are_new_on_either_side(tmp_path):
    a_fetcher(Scripted(), tmp_path).run([wanted(first=date(2014, 6, 4), last=date(2014, 6, 10))], Silent())
    source = Scripted()
    a_fetcher(source, tmp_path).run([wanted()], Silent())
    assert source.asked == [
        ("AAPL", date(2014, 6, 2), date(2014, 6, 3)), ("AAPL", date(2014, 6, 11), date(2014, 6, 13))
    ]  # fmt: skip
    assert closes(tmp_path) == [2, 3, 4, 5, 6, 9, 10, 11, 12, 13]


def test_what_came_before_a_fault_is_kept_and_only_the_rest_is_asked_for(tmp_path):
    broken = Scripted(days_each=7, faults={"AAPL": SourceUnavailable("scripted: AAPL: gone")})
    (fate,) = a_fetcher(broken, tmp_path).run([wanted()], Silent())
    assert (fate.state, fate.reason) == ("failed", "scripted: AAPL: gone")
    source = Scripted(days_each=7)
    assert a_fetcher(source, tmp_path).run([wanted()], Silent())[0].added == 5
    assert source.asked == [("AAPL", date(2014, 6, 9), date(2014, 6, 13))]


def test_bars_that_were_stored_when_the_run_died_before_noting_it_are_no_duplicates(tmp_path):
    a_fetcher(Scripted(), tmp_path).run([wanted()], Silent())
    for note in (tmp_path / ".cache").rglob("*.json"):
        note.unlink()
    (fate,) = a_fetcher(Scripted(), tmp_path).run([wanted()], Silent())
    assert (fate.state, fate.added) == ("nothing_new", 0)
    assert len(closes(tmp_path)) == 10


def test_a_note_of_what_was_answered_counts_for_nothing_without_the_bars(tmp_path):
    Coverage(tmp_path / ".cache" / "answered").add("AAPL", date(2014, 6, 2), date(2014, 6, 13))
    assert a_fetcher(Scripted(), tmp_path).run([wanted()], Silent())[0].added == 10


def test_one_symbols_fault_stops_no_other(tmp_path):
    source = Scripted(days_each=7, faults={"BAD": DataError("scripted: BAD: no such symbol")})
    watcher = Silent()
    fates = a_fetcher(source, tmp_path).run([wanted("NA"), wanted("BAD"), wanted("BRK.B")], watcher)
    assert [(fate.symbol, fate.state) for fate in fates] == [("NA", "stored"), ("BAD", "failed"), ("BRK.B", "stored")]
    assert sorted(fate.symbol for fate in watcher.fates) == ["BAD", "BRK.B", "NA"]


def test_a_source_that_refuses_everybody_is_asked_no_more(tmp_path):
    source = Scripted(days_each=7, faults={"AAPL": SourceRefuses("scripted: the day's allowance is used up")})
    fates = a_fetcher(source, tmp_path).run([wanted(), wanted("IBM")], Silent())
    assert [fate.state for fate in fates] == ["failed", "not_asked"]
    assert fates[1].reason == "scripted: the day's allowance is used up"
    assert [symbol for symbol, _, _ in source.asked] == ["AAPL"]


def test_a_source_that_is_late_with_yesterday_is_asked_for_it_again(tmp_path):
    today = NOW.replace(year=2014, month=6, day=14)
    a_fetcher(Scripted(days=DAYS[:-1], now=today), tmp_path).run([wanted()], Silent())
    source = Scripted(now=today)
    assert a_fetcher(source, tmp_path).run([wanted()], Silent())[0].added == 1
    assert source.asked == [("AAPL", date(2014, 6, 13), date(2014, 6, 13))]


def test_days_without_bars_that_are_long_gone_are_answered(tmp_path):
    a_fetcher(Scripted(days=DAYS[3:7]), tmp_path).run([wanted()], Silent())
    source = Scripted(days=DAYS[3:7])
    a_fetcher(source, tmp_path).run([wanted()], Silent())
    assert source.asked == []


def test_bars_that_contradict_the_stored_are_refused_and_replaced_only_when_told_to(tmp_path):
    a_fetcher(Scripted(), tmp_path).run([wanted()], Silent())
    (fate,) = a_fetcher(Scripted(scale=2.0), tmp_path, again=True).run([wanted()], Silent())
    assert fate.state == "failed"
    assert "contradicts the stored one" in fate.reason
    (fate,) = a_fetcher(Scripted(scale=2.0), tmp_path, again=True, replace=True).run([wanted()], Silent())
    assert fate.replaced == 10
    assert closes(tmp_path)[0] == 4.0


def test_adjusted_prices_are_never_mixed_with_raw_ones(tmp_path):
    a_fetcher(Scripted(), tmp_path).run([wanted(last=date(2014, 6, 6))], Silent())
    (fate,) = a_fetcher(Scripted(adjustment="split"), tmp_path).run([wanted()], Silent())
    assert fate.state == "failed"
    assert "split prices, but the stored ones are raw" in fate.reason
    assert len(closes(tmp_path)) == 5


def test_after_a_split_adjusted_prices_no_longer_fit_and_are_refused(tmp_path):
    a_fetcher(Scripted(adjustment="split"), tmp_path).run([wanted(last=date(2014, 6, 10))], Silent())
    (fate,) = a_fetcher(Scripted(adjustment="split", scale=0.25), tmp_path).run([wanted()], Silent())
    assert fate.state == "failed"
    assert "0.25 times the stored prices" in fate.reason
    assert "--again --replace" in fate.reason


def test_adjusted_prices_that_still_fit_go_on(tmp_path):
    a_fetcher(Scripted(adjustment="split"), tmp_path).run([wanted(last=date(2014, 6, 10))], Silent())
    source = Scripted(adjustment="split")
    assert a_fetcher(source, tmp_path).run([wanted()], Silent())[0].added == 3
    assert source.asked == [("AAPL", date(2014, 6, 4), date(2014, 6, 13))]


def test_actions_are_stored_beside_the_bars(tmp_path):
    split = Action(ex_date=date(2014, 6, 9), split=7.0, source="scripted")
    assert a_fetcher(Scripted(actions=(split,)), tmp_path).run([wanted()], Silent())[0].actions == 1
    assert BarStore(tmp_path).actions("AAPL") == (split,)


def test_bad_bars_are_refused_or_dropped_and_counted(tmp_path):
    (fate,) = a_fetcher(Scripted(scale=-1.0), tmp_path).run([wanted()], Silent())
    assert "is not above 0" in fate.reason
    (fate,) = a_fetcher(Scripted(scale=-1.0), tmp_path, drop_bad_bars=True).run([wanted()], Silent())
    assert (fate.state, fate.dropped) == ("nothing_new", 10)


def test_an_interruption_keeps_what_is_stored_and_the_next_run_goes_on(tmp_path):
    interrupted = Scripted(days_each=7, faults={"AAPL": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        a_fetcher(interrupted, tmp_path).run([wanted(), wanted("IBM")], Silent())
    assert len(closes(tmp_path)) == 5
    a_fetcher(Scripted(), tmp_path).run([wanted(), wanted("IBM")], Silent())
    assert len(closes(tmp_path)) == len(closes(tmp_path, "IBM")) == 10


@pytest.mark.parametrize(
    ("answered", "missing"),
    [
        ([], [(1, 9)]),
        ([(1, 9)], []),
        ([(3, 4)], [(1, 2), (5, 9)]),
        ([(1, 4), (5, 6)], [(7, 9)]),
        ([(6, 7), (2, 3)], [(1, 1), (4, 5), (8, 9)]),
        ([(1, 2), (8, 20)], [(3, 7)]),
        ([(2, 8), (3, 4)], [(1, 1), (9, 9)]),
        ([(20, 25)], [(1, 9)]),
    ],
)
def test_what_is_missing_is_what_no_span_covers(tmp_path, answered, missing):
    coverage = Coverage(tmp_path)
    for first, last in answered:
        coverage.add("A/B", date(2014, 6, first), date(2014, 6, last))
    found = coverage.missing("A/B", date(2014, 6, 1), date(2014, 6, 9))
    assert [(first.day, last.day) for first, last in found] == missing


@pytest.mark.parametrize(
    ("now", "hours", "last"),
    [
        ("2026-11-20T21:14:00+00:00", "regular", date(2026, 11, 19)),
        ("2026-11-20T21:16:00+00:00", "regular", date(2026, 11, 20)),
        ("2026-11-20T21:16:00+00:00", "extended", date(2026, 11, 19)),
        ("2026-11-22T12:00:00+00:00", "extended", date(2026, 11, 20)),
        ("2026-11-27T18:16:00+00:00", "regular", date(2026, 11, 27)),
    ],
)
def test_only_sessions_that_have_ended_are_asked_for(now, hours, last):
    clock = HandTurned(type(NOW).fromisoformat(now))
    assert last_complete(clock.now_s(), hours, "XNYS") == last


@pytest.mark.parametrize(("calendar", "last"), [("XNYS", date(2026, 11, 25)), ("XTKS", date(2026, 11, 27))])
def test_sessions_are_those_of_the_calendar_that_is_asked_for(calendar, last):
    """The morning after Thanksgiving in Europe: New York was closed and has not opened, Tokyo has just closed."""
    source = Scripted(now=type(NOW).fromisoformat("2026-11-27T07:00:00+00:00"))
    (found,) = wanted_of(Asked(source="x"), ["AAPL"], source, calendar)
    assert (found.calendar, found.last) == (calendar, last)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (Asked(source="x", frequency="2d"), "--frequency '2d', allowed: 1d, 1h"),
        (Asked(source="x", show="mid"), "--show 'mid', allowed: trades, bid"),
        (Asked(source="x", show="bid"), "scripted has trades only"),
        (Asked(source="x", first=date(2026, 11, 21)), "--from 2026-11-21 is after 2026-11-20"),
        (Asked(source="x", first=date(2001, 1, 2), frequency="1m"), "--from 2001-01-02, allowed: from 2007-01-01 on"),
    ],
)
def test_words_that_do_not_go_together_are_refused(asked, line):
    with pytest.raises(WrongUsage, match=line):
        wanted_of(asked, ["AAPL"], Scripted(), "XNYS")


@pytest.mark.parametrize("symbols", ["", " , ", "A\x00B"])
def test_symbols_that_are_none_are_refused(symbols):
    with pytest.raises(WrongUsage, match="--symbols"):
        symbols_of(Asked(source="x", symbols=symbols), load_config(ROOT / "config.toml"))


def test_every_kind_of_price_has_a_store_of_its_own(tmp_path):
    kinds = [Asked(source="ib"), Asked(source="ib", show="bid"), Asked(source="ib", extended_hours=True)]
    places = [place_of(tmp_path, asked) for asked in kinds]
    assert places == [tmp_path, tmp_path / "bid_regular", tmp_path / "trades_extended"]


def test_bars_of_one_time_count_once_unless_they_differ():
    row = (day_ns(DAYS[0]), 1.0, 1.0, 1.0, 1.0, 5.0)
    assert len(bars_of([row, row], "A")) == 1
    with pytest.raises(DataError, match="A: two different bars of 2014-06-02T13:30:00Z"):
        bars_of([row, (*row[:5], 6.0)], "A")
    assert bars_of([], "A").opened_at.dtype == np.int64
