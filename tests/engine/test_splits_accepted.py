"""What becomes of a split once a person accepts it, or wants out: quantities, prices, fractions, the flatten."""

import pytest
from msgspec.structs import replace

from daemon.engine.book import Book
from daemon.engine.corporate_action import apply_split
from daemon.engine.locks import SplitTaken
from daemon.engine.plan import Plan
from daemon.engine.settings import ExitPolicy
from shared.commands import Flatten, ReplaceStop
from shared.events import OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_universe,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
)
from tests.engine.test_truth_splits import ACCEPT, MORNING, a_line, accepted_split, an_engine_over_a_split


@pytest.mark.parametrize(
    ("theirs", "average", "stop", "target"),
    [(1000, 50.0, 49.5, 51.0), (3500, 100 / 7, 14.14, 14.57), (50, 1000.0, 990.0, 1020.0)],
)
def test_an_accepted_split_keeps_the_cost_and_gets_its_stop_at_the_new_price(theirs, average, stop, target):
    engine, _ = an_engine_over_a_split(theirs)
    accepted_split(engine, theirs)
    plan = engine.book.plans[PLAN]
    assert (plan.open_quantity, plan.opened_value) == (theirs, 50_000.0)
    assert plan.average_price == pytest.approx(average)
    assert (plan.stop_price, plan.take_profit_price) == (stop, target)
    (placed,) = of_kind(engine.handle(fired(f"protect:{PLAN}", MORNING + 103)), ReplaceStop)
    assert (placed.order.quantity, placed.order.stop_price) == (theirs, stop)


@pytest.mark.parametrize("ahead_s", [-2168, 0, 2168])
def test_what_an_order_of_after_a_split_executes_is_of_now_whatever_the_clocks_said_at_the_accept(ahead_s):
    """A storm over brutal 31317: each exit counted for a tenth of its shares, and was sent again 21 times."""
    engine, _ = an_engine_over_a_split(50)
    handle_all(engine, [ACCEPT, a_report(MORNING + 101, positions=a_line(50, 1000.0), clock_ahead_s=ahead_s)])
    engine.handle(fired(f"protect:{PLAN}", MORNING + 103))
    engine.handle(a_report(MORNING + 110, positions=a_line(50, 1000.0), open_orders=lines_of(engine)))
    engine.handle(filled(a_fill(f"{PLAN}:P1", 40, 990.0, seconds=MORNING + 120, exec_id="0009.01.01.01")))
    assert engine.book.position("SPY").quantity == 10


@pytest.mark.parametrize("ahead_s", [-2168, 2168])
def test_a_split_was_there_when_it_was_seen_though_the_clock_is_set_before_the_accept(ahead_s):
    engine, _ = an_engine_over_a_split(50)
    handle_all(engine, [ACCEPT, a_report(MORNING + 101, positions=a_line(50, 1000.0), clock_ahead_s=ahead_s)])
    (taken,) = engine.book.splits["SPY"]
    assert taken.happened_at == at(MORNING + 1)


@pytest.mark.parametrize(
    ("before", "theirs", "after"),
    [
        ([21, -99], -7.8, [2, -9]),
        ([29, 29, -98], -4.0, [2, 3, -9]),
        ([5, 5, 5], 7.5, [2, 2, 3]),
        ([-21], -2.1, [-2]),
        ([500, 300], 1600.0, [1000, 600]),
        ([7, 3], 14.0 / 3, [3, 1]),
    ],
)
def test_a_split_leaves_each_plan_its_side_and_its_whole_shares(before, theirs, after):
    """Found by simulation (brutal 40112): a long plan's shares were taken off a short one's, and it stood without."""
    universe = a_universe("SPY")
    book = Book.empty(universe)
    for number, shares in enumerate(before):
        side = Side.BUY if shares > 0 else Side.SELL
        book.add_plan(
            Plan(
                plan_id=f"OB1:s:20131008:SPY-{number}", strategy="s", symbol="SPY", side=side, opened=abs(shares),
                stop_price=None, take_profit_price=None,
            )
        )  # fmt: skip
    assert apply_split(book, universe, "SPY", theirs, SplitTaken(happened_at=at(50), taken_at=at(60)))
    assert [plan.signed_quantity for plan in book.plans.values()] == after


def test_an_accepted_split_earns_what_it_would_have_earned_without():
    """500 at 100, half closed at 110, then 2:1, the rest closed at 60: 2,500 and 5,000 in currency."""
    engine = a_long_engine()
    half = a_fill(TARGET, 250, 110.0, exec_id="0001.01.02.01", seconds=70)
    engine.handle(filled(half))
    lines = lines_of(engine)
    handle_all(engine, [a_report(1000, positions={"SPY": 250}, open_orders=lines), disconnected(2000)])
    handle_all(engine, [connected(MORNING), a_report(MORNING + 1, positions={"SPY": 500})])
    accepted_split(engine, 500)
    engine.handle(filled(a_fill(f"{PLAN}:X1", 500, 60.0, exec_id="0001.01.03.01", seconds=MORNING + 200)))
    assert engine.book.positions() == {}
    assert engine.book.realized_profit == pytest.approx(7_500.0)


def test_the_shares_of_an_accepted_split_are_wanted_and_not_sold_by_the_next_row():
    engine, _ = an_engine_over_a_split(1000)
    accepted_split(engine, 1000)
    assert of_kind(engine.handle(bars(MORNING + 120, SPY=50.0)), Flatten) == []
    assert engine.book.target("s", "SPY") == 1000


def test_what_was_let_go_of_on_the_evening_before_a_split_is_still_let_go_of():
    """Found by a replay of ten years: the split took the exit away, and accepting it made the shares wanted."""
    engine = a_long_engine()
    held = {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}
    handle_all(engine, [a_report(1000, **held)])
    says(engine, SPY=0.0)
    (exit_sent,) = of_kind(engine.handle(bars(1020, SPY=100.0)), Flatten)
    handle_all(engine, [disconnected(2000), connected(MORNING), cancelled(exit_sent.order.ref, MORNING)])
    handle_all(engine, [a_report(MORNING + 1, positions=a_line(1000, 50.0))])
    handle_all(engine, [ACCEPT, a_report(MORNING + 101, positions=a_line(1000, 50.0))])
    says(engine, SPY=0.0)
    told = handle_all(engine, [bars(MORNING + 1380, SPY=50.0), bars(MORNING + 1440, SPY=50.0)])
    assert [command.order.quantity for command in of_kind(told, Flatten)] == [1000]


def test_a_trailing_stop_does_not_follow_the_prices_of_after_before_a_person_accepts():
    """Found by simulation (brutal 21017): it followed them up tenfold, and the accept scaled it tenfold again."""
    universe = a_universe()
    exits = ExitPolicy(method="percent", stop=1.0, target=2.0, trail=1.0)
    engine = a_long_engine(an_engine(universe=universe, desks=[a_desk(universe, exits=exits)]))
    handle_all(engine, [cancelled(STOP, 70), cancelled(TARGET, 70), a_report(71, positions=a_line(50, 1000.0))])
    handle_all(engine, [bars(180 + 60 * row, SPY=1000.0) for row in range(4)])
    handle_all(engine, [replace(ACCEPT, received_at=at(500)), a_report(501, positions=a_line(50, 1000.0))])
    told = engine.handle(fired(f"protect:{PLAN}", 503))
    assert [command.order.stop_price for command in of_kind(told, ReplaceStop)] == [990.0]


def a_share_that_split(theirs, cost):
    """Long one share at 100 on which both agreed, then its orders were gone and the broker held so many."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(TARGET, 499, 110.0, exec_id="0001.01.02.01", seconds=70)))
    engine.handle(a_report(1000, positions={"SPY": 1}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    told = engine.handle(a_report(2000.3, positions=a_line(theirs, cost)))
    return engine, told + engine.handle(fired(f"protect:{PLAN}", 2001))


@pytest.mark.parametrize(("theirs", "cost"), [(1.5, 100 / 1.5), (1.25, 80.0), (0.5, 200.0)])
def test_a_split_that_brings_less_than_a_share_waits_for_a_person_too(theirs, cost):
    """Found by simulation (brutal 53): one share became one and a half, and its stop of before fired at once."""
    engine, told = a_share_that_split(theirs, cost)
    assert "corporate_action" in codes(told)
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) == []
    handle_all(engine, [replace(ACCEPT, received_at=at(2100)), a_report(2101, positions=a_line(theirs, cost))])
    assert engine.book.position("SPY").quantity == int(theirs)
    reports = [a_report(2110 + 3 * n, positions=a_line(theirs, cost), open_orders=lines_of(engine)) for n in range(3)]
    handle_all(engine, reports)
    assert engine.book.locks == {}


def test_an_accepted_split_that_leaves_no_whole_share_is_told_as_done_and_nothing_is_wanted_any_more():
    """Found by simulation (brutal 6971): a person was told that nothing was settled, and 6 shares were wanted still."""
    engine, _ = a_share_that_split(0.5, 200.0)
    told = handle_all(engine, [replace(ACCEPT, received_at=at(2100)), a_report(2101, positions=a_line(0.5, 200.0))])
    assert [code for code in codes(told) if code in ("settled", "accept_refused")] == ["settled"]
    assert engine.book.target("s", "SPY") == 0


def test_a_split_that_has_left_a_fraction_is_accepted_once_and_its_whole_share_gets_its_stop():
    """brutal 6681: 12 shares became 1.2; the one had the cost of the fraction too, as if it had split 5:4 since."""
    engine = an_engine_at_work()
    handle_all(engine, [filled(a_fill(quantity=12)), cancelled(ENTRY, 70, "its time is up")])
    engine.handle(a_report(1000, positions={"SPY": 12}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    reports = [a_report(seconds, positions=a_line(1.2, 1000.0)) for seconds in (2000.3, 2101, 2102)]
    handle_all(engine, [reports[0], replace(ACCEPT, received_at=at(2100)), reports[1]])
    told = engine.handle(reports[2])
    placed = of_kind(told + engine.handle(fired(f"protect:{PLAN}", 2102.5)), ReplaceStop)
    assert [(command.order.quantity, command.order.stop_price) for command in placed] == [(1, 990.0)]


@pytest.mark.parametrize(
    ("opened", "closed", "after"),
    [
        (12, 0, (1, 1_000.0, 0, 0.0)),  # 1.2 are left
        (19, 0, (1, 1_000.0, 0, 0.0)),
        (15, 5, (1, 1_000.0, 0, 50.0)),  # half a share closed is none, but has earned 50
        (30, 15, (3, 3_000.0, 2, 2_150.0)),  # 1.5 are left
        (30, 14, (3, 3_000.0, 2, 2_140.0)),
    ],
)
def test_a_fraction_of_a_share_goes_with_its_cost(opened, closed, after):
    """Bought at 100 and sold at 110, then ten shares become one."""
    universe = a_universe("SPY")
    book = Book.empty(universe)
    plan = Plan(
        plan_id="OB1:s:20131008:SPY-1", strategy="s", symbol="SPY", side=Side.BUY, opened=opened,
        opened_value=opened * 100.0, closed=closed, closed_value=closed * 110.0,
        stop_price=None, take_profit_price=None,
    )  # fmt: skip
    book.add_plan(plan)
    assert apply_split(book, universe, "SPY", (opened - closed) / 10, SplitTaken(happened_at=at(50), taken_at=at(60)))
    assert (plan.opened, plan.opened_value, plan.closed, plan.closed_value) == pytest.approx(after)


def test_a_view_formed_on_prices_of_two_scales_sells_nothing_before_a_person_accepts():
    """Found by simulation (brutal 1044)."""
    engine, _ = an_engine_over_a_split(1000)
    says(engine, SPY=0.0)
    assert of_kind(engine.handle(bars(MORNING + 60, SPY=50.0)), Flatten) == []


@pytest.mark.parametrize("scope", ["instrument:SPY", "account", "strategy:s"])
@pytest.mark.parametrize("theirs", [250, 1000])
def test_a_flatten_of_what_has_split_closes_all_that_the_broker_shows(theirs, scope):
    """brutal 17: of 36 shares the 18 of before were sold, the others were nobody's and had no stop."""
    engine, _ = an_engine_over_a_split(theirs)
    commands = engine.handle(OperatorCommanded(received_at=at(MORNING + 50), verb="flatten", scope=scope, actor="me"))
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [theirs]
    assert codes(commands) == ["operator", "settled"]
    exit_ref = of_kind(commands, Flatten)[0].order.ref
    engine.handle(filled(a_fill(exit_ref, theirs, 50_000 / theirs, seconds=MORNING + 51, exec_id="0001.01.02.01")))
    handle_all(engine, [a_report(MORNING + wait_s) for wait_s in (60, 70)])
    assert (engine.book.positions(), engine.book.breaks, engine.book.locks) == ({}, {}, {})


def test_a_flatten_while_nobody_answers_closes_what_the_next_report_shows():
    engine, _ = an_engine_over_a_split(1000)
    engine.handle(disconnected(MORNING + 40))
    engine.handle(OperatorCommanded(received_at=at(MORNING + 50), verb="flatten", scope="account", actor="me"))
    engine.handle(connected(MORNING + 60))
    commands = engine.handle(a_report(MORNING + 61, positions=a_line(1000, 50.0)))
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [1000]


def test_a_flatten_of_another_instrument_is_no_word_on_the_split():
    engine, _ = an_engine_over_a_split(1000)
    flatten = OperatorCommanded(received_at=at(MORNING + 50), verb="flatten", scope="instrument:IBM", actor="me")
    assert codes(engine.handle(flatten)) == ["operator"]
    assert engine.book.has_split("SPY")


def test_a_strangers_fraction_beside_our_share_is_no_split():
    _, told = a_share_that_split(1.5, 100.2)
    assert "corporate_action" not in codes(told)
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [1]
