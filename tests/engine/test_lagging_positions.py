"""Positions that lag behind executions of ours show what was held before (TWS.md 4.53): that is adopted by nobody."""

import pytest
from msgspec.structs import replace

from daemon.engine.settings import TruthPolicy
from shared.commands import Flatten, SetTimer
from shared.events import OperatorCommanded
from shared.orders import OrderStatus, Side
from tests.engine.builders import (
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    accepted,
    an_engine,
    at,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
    filled,
    handle_all,
    lines_of,
    of_kind,
    some_settings,
)

ENTRY_2, EXIT_2 = (f"OB1:s:20131008:SPY-2:{leg}" for leg in ("E", "X1"))
SOLD = a_fill(STOP, 500, 99.0, seconds=110, exec_id="0001.01.02.01")


def an_engine_that_sold(fill=SOLD):
    """Long 500 on which both agreed, then the stop has filled, wholly or in part."""
    engine = a_long_engine(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    engine.handle(a_report(100, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [filled(fill), cancelled(TARGET, 110)])
    return engine


def reports(engine, quantity, *seconds, **parts):
    lines = lines_of(engine)
    return handle_all(
        engine, [a_report(second, positions={"SPY": quantity}, open_orders=lines, **parts) for second in seconds]
    )


def accepting(engine, quantity, second, **parts):
    accept = OperatorCommanded(received_at=at(second), verb="accept", scope="instrument:SPY", actor="me")
    told = [*engine.handle(accept), *reports(engine, quantity, second + 1, **parts)]
    return [code for code in codes(told) if code in ("accept_refused", "settled")]


@pytest.mark.parametrize("sold", [500, 200])
def test_shares_that_an_exit_has_just_sold_are_not_adopted_where_the_broker_still_shows_them(sold):
    """Six seconds later they were, and got a stop to sell what nobody held."""
    engine = an_engine_that_sold(replace(SOLD, quantity=sold))
    told = reports(engine, 500, *range(113, 173, 3))
    told += reports(engine, 500 - sold, 173, 176, 179)
    assert engine.book.holding("adopted", "SPY") == 0
    assert "settled" not in codes(told)
    assert engine.book.locks == {}


def test_an_execution_that_seems_older_than_the_agreement_may_be_lacking_in_a_figure_as_well():
    """Our clock is a minute ahead and nobody has measured that yet: what is booked since both agreed is younger."""
    engine = a_long_engine(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    engine.handle(a_report(130, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [filled(replace(SOLD, filled_at=at(80)), 140), cancelled(TARGET, 140)])
    told = reports(engine, 500, 143, 146, 149)
    assert engine.book.holding("adopted", "SPY") == 0
    assert "settled" not in codes(told)


def test_shares_that_the_broker_shows_for_five_minutes_after_their_sale_are_adopted():
    engine = an_engine_that_sold()
    reports(engine, 500, 113, 116, 119, 240, 360, 420)
    assert engine.book.holding("adopted", "SPY") == 500


def test_what_a_hand_has_bought_meanwhile_is_adopted_at_once_though_it_is_as_many():
    engine = an_engine_that_sold()
    bought = replace(SOLD, ref="by hand", side=Side.BUY, exec_id="0002.01.01.01")
    reports(engine, 500, 113, 116, 119, fills=[bought])
    assert engine.book.holding("adopted", "SPY") == 500


def test_what_the_broker_shows_beside_what_was_sold_is_adopted_at_once():
    engine = an_engine_that_sold()
    reports(engine, 300, 113, 116, 119)
    assert engine.book.holding("adopted", "SPY") == 300


def by_hand(side, quantity, seconds):
    return a_fill("by hand", quantity, 99.0, seconds=seconds, exec_id=f"{seconds:04}.01.01.01", side=side)


@pytest.mark.parametrize("shown", [500, 510])
def test_what_may_be_of_before_our_sale_is_not_adopted_where_a_hand_has_traded_beside_it(shown):
    """The figure is the one of before the sale, and any of the trades by hand are in it or not."""
    engine = an_engine_that_sold()
    trades = [by_hand(Side.BUY, 10, 105), by_hand(Side.SELL, 10, 120)]
    told = reports(engine, shown, 122, 125, 128, fills=trades)
    assert engine.book.holding("adopted", "SPY") == 0
    assert "settled" not in codes(told)


def test_a_person_cannot_accept_what_may_be_of_before_our_sale_though_a_hand_had_traded_unseen_before_both_agreed():
    """A storm over brutal 31071: the agreement was late itself, and 16 shares that nobody held got a stop."""
    engine = a_long_engine()
    bought = by_hand(Side.BUY, 10, 95)
    engine.handle(a_report(100, positions={"SPY": 500}, open_orders=lines_of(engine), fills=[bought]))  # and not 510
    handle_all(engine, [filled(SOLD), cancelled(TARGET, 110)])
    trades = [bought, by_hand(Side.SELL, 10, 120)]
    reports(engine, 510, 122, 125, 128, fills=trades)
    assert accepting(engine, 510, 130, fills=trades) == ["accept_refused"]
    assert engine.book.holding("adopted", "SPY") == 0


@pytest.mark.parametrize(("second", "word", "held"), [(130, "accept_refused", 0), (416, "settled", -1)])
def test_a_person_cannot_accept_what_a_hand_held_a_trade_ago_until_the_trade_is_five_minutes_old(second, word, held):
    """The same storm cut smaller: a hand sold a share and bought it back, the accept came before the positions did."""
    engine = a_started()
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    sold, bought = by_hand(Side.SELL, 1, 105), by_hand(Side.BUY, 1, 115)
    reports(engine, -1, 106, 109, fills=[sold])
    reports(engine, -1, 116, 119, fills=[sold, bought])
    assert accepting(engine, -1, second, fills=[sold, bought]) == [word]
    assert engine.book.holding("adopted", "SPY") == held


@pytest.mark.parametrize(("second", "word", "held"), [(70, "accept_refused", 500), (380, "settled", 0)])
def test_a_person_cannot_accept_that_nothing_is_held_of_what_has_just_been_bought(second, word, held):
    """Its stop would have gone, and the positions would have shown the shares after that."""
    engine = a_long_engine()
    reports(engine, 0, 62, 65, 68)
    assert accepting(engine, 0, second) == [word]
    assert engine.book.position("SPY").quantity == held


@pytest.mark.parametrize(("second", "word", "held"), [(290, "accept_refused", 500), (570, "settled", 0)])
def test_a_person_cannot_accept_a_figure_that_has_gone_back_behind_one_on_which_both_agreed(second, word, held):
    """storm 12913: 70 had been shown for four minutes, then nothing once more, and 70 after that."""
    engine = a_long_engine()
    reports(engine, 500, 70, 200)
    reports(engine, 0, 262, 265, 268)
    assert accepting(engine, 0, second) == [word]
    assert engine.book.position("SPY").quantity == held


@pytest.mark.parametrize(("accepted_at", "held", "code"), [(130, 0, "accept_refused"), (450, 500, "settled")])
def test_a_person_cannot_accept_what_may_be_of_before_our_sale_until_it_has_lasted(accepted_at, held, code):
    """brutal 641 with positions of before: 16 shares that nobody held got a stop of their own."""
    engine = a_long_engine()
    engine.handle(a_report(100, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [filled(SOLD), cancelled(TARGET, 110)])
    reports(engine, 500, 113, 116, 119)
    assert accepting(engine, 500, accepted_at) == [code]
    assert engine.book.holding("adopted", "SPY") == held


def test_a_figure_of_before_exits_that_sold_too_many_is_not_what_they_are_given_back_by():
    """brutal 102736: both legs filled between a person's accept and the report it was for; 4 of nobody got a stop."""
    engine = a_long_engine(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    reports(engine, 500, 100)
    reports(engine, 400, 110, fills=[by_hand(Side.SELL, 100, 105)])
    engine.handle(OperatorCommanded(received_at=at(112), verb="accept", scope="instrument:SPY", actor="me"))
    both = [a_fill(ref, 500, 99.0, seconds=113, exec_id=f"0001.01.{ref[-1]}.01") for ref in (STOP, TARGET)]
    told = handle_all(engine, [filled(fill) for fill in both])
    told += handle_all(engine, [a_report(114, positions={"SPY": 400}, fills=[by_hand(Side.SELL, 100, 105)])])
    assert "accept_refused" in codes(told)
    assert engine.book.position("SPY").quantity == -500


def test_the_broker_is_asked_until_what_it_shows_cannot_be_late_any_more():
    """Three reports said so within five seconds of the sale; the next, two minutes later, was the first to count.

    storm 12821: it lagged by a quarter of a minute, and the lock healed after five, with the next comparison.
    """
    engine = an_engine_that_sold(replace(SOLD, quantity=200))
    asked = [engine.handle(each) for each in (a_report(second, positions={"SPY": -300}) for second in (110.5, 112.5))]
    asked += [reports(engine, -300, 114.5), reports(engine, -300, 116.5), reports(engine, -300, 118.5)]
    timers = [[timer.timer_id for timer in of_kind(told, SetTimer)] for told in asked]
    assert ["ask" in ids for ids in timers] == [True] * 5
    assert engine.book.locks["SPY"].broker_quantity == -300
    assert "ask" not in [timer.timer_id for timer in of_kind(reports(engine, -300, 415), SetTimer)]


def a_flat_engine_that_traded():
    """Bought and sold again within the last minutes; what others hold is adopted."""
    engine = an_engine_that_sold()
    reports(engine, 0, 113)
    return engine


def test_a_figure_that_goes_back_behind_one_on_which_both_agreed_is_not_adopted():
    """storm 8962: both were flat, then positions of before our exit came again: 1,201 that nobody held got a stop."""
    engine = a_flat_engine_that_traded()
    reports(engine, 500, 140, 143, 146)
    assert engine.book.holding("adopted", "SPY") == 0


def test_nothing_is_agreed_on_by_a_figure_that_lacks_what_a_hand_has_traded():
    """storm 8977: an old figure of nothing agreed with the book; the true one that followed was no news, and waited."""
    engine = an_engine_that_sold()
    reports(engine, 0, 113)
    trades = [by_hand(Side.SELL, 70, 200), by_hand(Side.BUY, 9, 240)]
    reports(engine, 0, 250, fills=trades)
    reports(engine, -61, 253, 256, 259, fills=trades)
    assert engine.book.holding("adopted", "SPY") == -61


def test_what_a_hand_has_traded_since_both_were_flat_is_adopted_at_once():
    """storm 1756: it might have been the figure of before our entry, had nobody known that both had agreed since."""
    engine = a_flat_engine_that_traded()
    handle_all(engine, [filled(a_fill(ENTRY_2, 500, seconds=600, exec_id="0003.01.01.01"))])
    handle_all(engine, [filled(a_fill(EXIT_2, 500, seconds=630, exec_id="0003.01.02.01"))])
    trades = [by_hand(Side.SELL, 277, 150), by_hand(Side.BUY, 9, 180)]
    reports(engine, -268, 636, 639, 642, fills=trades)
    assert engine.book.holding("adopted", "SPY") == -268


def test_what_the_broker_has_liquidated_of_ours_is_no_trade_of_somebody_else():
    """storm 570: its 32 shares were counted beside the 371 that a hand had sold, and those waited for five minutes."""
    engine = a_long_engine(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    engine.handle(a_report(100, positions={"SPY": 500}, open_orders=lines_of(engine)))
    gone = replace(a_fill("", 500, 80.0, seconds=110, exec_id="0009.01.01.01", side=Side.SELL), is_liquidation=True)
    trades = [gone, by_hand(Side.SELL, 371, 120)]
    handle_all(engine, [cancelled(STOP, 110), cancelled(TARGET, 110)])
    reports(engine, -371, 121, 124, 127, fills=trades)
    assert engine.book.holding("adopted", "SPY") == -371


def test_the_broker_is_asked_while_an_order_whose_fate_is_open_holds_up_what_is_settled():
    """storm 3524: its cancel ended an instant after the third report, and 337 shares waited a minute for the next."""
    engine = a_long_engine(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    lines = lines_of(engine)
    engine.handle(a_report(100, positions={"SPY": 500}, open_orders=lines))
    engine.book.orders[TARGET].status = OrderStatus.CANCELLING
    asked = [engine.handle(a_report(s, positions={"SPY": 700}, open_orders=lines)) for s in (500, 503, 506, 509)]
    assert ["ask" in [timer.timer_id for timer in of_kind(told, SetTimer)] for told in asked] == [True] * 4
    engine.handle(cancelled(TARGET, 510))
    engine.handle(a_report(511, positions={"SPY": 700}, open_orders=[line for line in lines if line.ref != TARGET]))
    assert engine.book.holding("adopted", "SPY") == 200


def test_what_a_hand_bought_just_before_us_is_what_the_broker_liquidates_in_that_moment():
    """storm 8903: 171 came and went by hand and liquidation in the second of our entry, whose 129 stood bare."""
    engine = a_started()
    engine.handle(a_report(20, positions={}))
    a_long_engine(engine)
    gone = replace(a_fill("", 171, 80.0, seconds=61, exec_id="0009.01.01.01", side=Side.SELL), is_liquidation=True)
    trades = [by_hand(Side.BUY, 171, 59), gone]
    engine.handle(a_report(90, positions={"SPY": 500}, open_orders=lines_of(engine), fills=trades))
    assert engine.book.position("SPY").quantity == 500


def test_what_others_executions_account_for_gives_way_to_none_of_ours():
    """storm 17510: an exit filled before the settlement by its time, and 28 shares were given back once more."""
    engine = a_long_engine(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    engine.handle(a_report(100, positions={"SPY": 500}, open_orders=lines_of(engine)))
    handle_all(engine, [disconnected(101), connected(105)])
    both = [a_fill(ref, 500, 99.0, seconds=101, exec_id=f"0001.01.{ref[-1]}.01") for ref in (STOP, TARGET)]
    trades = [*both, by_hand(Side.BUY, 28, 105)]
    (back,) = of_kind(engine.handle(a_report(106, positions={"SPY": -472}, fills=trades)), Flatten)
    parts = [
        a_fill(back.order.ref, shares, 99.0, seconds=107, exec_id=f"0002.01.{shares}.01", side=Side.BUY)
        for shares in (100, 372)
    ]
    handle_all(engine, [accepted(back.order.ref, 107, 8), filled(parts[0])])
    told = reports(engine, -372, 108.5, 111, 114, fills=trades)
    assert (back.order.quantity, codes(told).count("settled")) == (472, 1)
    told = engine.handle(filled(parts[1]))
    assert "settlement_corrected" not in codes(told)
    assert (engine.book.position("SPY").quantity, of_kind(told, Flatten)) == (0, [])
