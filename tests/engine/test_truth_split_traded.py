"""A split that waits for a person, and somebody trades in the instrument meanwhile: the quantities show it no more."""

import pytest

from daemon.engine.book import Book
from daemon.engine.corporate_action import ratio_shown
from daemon.engine.plan import Plan
from shared.account import BrokerPosition
from shared.commands import Flatten, ReplaceStop
from shared.events import OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_universe,
    at,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
)

ADOPTED = "OB1:adopted:20131008:SPY-1"


def shown(seconds, quantity, cost=50.0, **parts):
    return a_report(seconds, positions=[BrokerPosition(symbol="SPY", quantity=quantity, average_cost=cost)], **parts)


def ordered(verb, seconds):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope="instrument:SPY", actor="me")


def an_engine_that_split(traded):
    """Long 500 at 100 that the broker has shown as 1,000; somebody has traded so many since, which two reports show."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split"), shown(2000.3, 1000)])
    return engine, handle_all(engine, [shown(2060 + 3 * n, 1000 + traded) for n in range(3)])


@pytest.mark.parametrize(
    ("traded", "ours", "adopted"),
    [(341, 1000, 341), (-100, 900, None), (-1200, None, -200), (250, 1000, 250), (-250, 750, None)],
)
def test_an_accept_takes_the_split_over_and_settles_what_somebody_has_traded_since(traded, ours, adopted):
    """brutal 6841: 7 shares of before stayed 7, with their stop at half the price, and beside them 205 were adopted.

    brutal 20169: what a sale by hand left looked like 2:5, and the stop stood 24 % beyond the market and fired at once.
    """
    engine, _ = an_engine_that_split(traded)
    handle_all(engine, [ordered("accept", 2100), shown(2101, 1000 + traded)])
    held = {plan.plan_id: plan.signed_quantity for plan in engine.book.plans.values() if plan.open_quantity}
    assert held == {name: shares for name, shares in ((PLAN, ours), (ADOPTED, adopted)) if shares is not None}
    stops = of_kind(engine.handle(fired(f"protect:{PLAN}", 2103)), ReplaceStop)
    assert [stop.order.stop_price for stop in stops if stop.order.ref.startswith(PLAN)] == [49.5] * (ours is not None)
    assert all(abs(stop.order.stop_price - 50) < 5 for stop in stops)


def test_what_somebody_trades_beside_a_split_is_told_and_the_split_still_waits():
    engine, told = an_engine_that_split(341)
    assert codes(told) == ["quantity_break"]
    assert engine.book.has_split("SPY")
    assert of_kind(engine.handle(fired(f"protect:{PLAN}", 2103)), ReplaceStop) == []


def test_a_flatten_closes_the_shares_of_after_the_split_and_leaves_the_strangers():
    engine, _ = an_engine_that_split(341)
    commands = engine.handle(ordered("flatten", 2100))
    assert [command.order.quantity for command in of_kind(commands, Flatten)] == [1000]
    exit_ref = of_kind(commands, Flatten)[0].order.ref
    engine.handle(filled(a_fill(exit_ref, 1000, 50.0, seconds=2101, exec_id="0001.01.02.01")))
    engine.handle(shown(2110, 341))
    assert engine.book.positions() == {}
    assert engine.book.breaks["SPY"].broker_quantity == 341


def test_a_split_that_was_taken_over_is_not_taken_over_by_the_next_accept_again():
    engine, _ = an_engine_that_split(341)
    handle_all(engine, [ordered("accept", 2100), shown(2101, 1341)])
    handle_all(engine, [fired(f"protect:{PLAN}", 2103), shown(2110, 1300, open_orders=lines_of(engine))])
    handle_all(engine, [ordered("accept", 2120), shown(2121, 1300, open_orders=lines_of(engine))])
    held = {plan.plan_id: plan.signed_quantity for plan in engine.book.plans.values()}
    assert held == {PLAN: 1000, ADOPTED: 300}


def test_quantities_that_agree_again_end_the_split_and_its_ratio():
    """Positions that lag (TWS.md 4.53) or a bust: what differs later is no split of before."""
    engine, _ = an_engine_that_split(0)
    lines = lines_of(engine)
    handle_all(engine, [shown(2080, 500, 100.0), shown(2084, 841, 100.0), shown(2087, 841, 100.0)])
    handle_all(engine, [ordered("accept", 2100), shown(2101, 841, 100.0, open_orders=lines)])
    assert {plan.plan_id: plan.signed_quantity for plan in engine.book.plans.values()} == {PLAN: 500, ADOPTED: 341}


@pytest.mark.parametrize(
    ("theirs", "cost", "is_split"),
    [
        (948, 50.0, True),  # 26 of 500 were sold by hand, the others have split 2:1
        (237, 200.0, True),
        (237, 50.0, False),
        (948, 51.0, False),
        (-948, 50.0, False),
    ],
)
def test_a_cost_tells_a_split_alone_where_somebody_has_traded_unseen_before_it(theirs, cost, is_split):
    """Found by simulation (brutal 51017): no ratio fitted, and 114 shares got a stop at half their price."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    told = handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    told += handle_all(engine, [shown(2000.3, theirs, cost), fired(f"protect:{PLAN}", 2001)])
    assert ("corporate_action" in codes(told), of_kind(told, ReplaceStop) == []) == (is_split, is_split or theirs < 0)


@pytest.mark.parametrize(("theirs", "ours"), [(1250, 1000), (750, 750)])
def test_a_cost_tells_the_ratio_where_the_shares_that_somebody_has_traded_make_another_one(theirs, ours):
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split"), shown(2000.3, theirs)])
    told = handle_all(engine, [ordered("accept", 2100), shown(2101, theirs), fired(f"protect:{PLAN}", 2103)])
    stops = [stop.order for stop in of_kind(told, ReplaceStop) if stop.order.ref.startswith(PLAN)]
    assert [(stop.quantity, stop.stop_price) for stop in stops] == [(ours, 49.5)]


@pytest.mark.parametrize("lagging", [[], [0, 0]], ids=["shown", "shown as nothing in between"])
def test_a_strangers_shares_of_before_hide_no_split(lagging):
    """brutal 20509: 80 of ours and 57 of his became 13.7, which looked like 1:6, and 13 got a stop of before."""
    engine = a_long_engine()
    beside = [shown(1000 + 30 * n, 835, 103.0, open_orders=lines_of(engine)) for n in range(2)]
    late = [a_report(1500 + 30 * n, positions={}, open_orders=lines_of(engine)) for n, _ in enumerate(lagging)]
    told = handle_all(engine, [*beside, *late, cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    told += handle_all(engine, [shown(2000.3, 83.5, 1030.0), fired(f"protect:{PLAN}", 2001)])
    assert ("corporate_action" in codes(told), of_kind(told, ReplaceStop)) == (True, [])
    handle_all(engine, [ordered("accept", 2100), shown(2101, 83.5, 1030.0)])
    assert {plan.plan_id: plan.signed_quantity for plan in engine.book.plans.values()} == {PLAN: 50, ADOPTED: 33}


def test_a_strangers_shares_on_the_other_side_hide_no_split():
    """storm 17564: 36 short of ours beside 132 of a hand were 96, and then 48: an exit of before left at once."""
    engine = a_long_engine()
    beside = [shown(1000 + 30 * n, -700, 103.0, open_orders=lines_of(engine)) for n in range(2)]
    told = handle_all(engine, [*beside, cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    told += handle_all(engine, [shown(2000.3, -1400, 51.5), fired(f"protect:{PLAN}", 2001)])
    assert ("corporate_action" in codes(told), of_kind(told, ReplaceStop)) == (True, [])
    handle_all(engine, [ordered("accept", 2100), shown(2101, -1400, 51.5)])
    assert {plan.plan_id: plan.signed_quantity for plan in engine.book.plans.values()} == {PLAN: 0, ADOPTED: -1400}


def test_an_accept_of_a_split_that_the_cost_has_told_leaves_what_the_broker_shows_at_the_new_price():
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split"), shown(2000.3, 948)])
    told = handle_all(engine, [ordered("accept", 2100), shown(2101, 948), fired(f"protect:{PLAN}", 2103)])
    assert [(stop.order.quantity, stop.order.stop_price) for stop in of_kind(told, ReplaceStop)] == [(948, 49.5)]


def test_a_strangers_shares_that_stood_beside_ours_before_are_no_split_by_their_cost():
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    beside = [shown(1500 + 30 * n, 1490, 66.78, open_orders=lines_of(engine)) for n in range(3)]
    told = handle_all(engine, [*beside, cancelled(STOP, 2000, "202"), shown(2000.3, 1490, 66.78)])
    assert "corporate_action" not in codes(told)
    assert len(of_kind(engine.handle(fired(f"protect:{PLAN}", 2001)), ReplaceStop)) == 1


@pytest.mark.parametrize(("theirs", "ratio"), [(1000.0, 2), (250.0, None), (1250.0, 2.5)])
def test_a_split_of_plans_on_both_sides_is_known_also_since_a_fill_unless_the_figure_is_of_before_it(theirs, ratio):
    """brutal 15343: they have no cost that could tell it, and their stops came back at twice the price."""
    book = Book.empty(a_universe("SPY"))
    for name, side, opened in ((ADOPTED, Side.SELL, 500), (PLAN, Side.BUY, 0)):
        book.add_plan(
            Plan(
                plan_id=name, strategy="s", symbol="SPY", side=side, opened=opened, opened_value=opened * 100.0,
                stop_price=None, take_profit_price=None,
            )
        )  # fmt: skip
    book.agreed["SPY"] = at(100)
    for number, shares in enumerate((750, 250)):
        book.book_fill(a_fill(ENTRY, shares, seconds=120 + number, exec_id=f"0001.01.{number}.01"))
    found = ratio_shown(book, shown(200, theirs, 100.0), "SPY", theirs)
    assert (None if found is None else float(found)) == ratio


@pytest.mark.parametrize(("traded", "ratio"), [([], 2), ([500], None), ([300], 2)], ids=["none", "it", "less"])
def test_what_others_have_sold_beside_an_oversold_plan_is_no_split(traded, ratio):
    """Found by simulation (brutal 230): stop and target had both filled, 52 came by hand, and 210 for 158 were 4:3."""
    book = Book.empty(a_universe("SPY"))
    book.add_plan(
        Plan(
            plan_id=PLAN, strategy="s", symbol="SPY", side=Side.BUY, opened=500, opened_value=50_000.0, closed=1000,
            closed_value=99_000.0, stop_price=None, take_profit_price=None,
        )
    )  # fmt: skip
    book.agreed["SPY"], book.strangers["SPY"] = at(100), {}
    fills = [a_fill("by hand", shares, 99.0, seconds=120, side=Side.SELL, symbol="SPY") for shares in traded]
    found = ratio_shown(book, shown(200, -1000.0, 99.0, fills=fills), "SPY", -1000.0)
    assert (None if found is None else float(found)) == ratio


@pytest.mark.parametrize("verb", ["accept", "flatten"])
def test_an_exit_that_was_under_way_at_a_split_has_sold_shares_of_after(verb):
    """storm 593: 21 of 96 were sold; the book took them for 21 of 32, and 42 of ours were nobody's."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    exit_ref = f"{PLAN}:X1"
    raced = [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")]
    raced += [filled(a_fill(exit_ref, 200, 50.0, seconds=2000, exec_id="0001.01.03.01")), shown(2010, 800)]
    told = handle_all(engine, [*raced, ordered(verb, 2100), shown(2101, 800), fired(f"protect:{PLAN}", 2103)])
    assert engine.book.positions() == {"SPY": engine.book.position("SPY")}
    assert (engine.book.position("SPY").quantity, engine.book.realized_profit) == (800, 0.0)
    orders = [command.order.quantity for command in told if isinstance(command, Flatten | ReplaceStop)]
    assert orders[0] == 800
