"""Snapshot and restore: the same bytes, and the same next commands as without it."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.engine.assembly import build_engine
from shared.commands import PlaceBracket, SetTimer
from shared.errors import DataError
from shared.events import FillCorrected, OperatorCommanded, OrderUnknown, SessionScheduled, StopRequested
from shared.ids import leg_ref
from shared.messages import encode
from shared.orders import Fill, Leg
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_start,
    a_universe,
    accepted,
    an_engine,
    an_engine_that_asked,
    an_open_order,
    at,
    bars,
    cancelled,
    connected,
    cost,
    disconnected,
    filled,
    fired,
    handle_all,
    of_kind,
    rejected,
    run_started,
    says,
    scheduled,
)
from tests.runtime.builders import a_config


def copied(engine, fresh):
    fresh.restore(engine.snapshot())
    return fresh


# --- by hand ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [an_engine, an_engine_that_asked, a_long_engine])
def test_a_restored_engine_gives_the_same_bytes(make):
    engine = make()
    assert copied(engine, an_engine()).snapshot() == engine.snapshot()


def test_a_restored_engine_protects_like_the_one_before():
    engine = a_long_engine()
    other = copied(engine, an_engine())
    events = [cancelled(STOP, 70), fired(f"protect:{PLAN}", 72)]
    assert encode(handle_all(other, events)) == encode(handle_all(engine, events))


def test_a_restored_engine_does_not_decide_on_a_row_again():
    engine = an_engine_that_asked()
    other = copied(engine, an_engine())
    assert other.handle(bars(60, SPY=100.0)) == []


def test_a_snapshot_is_not_changed_by_what_happens_after_it():
    engine = a_long_engine()
    before = engine.snapshot()
    engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01"), 70))
    other = an_engine()
    other.restore(before)
    assert other.book.position("SPY").quantity == 500


@pytest.mark.parametrize("data", [b"", b"\x00", b"not a snapshot", msgspec.msgpack.encode({"book": 1})])
def test_bytes_that_are_no_snapshot_are_refused_in_one_line(data):
    with pytest.raises(DataError, match=r"^snapshot of the engine: \d+ bytes that are none"):
        an_engine().restore(data)


def test_half_a_snapshot_is_refused():
    data = a_long_engine().snapshot()
    with pytest.raises(DataError):
        an_engine().restore(data[: len(data) // 2])


@pytest.mark.parametrize("symbols", [("IBM", "SPY"), ("SPY", "IBM", "QQQ"), ("SPY",)])
def test_a_snapshot_of_other_columns_is_refused(symbols):
    universe = a_universe(*symbols)
    engine = an_engine(universe=universe, desks=[a_desk(universe, symbols=("SPY",))])
    own = an_engine(desks=[a_desk(a_universe(), symbols=("SPY",))])
    with pytest.raises(DataError, match="SPY, IBM"):
        engine.restore(own.snapshot())


def test_a_strategy_that_is_new_begins_without_memory():
    universe = a_universe()
    engine = an_engine(desks=[a_desk(universe), a_desk(universe, "t")])
    engine.restore(a_long_engine().snapshot())
    assert engine.book.position("SPY").quantity == 500
    assert engine.book.holding("t", "SPY") == 0


def test_a_refused_snapshot_leaves_the_engine_as_it_was():
    engine = a_long_engine()
    before = engine.snapshot()
    universe = a_universe("IBM", "SPY")
    with pytest.raises(DataError):
        engine.restore(an_engine(universe=universe, desks=[a_desk(universe)]).snapshot())
    assert engine.snapshot() == before


# --- many days ---------------------------------------------------------------------------------------------------


def a_whole_day(engine, day):
    """In at the first row, out at the target, and the size of the memory at the next open."""
    first = 86_400 * day
    opens_at = at(first)
    session = SessionScheduled(
        received_at=opens_at, session=opens_at.date(), opens_at=opens_at, closes_at=at(first + 23_400)
    )
    handle_all(engine, [session, cost(f"0009.01.{day:02}.01", 1.0, first)])
    says(engine, SPY=1.0)
    (placed,) = of_kind(engine.handle(bars(first + 60, SPY=100.0)), PlaceBracket)
    bracket = placed.bracket
    entry = a_fill(bracket.entry.ref, 500, 100.0, seconds=first + 61, exec_id=f"0001.01.{day:02}.01")
    leave = a_fill(bracket.take_profit.ref, 500, 102.0, seconds=first + 70, exec_id=f"0002.01.{day:02}.01")
    handle_all(engine, [filled(entry), filled(leave), cancelled(bracket.stop_loss.ref, first + 71)])
    handle_all(engine, [a_report(first + 80, positions={f"FOREIGN{day}": 1.0})] * 2)
    says(engine, SPY=0.0)
    engine.handle(bars(first + 120, SPY=100.0))
    return len(engine.snapshot())


def test_the_memory_of_thirty_days_is_not_larger_than_that_of_ten():
    engine = an_engine()
    handle_all(engine, a_start())
    sizes = [a_whole_day(engine, day) for day in range(30)]
    assert max(sizes[10:]) <= sizes[10] + 64  # numbers grow by a digit, the rest does not


# --- any events, any point --------------------------------------------------------------------------------------

REFS = [leg_ref(f"OB1:s:20131008:{symbol}-{n}", leg) for symbol in ("SPY", "IBM") for n in (1, 2) for leg in Leg]
OURS = [leg_ref(PLAN.replace(":s:", ":sma:"), leg) for leg in (Leg.ENTRY, Leg.STOP_LOSS, Leg.TAKE_PROFIT)]
ALL = OURS + REFS
refs = st.sampled_from(OURS * 4 + REFS)
price = st.sampled_from([90.0, 99.0, 100.0, 101.0, 103.0, 150.0, None])
quantity = st.sampled_from([100, 200, 500])


@st.composite
def some_fill(draw):
    """One of two executions of some order, or its correction; an execId belongs to one order."""
    ref, correction = draw(refs), draw(st.sampled_from([1, 1, 2]))
    number = 2 * ALL.index(ref) + draw(st.integers(0, 1))
    return a_fill(ref, draw(quantity), draw(price) or 98.0, exec_id=f"0001.01.{number:02}.{correction:02}")


@st.composite
def some_report(draw, seconds):
    engine = an_engine_that_asked()
    orders = {ref.replace(":s:", ":sma:"): order.order for ref, order in engine.book.orders.items()}
    shown = draw(st.lists(st.sampled_from(list(orders)), max_size=3, unique=True))
    return a_report(
        seconds,
        asked=seconds - draw(st.sampled_from([0, 1, 30])),
        open_orders=[an_open_order(msgspec.structs.replace(orders[ref], ref=ref)) for ref in shown],
        completed_orders=[
            a_completed(ref, draw(st.sampled_from(["Filled", "Cancelled"]))) for ref in draw(st.lists(refs, max_size=2))
        ],
        fills=draw(st.lists(some_fill(), max_size=2)),
        positions=draw(st.sampled_from([{}, {"SPY": 500}, {"SPY": 100}, {"TSLA": 1}])),
        unanswered=draw(st.sampled_from([[], [], [], ["fills"], ["positions", "open_orders"]])),
    )


@st.composite
def some_event(draw, seconds):
    """Anything that may come at that second."""
    operator = {"received_at": at(seconds), "scope": "account", "actor": "me"}
    return draw(
        st.one_of(
            st.builds(lambda spy, ibm: bars(seconds, SPY=spy, IBM=ibm), price, price),
            st.builds(lambda spy: bars(seconds, SPY=spy, IBM=185.0), price),
            some_report(seconds),
            st.builds(lambda ref: accepted(ref, seconds), refs),
            st.builds(lambda ref: cancelled(ref, seconds), refs),
            st.builds(lambda ref: rejected(ref, seconds), refs),
            st.builds(lambda ref: OrderUnknown(received_at=at(seconds), ref=ref, reason="?"), refs),
            st.builds(lambda fill: filled(fill, seconds), some_fill()),
            st.builds(lambda f: FillCorrected(received_at=at(seconds), fill=f), some_fill()),
            st.builds(lambda number: cost(f"0001.01.{number:02}.01", 1.5, seconds), st.integers(0, 9)),
            st.builds(lambda ref: fired(f"acknowledge:{ref}", seconds), refs),
            st.sampled_from([fired(timer, seconds) for timer in (f"protect:{PLAN}", "ask", "flatten")]),
            st.sampled_from([disconnected(seconds), connected(seconds), run_started(seconds), scheduled(seconds)]),
            st.sampled_from(
                [
                    OperatorCommanded(verb=verb, **operator)
                    for verb in ("halt", "reduce", "resume", "flatten", "observe")
                ]
            ),
            st.just(StopRequested(received_at=at(seconds), reason="test")),
        )
    )


@st.composite
def any_day(draw):
    """A start, a cross of the averages that sends a bracket, and then whatever may happen; half a minute a step."""
    count = draw(st.integers(1, 25))
    crossing = [
        bars(60 * n, SPY=close, IBM=185.0) for n, close in enumerate([101.0, 100.0, 99.0, 100.0, 102.0], start=1)
    ]
    return [*a_start(), *crossing, *(draw(some_event(330 + 30 * step)) for step in range(count))]


@given(any_day(), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_restore_at_any_point_changes_no_later_command(events, data):
    config = a_config(None)
    point = data.draw(st.integers(0, len(events)))
    plain, first, second = (build_engine(config) for _ in range(3))
    expected = [encode(plain.handle(event)) for event in events]
    before = [encode(first.handle(event)) for event in events[:point]]
    second.restore(first.snapshot())
    after = [encode(second.handle(event)) for event in events[point:]]
    assert before + after == expected
    assert second.snapshot() == plain.snapshot()


@given(any_day())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_same_events_give_the_same_commands_and_the_same_memory(events):
    first, second = build_engine(a_config(None)), build_engine(a_config(None))
    assert encode(handle_all(first, events)) == encode(handle_all(second, events))
    assert first.snapshot() == second.snapshot()


def the_executions(events):
    """By an oracle of its own: of every execution the newest version, the first of equals."""
    newest: dict[str, Fill] = {}
    for event in events:
        fills = getattr(event, "fills", None) or [fill for fill in [getattr(event, "fill", None)] if fill]
        for fill in sorted(fills, key=lambda fill: fill.exec_id):
            stem, correction = fill.exec_id[:10], fill.exec_id[11:]
            if stem not in newest or newest[stem].exec_id[11:] < correction:
                newest[stem] = fill
    return newest.values()


@given(any_day())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_the_position_is_the_sum_of_the_executions(events):
    engine = build_engine(a_config(None))
    handle_all(engine, events)
    held = {symbol: engine.book.position(symbol).quantity for symbol in ("SPY", "IBM")}
    counted = dict.fromkeys(held, 0)
    for fill in the_executions(events):
        counted[fill.symbol] += fill.side.sign * fill.quantity
    assert held == counted


def test_the_grace_of_a_missing_stop_begins_anew_after_a_restart_whose_timer_died():
    """The stop was cancelled a moment before the process was killed; nothing else may happen for a long time."""
    engine = a_long_engine()
    engine.handle(cancelled(STOP, 70))
    again = an_engine()
    again.restore(engine.snapshot())
    lines = [an_open_order(engine.book.orders[TARGET].order, 3)]
    steps = [
        run_started(70.1),
        scheduled(70.1),
        connected(70.1),
        a_report(70.3, positions={"SPY": 500}, open_orders=lines),
    ]
    timers = [command.timer_id for command in of_kind(handle_all(again, steps), SetTimer)]
    assert f"protect:{PLAN}" in timers
