"""Trailing stops: native at the broker, followed in the book, so that a lost one is put back where it had been."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.engine.plan import Plan
from daemon.engine.settings import ExitPolicy
from daemon.engine.trailing import follow, resting_stop, trailed_stop
from shared.commands import Flatten, PlaceBracket, ReplaceStop
from shared.events import FillCorrected
from shared.ids import leg_ref
from shared.market import Bar
from shared.orders import Leg, OrderType, Side
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    a_universe,
    accepted,
    an_engine,
    an_engine_at_work,
    an_open_order,
    at,
    bars,
    cancelled,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    of_kind,
    rejected,
    says,
)

PROTECTION = leg_ref(PLAN, Leg.PROTECTION, 1)
NAN = float("nan")


def a_trailing_engine(**exits):
    universe = a_universe()
    policy = ExitPolicy(**{"method": "percent", "stop": 1.0, "target": 0.0, "trail": 1.0, **exits})
    return an_engine(universe=universe, desks=[a_desk(universe, exits=policy)])


def a_long_trailing_engine(**exits):
    return a_long_engine(a_trailing_engine(**exits))


def a_plan(side=Side.BUY, stop=99.0, *, percent=1.0, amount=None, opened=61):
    return Plan(
        plan_id=PLAN,
        strategy="s",
        symbol="SPY",
        side=side,
        stop_price=stop,
        take_profit_price=None,
        trail_percent=percent,
        trail_amount=amount,
        opened=500,
        opened_at=at(opened),
    )


def best_stop(engine):
    return engine.book.plans[PLAN].stop_price


# --- the order --------------------------------------------------------------------------------------------------


def test_the_protective_leg_is_a_trail_that_begins_at_the_first_stop():
    engine = a_started(a_trailing_engine(stop=1.0, trail=2.0))
    says(engine, SPY=1.0)
    (command,) = of_kind(engine.handle(bars(60, SPY=100.0)), PlaceBracket)
    stop = command.bracket.stop_loss
    assert (stop.order_type, stop.stop_price, stop.trail_percent, stop.trail_amount) == (
        OrderType.TRAIL,
        99.0,
        2.0,
        None,
    )
    assert (stop.tif, stop.oca_group, stop.quantity) == ("GTC", PLAN, 500)


def test_in_atrs_the_distance_is_an_amount_on_tick_as_it_was_at_the_entry():
    """Two bars of a range of 2, closing in the middle: the ATR of period 2 is 2, and 1.3 of them are 2.60."""
    engine = a_started(a_trailing_engine(method="atr", stop=1.0, trail=1.3, atr_period=2))
    engine.handle(bars(60, SPY=(100.0, 101.0, 99.0, 100.0)))
    engine.handle(bars(120, SPY=(100.0, 101.0, 99.0, 100.0)))
    says(engine, SPY=1.0)
    (command,) = of_kind(engine.handle(bars(180, SPY=(100.0, 101.0, 99.0, 100.0))), PlaceBracket)
    stop = command.bracket.stop_loss
    assert (stop.order_type, stop.stop_price, stop.trail_percent, stop.trail_amount) == (
        OrderType.TRAIL,
        98.0,
        None,
        2.6,
    )


@pytest.mark.parametrize(("corrected_to", "stop_price"), [(100.0, 99.6), (99.0, 98.6), (110.0, 99.6)])
def test_a_stop_cut_before_the_first_row_stands_where_the_print_of_its_entry_has_moved_it(corrected_to, stop_price):
    """Found by simulation (brutal 7489): five seconds old it was moved away, from 108.77 back to its first 107.01."""
    engine = a_long_trailing_engine(stop=3.0, trail=0.4)
    fewer = a_fill(quantity=300, price=corrected_to, exec_id="0001.01.01.02")
    (cut,) = of_kind(engine.handle(FillCorrected(received_at=at(62), fill=fewer)), ReplaceStop)
    assert (cut.order.ref, cut.order.quantity, cut.order.stop_price) == (STOP, 300, stop_price)
    assert best_stop(engine) == 97.0  # what stands nearer is put back only where a row has been there


def test_without_a_trail_the_leg_is_a_plain_stop():
    engine = a_started()
    says(engine, SPY=1.0)
    (command,) = of_kind(engine.handle(bars(60, SPY=100.0)), PlaceBracket)
    stop = command.bracket.stop_loss
    assert (stop.order_type, stop.trail_percent, stop.trail_amount) == (OrderType.STOP, None, None)


# --- the rule ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "price", "percent", "amount", "stop"),
    [
        (Side.BUY, 110.0, 1.0, None, 108.9),
        (Side.BUY, 110.55, 1.0, None, 109.44),  # 109.4445 down to the tick, away from the market
        (Side.BUY, 110.0, None, 2.5, 107.5),
        (Side.SELL, 90.0, 1.0, None, 90.9),
        (Side.SELL, 90.55, 1.0, None, 91.46),  # 91.4555 up
        (Side.SELL, 90.0, None, 2.5, 92.5),
        (Side.BUY, 0.02, 50.0, None, 0.01),
    ],
)
def test_the_stop_of_a_price_is_its_distance_away_rounded_from_the_market(side, price, percent, amount, stop):
    assert trailed_stop(a_plan(side, percent=percent, amount=amount), price, 0.01) == stop


@pytest.mark.parametrize(
    ("side", "bar", "stop"),
    [
        (Side.BUY, Bar(100.0, 110.0, 99.5, 101.0, 1e3), 108.9),
        (Side.BUY, Bar(100.0, 100.0, 95.0, 95.0, 1e3), 99.0),
        (Side.SELL, Bar(100.0, 100.5, 90.0, 99.0, 1e3), 90.9),
        (Side.SELL, Bar(100.0, 105.0, 100.0, 105.0, 1e3), 101.0),
        (Side.BUY, Bar(NAN, NAN, NAN, NAN, NAN), 99.0),
    ],
)
def test_a_bar_moves_the_stop_by_its_best_price_and_never_back(side, bar, stop):
    plan = a_plan(side, 99.0 if side is Side.BUY else 101.0)
    follow(plan, bar, at(180), 60, 0.01)
    assert plan.stop_price == stop


def test_the_bar_of_the_entry_moves_the_stop_by_its_close_only():
    plan = a_plan(opened=150)
    follow(plan, Bar(100.0, 120.0, 99.5, 102.0, 1e3), at(180), 60, 0.01)
    assert plan.stop_price == 100.98


def test_a_bar_from_before_the_entry_moves_nothing():
    plan = a_plan(opened=181)
    follow(plan, Bar(100.0, 120.0, 99.5, 120.0, 1e3), at(180), 60, 0.01)
    assert plan.stop_price == 99.0


@given(
    st.lists(st.tuples(st.integers(50_00, 150_00), st.integers(0, 500), st.integers(0, 500)), max_size=30),
    st.sampled_from(Side),
)
def test_a_stop_is_never_moved_further_from_entry_whatever_the_market_does(closes, side):
    plan = a_plan(side, 99.0 if side is Side.BUY else 101.0)
    stops = []
    for minute, (close, up, down) in enumerate(closes):
        bar = Bar(close / 100, (close + up) / 100, (close - down) / 100, close / 100, 1e3)
        follow(plan, bar, at(120 + 60 * minute), 60, 0.01)
        stops.append(side.sign * (plan.stop_price or 0.0))
    assert stops == sorted(stops)


# --- in the engine ----------------------------------------------------------------------------------------------


def test_the_book_follows_the_rows():
    engine = a_long_trailing_engine()
    handle_all(engine, [bars(180, SPY=(100.0, 104.0, 100.0, 103.0)), bars(240, SPY=(103.0, 103.5, 103.0, 103.3))])
    assert best_stop(engine) == 102.96


def test_rows_of_history_that_closed_while_the_daemon_was_down_move_the_stop_as_well():
    engine = a_long_trailing_engine()
    engine.handle(bars(180, SPY=(100.0, 104.0, 100.0, 103.5), warm_up=True))
    assert best_stop(engine) == 102.96


def test_a_print_that_nobody_can_believe_moves_nothing():
    engine = a_long_trailing_engine()
    engine.handle(bars(120, SPY=(1000.0, 1000.0, 1000.0, 1000.0)))
    assert best_stop(engine) == 99.0


def test_a_stop_that_is_lost_is_put_back_as_a_trail_at_the_best_price_it_had_reached():
    engine = a_long_trailing_engine()
    engine.handle(bars(180, SPY=(100.0, 104.0, 100.0, 103.5)))
    (stop,) = of_kind(engine.handle(rejected(STOP, 190)), ReplaceStop)
    order = stop.order
    assert (order.ref, order.order_type, order.stop_price, order.trail_percent) == (
        PROTECTION,
        OrderType.TRAIL,
        102.96,
        1.0,
    )


def test_shares_whose_trailing_stop_was_passed_while_it_was_gone_are_closed():
    engine = a_long_trailing_engine()
    handle_all(engine, [bars(180, SPY=(100.0, 104.0, 100.0, 103.5)), cancelled(STOP, 190)])
    engine.handle(a_report(190.5, positions={"SPY": 500}))
    commands = engine.handle(bars(240, SPY=(103.0, 103.0, 102.0, 102.5)))
    assert len(of_kind(commands, Flatten)) == 1


def test_a_leg_that_is_made_smaller_keeps_the_price_it_had_reached():
    engine = an_engine_at_work(a_trailing_engine())
    handle_all(engine, [filled(a_fill(quantity=200)), bars(180, SPY=(100.0, 104.0, 100.0, 103.5))])
    (smaller,) = of_kind(engine.handle(cancelled("OB1:s:20131008:SPY-1:E", 185)), ReplaceStop)
    order = smaller.order
    assert (order.quantity, order.stop_price, order.order_type) == (200, 102.96, OrderType.TRAIL)


def a_report_of_a_trail(engine, seconds, stop_price, **changes):
    line = an_open_order(engine.book.orders[STOP].order, 2, stop_price=stop_price, trail_percent=1.0, **changes)
    done = [a_completed("OB1:s:20131008:SPY-1:E", "Filled", 500)]
    return a_report(seconds, open_orders=[line], positions={"SPY": 500}, fills=[a_fill()], completed_orders=done)


def test_the_broker_has_seen_more_prints_and_is_believed_about_its_own_stop():
    engine = a_long_trailing_engine()
    engine.handle(bars(180, SPY=(100.0, 104.0, 100.0, 103.5)))
    engine.handle(a_report_of_a_trail(engine, 190, 103.1))
    assert best_stop(engine) == 103.1


@pytest.mark.parametrize("stop_price", [None, 0.0, 101.0, 103.5, 250.0])
def test_a_stop_that_stands_lower_or_beyond_the_market_is_not_believed(stop_price):
    engine = a_long_trailing_engine()
    engine.handle(bars(180, SPY=(100.0, 104.0, 100.0, 103.5)))
    engine.handle(a_report_of_a_trail(engine, 190, stop_price))
    assert best_stop(engine) == 102.96


def a_cut_of_its_stop(engine, seconds):
    """What is sent as 200 of the 500 shares are taken back; where the stop of the order stands."""
    fewer = a_fill(quantity=300, exec_id="0001.01.01.02")
    (cut,) = of_kind(engine.handle(FillCorrected(received_at=at(seconds), fill=fewer)), ReplaceStop)
    return cut.order.quantity, cut.order.stop_price


@pytest.mark.parametrize("doubted", [[], [bars(180, SPY=120.0)]])
def test_a_change_leaves_a_stop_where_the_broker_showed_it_also_beyond_the_last_price(doubted):
    """Found by simulation (storm 9014): after a halt the market had gapped by 7 %, and no row had said so yet."""
    engine = a_long_trailing_engine()
    handle_all(engine, [*doubted, a_report_of_a_trail(engine, 190, 118.8)])
    assert best_stop(engine) == 99.0  # if it is lost, the last price would say that the market is through it
    assert a_cut_of_its_stop(engine, 191) == (300, 118.8)


@pytest.mark.parametrize(
    ("told", "best", "rests"), [(103.1, 103.1, 103.1), (118.8, 102.96, 118.8), (98.0, 102.96, 102.96)]
)
def test_where_the_broker_says_that_its_stop_has_moved_counts_before_any_report(told, best, rests):
    """brutal 110227: told of a stop moved by 8 % after a halt, a change five seconds later moved it back."""
    engine = a_long_trailing_engine()
    handle_all(engine, [bars(180, SPY=(100.0, 104.0, 100.0, 103.5)), accepted(STOP, 190, 2, stop_price=told)])
    assert best_stop(engine) == best
    assert a_cut_of_its_stop(engine, 191) == (300, rests)


def test_a_stop_that_does_not_trail_rests_where_we_have_set_it():
    engine = a_long_engine()
    before = best_stop(engine)
    engine.handle(accepted(STOP, 190, 2, stop_price=before + 0.1))
    assert (best_stop(engine), engine.book.orders[STOP].order.stop_price) == (before, before)


@pytest.mark.parametrize("shown", [None, 0.0, 98.0, 250.0])
def test_a_change_takes_no_price_from_a_line_without_one_nor_one_further_off_or_of_another_scale(shown):
    engine = a_long_trailing_engine()
    handle_all(engine, [bars(180, SPY=(100.0, 104.0, 100.0, 103.5)), a_report_of_a_trail(engine, 190, shown)])
    assert a_cut_of_its_stop(engine, 191) == (300, 102.96)


def test_with_an_empty_memory_the_trail_is_rebuilt_from_the_brokers_word():
    before = a_long_trailing_engine()
    report = a_report_of_a_trail(before, 200, 102.5)
    engine = a_started(a_trailing_engine())
    handle_all(engine, [bars(180, SPY=103.0), disconnected(190), connected(195), report])
    plan = engine.book.plans[PLAN]
    assert (plan.stop_price, plan.trail_percent, plan.open_quantity) == (102.5, 1.0, 500)
    (stop,) = of_kind(engine.handle(rejected(STOP, 210)), ReplaceStop)
    assert (stop.order.order_type, stop.order.stop_price, stop.order.trail_percent) == (OrderType.TRAIL, 102.5, 1.0)


def test_with_an_empty_memory_and_no_stop_at_the_broker_the_new_one_trails_from_the_price_of_today():
    engine = a_started(a_trailing_engine())
    engine.handle(bars(180, SPY=103.0))
    done = [a_completed("OB1:s:20131008:SPY-1:E", "Filled", 500)]
    report = a_report(200, positions={"SPY": 500}, fills=[a_fill()], completed_orders=done)
    handle_all(engine, [disconnected(190), connected(195), report])
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 202)), ReplaceStop)
    assert (stop.order.order_type, stop.order.stop_price, stop.order.trail_percent) == (OrderType.TRAIL, 101.97, 1.0)


def test_the_target_of_a_trailing_plan_is_a_limit_as_ever():
    engine = an_engine_at_work(a_trailing_engine(target=2.0))
    assert engine.book.orders[TARGET].order.limit_price == 102.0


def test_a_longer_row_that_contains_the_entry_moves_the_stop_by_its_close_too():
    plan = a_plan(opened=100)
    follow(plan, Bar(100.0, 120.0, 99.0, 110.0, 1.0), at(300), 300, 0.01)
    assert plan.stop_price == 108.9


# --- a split that nobody has told yet ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "stop", "prices"), [(Side.BUY, 99.0, (1000.0, 150.0)), (Side.SELL, 101.0, (50.0, 66.0))]
)
def test_rows_in_the_prices_of_a_split_do_not_move_a_stop_that_its_accept_will_scale(side, stop, prices):
    """Found by simulation (brutal 8757): the stop of a long had followed to 6,198, and went out at 61,989."""
    for price in prices:
        plan = a_plan(side, stop)
        plan.opened_value = 50_000.0
        follow(plan, Bar(price, price, price, price, 1), at(600), 60, 0.01)
        assert plan.stop_price == stop


@pytest.mark.parametrize(("first", "seen"), [(70.0, 101.0), (99.0, 125.0)])
def test_a_first_stop_far_away_and_a_gap_are_no_split(first, seen):
    plan = a_plan(Side.BUY, first)
    plan.opened_value = 50_000.0
    follow(plan, Bar(seen, seen, seen, seen, 1), at(600), 60, 0.01)
    assert plan.stop_price == trailed_stop(plan, seen, 0.01)


@pytest.mark.parametrize(
    ("side", "amount", "stop", "shown", "rests"),
    [
        (Side.BUY, None, 99.0, 125.0, 125.0),
        (Side.BUY, None, 99.0, 130.0, 99.0),  # that of a market of 131.31
        (Side.BUY, 5.0, 95.0, 124.0, 124.0),
        (Side.BUY, 5.0, 95.0, 126.0, 95.0),  # 131
        (Side.SELL, None, 101.0, 80.0, 80.0),
        (Side.SELL, None, 101.0, 77.0, 101.0),  # 76.24, and 100 is 1.31 times that
        (Side.SELL, None, 101.0, 102.0, 101.0),
        (Side.BUY, None, None, 98.0, 98.0),
    ],
)
def test_a_stop_rests_where_it_was_shown_nearer_to_the_market_but_for_a_split(side, amount, stop, shown, rests):
    plan = a_plan(side, stop, percent=None if amount else 1.0, amount=amount)
    plan.opened_value = 50_000.0
    assert resting_stop(plan, stop, shown) == rests
