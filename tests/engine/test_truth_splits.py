"""Splits (F16, I19, TWS.md 4.51): quantity and price jump overnight, the orders are gone, nothing was executed."""

import pytest
from msgspec.structs import replace

from daemon.engine.corporate_action import split_ratio
from shared.account import BrokerPosition
from shared.commands import AskBroker, CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    at,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
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


@pytest.mark.parametrize("cost", [100.0, 930.0])
def test_a_figure_since_the_last_fill_with_another_cost_is_no_split_and_no_stop_is_larger_than_it(cost):
    _, told = an_engine_that_split_since_its_last_fill(61 + 90, cost)
    assert "corporate_action" not in codes(told)
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [50]


def test_stops_cancelled_by_the_broker_before_the_report_are_not_put_back_at_the_old_price():
    """The cancels of a split come first (TWS.md 3.20); the report that explains them is asked for at once."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    gone = handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    assert "AskBroker" in [type(command).__name__ for command in gone]
    told = engine.handle(a_report(2000.3, positions={"SPY": 1000}))
    told += engine.handle(fired(f"protect:{PLAN}", 2001))
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) + of_kind(told, CancelOrder) == []


@pytest.mark.parametrize(
    ("lacking", "cost", "is_split"), [("fills", 50.0, True), ("fills", 100.0, False), ("positions", 50.0, False)]
)
def test_shares_and_cost_tell_a_split_also_in_a_report_without_executions(lacking, cost, is_split):
    """brutal 111044: the executions could not be read; at last a stop of before was put back, far too high."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    told = engine.handle(a_report(2000.3, positions=a_line(1000, cost), unanswered=[lacking]))
    assert ("corporate_action" in codes(told)) == is_split
    put_back = of_kind(
        handle_all(engine, [fired(f"protect:{PLAN}", 2001), fired(f"protect:last:{PLAN}", 2002.5)]), ReplaceStop
    )
    assert bool(put_back) != is_split


def test_a_split_told_without_executions_ends_with_clean_reports():
    engine = a_long_engine()
    stands = {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}
    handle_all(engine, [a_report(1000, **stands), a_report(2000, positions=a_line(1000, 50.0), unanswered=["fills"])])
    assert engine.book.has_split("SPY")
    handle_all(engine, [a_report(seconds, **stands) for seconds in (2003, 2006)])
    assert engine.book.locks == {}


@pytest.mark.parametrize(("target_gone_at", "put_back"), [(2001.5, []), (None, [500])])
def test_a_target_that_goes_while_the_stop_is_missing_holds_it_back_until_the_broker_has_told_what_is_held(
    target_gone_at, put_back
):
    """A storm over brutal 31317: a stop was gone, a split took the target, and a stop of before left."""
    engine = a_long_engine()
    line = lines_of(engine)
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=line))
    handle_all(engine, [cancelled(STOP, 2000), a_report(2000.3, positions={"SPY": 500}, open_orders=line[2:])])
    told = engine.handle(cancelled(TARGET, target_gone_at)) if target_gone_at else []
    assert bool(of_kind(told, AskBroker)) == bool(target_gone_at)
    told += engine.handle(fired(f"protect:{PLAN}", 2001.6))
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == put_back


def an_engine_that_put_its_stop_back(told_in_between=False):
    """A split took its stop at 2000, nobody said so in time, and P1 stands at the price of before."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    timers = [fired(f"protect:{PLAN}", 2001), fired(f"protect:last:{PLAN}", 2002.5)]
    handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split"), *timers])
    engine.handle(accepted(f"{PLAN}:P1", 2003, 9))
    if told_in_between:
        engine.handle(a_report(2004, positions={"SPY": 500}, open_orders=lines_of(engine)))
    return engine


@pytest.mark.parametrize("told_in_between", [False, True], ids=["untold", "positions lag"])
@pytest.mark.parametrize("theirs", [50, 1000])
def test_a_stop_that_was_put_back_too_early_does_not_hide_the_split_and_is_pulled(theirs, told_in_between):
    engine = an_engine_that_put_its_stop_back(told_in_between)
    told = engine.handle(a_report(2010, positions=a_line(theirs, 50_000 / theirs), open_orders=lines_of(engine)))
    assert "corporate_action" in codes(told)
    assert [command.ref for command in of_kind(told, CancelOrder)] == [f"{PLAN}:P1"]
    told = handle_all(engine, [cancelled(f"{PLAN}:P1", 2011), bars(2040, SPY=100.0), bars(2100, SPY=100.0)])
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) == []
    line = a_line(theirs, 50_000 / theirs)
    told = handle_all(engine, [replace(ACCEPT, received_at=at(2200)), a_report(2201, positions=line)])
    told += engine.handle(fired(f"protect:{PLAN}", 2203))
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [theirs]


def test_beside_a_stop_that_was_put_back_only_the_cost_tells_a_split():
    engine = an_engine_that_put_its_stop_back()
    told = engine.handle(a_report(2010, positions=a_line(1000, 100.0), open_orders=lines_of(engine)))
    assert "corporate_action" not in codes(told)
    assert of_kind(told, CancelOrder) == []


def test_a_late_figure_of_before_a_split_that_a_person_has_taken_over_undoes_nothing():
    """Positions lag (TWS.md 4.53): what was held before looks like the split the other way round."""
    engine, _ = an_engine_over_a_split(1000)
    accepted_split(engine, 1000)
    handle_all(engine, [fired(f"protect:{PLAN}", MORNING + 103), accepted(f"{PLAN}:P1", MORNING + 104, 9)])
    told = engine.handle(a_report(MORNING + 110, positions=a_line(500, 100.0), open_orders=lines_of(engine)))
    assert "corporate_action" not in codes(told)
    assert of_kind(told, CancelOrder) == []


def test_another_quantity_while_a_split_waits_is_told_also_where_it_looks_like_one_of_its_own():
    """storm 8440: 13 had become 39 and then 117; nobody was told of the second."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    told = handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])
    for second, quantity, cost in ((2000.3, 1000, 50.0), (2100, 2000, 25.0)):
        held = [BrokerPosition(symbol="SPY", quantity=quantity, average_cost=cost)]
        told += handle_all(engine, [a_report(second + 3 * n, positions=held) for n in range(4)])
    assert [code for code in codes(told) if code in {"corporate_action", "quantity_break"}] == ["corporate_action"] * 2
