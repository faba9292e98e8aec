"""An OCA group of which an order has filled and none lives has done its work: the broker takes nothing more in it."""

from msgspec.structs import replace

from shared.commands import AskBroker, CancelOrder, Flatten, ReplaceStop
from shared.events import FillCorrected
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
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
    taken_by_its_group,
)

P1, P2, P3, EXIT = f"{PLAN}:P1", f"{PLAN}:P2", f"{PLAN}:P3", f"{PLAN}:X1"


def in_groups(commands, kind=ReplaceStop):
    return [(command.order.ref, command.order.quantity, command.order.oca_group) for command in of_kind(commands, kind)]


def an_engine_whose_stop_sold_a_part():
    """Its stop has sold 100 of 500 when the broker cancels the rest of it, and the target; 400 are told as held."""
    engine = a_long_engine()
    sold = a_fill(STOP, 100, 99.0, exec_id="0001.01.02.01", seconds=70)
    handle_all(engine, [filled(sold), cancelled(TARGET, 71), cancelled(STOP, 71)])
    engine.handle(a_report(71.5, positions={"SPY": 400}))
    return engine


def test_what_an_exit_sold_and_the_broker_took_back_gets_its_stop_in_a_new_group():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    sold = a_fill(EXIT, 500, 100.0, exec_id="0001.01.02.01", seconds=121)
    handle_all(engine, [filled(sold), cancelled(STOP, 121.1), cancelled(TARGET, 121.1)])
    says(engine, SPY=1.0)
    engine.handle(bars(180, SPY=100.0))
    engine.handle(FillCorrected(received_at=at(200), fill=replace(sold, exec_id="0001.01.02.02", quantity=0)))
    engine.handle(a_report(200.5, positions={"SPY": 500}))
    assert in_groups(engine.handle(fired(f"protect:{PLAN}", 201))) == [(P1, 500, f"{PLAN}#1")]


def test_what_a_cancelled_stop_had_not_sold_gets_its_stop_in_a_new_group():
    """Found by simulation (brutal 4252): in the old one it was refused until the shares were closed for it."""
    engine = an_engine_whose_stop_sold_a_part()
    assert in_groups(engine.handle(fired(f"protect:{PLAN}", 72))) == [(P1, 400, f"{PLAN}#1")]


def test_an_exit_leaves_in_a_new_group_where_the_last_has_done_its_work():
    engine = an_engine_whose_stop_sold_a_part()
    says(engine, SPY=0.0)
    told = engine.handle(bars(120, SPY=98.0))
    assert in_groups(told, Flatten) == [(EXIT, 400, f"{PLAN}#1")]


def test_a_stop_and_an_exit_that_follow_each_other_stand_in_the_same_new_group():
    engine = an_engine_whose_stop_sold_a_part()
    handle_all(engine, [fired(f"protect:{PLAN}", 72), accepted(P1, 72.1, 5)])
    says(engine, SPY=0.0)
    assert in_groups(engine.handle(bars(120, SPY=100.0)), Flatten) == [(EXIT, 400, f"{PLAN}#1")]


def test_a_stop_put_back_beside_its_target_stays_in_the_group_of_the_target():
    """brutal 7201: in two groups both filled."""
    engine = a_long_engine()
    sold = a_fill(STOP, 100, 99.0, exec_id="0001.01.02.01", seconds=70)
    handle_all(engine, [filled(sold), cancelled(STOP, 71)])
    engine.handle(a_report(71.5, positions={"SPY": 400}, open_orders=lines_of(engine)))
    assert in_groups(engine.handle(fired(f"protect:{PLAN}", 72))) == [(P1, 400, PLAN)]


def test_a_stop_whose_group_is_over_waits_for_the_word_of_what_has_filled():
    """Something of the group has filled that is not told yet: a stop sent at once would stand behind nothing."""
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 62), fired(f"protect:last:{PLAN}", 64)])
    told = engine.handle(taken_by_its_group(P1, 64.1))
    assert of_kind(told, ReplaceStop) == []
    assert len(of_kind(told, AskBroker)) == 1
    sold = a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01", seconds=64)
    told = engine.handle(a_report(64.5, fills=[sold]))
    told += handle_all(engine, [fired(f"protect:{PLAN}", 65.1), fired(f"protect:last:{PLAN}", 67)])
    assert in_groups(told) == []


def test_a_stop_whose_group_is_over_comes_in_a_new_one_and_the_target_of_the_old_is_pulled():
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 62), fired(f"protect:last:{PLAN}", 64), taken_by_its_group(P1, 64.1)])
    told = engine.handle(a_report(64.5, positions={"SPY": 500}, open_orders=lines_of(engine, TARGET)))
    told += handle_all(engine, [fired(f"protect:{PLAN}", 65.1), accepted(P2, 65.2, 5)])
    assert in_groups(told) == [(P2, 500, f"{PLAN}#1")]
    assert [command.ref for command in of_kind(told, CancelOrder)] == [TARGET]


def test_a_group_that_is_over_is_no_failure_to_protect():
    """Two stops had failed within the hour; a third failure would close the shares."""
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 62), fired(f"protect:last:{PLAN}", 64), accepted(P1, 64.1, 4)])
    handle_all(engine, [cancelled(P1, 65), fired(f"protect:last:{PLAN}", 67), taken_by_its_group(P2, 67.1)])
    told = handle_all(engine, [a_report(67.5, positions={"SPY": 500}), fired(f"protect:{PLAN}", 68.1)])
    assert in_groups(told) == [(P3, 500, f"{PLAN}#1")]


def test_a_group_whose_first_order_is_said_to_be_too_late_is_a_refusal_like_any_other():
    """Or it would be tried for ever."""
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 62), fired(f"protect:last:{PLAN}", 64), taken_by_its_group(P1, 64.1)])
    handle_all(engine, [a_report(64.5, positions={"SPY": 500}), fired(f"protect:{PLAN}", 65.1)])
    told = engine.handle(taken_by_its_group(P2, 65.2))
    assert in_groups(told) == [(P3, 500, f"{PLAN}#1")]
    assert len(of_kind(engine.handle(taken_by_its_group(P3, 65.3)), ReplaceStop)) == 0


def test_an_exit_whose_group_is_over_waits_for_the_word_of_what_has_filled():
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    told = engine.handle(taken_by_its_group(EXIT, 121))
    told += engine.handle(fired(f"close:{PLAN}", 122))
    assert of_kind(told, Flatten) == []
    assert of_kind(told, AskBroker) != []
    sold = a_fill(STOP, 500, 99.0, exec_id="0001.01.02.01", seconds=120)
    assert of_kind(engine.handle(a_report(122.5, fills=[sold])), Flatten) == []


def test_a_stop_and_an_exit_refused_for_the_same_group_leave_it_once():
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 62), fired(f"protect:last:{PLAN}", 64)])
    says(engine, SPY=0.0)
    handle_all(engine, [a_report(64.05, positions={"SPY": 500}), bars(120, SPY=100.0)])
    handle_all(engine, [taken_by_its_group(EXIT, 121), taken_by_its_group(P1, 121.1)])
    handle_all(engine, [a_report(121.5, positions={"SPY": 500})])
    told = handle_all(engine, [fired(f"protect:{PLAN}", 122.2), fired(f"close:{PLAN}", 122.3)])
    assert {group for _, _, group in in_groups(told) + in_groups(told, Flatten)} == {f"{PLAN}#1"}
