"""No order acts on a view that is long over: entries end by themselves, and a reconnect goes through what was left."""

from datetime import timedelta

import pytest

from shared.commands import CancelOrder, PlaceBracket, ReplaceStop
from shared.events import SessionScheduled
from tests.engine.builders import (
    CLOSE,
    ENTRY,
    OPEN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
    some_settings,
)


def an_entry_of(engine, seconds):
    says(engine, SPY=1.0)
    (command,) = of_kind(engine.handle(bars(seconds, SPY=100.0)), PlaceBracket)
    return command.bracket


def cancelled_refs(commands):
    return [command.ref for command in of_kind(commands, CancelOrder)]


# --- good till --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["market", "limit"])
def test_an_entry_ends_by_itself_at_the_broker_soon_after_our_own_cancel_should_have_ended_it(entry):
    engine = a_started(an_engine(settings=some_settings(entry=entry, entry_timeout_s=120.0, good_till_slack_s=30.0)))
    bracket = an_entry_of(engine, 60)
    assert (bracket.entry.tif, bracket.entry.good_till) == ("GTD", at(60 + 150))
    assert (bracket.stop_loss.tif, bracket.stop_loss.good_till) == ("GTC", None)


def test_an_entry_never_outlives_the_session_it_was_meant_for():
    engine = a_started(an_engine(settings=some_settings(entry_timeout_s=86_400.0)))
    assert an_entry_of(engine, 60).entry.good_till == CLOSE


def a_daily_engine():
    return an_engine(settings=some_settings(interval_s=86_400, flatten_before_close_s=0.0, entry_timeout_s=10.0))


def test_with_daily_bars_an_entry_decided_at_the_close_is_a_day_order_of_the_next_session():
    bracket = an_entry_of(a_started(a_daily_engine()), (CLOSE - OPEN).total_seconds())
    assert (bracket.entry.tif, bracket.entry.good_till) == ("DAY", None)


def test_with_daily_bars_an_entry_is_good_till_the_close_of_the_session_that_is_known_to_come():
    engine = a_started(a_daily_engine())
    tomorrow = SessionScheduled(
        received_at=CLOSE,
        session=OPEN.date() + timedelta(days=1),
        opens_at=OPEN + timedelta(days=1),
        closes_at=CLOSE + timedelta(days=1),
    )
    engine.handle(tomorrow)
    bracket = an_entry_of(engine, (CLOSE - OPEN).total_seconds())
    assert (bracket.entry.tif, bracket.entry.good_till) == ("GTD", CLOSE + timedelta(days=1))


def test_what_is_left_of_a_market_entry_is_cancelled_when_its_time_is_up():
    engine = an_engine_at_work()
    engine.handle(filled(a_fill(quantity=200)))
    assert cancelled_refs(engine.handle(fired(f"entry:{ENTRY}", 180))) == [ENTRY]


# --- reconnect --------------------------------------------------------------------------------------------------


def after_a_reconnect(engine, **report):
    handle_all(engine, [disconnected(70), connected(80)])
    return engine.handle(a_report(81, **report))


def test_an_entry_from_before_a_reconnect_is_cancelled_once_the_broker_has_answered():
    engine = an_engine_at_work()
    lines = lines_of(engine)
    commands = handle_all(engine, [disconnected(70), connected(80)])
    assert cancelled_refs(commands) == []
    assert cancelled_refs(engine.handle(a_report(81, open_orders=lines))) == [ENTRY]


def test_an_entry_is_not_cancelled_on_the_word_of_a_report_that_could_not_be_asked_whole():
    engine = an_engine_at_work()
    commands = after_a_reconnect(engine, open_orders=lines_of(engine), unanswered=["positions"])
    assert cancelled_refs(commands) == []


def test_an_entry_from_before_a_reconnect_may_be_kept():
    engine = an_engine_at_work(an_engine(settings=some_settings(entries_on_reconnect="keep")))
    assert cancelled_refs(after_a_reconnect(engine, open_orders=lines_of(engine))) == []


@pytest.mark.parametrize(("policy", "gone"), [("keep", []), ("cancel", [TARGET])])
def test_a_target_from_before_a_reconnect_follows_its_own_policy_and_the_stop_always_stays(policy, gone):
    engine = a_long_engine(an_engine(settings=some_settings(targets_on_reconnect=policy)))
    lines = lines_of(engine, STOP, TARGET)
    commands = after_a_reconnect(engine, open_orders=lines, positions={"SPY": 500}, fills=[a_fill()])
    assert cancelled_refs(commands) == gone
    assert of_kind(commands, ReplaceStop) == []


def test_an_entry_sent_after_the_reconnect_is_left_alone():
    engine = a_started()
    after_a_reconnect(engine)
    an_entry_of(engine, 120)
    assert cancelled_refs(engine.handle(a_report(121, asked=119))) == []


def test_an_entry_that_shows_up_long_after_it_was_taken_for_lost_is_cancelled():
    """TWS.md 4.40: sent while the line was half dead, nowhere to be seen after the reconnect, then suddenly working."""
    engine = an_engine_at_work()
    lines = lines_of(engine)
    after_a_reconnect(engine)
    engine.handle(a_report(84))
    assert engine.book.orders == {}
    engine.handle(a_report(1200, open_orders=lines))
    assert cancelled_refs(engine.handle(a_report(1202, open_orders=lines))) == [ENTRY]
