"""Splits (F16, I19, TWS.md 4.51): quantity and price jump overnight, the orders are gone, nothing was executed."""

import pytest
from msgspec.structs import replace

from daemon.engine.book import Book
from daemon.engine.corporate_action import apply_split, split_ratio
from daemon.engine.plan import Plan
from daemon.engine.settings import ExitPolicy
from shared.account import BrokerPosition
from shared.commands import CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_universe,
    an_engine,
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

MORNING = 82_200
ACCEPT = OperatorCommanded(received_at=at(MORNING + 100), verb="accept", scope="instrument:SPY", actor="me")


def a_line(quantity, cost):
    return [BrokerPosition(symbol="SPY", quantity=quantity, average_cost=cost)]


def an_engine_over_a_split(theirs, cost=None):
    """Long 500 at 100 on which both agreed; in the morning the broker says otherwise and no order rests there."""
    engine = a_long_engine()
    held = {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}
    handle_all(engine, [a_report(1000, **held), disconnected(2000), connected(MORNING)])
    return engine, handle_all(engine, [a_report(MORNING + 1, positions=a_line(theirs, cost or 50_000 / theirs))])


def accepted_split(engine, theirs):
    return handle_all(engine, [ACCEPT, a_report(MORNING + 101, positions=a_line(theirs, 50_000 / theirs))])


@pytest.mark.parametrize(
    ("ours", "theirs", "ratio"),
    [
        (500, 1000, 2),
        (500, 1500, 3),
        (100, 700, 7),
        (-100, -700, 7),
        (500, 750, 1.5),
        (500, 50, 0.1),
        (3, 4, 4 / 3),  # 3:2 would be within a share too
        (699, 69, 0.1),  # a fraction of a share was sold
        (699, 70, 0.1),
        (500, 500, None),
        (500, 0, None),
        (500, -1000, None),
        (0, 1000, None),
        (500, 511, None),
    ],
)
def test_a_ratio_of_small_numbers_is_told_from_a_trade(ours, theirs, ratio):
    found = split_ratio(ours, theirs)
    assert (None if found is None else float(found)) == ratio


def test_a_split_is_told_critically_with_the_stop_it_would_lead_to_and_locks_at_once():
    _, told = an_engine_over_a_split(1000)
    (alarm,) = [c for c in of_kind(told, Notify) if c.code == "corporate_action"]
    assert alarm.level == "critical"
    assert "split of 2:1" in alarm.text
    assert "49.5" in alarm.text


def test_no_stop_is_placed_at_a_price_of_before_the_split_and_nothing_is_sold():
    """I19."""
    engine, told = an_engine_over_a_split(1000)
    later = [a_report(MORNING + 3 * n, positions={"SPY": 1000}) for n in range(1, 8)]
    told += handle_all(engine, [*later, fired(f"protect:{PLAN}", MORNING + 30), bars(MORNING + 60, SPY=50.0)])
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) == []
    assert engine.book.position("SPY").quantity == 500


def test_a_split_is_told_once_and_stays_shown_as_unprotected():
    engine, told = an_engine_over_a_split(1000)
    told += handle_all(engine, [a_report(MORNING + 3 * n, positions={"SPY": 1000}) for n in range(1, 8)])
    assert codes(told).count("corporate_action") == 1
    assert [plan.plan_id for plan in engine.book.unprotected_plans()] == [PLAN]


def test_an_instrument_that_has_split_takes_no_entry():
    engine, _ = an_engine_over_a_split(1000)
    says(engine, SPY=1.0, IBM=1.0)
    placed = of_kind(engine.handle(bars(MORNING + 4260, SPY=50.0, IBM=185.0)), PlaceBracket)
    assert "SPY" not in [command.bracket.entry.symbol for command in placed]


def test_a_split_is_never_settled_by_itself_however_old():
    engine, _ = an_engine_over_a_split(50)
    handle_all(engine, [a_report(MORNING + 3 * n, positions=a_line(50, 1000.0)) for n in range(1, 8)])
    assert engine.book.position("SPY").quantity == 500


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
    assert apply_split(book, universe, "SPY", theirs, at(60))
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


def test_the_lock_of_an_accepted_split_heals():
    engine, _ = an_engine_over_a_split(1000)
    accepted_split(engine, 1000)
    engine.handle(fired(f"protect:{PLAN}", MORNING + 103))
    lines = lines_of(engine)
    handle_all(engine, [a_report(MORNING + 105 + 3 * n, positions={"SPY": 1000}, open_orders=lines) for n in range(3)])
    assert engine.book.locks == {}
    assert engine.book.unprotected_plans() == []


def test_fewer_shares_at_the_cost_they_had_were_sold_and_did_not_split():
    """Half of them went through the stop before midnight: what is left gets its stop again, nobody has to be woken."""
    engine, _ = an_engine_over_a_split(250, 100.01)
    reports = [a_report(MORNING + 10 + 3 * n, positions=a_line(250, 100.01)) for n in range(2)]
    told = handle_all(engine, reports)
    assert "corporate_action" not in codes(told)
    assert engine.book.position("SPY").quantity == 250
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [250]


def test_a_jump_while_the_stops_still_rest_is_no_split():
    engine = a_long_engine()
    lines = lines_of(engine)
    told = handle_all(
        engine,
        [
            a_report(70, positions={"SPY": 500}, open_orders=lines),
            *[a_report(s, positions={"SPY": 1000}, open_orders=lines) for s in (80, 83)],
        ],
    )
    assert codes(told) == ["quantity_break"]


def test_a_stop_whose_cancel_crossed_the_report_does_not_hide_the_split():
    """Found by simulation (brutal 30013): the orders were answered just before the split, the positions just after."""
    engine = a_long_engine()
    lines = lines_of(engine)
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    told = engine.handle(a_report(2000.1, asked=1999.9, positions=a_line(1000, 50.0), open_orders=lines))
    told += engine.handle(fired(f"protect:{PLAN}", 2001))
    assert "corporate_action" in codes(told)
    assert of_kind(told, ReplaceStop) == []


def test_a_jump_while_an_exit_of_ours_is_under_way_is_no_split():
    """Its executions are on the way, and its OCA group has taken the stops."""
    engine = a_long_engine()
    engine.handle(a_report(70, positions={"SPY": 500}, open_orders=lines_of(engine)))
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    exits = lines_of(engine, f"{PLAN}:X1")
    told = engine.handle(a_report(125, positions=a_line(250, 100.0), open_orders=exits))
    assert "corporate_action" not in codes(told)


@pytest.mark.parametrize(("cost", "is_split"), [(40.0, True), (100.0, False)])
def test_a_cost_that_has_the_ratio_tells_a_split_while_an_exit_is_on_its_way(cost, is_split):
    """Found by simulation (brutal 899): the exit of another plan had just left, and a stop of before was put back."""
    engine = a_long_engine()
    engine.handle(a_report(70, positions={"SPY": 500}, open_orders=lines_of(engine)))
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    handle_all(engine, [cancelled(STOP, 121, "split"), cancelled(TARGET, 121, "split")])
    told = engine.handle(a_report(121.1, positions=a_line(1250, cost)))
    assert ("corporate_action" in codes(told)) == is_split


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


def test_a_strangers_fraction_beside_our_share_is_no_split():
    _, told = a_share_that_split(1.5, 100.2)
    assert "corporate_action" not in codes(told)
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [1]


def test_a_jump_that_an_execution_of_ours_explains_is_no_split():
    engine = a_long_engine()
    lines = lines_of(engine)
    engine.handle(a_report(70, positions={"SPY": 500}, open_orders=lines))
    half = a_fill(STOP, 250, 99.0, exec_id="0001.01.02.01", seconds=80)
    told = engine.handle(a_report(81, positions={"SPY": 1000}, fills=[half]))
    assert "corporate_action" not in codes(told)


def an_engine_that_split_since_its_last_fill(seconds, cost):
    """Long 500 at 100 by a fill at 61 s; no report came since, and this one shows a tenth of it."""
    engine = a_long_engine()
    told = handle_all(engine, [cancelled(TARGET, seconds), cancelled(STOP, seconds)])
    told += engine.handle(a_report(seconds, positions=a_line(50, cost)))
    return engine, told + engine.handle(fired(f"protect:{PLAN}", seconds + 1))


@pytest.mark.parametrize("after_s", [1, 90])
def test_a_split_is_known_also_where_nobody_has_compared_since_the_fill(after_s):
    """Found by simulation (brutal 6): a stop for 500 shares where 50 were left, at a tenth of their price."""
    _, told = an_engine_that_split_since_its_last_fill(61 + after_s, 1000.0)
    assert "corporate_action" in codes(told)
    assert of_kind(told, ReplaceStop) == []


@pytest.mark.parametrize("cost", [100.0, 900.0])
def test_a_figure_since_the_last_fill_with_another_cost_is_no_split_and_no_stop_is_larger_than_it(cost):
    _, told = an_engine_that_split_since_its_last_fill(61 + 90, cost)
    assert "corporate_action" not in codes(told)
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [50]


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


def test_stops_cancelled_by_the_broker_before_the_report_are_not_put_back_at_the_old_price():
    """The cancels of a split come first (TWS.md 3.20); the report that explains them is asked for at once."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    gone = handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    assert "AskBroker" in [type(command).__name__ for command in gone]
    told = engine.handle(a_report(2000.3, positions={"SPY": 1000}))
    told += engine.handle(fired(f"protect:{PLAN}", 2001))
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) + of_kind(told, CancelOrder) == []
