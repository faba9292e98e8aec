"""Breaks that no execution will ever explain: settled by themselves only where that is safe and provable (F4, I5, I6).

The usual engine is long 500 SPY in a book of Tuesday, and the gateway forgets executions at midnight in New York, which
is 04:00 UTC: 52,200 seconds after Tuesday's open.
"""

import pytest
from msgspec.structs import replace

from daemon.engine.book import Book
from daemon.engine.book_index import is_settlement
from daemon.engine.locks import Break
from daemon.engine.plan import Plan
from daemon.engine.settlement import settle_shortfall
from shared.commands import AskBroker, CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded, SessionScheduled
from shared.messages import encode
from shared.orders import OrderStatus, Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    a_universe,
    an_engine,
    an_engine_at_work,
    ask_timers,
    at,
    bars,
    codes,
    connected,
    disconnected,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
)

MIDNIGHT = 52_200
MORNING = MIDNIGHT + 30_000


def accept(seconds, scope="instrument:SPY"):
    return OperatorCommanded(received_at=at(seconds), verb="accept", scope=scope, actor="me")


def settled(engine):
    return [fill for fill in engine.book.fills.values() if is_settlement(fill)]


def a_long_engine_of_yesterday():
    """Long 500 as the broker said too, then the line was dead until the next morning."""
    engine = a_long_engine()
    legs = lines_of(engine)
    handle_all(engine, [a_report(1000, positions={"SPY": 500}, open_orders=legs), disconnected(2000)])
    return engine, legs


def mornings(held, *, count=4, **parts):
    """The reconnect on the next morning and reports 3 s apart."""
    reports = [a_report(MORNING + 3 * n, positions=held, **parts) for n in range(1, count + 1)]
    return [connected(MORNING), *reports]


# --- by itself ----------------------------------------------------------------------------------------------------


def test_a_position_that_went_before_the_brokers_memory_begins_is_settled_and_told():
    engine, _ = a_long_engine_of_yesterday()
    told = handle_all(engine, mornings({}))
    assert engine.book.positions() == {}
    (fill,) = settled(engine)
    assert (fill.ref, fill.quantity, fill.side, fill.price) == (f"{PLAN}:X1", 500, "SELL", 100.0)
    assert codes(told).count("settled") == 1


def test_two_reports_are_not_enough_to_settle():
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}, count=2))
    assert settled(engine) == []


def test_the_name_of_a_settlement_is_computed_from_day_reference_quantity_and_cause():
    first, second = a_long_engine_of_yesterday()[0], a_long_engine_of_yesterday()[0]
    handle_all(first, mornings({}))
    handle_all(second, mornings({}))
    assert [fill.exec_id for fill in settled(first)] == [f"SETTLED.20131009.{PLAN}:X1.500.quantity_break.1.01"]
    assert encode(settled(first)) == encode(settled(second))


def test_what_the_broker_still_holds_stays_and_keeps_a_stop_of_its_size():
    engine, legs = a_long_engine_of_yesterday()
    commands = handle_all(engine, mornings({"SPY": 200}, open_orders=legs))
    assert engine.book.position("SPY").quantity == 200
    assert [(c.order.ref, c.order.quantity) for c in of_kind(commands, ReplaceStop)] == [(STOP, 200), (TARGET, 200)]
    assert of_kind(commands, Flatten) == []


def test_what_is_settled_is_taken_off_the_legs_before_an_exit_that_has_waited_joins_their_group():
    """storm 12239: a stop for 7 rested behind 4 as long as their exit worked, and no group takes that off."""
    engine = a_long_engine()
    legs = lines_of(engine)
    handle_all(engine, [a_report(100 + 3 * n, positions={"SPY": 200}, open_orders=legs) for n in range(3)])
    says(engine, SPY=0.0)
    handle_all(engine, [disconnected(120), bars(180, SPY=100.0), accept(181), connected(182)])
    told = engine.handle(a_report(700, positions={"SPY": 200}, open_orders=legs))
    sent = [(each.order.ref, each.order.quantity) for each in told if isinstance(each, (ReplaceStop, Flatten))]
    assert sent == [(STOP, 200), (TARGET, 200), (f"{PLAN}:X2", 200)]


def test_the_legs_of_a_plan_that_is_settled_flat_are_cancelled_at_once():
    engine, legs = a_long_engine_of_yesterday()
    commands = handle_all(engine, mornings({}, open_orders=legs))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [STOP, TARGET]


def test_the_lock_of_a_settled_break_heals_and_nothing_is_entered_in_its_place():
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}, count=6))
    assert engine.book.locks == {}
    assert of_kind(engine.handle(bars(MORNING + 60, SPY=100.0)), PlaceBracket) == []


def test_a_holding_on_which_both_agreed_today_is_never_settled_by_itself():
    engine = a_long_engine()
    agreed = a_report(70, positions={"SPY": 500})
    handle_all(engine, [agreed, *[a_report(100 + 3 * n) for n in range(10)]])
    assert settled(engine) == []
    assert set(engine.book.locks) == {"SPY"}


def test_a_holding_on_which_both_never_agreed_is_never_settled_by_itself():
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), *mornings({}, count=8)])
    assert settled(engine) == []


def test_an_execution_of_today_forbids_the_conclusion():
    """What is missing may be of today too, and then it is somebody's fault and not the calendar's."""
    engine, _ = a_long_engine_of_yesterday()
    busy = a_fill(TARGET, 100, 102.0, seconds=MORNING - 60, exec_id="0001.01.02.01")
    handle_all(engine, mornings({}, fills=[busy], count=8))
    assert settled(engine) == []


def test_a_position_on_the_other_side_is_never_settled_by_itself():
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({"SPY": -100}, count=8))
    assert settled(engine) == []
    assert set(engine.book.locks) == {"SPY"}


def test_more_than_the_book_holds_is_never_settled_by_itself():
    engine, legs = a_long_engine_of_yesterday()
    handle_all(engine, mornings({"SPY": 700}, open_orders=legs, count=8))
    assert settled(engine) == []


@pytest.mark.parametrize("lacking", ["positions", "executions", "open_orders", "completed_orders"])
def test_an_incomplete_report_settles_nothing(lacking):
    """F4 and I12: a question without an answer is never taken for an empty one."""
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}, unanswered=[lacking], count=8))
    assert settled(engine) == []
    assert engine.book.position("SPY").quantity == 500


def test_what_is_held_is_settled_without_the_accounts_figures():
    """storm 5998: they stayed unreadable for minutes, and what a person had accepted had no stop as long."""
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}, unanswered=["account"], count=8))
    assert engine.book.positions() == {}


def test_an_order_of_unknown_fate_forbids_the_conclusion():
    engine, legs = a_long_engine_of_yesterday()
    leaving = [replace(line, status="PendingCancel") for line in legs]
    handle_all(engine, mornings({}, open_orders=leaving, count=1))
    engine.book.orders[STOP].status = OrderStatus.CANCELLING
    handle_all(engine, [a_report(MORNING + 3 * n, open_orders=leaving) for n in range(2, 9)])
    assert settled(engine) == []
    assert set(engine.book.locks) == {"SPY"}


# --- when the real execution turns up -----------------------------------------------------------------------------


def test_a_settlement_gives_way_to_the_execution_when_it_is_told_after_all():
    """I6: nothing is booked twice, and nothing is bought back for it."""
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}))
    late = a_fill(STOP, 500, 99.0, seconds=3000, exec_id="0001.01.03.01")
    commands = engine.handle(a_report(MORNING + 60, fills=[late]))
    assert [fill.quantity for fill in settled(engine)] == [0]
    assert engine.book.positions() == {}
    assert of_kind(commands, Flatten) == []
    assert "settlement_corrected" in codes(commands)


def test_a_settlement_gives_way_share_by_share():
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}))
    late = a_fill(STOP, 200, 99.0, seconds=3000, exec_id="0001.01.03.01")
    engine.handle(a_report(MORNING + 60, fills=[late]))
    assert [fill.quantity for fill in settled(engine)] == [300]
    assert engine.book.positions() == {}


def test_an_execution_younger_than_the_settlement_does_not_touch_it():
    engine, legs = a_long_engine_of_yesterday()
    handle_all(engine, mornings({"SPY": 200}, open_orders=legs))
    stopped = a_fill(STOP, 200, 99.0, seconds=MORNING + 50, exec_id="0001.01.03.01")
    engine.handle(a_report(MORNING + 60, fills=[stopped]))
    assert [fill.quantity for fill in settled(engine)] == [300]
    assert engine.book.positions() == {}


def test_a_settlement_survives_a_restart():
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}))
    other = an_engine()
    other.restore(engine.snapshot())
    assert settled(other) == settled(engine)
    late = a_fill(STOP, 500, 99.0, seconds=3000, exec_id="0001.01.03.01")
    other.handle(a_report(MORNING + 60, fills=[late]))
    assert other.book.positions() == {}


# --- by a person --------------------------------------------------------------------------------------------------


def a_broken_engine(theirs):
    """Agreed today about 500, and since then the broker says something else."""
    engine = a_long_engine()
    legs = lines_of(engine)
    held = {"SPY": theirs} if theirs else {}
    reports = [a_report(s, positions=held, open_orders=legs) for s in (100, 103, 106)]
    handle_all(engine, [a_report(70, positions={"SPY": 500}, open_orders=legs), *reports])
    return engine, a_report(110, positions=held, open_orders=legs)


def test_accept_asks_first_and_settles_with_the_next_complete_report():
    engine, report = a_broken_engine(200)
    commands = engine.handle(accept(108))
    assert len(of_kind(commands, AskBroker)) == 1
    assert settled(engine) == []
    told = engine.handle(report)
    assert engine.book.position("SPY").quantity == 200
    assert codes(told).count("settled") == 1


def test_accept_of_more_makes_a_plan_of_the_surplus_with_a_stop_of_its_own():
    engine, report = a_broken_engine(700)
    handle_all(engine, [bars(107, SPY=100.0), accept(108), report])
    (stop,) = of_kind(engine.handle(fired("protect:OB1:adopted:20131008:SPY-1", 113)), ReplaceStop)
    assert (stop.order.quantity, stop.order.side, stop.order.stop_price) == (200, "SELL", 98.0)
    assert engine.book.holding("adopted", "SPY") == 200
    assert engine.book.position("SPY").quantity == 700


def test_the_lock_of_what_was_accepted_is_looked_at_until_it_heals():
    engine, report = a_broken_engine(200)
    assert len(ask_timers(handle_all(engine, [accept(108), report]))) == 1
    clean = [a_report(second, positions={"SPY": 200}, open_orders=lines_of(engine)) for second in (112, 114)]
    asked = [len(ask_timers(told)) for told in (engine.handle(report) for report in clean)]
    assert asked == [1, 0]
    assert engine.book.locks == {}


def test_what_was_accepted_is_kept_and_not_closed_by_the_next_row():
    engine, report = a_broken_engine(700)
    handle_all(engine, [accept(108), report])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), Flatten) == []


def test_accept_of_the_other_side_closes_the_plan_in_the_book_and_adopts_the_rest():
    engine, report = a_broken_engine(-100)
    commands = handle_all(engine, [accept(108), report])
    assert engine.book.position("SPY").quantity == -100
    assert engine.book.holding("s", "SPY") == 0
    assert of_kind(commands, Flatten) == []
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [STOP, TARGET]


def test_the_quantity_a_person_saw_is_accepted_and_no_other():
    engine, _ = a_broken_engine(200)
    engine.handle(accept(108))
    told = engine.handle(a_report(110, positions={"SPY": 100}))
    assert (codes(told).count("accept_refused"), settled(engine)) == (1, [])
    assert engine.book.accepts == {}


def test_a_quantity_that_changed_a_moment_ago_is_not_settled_to_what_it_was():
    engine, _ = a_broken_engine(200)
    handle_all(engine, [accept(106.2), a_report(106.5, positions={"SPY": 100})])
    assert settled(engine) == []


@pytest.mark.parametrize("scope", ["instrument:IBM", "account", "strategy:s"])
def test_accept_where_nothing_is_broken_is_refused_in_one_line(scope):
    engine, report = a_broken_engine(200)
    assert codes(engine.handle(accept(108, scope))) == ["operator", "accept_refused"]
    engine.handle(report)
    assert settled(engine) == []


@pytest.mark.parametrize(
    ("theirs", "short", "long"), [(-208, 230, 22), (-200, 224, 24), (-240, 230, 0), (10, 14, 24), (30, 0, 24)]
)
def test_of_plans_on_both_sides_those_lose_whose_side_has_too_many(theirs, short, long):
    """brutal 2638: a hand had sold two, a person accepted, and the whole long plan was closed against the short one."""
    book = Book.empty(a_universe())
    for strategy, side, held in (("s", Side.SELL, 230), ("t", Side.BUY, 24)):
        plan_id = f"OB1:{strategy}:20131008:SPY-1"
        plan = Plan(
            plan_id=plan_id, strategy=strategy, symbol="SPY", side=side, stop_price=None, take_profit_price=None
        )
        book.add_plan(plan)
        book.book_fill(a_fill(f"{plan_id}:E", held, exec_id=f"0001.{held}.01.01", side=side))
    seen = Break(
        kind="quantity_break",
        text="",
        since=at(70),
        seen_at=at(70),
        broker_quantity=theirs,
        average_cost=100.0,
        executions=2,
    )
    settle_shortfall(book, seen, "SPY", 100.0, at(80))
    assert [plan.open_quantity for plan in book.plans.values()] == [short, long]


def test_accept_ends_the_doubt_about_orders_that_the_broker_does_not_show():
    """DESIGN 5: unknown ends on evidence or on a named operator action."""
    engine = an_engine_at_work()
    engine.book.orders[ENTRY].status = OrderStatus.UNKNOWN
    rest = lines_of(engine, STOP, TARGET)
    ended = [a_report(s, positions={"SPY": 500}, open_orders=rest) for s in (62, 65)]
    handle_all(engine, ended)
    assert engine.book.orders[ENTRY].status is OrderStatus.UNKNOWN
    handle_all(engine, [accept(66), a_report(68, positions={"SPY": 500}, open_orders=rest)])
    assert ENTRY not in engine.book.orders
    assert engine.book.holding("s", "SPY") == 500


def test_shares_behind_own_stops_are_claimed_by_their_plan_and_not_adopted():
    """An empty journal on the day after: the legs rest there, the entry's executions are out of reach."""
    legs = lines_of(a_long_engine(), STOP, TARGET)
    engine = a_started()
    held = {"positions": {"SPY": 500}, "open_orders": legs}
    handle_all(engine, [a_report(s, **held) for s in (10, 13, 16)])
    commands = handle_all(engine, [accept(17), a_report(19, **held), a_report(22, **held), bars(60, SPY=100.0)])
    plan = engine.book.plans[PLAN]
    assert (plan.open_quantity, plan.average_price, plan.stop_price) == (500, 100.0, 99.0)
    assert engine.book.unprotected_plans() == []
    assert of_kind(commands, ReplaceStop) + of_kind(commands, CancelOrder) + of_kind(commands, Flatten) == []


def test_a_plan_whose_entry_still_works_claims_nothing():
    """Its stop rests for shares that are still to come: what is held already is somebody else's."""
    engine = an_engine_at_work()
    held = {"positions": {"SPY": 300}, "open_orders": lines_of(engine)}
    handle_all(engine, [a_report(62, **held), a_report(65, **held), accept(66), a_report(68, **held)])
    assert (engine.book.holding("s", "SPY"), engine.book.holding("adopted", "SPY")) == (0, 300)


def test_a_settled_plan_of_yesterday_leaves_the_strategy_free_to_enter_anew():
    engine, _ = a_long_engine_of_yesterday()
    handle_all(engine, mornings({}, count=6))
    day = SessionScheduled(
        received_at=at(86_390), session=at(86_400).date(), opens_at=at(86_400), closes_at=at(86_400 + 23_400)
    )
    says(engine, SPY=-1.0)
    handle_all(engine, [day])
    (placed,) = of_kind(engine.handle(bars(86_460, SPY=100.0)), PlaceBracket)
    assert placed.bracket.entry.side == "SELL"
