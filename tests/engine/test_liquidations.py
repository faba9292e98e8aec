"""What the broker closes by itself for want of margin: whose shares that was; nothing goes on until a reset."""

import pytest
from msgspec.structs import replace

from risk.trading_state import TradingState
from shared.commands import CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded
from shared.ids import leg_ref
from shared.orders import Leg, OpenOrder, Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    accepted,
    an_engine_at_work,
    at,
    bars,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
)
from tests.engine.test_truth_executions import STOPPED, a_stopped_engine


def a_liquidation(quantity=500, exec_id="0009.01.01.01"):
    return replace(a_fill(STOP, quantity, 80.0, exec_id=exec_id, seconds=90), ref="", is_liquidation=True)


def test_a_liquidation_is_booked_on_the_plans_it_closed_and_halts_the_account():
    engine = a_long_engine()
    told = engine.handle(a_report(91, fills=[a_liquidation()], open_orders=lines_of(engine)))
    assert engine.book.positions() == {}
    assert [c.level for c in of_kind(told, Notify) if c.code == "liquidation"] == ["critical"]
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.HALTED
    assert engine.book.locks == {}


def test_a_liquidation_counts_once():
    engine = a_long_engine()
    lines = lines_of(engine)
    handle_all(engine, [a_report(s, fills=[a_liquidation(200)], open_orders=lines) for s in (91, 93, 95)])
    assert engine.book.holding("s", "SPY") == 300


def test_a_liquidation_pulls_the_entries_that_still_work():
    engine = an_engine_at_work()
    engine.handle(filled(a_fill(quantity=200)))
    commands = engine.handle(filled(a_liquidation(200)))
    assert ENTRY in [command.ref for command in of_kind(commands, CancelOrder)]
    assert engine.book.holding("s", "SPY") == 0


@pytest.mark.parametrize(("closed", "left"), [(499, {}), (498, {"SPY": 2})])
def test_a_liquidation_of_all_that_a_fraction_leaves_of_ours_closes_ours_whole(closed, left):
    """storm 11169: of 5 against 0.7 the broker closed 4.3, and a stop rested for the share that nobody held."""
    engine = a_long_engine()
    engine.handle(a_report(80, positions={"SPY": 499.3}, open_orders=lines_of(engine)))
    engine.handle(a_report(91, fills=[a_liquidation(closed)], open_orders=lines_of(engine)))
    assert {symbol: position.quantity for symbol, position in engine.book.positions().items()} == left


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_what_the_broker_liquidates_in_the_moment_in_which_we_sell_it_is_bought_back(left):
    """Also beside the fraction of a share that a split has left: that is no stranger's to liquidate."""
    engine = a_stopped_engine()
    engine.handle(a_report(80, positions={"SPY": left}))
    at_once = replace(a_liquidation(), filled_at=STOPPED.filled_at)
    told = engine.handle(a_report(91, positions={"SPY": -500}, fills=[at_once]))
    assert engine.book.positions()["SPY"].quantity == -500
    assert [(c.order.side, c.order.quantity) for c in of_kind(told, Flatten)] == [("BUY", 500)]


@pytest.mark.parametrize(("liquidated", "ours"), [(502, -500), (400, -398)])
def test_what_is_liquidated_beyond_a_strangers_shares_in_the_moment_in_which_we_sell_is_bought_back(liquidated, ours):
    """Found by simulation (brutal 6297): beside 2 of a stranger's 7 that were sold twice stayed short."""
    engine = a_stopped_engine()
    engine.handle(a_report(80, positions={"SPY": 2}))
    at_once = replace(a_liquidation(liquidated), filled_at=STOPPED.filled_at)
    told = engine.handle(a_report(91, positions={"SPY": 2 - liquidated}, fills=[at_once]))
    assert engine.book.positions()["SPY"].quantity == ours
    assert [(c.order.side, c.order.quantity) for c in of_kind(told, Flatten)] == [("BUY", -ours)]


def test_what_is_liquidated_beyond_all_that_we_know_of_takes_nothing_back_for_shares_sold_twice():
    """storm 7721: 303 of a stranger were hidden by a figure that lagged, and one share too many was sold for them."""
    engine = a_stopped_engine()
    at_once = replace(a_liquidation(803), filled_at=STOPPED.filled_at)
    told = engine.handle(a_report(91, positions={}, fills=[at_once]))
    assert (engine.book.positions(), of_kind(told, Flatten)) == ({}, [])


def test_a_liquidation_that_is_told_late_closes_nothing_that_was_opened_since():
    """Its shares were sold twice, and the next plan's stop was pulled for it (brutal 637)."""
    engine = a_stopped_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    says(engine, SPY=1.0)
    (bracket,) = of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)
    entry = bracket.bracket.entry
    engine.handle(filled(a_fill(entry.ref, entry.quantity, exec_id="0001.05.01.01", seconds=185)))
    late = replace(a_liquidation(), filled_at=STOPPED.filled_at)
    held = {"SPY": entry.quantity - 500}
    told = engine.handle(a_report(190, positions=held, fills=[late], open_orders=lines_of(engine)))
    assert engine.book.plans[entry.ref.removesuffix(":E")].open_quantity == entry.quantity
    assert [(c.order.side, c.order.quantity) for c in of_kind(told, Flatten)] == [("BUY", 500)]


def test_what_the_broker_liquidates_after_we_have_sold_was_not_ours():
    engine = a_stopped_engine()
    engine.handle(a_report(91, fills=[a_liquidation()]))
    assert engine.book.positions() == {}


BOUGHT_BACK = leg_ref(PLAN, Leg.EXIT, 1)


@pytest.mark.parametrize("brought_back", [0, 100, 500])
def test_what_exits_sold_twice_and_the_broker_buys_back_as_well_as_we_is_held_and_gets_a_stop(brought_back):
    """brutal 7224: both had bought 500 back, the book held none of them, and no stop came behind them."""
    engine = a_long_engine()
    sold = [a_fill(ref, 500, 99.0, exec_id=f"0001.01.0{n}.01", seconds=70) for n, ref in ((2, TARGET), (3, STOP))]
    told = handle_all(engine, [filled(fill) for fill in sold])
    (back,) = of_kind(told, Flatten)
    assert (back.order.ref, back.order.side, back.order.quantity) == (BOUGHT_BACK, "BUY", 500)
    ours = a_fill(BOUGHT_BACK, brought_back, 99.0, exec_id="0001.01.04.01", side=Side.BUY, seconds=71)
    handle_all(engine, [accepted(BOUGHT_BACK, 71, 9), *([filled(ours)] if brought_back else [])])
    theirs = replace(a_liquidation(), side=Side.BUY, filled_at=at(70))
    told = engine.handle(a_report(72, positions={"SPY": brought_back}, fills=[theirs], open_orders=lines_of(engine)))
    assert engine.book.quantity("SPY") == brought_back
    assert [c.ref for c in of_kind(told, CancelOrder)] == [BOUGHT_BACK] * (brought_back < 500)
    told += engine.handle(fired(f"protect:{PLAN}", 74))
    assert [c.order.quantity for c in of_kind(told, ReplaceStop)] == [brought_back] * (brought_back > 0)


def test_what_gives_back_is_not_cut_while_the_executions_of_the_entry_are_still_to_come():
    """Of a plan that the journal has lost the book hears of 300 of the 1,000 shares that its exits have sold."""
    engine = a_started()
    back = OpenOrder(
        ref=BOUGHT_BACK, perm_id=9, symbol="SPY", side=Side.BUY, quantity=500, order_type="MKT", limit_price=None,
        stop_price=None, status="Submitted", client_id=7, order_id=1,
    )  # fmt: skip
    sold = filled(a_fill(TARGET, 300, 99.0, exec_id="0001.01.02.01", seconds=70))
    told = handle_all(engine, [sold, a_report(72, positions={"SPY": -500}, open_orders=[back])])
    assert engine.book.orders[BOUGHT_BACK].remaining == 500
    assert of_kind(told, CancelOrder) + of_kind(told, ReplaceStop) == []


@pytest.mark.parametrize("symbol", ["SPY", "TSLA"])
def test_a_liquidation_of_shares_that_are_not_ours_halts_too_and_is_no_fill_of_ours(symbol):
    engine = a_started()
    foreign = replace(a_liquidation(), symbol=symbol)
    assert "liquidation" in codes(engine.handle(a_report(91, fills=[foreign])))
    assert (engine.book.fills, engine.book.plans) == ({}, {})
    assert engine.book.breakers.state_for("s", "IBM") is TradingState.HALTED


def test_a_liquidation_that_the_broker_tells_again_after_the_reset_halts_no_second_time():
    engine = a_started()
    again = [a_report(91 + n, fills=[a_liquidation()]) for n in range(2)]
    handle_all(engine, [again[0], OperatorCommanded(received_at=at(92), verb="reset", scope="account", actor="me")])
    assert codes(engine.handle(again[1])) == []
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.ACTIVE


def test_only_a_reset_ends_what_a_liquidation_has_halted():
    engine = a_long_engine()
    engine.handle(filled(a_liquidation()))
    says(engine, SPY=1.0, IBM=1.0)
    assert of_kind(engine.handle(bars(120, SPY=100.0, IBM=185.0)), PlaceBracket) == []
    assert [latch.rule for latch in engine.book.breakers.latched["account"]] == ["liquidation"]


def a_corrected_liquidation(quantity, suffix="02"):
    return replace(a_liquidation(quantity), exec_id=f"0009.01.01.{suffix}", filled_at=at(95))


def test_a_liquidation_that_is_busted_gives_the_plan_its_shares_and_their_stop_back():
    """Found by simulation (brutal 41011): the book stayed flat, and the shares without a stop were nobody's."""
    engine = a_long_engine()
    told = handle_all(engine, [a_report(91, fills=[a_liquidation()]), bars(120, SPY=100.0)])
    busted = a_report(125, fills=[a_corrected_liquidation(0)], positions={"SPY": 500})
    told = handle_all(engine, [busted, fired(f"protect:{PLAN}", 126)])
    assert [c.level for c in of_kind(told, Notify) if c.code == "fill_busted"] == ["critical"]
    assert engine.book.positions()["SPY"].quantity == 500
    assert [(c.order.quantity, c.order.stop_price) for c in of_kind(told, ReplaceStop)] == [(500, 99.0)]
    assert engine.book.locks == {}


def test_a_liquidation_that_is_corrected_takes_no_more_than_it_says_now():
    engine = a_long_engine()
    engine.handle(a_report(91, fills=[a_liquidation()]))
    less = [a_report(91 + n, fills=[a_corrected_liquidation(300)], positions={"SPY": 200}) for n in (1, 3, 5)]
    assert codes(handle_all(engine, less)).count("fill_corrected") == 1
    assert engine.book.positions()["SPY"].quantity == 200


def test_a_liquidation_of_which_only_the_bust_is_told_halts_nobody():
    engine = a_long_engine()
    busted = a_report(91, fills=[a_corrected_liquidation(0)], positions={"SPY": 500}, open_orders=lines_of(engine))
    assert "liquidation" not in codes(engine.handle(busted))
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.ACTIVE
