"""A source's own rate, its waits after a fault, and what it keeps on disk; all on a clock turned by hand."""

import json
from random import Random

import pytest

from brokers.ib.history_pacing import MARGIN_S
from research.ingest.sources.clock import Stopped, WallClock
from research.ingest.sources.history_pace import HistoryPace
from research.ingest.sources.response_cache import ResponseCache
from research.ingest.sources.retrying import Retrying
from research.ingest.sources.source import SourceUnavailable, Throttled
from research.ingest.sources.token_bucket import TokenBucket
from shared.errors import DataError
from tests.ingest_sources.clocks import HandTurned


def failing(faults):
    """Raises the faults one after the other, then says how often it was tried."""
    left = list(faults)
    tries = []

    def attempt():
        tries.append(1)
        if left:
            raise left.pop(0)
        return len(tries)

    return attempt


def turns(bucket, clock, count):
    begun = clock.now_s()
    found = []
    for _ in range(count):
        bucket.turn()
        found.append(round(clock.now_s() - begun, 6))
    return found


def test_a_bucket_lets_its_burst_go_at_once_and_the_rest_at_its_rate(clock):
    assert turns(TokenBucket(60.0, 3, clock), clock, 6) == [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]


def test_a_bucket_never_saves_up_more_than_its_burst(clock):
    bucket = TokenBucket(60.0, 2, clock)
    clock.pass_by(3_600)
    assert turns(bucket, clock, 4) == [0.0, 0.0, 1.0, 2.0]


def test_a_bucket_that_is_told_to_pause_gives_nobody_a_turn_before(clock):
    bucket = TokenBucket(60.0, 2, clock)
    bucket.pause(30)
    assert turns(bucket, clock, 2) == [31.0, 32.0]


def test_waits_are_drawn_below_a_bound_that_doubles(clock):
    retrying = Retrying(clock=clock, chance=Random(7), tries=6, first_s=1.0, most_s=4.0)
    assert retrying.run(failing([SourceUnavailable("no")] * 5)) == 6
    bounds = [1.0, 2.0, 4.0, 4.0, 4.0]
    chance = Random(7)
    assert clock.slept == [chance.uniform(0.0, bound) for bound in bounds]


def test_what_the_source_says_about_waiting_is_kept_and_told(clock):
    told: list[float] = []
    retrying = Retrying(clock=clock, chance=Random(7), tries=2, first_s=1.0)
    assert retrying.run(failing([Throttled("slow down", 45.0)]), told.append) == 2
    assert 45.0 <= clock.slept[0] <= 46.0
    assert told == clock.slept


def test_who_wants_to_be_left_alone_longer_than_patience_lasts_is_not_waited_for(clock):
    retrying = Retrying(clock=clock, chance=Random(7), tries=5, patience_s=300.0)
    with pytest.raises(Throttled, match="come back tomorrow"):
        retrying.run(failing([Throttled("come back tomorrow", 86_400.0)]))
    assert clock.slept == []


def test_an_error_that_does_not_pass_is_not_tried_again(clock):
    with pytest.raises(DataError, match="no such thing"):
        Retrying(clock=clock, chance=Random(7)).run(failing([DataError("no such thing")]))
    assert clock.slept == []


def test_after_the_last_attempt_its_fault_is_told(clock):
    retrying = Retrying(clock=clock, chance=Random(7), tries=2)
    with pytest.raises(SourceUnavailable, match="second"):
        retrying.run(failing([SourceUnavailable("first"), SourceUnavailable("second")]))


def test_a_cached_answer_holds_until_it_is_too_old(tmp_path, clock):
    cache = ResponseCache(tmp_path, clock)
    cache.put("/query?symbol=NA", "eins\r\nzwei\n")
    clock.pass_by(100)
    assert cache.get("/query?symbol=NA", 100) == "eins\r\nzwei\n"
    assert cache.get("/query?symbol=NA", 99) is None
    assert cache.get("/query?symbol=NB", 1e9) is None


def test_an_answer_from_the_future_or_cut_short_is_none(tmp_path, clock):
    cache = ResponseCache(tmp_path, clock)
    cache.put("one", "a whole answer")
    (kept,) = tmp_path.rglob("*.txt")
    clock.pass_by(-10)
    assert cache.get("one", 1e9) is None
    clock.pass_by(10)
    kept.write_text(kept.read_text()[:-3])
    assert cache.get("one", 1e9) is None


def test_a_cache_that_cannot_write_says_so_in_one_line(tmp_path, clock):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DataError, match=r"taken.*: cannot be written: .*, allowed: a writable folder"):
        ResponseCache(tmp_path / "taken", clock).put("one", "answer")


def test_whoever_waits_is_woken_when_the_run_is_stopped():
    clock = WallClock()
    clock.stop()
    with pytest.raises(Stopped):
        clock.sleep(3_600)


def asked_at(pace, clock, series, question, takes_s=0.0):
    with pace.turn(series, question):
        left_at = clock.now_s()
        clock.pass_by(takes_s)
    return left_at


def test_the_sixty_in_ten_minutes_hold_from_the_first_question_on(tmp_path, clock):
    pace, begun = HistoryPace(tmp_path / "asked.json", clock), clock.now_s()
    left_at = [asked_at(pace, clock, f"series {number}", "a day") - begun for number in range(61)]
    assert left_at[:60] == [0.0] * 60
    assert left_at[60] == pytest.approx(600.0 + MARGIN_S, abs=0.02)


def test_a_question_counts_from_its_answer_because_it_may_have_been_read_late(tmp_path, clock):
    pace, begun = HistoryPace(tmp_path / "asked.json", clock), clock.now_s()
    asked_at(pace, clock, "SPY", "a day", takes_s=20.0)
    assert asked_at(pace, clock, "SPY", "a day") - begun == pytest.approx(20.0 + 15.0 + MARGIN_S, abs=0.02)


def test_the_next_run_knows_what_the_last_one_has_asked(tmp_path, clock):
    asked_at(HistoryPace(tmp_path / "asked.json", clock), clock, "SPY", "a day")
    clock.pass_by(5)
    before = clock.now_s()
    assert asked_at(HistoryPace(tmp_path / "asked.json", clock), clock, "SPY", "a day") - before == pytest.approx(
        10.0 + MARGIN_S, abs=0.02
    )


def test_what_lies_ahead_of_the_clock_was_another_market_and_a_broken_file_says_nothing(tmp_path, clock):
    path = tmp_path / "asked.json"
    path.write_text(json.dumps([[clock.now_s() + 100, "SPY", "a day"]]))
    before = clock.now_s()
    assert asked_at(HistoryPace(path, clock), clock, "SPY", "a day") == before
    path.write_text("[[")
    assert asked_at(HistoryPace(path, HandTurned()), clock, "SPY", "a day") == before
