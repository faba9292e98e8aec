"""A split that the table knows of stops what is held until a person accepts; its prices re-arm nothing (I19)."""

from datetime import date

import pytest

from shared.commands import Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded, PricesRescaled, StrategiesWarmed
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    an_engine,
    ask_timers,
    at,
    bars,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
    some_limits,
    some_settings,
)
from tests.engine.test_truth_splits import MORNING, a_line

EX_DATE = date(2013, 10, 9)
HALVED = PricesRescaled(received_at=at(MORNING), symbol="SPY", ratio=2.0, ex_date=EX_DATE, changes_shares=True)
ORDERS = (PlaceBracket, ReplaceStop, Flatten)


def an_operator(verb, seconds):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope="instrument:SPY", actor="me")


def an_engine_told(engine=None, event=HALVED):
    """Long 500 at 100, agreed with the broker; in the morning the table's split is told, its orders are gone."""
    engine = a_long_engine(engine)
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    told = handle_all(engine, [event, cancelled(STOP, MORNING + 1), cancelled(TARGET, MORNING + 1)])
    return engine, told


def sent(commands):
    return [command for command in commands if isinstance(command, ORDERS)]


def a_day_of_the_new_prices(engine, shares):
    """Reports that show so many shares, the timer of the missing stop, rows at half the price."""
    reports = [a_report(MORNING + 10 + 3 * n, positions=a_line(shares, 50_000 / shares)) for n in range(5)]
    rows = [bars(MORNING + 4260 + 60 * n, SPY=50.0, IBM=185.0) for n in range(5)]
    return handle_all(engine, [*reports, fired(f"protect:{PLAN}", MORNING + 40), *rows])


@pytest.mark.parametrize("shares", [500, 1000])
def test_no_order_is_sent_before_a_person_accepts_whether_the_broker_shows_the_split_yet_or_not(shares):
    engine, told = an_engine_told()
    says(engine, SPY=1.0)
    told += a_day_of_the_new_prices(engine, shares)
    assert sent(told) == []
    assert engine.book.has_split("SPY")


def test_while_a_split_waits_for_a_person_the_broker_is_not_asked_again_and_again():
    engine, _ = an_engine_told()
    assert ask_timers(engine.handle(a_report(MORNING + 10, positions=a_line(500, 100.0)))) == []


def test_without_the_split_in_the_table_the_stop_of_before_would_stand_above_the_market():
    """What the stop of the table prevents: shares that the broker does not show as split yet."""
    distribution = PricesRescaled(received_at=at(MORNING), symbol="SPY", ratio=2.0, ex_date=EX_DATE)
    engine, _ = an_engine_told(event=distribution)
    assert sent(a_day_of_the_new_prices(engine, 500)) != []


def test_it_is_told_once_and_what_the_broker_shows_then_is_told_as_ever():
    engine, told = an_engine_told()
    told += a_day_of_the_new_prices(engine, 1000)
    assert [code for code in codes(told) if code in {"split_due", "corporate_action"}] == [
        "split_due",
        "corporate_action",
    ]
    (warned,) = [command for command in of_kind(told, Notify) if command.code == "split_due"]
    assert "SPY: splits 2:1, 500 shares of before are held" in warned.text


def test_what_a_hand_trades_while_the_split_is_due_is_told_once():
    engine, told = an_engine_told()
    told += handle_all(engine, [a_report(MORNING + 10 + 3 * n, positions=a_line(450, 100.0)) for n in range(5)])
    assert codes(told) == ["split_due", "quantity_break"]
    assert engine.book.locks["SPY"].kind == "split_due"


def test_accepted_the_stop_stands_at_the_new_price():
    engine, _ = an_engine_told()
    a_day_of_the_new_prices(engine, 1000)
    later = MORNING + 5000
    handle_all(engine, [an_operator("accept", later), a_report(later + 1, positions=a_line(1000, 50.0))])
    (placed,) = of_kind(engine.handle(fired(f"protect:{PLAN}", later + 30)), ReplaceStop)
    assert (placed.order.quantity, placed.order.stop_price) == (1000, 49.5)
    lines = lines_of(engine)
    handle_all(engine, [a_report(later + 40 + 3 * n, positions={"SPY": 1000}, open_orders=lines) for n in range(3)])
    assert (engine.book.locks, engine.book.unsplit) == ({}, {})


def test_prices_that_are_told_after_a_person_has_accepted_stop_nothing_more():
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [cancelled(STOP, MORNING), cancelled(TARGET, MORNING)])
    engine.handle(a_report(MORNING + 1, positions=a_line(1000, 50.0)))
    accepted = [an_operator("accept", MORNING + 10), a_report(MORNING + 11, positions=a_line(1000, 50.0))]
    told = handle_all(engine, [*accepted, HALVED])
    assert "split_due" not in codes(told)
    assert engine.book.unsplit == {}


def test_what_is_not_held_is_stopped_by_nothing():
    engine = a_started(an_engine())
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    assert engine.handle(HALVED) == []
    assert engine.book.locks == {}


def test_a_second_telling_of_the_same_day_changes_nothing():
    engine = a_started(an_engine())
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    handle_all(engine, [HALVED, HALVED])
    assert engine.book.prices.good_price(0) == 50.0


def test_shares_that_wait_for_a_person_are_no_loss():
    """500 at 100 are worth 50,000 before and after: the day's limits must not take the new price for a fall."""
    engine = an_engine(settings=some_settings(some_limits(max_instrument_day_loss=1_000.0)))
    engine, told = an_engine_told(engine)
    told += a_day_of_the_new_prices(engine, 1000)
    assert "limit_latched" not in codes(told)
    assert engine.book.worth("SPY", 0) == 100.0


def test_a_real_loss_of_shares_that_wait_is_one():
    engine = an_engine(settings=some_settings(some_limits(max_instrument_day_loss=1_000.0)))
    engine, told = an_engine_told(engine)
    told += handle_all(engine, [bars(MORNING + 4260 + 60 * n, SPY=48.0, IBM=185.0) for n in range(4)])
    assert "limit_latched" in codes(told)


def test_a_person_ends_the_wait_for_a_split_that_there_is_not():
    engine, _ = an_engine_told()
    engine.handle(an_operator("reset", MORNING + 5))
    reports = [a_report(MORNING + 10 + 3 * n, positions={"SPY": 500}) for n in range(3)]
    handle_all(engine, reports)
    assert (engine.book.locks, engine.book.unsplit) == ({}, {})


def test_a_reset_does_not_end_a_split_that_the_broker_shows():
    engine, _ = an_engine_told()
    a_day_of_the_new_prices(engine, 1000)
    engine.handle(an_operator("reset", MORNING + 5000))
    assert engine.book.has_split("SPY")


def test_shares_that_are_gone_wait_for_nobody():
    engine, _ = an_engine_told()
    handle_all(engine, [an_operator("flatten", MORNING + 5), a_report(MORNING + 5.1, positions=a_line(500, 100.0))])
    (exit_order,) = [order for order in engine.book.orders.values() if order.order.symbol == "SPY"]
    fill = a_fill(exit_order.order.ref, 500, 50.0, exec_id="0001.01.09.01", seconds=MORNING + 6)
    handle_all(engine, [filled(fill), *[a_report(MORNING + 20 + 3 * n) for n in range(4)]])
    assert (engine.book.locks, engine.book.unsplit) == ({}, {})


def test_a_stored_start_of_before_the_split_is_not_taken_after_it():
    """Nobody can tell whether its prices have the split in them: what the rows have taught stays."""
    stored = a_started(an_engine())
    stored.handle(bars(60, SPY=90.0, IBM=185.0))
    engine = a_started(an_engine())
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    engine.handle(HALVED)
    warmed = StrategiesWarmed(received_at=at(MORNING + 5), closed_at=at(60), state=stored.snapshot())
    assert codes(engine.handle(warmed)) == ["warm_start_refused"]
    assert engine.book.prices.good_price(0) == 50.0


def test_it_outlives_a_restart():
    engine, _ = an_engine_told()
    again = an_engine()
    again.restore(engine.snapshot())
    assert (again.book.has_split("SPY"), again.book.unsplit, again.book.rescaled) == (
        True,
        {"SPY": 2.0},
        {"SPY": EX_DATE},
    )


def an_accept_of(line, seconds=MORNING + 100):
    """A person accepts what the broker shows in the morning of a split that the table knows; what is sent then."""
    engine, _ = an_engine_told()
    handle_all(engine, [a_report(MORNING + 10 + 3 * n, positions=line) for n in range(3)])
    told = handle_all(engine, [an_operator("accept", seconds), a_report(seconds + 1, positions=line)])
    return engine, sent(told + engine.handle(fired(f"protect:{PLAN}", seconds + 3)))


def test_shares_that_are_gone_after_a_split_have_not_lost_half_their_worth():
    """500 at 100 were sold by hand before or after it: the price of after is no loss of 25,000."""
    engine, _ = an_accept_of([])
    assert engine.book.quantity("SPY") == 0
    assert engine.book.realized_profit == 0.0


@pytest.mark.parametrize("left", [300, 250, 600])
def test_what_a_hand_has_left_of_shares_that_split_gets_its_stop_at_the_new_price_and_is_not_sold(left):
    """Of 1000 after the split: their stop of before stood above the market, and they were closed."""
    engine, orders = an_accept_of(a_line(left, 50.0))
    plan = engine.book.plans[PLAN]
    assert (plan.open_quantity, plan.average_price, plan.stop_price) == (left, 50.0, 49.5)
    assert [(order.order.quantity, order.order.stop_price) for order in orders] == [(left, 49.5)]
    assert engine.book.realized_profit == 0.0


def test_what_a_hand_has_left_before_a_split_that_the_broker_does_not_show_yet_waits_for_it():
    engine, orders = an_accept_of(a_line(300, 100.0))
    assert (orders, engine.book.has_split("SPY"), engine.book.realized_profit) == ([], True, 0.0)
    later = MORNING + 200
    told = handle_all(engine, [a_report(later + 3 * n, positions=a_line(600, 50.0)) for n in range(2)])
    assert "corporate_action" in codes(told)
    handle_all(engine, [an_operator("accept", later + 20), a_report(later + 21, positions=a_line(600, 50.0))])
    (placed,) = sent(engine.handle(fired(f"protect:{PLAN}", later + 23)))
    assert (placed.order.quantity, placed.order.stop_price) == (600, 49.5)


def test_what_was_sold_beyond_the_shares_that_were_to_split_is_of_after_and_gets_its_stop():
    """1100 sold by hand after the split: 100 short at 50 belong to nobody and split no more."""
    engine, orders = an_accept_of(a_line(-100, 50.0))
    assert [(stop.order.side, stop.order.quantity, stop.order.stop_price) for stop in orders] == [("BUY", 100, 51.0)]
    assert engine.book.unsplit == {}
