"""Another plan is short of some of a long plan's shares: TWS may hold the whole sale back as a short one (TWS.md 8)."""

from msgspec.structs import replace

from shared.commands import AskBroker, CancelOrder, Flatten, ReplaceStop
from shared.events import OrderUnknown
from shared.orders import OrderStatus, Side
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    an_engine_that_asked,
    an_open_order,
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
    statuses,
)

SHORT = "OB1:t:20131008:SPY-1"
EXIT, P1, COVER = f"{PLAN}:X1", f"{PLAN}:P1", f"{SHORT}:P1"


def waits_for_a_loan(ref, seconds=61):
    return replace(accepted(ref, seconds), broker_status="Inactive")


def beside_a_short_plan(engine):
    """Another plan is short of 2 SPY, under a stop that is confirmed: the account holds 498."""
    engine.handle(filled(a_fill(f"{SHORT}:E", 2, seconds=62, exec_id="0001.02.01.01", side=Side.SELL)))
    engine.book.plans[SHORT].stop_price = 105.0
    handle_all(engine, [fired(f"protect:{SHORT}", 63), accepted(COVER, 63, 7)])
    return engine


def shown_with(engine, held):
    """What the broker tells: it holds `held` back for want of shares to borrow."""
    live = engine.book.orders
    others = lines_of(engine, *[ref for ref in live if ref != held])
    line = an_open_order(live[held].order, live[held].perm_id or 9, status="Inactive")
    return {"positions": {"SPY": 498}, "open_orders": [*others, line]}


def an_engine_whose_stop_was_held():
    """The stop was shown held from 70 on and is cancelled at 73; what that told."""
    engine = beside_a_short_plan(a_long_engine())
    shown = shown_with(engine, STOP)
    told = handle_all(engine, [a_report(70, **shown), a_report(72, **shown), cancelled(STOP, 73)])
    return engine, told


def an_engine_whose_exit_was_held():
    """The strategy wants nothing from 120 on; its exit was shown held and is cancelled at 137."""
    engine = beside_a_short_plan(a_long_engine())
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    shown = shown_with(engine, EXIT)
    handle_all(engine, [a_report(seconds, **shown) for seconds in (122, 130, 136)])
    return engine, handle_all(engine, [cancelled(EXIT, 137), fired(f"close:{PLAN}", 138)])


def test_a_stop_that_waits_for_shares_to_borrow_is_not_confirmed_and_asked_about_at_once():
    engine = a_long_engine()
    told = engine.handle(waits_for_a_loan(STOP, 62))
    assert statuses(engine)[STOP] is OrderStatus.UNKNOWN
    assert of_kind(told, AskBroker)


def test_an_entry_may_wait_for_shares_to_borrow():
    engine = an_engine_that_asked()
    handle_all(engine, [waits_for_a_loan(ENTRY), accepted(STOP, 61, 2), accepted(TARGET, 61, 3)])
    lines = [*lines_of(engine, STOP, TARGET), an_open_order(engine.book.orders[ENTRY].order, status="Inactive")]
    told = handle_all(engine, [a_report(70, open_orders=lines), a_report(80, open_orders=lines)])
    assert statuses(engine)[ENTRY] is OrderStatus.WORKING
    assert of_kind(told, CancelOrder) == []


def test_a_stop_that_was_cancelled_does_not_come_back_as_unknown_for_being_held():
    engine, _told = an_engine_whose_stop_was_held()
    engine.handle(fired(f"protect:{PLAN}", 74))
    shown = shown_with(engine, P1)
    handle_all(engine, [a_report(80, **shown), a_report(82, **shown), waits_for_a_loan(P1, 83)])
    assert statuses(engine)[P1] is OrderStatus.CANCELLING


def test_a_stop_that_is_held_for_want_of_shares_is_told_and_goes():
    _engine, told = an_engine_whose_stop_was_held()
    assert codes(told) == ["held_order"]
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP]


def test_the_next_stop_is_for_what_the_account_holds():
    engine, _told = an_engine_whose_stop_was_held()
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 74)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (P1, 498)


def test_of_shares_that_another_plan_is_short_of_a_person_is_told_once():
    """Should it be covered while the daemon is down nothing at the broker stands behind them."""
    engine, _told = an_engine_whose_stop_was_held()
    handle_all(engine, [fired(f"protect:{PLAN}", 74), accepted(P1, 75, 8)])
    shown = {"positions": {"SPY": 498}, "open_orders": lines_of(engine)}
    told = handle_all(engine, [a_report(80, **shown), bars(120, SPY=100.0), a_report(130, **shown)])
    assert (codes(told), of_kind(told, ReplaceStop)) == (["stop_unconfirmed"], [])


def test_as_soon_as_the_other_plan_is_covered_they_get_their_stop():
    engine, _told = an_engine_whose_stop_was_held()
    handle_all(engine, [fired(f"protect:{PLAN}", 74), accepted(P1, 75, 8)])
    engine.handle(filled(a_fill(COVER, 2, seconds=80, exec_id="0001.03.01.01", side=Side.BUY)))
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 81)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (P1, 500)


def an_engine_that_has_sold_what_the_account_held():
    """The rest, of which the other plan is short, went by itself with the row at 180."""
    engine, told = an_engine_whose_exit_was_held()
    sold = a_fill(f"{PLAN}:X2", 498, seconds=139, exec_id="0001.04.01.01")
    return engine, told + handle_all(engine, [filled(sold), bars(180, SPY=100.0)])


def test_what_the_account_holds_is_sold_by_itself_and_then_the_rest():
    _engine, told = an_engine_that_has_sold_what_the_account_held()
    sent = [(each.order.ref, each.order.quantity) for each in of_kind(told, Flatten)]
    assert sent == [(f"{PLAN}:X2", 498), (f"{PLAN}:X3", 2)]


def test_the_rest_may_wait_for_shares_to_borrow_where_the_account_has_none():
    engine, _told = an_engine_that_has_sold_what_the_account_held()
    rest = f"{PLAN}:X3"
    told = engine.handle(waits_for_a_loan(rest, 181))
    shown = {**shown_with(engine, rest), "positions": {}}
    told += handle_all(engine, [a_report(seconds, **shown) for seconds in (190, 200, 210)])
    assert statuses(engine)[rest] is OrderStatus.WORKING
    assert "held_order" not in codes(told)


def an_engine_whose_account_is_flat():
    """Another plan is short of all 500; the stop SELL 500 waits for shares to borrow, as reports at 70 and 80 show."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(f"{SHORT}:E", 500, seconds=62, exec_id="0001.02.01.01", side=Side.SELL)))
    engine.book.plans[SHORT].stop_price = 105.0
    told = handle_all(engine, [fired(f"protect:{SHORT}", 63), accepted(COVER, 63, 7), waits_for_a_loan(STOP, 64)])
    shown = {**shown_with(engine, STOP), "positions": {}}
    return engine, told + handle_all(engine, [a_report(70, **shown), a_report(80, **shown)])


def test_a_stop_of_shares_that_the_account_has_none_of_waits_at_tws_and_is_not_confirmed():
    """Should the other plan be covered while the daemon is down it is no short sale any more."""
    engine, told = an_engine_whose_account_is_flat()
    assert statuses(engine)[STOP] is OrderStatus.UNKNOWN
    assert of_kind(told, CancelOrder) == []
    assert "stop_unconfirmed" in codes(told)


def test_a_stop_that_still_waits_when_the_account_has_its_shares_goes_with_the_next_report():
    engine, _told = an_engine_whose_account_is_flat()
    engine.handle(filled(a_fill(COVER, 500, seconds=82, exec_id="0001.03.01.01", side=Side.BUY)))
    told = engine.handle(a_report(83, **{**shown_with(engine, STOP), "positions": {"SPY": 500}}))
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP]


def test_a_stop_that_waits_and_is_larger_than_its_plan_goes():
    engine, _told = an_engine_whose_account_is_flat()
    engine.handle(filled(a_fill(TARGET, 100, seconds=82, exec_id="0001.04.01.01")))
    told = engine.handle(a_report(83, **{**shown_with(engine, STOP), "positions": {"SPY": -100}}))
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP]


def test_the_cancel_of_a_stop_that_waits_is_asked_for_again():
    engine = beside_a_short_plan(a_long_engine())
    shown = shown_with(engine, STOP)
    handle_all(engine, [a_report(70, **shown), a_report(72, **shown)])
    engine.handle(filled(a_fill(TARGET, 498, seconds=73, exec_id="0001.04.01.01")))
    shown = {**shown_with(engine, STOP), "positions": {}}
    handle_all(engine, [a_report(seconds, **shown) for seconds in (74, 76, 78)])
    told = engine.handle(fired(f"cancel:{STOP}", 82))
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP]


def an_engine_whose_held_stop_does_not_go():
    """Its cancel left at 72 and is never answered (ibi#363): reports show it held, twice more by 78."""
    engine = beside_a_short_plan(a_long_engine())
    shown = shown_with(engine, STOP)
    return engine, handle_all(engine, [a_report(seconds, **shown) for seconds in (70, 72, 74, 76, 78)])


def shown_waiting_for(engine, quantity):
    """STOP is held still, for so many shares."""
    shown = shown_with(engine, STOP)
    *others, line = shown["open_orders"]
    return {**shown, "open_orders": [*others, replace(line, quantity=quantity)]}


def beside_a_held_stop():
    """STOP waits for a loan of the 2 shares that the account lacks; P1 stands behind the 498 that it has."""
    engine, _told = an_engine_whose_held_stop_does_not_go()
    told = engine.handle(a_report(80, **shown_waiting_for(engine, 2)))
    engine.handle(accepted(P1, 80.5, 8))
    return engine, told


def stops_in(commands):
    return [(command.order.ref, command.order.quantity) for command in of_kind(commands, ReplaceStop)]


def test_of_a_held_stop_whose_cancel_is_not_answered_only_what_the_account_lacks_shall_wait():
    """Found by simulation (storm 9052): 60 shares stood without a stop for three minutes."""
    _engine, told = an_engine_whose_held_stop_does_not_go()
    assert stops_in(told) == [(STOP, 2)]
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP, STOP]


def test_as_soon_as_a_report_shows_that_one_for_what_the_account_has_comes_into_its_group():
    engine, told = beside_a_held_stop()
    assert stops_in(told) == [(P1, 498)]
    assert engine.book.orders[P1].order.oca_group == engine.book.orders[STOP].order.oca_group


def test_as_long_as_the_held_stop_may_be_for_all_none_stands_beside_it():
    """Shares may be found any moment: both would sell more than the plan holds."""
    engine, _told = an_engine_whose_held_stop_does_not_go()
    told = handle_all(engine, [fired(f"protect:{PLAN}", 79), a_report(80, **shown_with(engine, STOP))])
    told += handle_all(engine, [fired(f"protect:{PLAN}", 81), bars(120, SPY=100.0)])
    assert P1 not in [ref for ref, _quantity in stops_in(told)]


def test_that_all_of_it_is_held_is_told_critically_once():
    engine, told = an_engine_whose_held_stop_does_not_go()
    shown = shown_with(engine, STOP)
    told = handle_all(engine, [fired(f"protect:doubt:{PLAN}", 83), *[a_report(s, **shown) for s in range(84, 110, 2)]])
    assert codes(told).count("stop_unconfirmed") == 1


def test_a_held_stop_that_does_not_go_is_no_stop_to_anybody():
    engine, _told = an_engine_whose_held_stop_does_not_go()
    plan = engine.book.plans[PLAN]
    assert engine.book.unprotected_plans() == [plan]
    assert (engine.book.protected_quantity(plan), engine.book.confirmed_quantity(plan)) == (0, 0)


def test_a_held_stop_whose_change_is_refused_is_not_changed_again():
    engine, _told = an_engine_whose_held_stop_does_not_go()
    shown = shown_with(engine, STOP)
    engine.handle(OrderUnknown(received_at=at(78.5), ref=STOP, reason="10329"))
    assert stops_in(handle_all(engine, [a_report(seconds, **shown) for seconds in range(80, 120, 2)])) == []


def test_neither_row_nor_report_takes_the_stop_beside_a_held_one_away():
    engine, _told = beside_a_held_stop()
    shown = shown_waiting_for(engine, 2)
    told = handle_all(engine, [bars(120, SPY=100.0), a_report(130, **shown), bars(180, SPY=100.0)])
    assert {command.ref for command in of_kind(told, CancelOrder)} <= {STOP}
    assert stops_in(told) == []


def test_what_is_covered_meanwhile_is_added_to_the_stop_beside_when_the_held_one_is_gone():
    engine, _told = beside_a_held_stop()
    engine.handle(filled(a_fill(COVER, 2, seconds=82, exec_id="0001.03.01.01", side=Side.BUY)))
    assert stops_in(engine.handle(fired(f"protect:{PLAN}", 83))) == []
    assert stops_in(handle_all(engine, [cancelled(STOP, 84), fired(f"protect:{PLAN}", 85)])) == [(P1, 500)]


def test_a_held_stop_that_a_report_shows_at_work_counts_again():
    engine, _told = beside_a_held_stop()
    lines = [replace(line, quantity=2) if line.ref == STOP else line for line in lines_of(engine)]
    engine.handle(a_report(90, positions={"SPY": 498}, open_orders=lines))
    assert engine.book.protected_quantity(engine.book.plans[PLAN]) == 500


def test_a_plan_of_a_later_time_is_not_capped_by_what_was_held():
    engine, _told = an_engine_whose_stop_was_held()
    assert list(engine.book.unlent) == ["SPY"]
    engine.handle(filled(a_fill(STOP, 500, seconds=74, exec_id="0001.05.01.01")))
    engine.handle(a_report(80, positions={"SPY": -2}, open_orders=lines_of(engine)))
    assert engine.book.unlent == {}


def test_of_two_long_plans_the_younger_one_has_none_of_what_the_account_lacks():
    engine = beside_a_short_plan(a_long_engine())
    younger = "OB1:u:20131008:SPY-1"
    engine.handle(filled(a_fill(f"{younger}:E", 10, seconds=64, exec_id="0001.06.01.01")))
    engine.book.unlent["SPY"] = at(70)
    assert {key: engine.book.protectable(plan) for key, plan in engine.book.plans.items()} == {
        PLAN: 500,
        SHORT: 2,
        younger: 8,
    }


def test_a_figure_beyond_the_book_s_makes_no_stop_larger_that_may_be_held_back():
    """Found by simulation (storm 7812): positions lagged, and a stop for 59 shares was held back where 21 were."""
    engine = beside_a_short_plan(a_long_engine())
    engine.book.unlent["SPY"] = at(70)
    engine.book.foreign_positions["SPY"] = 1.0
    assert engine.book.protectable(engine.book.plans[PLAN]) == 498


def test_shares_that_a_hand_is_short_of_make_it_smaller():
    engine = beside_a_short_plan(a_long_engine())
    engine.book.unlent["SPY"] = at(70)
    engine.book.foreign_positions["SPY"] = -8.0
    assert engine.book.protectable(engine.book.plans[PLAN]) == 490


def test_shares_of_a_hand_alone_are_all_that_the_account_has():
    """Both plans together hold none: what is there can be sold, and nothing else can."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(f"{SHORT}:E", 500, seconds=62, exec_id="0001.02.01.01", side=Side.SELL)))
    engine.book.unlent["SPY"] = at(70)
    engine.book.foreign_positions["SPY"] = 8.0
    assert engine.book.protectable(engine.book.plans[PLAN]) == 8


def test_an_acceptance_whose_status_only_says_that_it_is_young_asks_nobody():
    """The bar broker accepts an order as PendingSubmit: each entry of a replay asked for a report."""
    engine = an_engine_that_asked()
    young = [replace(accepted(ref), broker_status="PendingSubmit") for ref in (ENTRY, STOP, TARGET)]
    assert of_kind(handle_all(engine, young), AskBroker) == []
    assert statuses(engine) == dict.fromkeys((ENTRY, STOP, TARGET), OrderStatus.WORKING)
