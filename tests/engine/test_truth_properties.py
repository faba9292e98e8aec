"""Whatever comes, in whatever order and however often: the book ends where the broker is (I5, I6)."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daemon.engine.book_index import is_settlement
from daemon.engine.settings import TruthPolicy
from shared.commands import Flatten, PlaceBracket
from shared.events import OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    ENTRY,
    STOP,
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
    handle_all,
    lines_of,
    of_kind,
    some_settings,
)

MORNING = 82_200
SLOW = [HealthCheck.too_slow]
PARTS = st.lists(st.integers(1, 200), min_size=1, max_size=6)


def executions(parts):
    """The entry in parts of so many shares, each with a correction to one share less."""
    first = [a_fill(ENTRY, size, exec_id=f"0001.01.{n:02}.01", seconds=61 + n) for n, size in enumerate(parts)]
    newer = [replace(fill, quantity=fill.quantity - 1, exec_id=fill.exec_id[:-1] + "2") for fill in first]
    return first + newer


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(PARTS, st.data())
def test_executions_count_once_in_any_order_with_any_repeats(parts, data):
    told = executions(parts)
    shuffled = data.draw(st.permutations(told + told))
    engine = an_engine_at_work()
    handle_all(engine, [filled(fill) for fill in shuffled])
    assert engine.book.holding("s", "SPY") == sum(parts) - len(parts)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(st.integers(-900, 1500))
def test_after_an_accept_the_book_holds_what_the_broker_holds_whatever_it_is(theirs):
    engine = a_long_engine()
    held = {"positions": {"SPY": theirs}}
    accept = OperatorCommanded(received_at=at(409), verb="accept", scope="instrument:SPY", actor="me")
    handle_all(engine, [a_report(70, positions={"SPY": 500}), a_report(400, **held), a_report(403, **held)])
    handle_all(engine, [accept, a_report(410, **held)])
    assert engine.book.position("SPY").quantity == theirs
    again = [a_report(413 + 3 * n, **held) for n in range(3)]
    commands = handle_all(engine, [*again, bars(480, SPY=100.0)])
    assert engine.book.locks == {}
    assert of_kind(commands, PlaceBracket) == []


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(st.integers(0, 499), st.data())
def test_whatever_of_a_settled_shortfall_is_told_after_all_counts_once(theirs, data):
    """Shares are closed by settlement in the morning; then any part of yesterday's executions turns up."""
    engine = a_long_engine()
    held = {"positions": {"SPY": theirs}, "open_orders": lines_of(engine)}
    engine.handle(a_report(1000, **{**held, "positions": {"SPY": 500}}))
    handle_all(
        engine, [disconnected(2000), connected(MORNING), *[a_report(MORNING + 3 * n, **held) for n in range(1, 5)]]
    )
    missing, parts = 500 - theirs, list[int]()
    while missing and len(parts) < 4:
        parts.append(data.draw(st.integers(1, missing)))
        missing -= parts[-1]
    late = [a_fill(STOP, size, 99.0, exec_id=f"0001.02.{n:02}.01", seconds=1500 + n) for n, size in enumerate(parts)]
    commands = handle_all(engine, [filled(fill, MORNING + 60) for fill in data.draw(st.permutations(late + late))])
    assert engine.book.position("SPY").quantity == theirs
    settled = sum(fill.quantity for fill in engine.book.fills.values() if is_settlement(fill))
    assert settled == missing
    assert [command for command in of_kind(commands, Flatten) if command.order.side is Side.BUY] == []


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(st.lists(st.integers(-300, 300), min_size=1, max_size=12), st.sampled_from(["report", "adopt", "reduce"]))
def test_whatever_the_broker_says_the_book_never_flips_a_position_by_itself(said, foreign):
    """Unsettled, refused or settled: no order is sent for shares that the broker does not hold."""
    engine = a_started(an_engine(settings=some_settings(truth=TruthPolicy(foreign=foreign))))
    engine.handle(bars(60, SPY=100.0))
    reports = [a_report(70 + 3 * n, positions={"SPY": theirs}) for n, theirs in enumerate(said)]
    for event in reports:
        exits = of_kind(
            [*engine.handle(event), *engine.handle(bars(60 * (event.received_at.minute + 2), SPY=100.0))], Flatten
        )
        theirs = event.positions[0].quantity
        assert all(command.order.side.sign * theirs <= 0 for command in exits)
        assert sum(command.order.quantity for command in exits) <= abs(theirs)
