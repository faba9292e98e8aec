"""Executions: once each (I6, F10), corrected, busted, recovered after a loss (F2), or by the broker's own hand."""

import pytest
from msgspec.structs import replace

from risk.trading_state import TradingState
from shared.commands import AskBroker, CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.events import FillCorrected, OperatorCommanded
from shared.ids import leg_ref
from shared.orders import Leg, OpenOrder, Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    accepted,
    an_engine_at_work,
    an_engine_that_asked,
    at,
    bars,
    cancelled,
    codes,
    connected,
    cost,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
)


def corrected(fill, seconds=80):
    return FillCorrected(received_at=at(seconds), fill=fill)


STOPPED = a_fill(STOP, 500, 99.0, exec_id="0001.01.02.01", seconds=70)


def a_stopped_engine():
    """Long 500 at 100, stopped out at 99."""
    engine = a_long_engine()
    handle_all(engine, [filled(STOPPED), cancelled(TARGET, 71)])
    return engine


# --- once each ------------------------------------------------------------------------------------------------------


def test_an_execution_counts_once_however_often_and_by_whatever_way_it_comes():
    """I6 and F10."""
    engine = an_engine_that_asked()
    again = a_report(62, fills=[a_fill(), a_fill()], positions={"SPY": 500}, open_orders=lines_of(engine))
    handle_all(engine, [filled(a_fill()), filled(a_fill()), again, again, filled(a_fill())])
    assert engine.book.position("SPY").quantity == 500


def test_executions_missed_while_the_line_was_dead_are_recovered_and_told():
    """F2: two seconds after the open the line breaks, and the fill is never told again by itself."""
    engine = an_engine_that_asked()
    rest = lines_of(engine, STOP, TARGET)
    handle_all(engine, [disconnected(62), connected(90)])
    told = engine.handle(a_report(91, fills=[a_fill()], positions={"SPY": 500}, open_orders=rest))
    assert codes(told) == ["fill_recovered", "reconciled"]
    assert engine.book.unprotected_plans() == []


def test_nothing_is_entered_before_the_report_of_this_connection_was_compared():
    """I13."""
    engine = a_started()
    says(engine, SPY=1.0)
    stale = a_report(95, asked=60)
    handle_all(engine, [disconnected(62), connected(90), stale])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []
    engine.handle(a_report(121, asked=120))
    assert len(of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)) == 1


@pytest.mark.parametrize("lacking", ["positions", "executions", "open_orders", "completed_orders", "account"])
def test_a_partial_answer_opens_no_gate(lacking):
    """F4 and I12."""
    engine = a_started()
    says(engine, SPY=1.0)
    handle_all(engine, [disconnected(62), connected(90), a_report(91, unanswered=[lacking])])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []


# --- corrected and busted -------------------------------------------------------------------------------------------


def test_a_corrected_execution_replaces_the_first_and_is_told():
    engine = a_long_engine()
    told = engine.handle(corrected(a_fill(quantity=400, price=101.0, exec_id="0001.01.01.02")))
    assert (engine.book.position("SPY").quantity, engine.book.position("SPY").average_price) == (400, 101.0)
    assert codes(told)[0] == "fill_corrected"


def test_a_correction_that_comes_by_a_report_counts_like_a_live_one():
    engine = a_long_engine()
    newer = a_fill(quantity=400, exec_id="0001.01.01.02")
    engine.handle(a_report(80, fills=[newer], positions={"SPY": 400}, open_orders=lines_of(engine)))
    assert engine.book.position("SPY").quantity == 400


def test_an_old_version_after_its_correction_changes_nothing():
    engine = a_long_engine()
    engine.handle(corrected(a_fill(quantity=400, exec_id="0001.01.01.02")))
    assert engine.handle(filled(a_fill())) == []
    assert engine.book.position("SPY").quantity == 400


def test_the_bust_of_an_exit_opens_the_position_again_and_it_gets_a_stop():
    engine = a_stopped_engine()
    told = engine.handle(corrected(replace(STOPPED, quantity=0, exec_id="0001.01.02.02")))
    assert engine.book.position("SPY").quantity == 500
    assert codes(told)[0] == "fill_busted"
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 82)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity, stop.order.stop_price) == (f"{PLAN}:P1", 500, 99.0)


def test_what_is_taken_back_of_an_exit_is_covered_although_its_group_has_cut_the_stop():
    """The broker cuts a stop without a word of its new size: 16 shares stood bare for a minute (brutal 953)."""
    engine = a_long_engine()
    first = a_fill(TARGET, 300, 102.0, exec_id="0001.01.02.01", seconds=70)
    told = handle_all(engine, [filled(first), corrected(replace(first, quantity=0, exec_id="0001.01.02.02"))])
    assert len(of_kind(told, AskBroker)) == 1
    lines = [replace(line, quantity=200) for line in lines_of(engine, STOP)]
    cut = [a_report(81, positions={"SPY": 500}, open_orders=[*lines, *lines_of(engine, TARGET)])]
    (stop,) = of_kind(handle_all(engine, [*cut, fired(f"protect:{PLAN}", 82)]), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (STOP, 500)


@pytest.mark.parametrize(("told", "stops"), [((200, 200), [700]), ((200, 0), []), ((200,), [])])
def test_what_a_stop_has_filled_beyond_its_executions_is_covered_once_two_reports_have_told_it(told, stops):
    """storms 11443, 11860: a correction came before its execution: 200 of 700 are spent, and 500 covered."""
    engine = a_long_engine()
    busted = replace(a_fill(STOP, 0, seconds=70), exec_id="0001.01.02.02")
    assert of_kind(engine.handle(corrected(busted, 70)), AskBroker)
    lines = lines_of(engine)
    for number, filled_shares in enumerate(told):
        shown = [replace(line, filled=filled_shares if line.ref == STOP else 0) for line in lines]
        engine.handle(a_report(71 + 2 * number, positions={"SPY": 500}, open_orders=shown))
    sent = of_kind(engine.handle(fired(f"protect:{PLAN}", 80)), ReplaceStop)
    assert [each.order.quantity for each in sent] == stops


def test_an_entry_is_over_with_what_it_fills_beyond_an_execution_that_was_taken_back():
    """storm 14933: 1,000 of 5,632 were busted before they were told, and it seemed open; its legs rested for all."""
    engine = an_engine_at_work()
    engine.handle(corrected(replace(a_fill(ENTRY, 0), exec_id="0001.01.01.02"), 62))
    shown = [replace(line, filled=100 if line.ref == ENTRY else 0) for line in lines_of(engine)]
    handle_all(engine, [a_report(63, open_orders=shown), a_report(65, open_orders=shown)])
    told = engine.handle(filled(a_fill(ENTRY, 400, exec_id="0001.01.03.01", seconds=66)))
    assert engine.book.closed_orders[ENTRY] == "filled"
    assert {each.order.ref: each.order.quantity for each in of_kind(told, ReplaceStop)} == {STOP: 400, TARGET: 400}


def test_a_bust_after_the_plan_was_put_away_brings_it_back():
    engine = a_stopped_engine()
    engine.handle(bars(120, SPY=100.0))
    assert PLAN in engine.book.retired
    engine.handle(corrected(replace(STOPPED, quantity=0, exec_id="0001.01.02.02"), 130))
    assert engine.book.plans[PLAN].open_quantity == 500
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 132)), ReplaceStop)
    assert stop.order.quantity == 500


def test_a_bust_of_an_execution_nobody_told_us_of_holds_nothing():
    engine = a_started()
    commands = engine.handle(corrected(a_fill(quantity=0, exec_id="0001.01.01.02")))
    assert engine.book.positions() == {}
    assert of_kind(commands, Flatten) == []


def test_a_busted_execution_costs_nothing_any_more():
    engine = a_long_engine()
    handle_all(engine, [cost("0001.01.01.01", 2.5), corrected(a_fill(quantity=0, exec_id="0001.01.01.02"))])
    assert engine.book.plans[PLAN].commission == 0.0
    assert engine.book.realized_profit == 0.0


def test_the_commission_of_a_busted_execution_that_comes_afterwards_is_not_charged():
    engine = a_long_engine()
    handle_all(engine, [corrected(a_fill(quantity=0, exec_id="0001.01.01.02")), cost("0001.01.01.01", 2.5, 90)])
    assert engine.book.plans[PLAN].commission == 0.0


@pytest.mark.parametrize("left", [0, 400])
def test_what_is_taken_back_of_an_entry_is_not_bought_again(left):
    engine = a_long_engine()
    engine.handle(corrected(a_fill(quantity=left, exec_id="0001.01.01.02")))
    commands = handle_all(engine, [bars(120, SPY=100.0), bars(180, SPY=100.0)])
    assert of_kind(commands, PlaceBracket) + of_kind(commands, Flatten) == []


def test_what_is_taken_back_of_an_entry_is_cut_off_its_legs_at_once_no_oca_group_does_that():
    engine = a_long_engine()
    changed = of_kind(engine.handle(corrected(a_fill(quantity=400, exec_id="0001.01.01.02"))), ReplaceStop)
    assert {change.order.ref: change.order.quantity for change in changed} == {STOP: 400, TARGET: 400}


def test_what_is_taken_back_before_the_holdings_are_known_is_cut_off_when_they_are():
    """brutal 2931: the next row sent an exit, TWS held it back, and the stop stood for twice the shares."""
    engine = a_long_engine()
    resting = lines_of(engine)
    handle_all(engine, [disconnected(70), connected(80), corrected(a_fill(quantity=400, exec_id="0001.01.01.02"))])
    report = a_report(90, positions={"SPY": 400}, open_orders=resting)
    assert STOP in [change.order.ref for change in of_kind(engine.handle(report), ReplaceStop)]


def test_a_correction_while_the_entry_still_works_leaves_its_rest_wanted():
    engine = an_engine_at_work()
    first = a_fill(quantity=200)
    handle_all(engine, [filled(first), corrected(replace(first, quantity=150, exec_id="0001.01.01.02"))])
    engine.handle(filled(a_fill(quantity=300, exec_id="0001.01.08.01", seconds=90)))
    assert of_kind(engine.handle(bars(120, SPY=100.0)), Flatten) == []
    assert engine.book.holding("s", "SPY") == 450


def test_what_is_taken_back_of_a_stop_that_has_filled_gets_a_stop_of_its_own():
    """The broker gives a corrected execution's shares back to the position, never to the order (brutal 24004)."""
    engine = a_long_engine()
    first, rest = a_fill(STOP, 6, exec_id="0001.01.02.01"), a_fill(STOP, 494, exec_id="0001.01.03.01")
    handle_all(engine, [filled(first, 70), corrected(replace(first, quantity=5, exec_id="0001.01.02.02"), 71)])
    (stop,) = of_kind(handle_all(engine, [filled(rest, 72), fired(f"protect:{PLAN}", 76)]), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (f"{PLAN}:P1", 1)


@pytest.mark.parametrize("status", ["Filled", "Cancelled"])
def test_a_stop_that_ended_is_over_though_its_first_execution_is_known_corrected_only(status):
    engine = a_long_engine()
    engine.handle(corrected(a_fill(STOP, 499, exec_id="0001.01.02.02"), 71))
    over = a_completed(STOP, status, filled=500)
    engine.handle(a_report(90, positions={"SPY": 1}, completed_orders=[over], open_orders=lines_of(engine, TARGET)))
    assert STOP in engine.book.closed_orders


def test_the_profit_of_a_busted_exit_is_taken_back():
    engine = a_stopped_engine()
    assert engine.book.realized_profit == -500.0
    engine.handle(corrected(replace(STOPPED, quantity=0, exec_id="0001.01.02.02")))
    assert engine.book.realized_profit == 0.0


# --- the broker's own hand ------------------------------------------------------------------------------------------


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
