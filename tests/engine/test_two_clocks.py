"""Executions carry the broker's time, everything else ours: the two are compared as far apart as a report says."""

import pytest
from msgspec.structs import replace

from daemon.engine.settings import ExitPolicy, TruthPolicy
from shared.commands import AskBroker, Flatten, ReplaceStop
from shared.events import OperatorCommanded
from shared.orders import Side
from tests.engine.builders import (
    PLAN,
    STOP,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_start,
    a_started,
    a_universe,
    accepted,
    an_engine,
    at,
    bars,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    some_settings,
)

ADOPTED = "OB1:adopted:20131008:SPY-1"
AHEAD = pytest.mark.parametrize("ahead_s", [-285, 0, 285])


def told(ahead_s, *seconds, **parts):
    """Reports at these seconds of the broker's clock."""
    return [a_report(second + ahead_s, clock_ahead_s=ahead_s, **parts) for second in seconds]


def by_hand(quantity, seconds, exec_id="0002.01.01.01"):
    return a_fill("by hand", quantity, 100.0, seconds=seconds, exec_id=exec_id, side=Side.SELL, symbol="SPY")


def an_engine_that_adopted(ahead_s, quantity, **parts):
    """At 20 s of the broker's clock; its stop works."""
    engine = a_started(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    adopted = told(ahead_s, 10, 13, 16, positions={"SPY": quantity}, **parts)
    handle_all(engine, [*adopted, fired(f"protect:{ADOPTED}", 18 + ahead_s), accepted(f"{ADOPTED}:P1", 19 + ahead_s)])
    handle_all(engine, told(ahead_s, 20, positions={"SPY": quantity}, open_orders=lines_of(engine), **parts))
    return engine


@AHEAD
def test_what_a_hand_has_sold_since_both_agreed_accounts_for_what_is_missing(ahead_s):
    """Found by simulation (brutal 9476): a clock 285 s ahead, and 44 shares too many stood in the book for minutes."""
    before, sold = by_hand(40, 8, "0001.01.01.01"), by_hand(100, 110)
    engine = an_engine_that_adopted(ahead_s, 300, fills=[before])
    news = handle_all(engine, told(ahead_s, 120, 123, 126, positions={"SPY": 200}, fills=[before, sold]))
    assert "settled" in codes(news)
    assert engine.book.holding("adopted", "SPY") == 200


@AHEAD
def test_a_settlement_does_not_give_way_to_what_is_executed_after_it(ahead_s):
    """Found by simulation (brutal 9476): 44 shares bought by hand came back with the next execution of the stop."""
    sold = by_hand(100, 110)
    engine = an_engine_that_adopted(ahead_s, 300)
    shown = {"fills": [sold], "open_orders": lines_of(engine)}
    handle_all(engine, told(ahead_s, 120, 123, 126, positions={"SPY": 200}, **shown))
    stopped = a_fill(f"{ADOPTED}:P1", 50, 98.0, seconds=140, exec_id="0003.01.01.01")
    assert "settlement_corrected" not in codes(engine.handle(filled(stopped, 140 + ahead_s)))
    assert engine.book.holding("adopted", "SPY") == 150


@AHEAD
def test_a_settlement_gives_way_to_the_execution_of_before_it(ahead_s):
    engine = a_long_engine()
    handle_all(engine, told(ahead_s, 120, 123, positions={"SPY": 300}, open_orders=lines_of(engine)))
    accept = OperatorCommanded(received_at=at(125 + ahead_s), verb="accept", scope="instrument:SPY", actor="me")
    handle_all(engine, [accept, *told(ahead_s, 126, positions={"SPY": 300}, open_orders=lines_of(engine))])
    stopped = a_fill(STOP, 200, 99.0, seconds=110, exec_id="0003.01.01.01")
    assert "settlement_corrected" in codes(engine.handle(filled(stopped, 140 + ahead_s)))
    assert engine.book.position("SPY").quantity == 300


@AHEAD
def test_positions_may_lag_behind_an_execution_of_the_last_five_seconds_of_the_brokers(ahead_s):
    engine = a_long_engine()
    handle_all(engine, told(ahead_s, 100, positions={"SPY": 500}, open_orders=lines_of(engine)))
    stopped = a_fill(STOP, 200, 99.0, seconds=110, exec_id="0003.01.01.01")
    handle_all(engine, told(ahead_s, 112, 114.5, positions={"SPY": 500}, fills=[stopped]))
    assert engine.book.breaks["SPY"].may_be_late
    handle_all(engine, told(ahead_s, 117, positions={"SPY": 500}, fills=[stopped]))
    assert not engine.book.breaks["SPY"].may_be_late


@AHEAD
def test_a_time_stop_counts_from_the_execution(ahead_s):
    universe = a_universe()
    exits = ExitPolicy(method="percent", stop=1.0, target=2.0, max_holding_s=600)
    engine = an_engine(universe=universe, desks=[a_desk(universe, exits=exits)])
    engine = a_long_engine(engine)
    handle_all(engine, told(ahead_s, 300, positions={"SPY": 500}, open_orders=lines_of(engine)))
    timer = f"time_stop:{PLAN}"
    assert of_kind(engine.handle(fired(timer, 600 + ahead_s)), Flatten) == []
    assert len(of_kind(engine.handle(fired(timer, 661 + ahead_s)), Flatten)) == 1


@AHEAD
def test_money_that_moves_after_the_ledger_has_begun_is_counted(ahead_s):
    engine = an_engine()
    handle_all(engine, [*a_start()[:-1], *told(ahead_s, 320)])
    assert engine.book.ledger.since == at(320)


@pytest.mark.parametrize("behind_s", [0, 2, 600])
def test_an_execution_told_after_both_agreed_may_be_lacking_in_a_figure_though_its_time_is_of_before(behind_s):
    """brutal 8449: after a restart nobody knew that our clock was 2 s ahead; -8 of before looked like a split of -7."""
    engine = a_long_engine()
    line = lines_of(engine)
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=line))
    sold = a_fill(STOP, 100, 99.0, seconds=1001 - behind_s, exec_id="0003.01.01.01")
    handle_all(engine, [filled(sold, 1001), cancelled(STOP, 1001)])
    news = engine.handle(a_report(1001.2, positions={"SPY": 500}, open_orders=line[2:]))
    assert "corporate_action" not in codes(news)
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 1002.2)), ReplaceStop)
    assert stop.order.quantity == 400


def test_an_order_that_left_after_a_settlement_is_not_the_execution_that_it_stood_for_whatever_the_clocks_say():
    """storm 3524: the broker's clock was 510 s wrong; each exit took shares off the settlement and was sent again."""
    engine, ahead_s = a_long_engine(), -510
    reports = [a_report(700 + 3 * n, clock_ahead_s=ahead_s, positions={"SPY": 300}) for n in range(3)]
    accept = OperatorCommanded(received_at=at(710), verb="accept", scope="instrument:SPY", actor="me")
    flatten = OperatorCommanded(received_at=at(720), verb="flatten", scope="instrument:SPY", actor="me")
    last = a_report(711, clock_ahead_s=ahead_s, positions={"SPY": 300})
    (sent,) = of_kind(handle_all(engine, [*reports, accept, last, flatten]), Flatten)
    assert sent.order.quantity == 300
    news = engine.handle(filled(a_fill(sent.order.ref, 300, 100.0, seconds=721, exec_id="0003.01.01.01")))
    assert engine.book.positions() == {}
    assert "settlement_corrected" not in codes(news)


def test_nothing_is_given_back_before_the_broker_was_asked_where_a_settlement_has_given_way():
    """The same, from a journal that does not know which orders had left by then."""
    engine = a_started(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    reports = [a_report(10 + 3 * n, clock_ahead_s=-510, positions={"SPY": -261}) for n in range(3)]
    accept = OperatorCommanded(received_at=at(30), verb="accept", scope="instrument:SPY", actor="me")
    gone = [a_report(20 + 3 * n, clock_ahead_s=-510, positions={}) for n in range(3)]
    handle_all(engine, [*reports, *gone, accept, a_report(31, clock_ahead_s=-510, positions={})])
    assert engine.book.positions() == {}
    engine.book.sent_before.clear()
    sold = a_fill("OB1:s:20131008:SPY-7:S", 10, 100.0, seconds=100, exec_id="0003.01.01.01")
    news = engine.handle(filled(sold))
    assert ("settlement_corrected" in codes(news), of_kind(news, Flatten)) == (True, [])
    assert of_kind(news, AskBroker) != []
    row = bars(120, SPY=100.0, IBM=185.0)
    last = [a_report(101 + n, clock_ahead_s=-510, positions={"SPY": -10}) for n in (0, 3)]
    assert of_kind(handle_all(engine, [*last, row]), Flatten) == []


def test_what_was_told_before_both_agreed_is_no_news_whatever_the_clocks_say():
    """storm 7220: the broker's clock was 385 s wrong, and what a hand had bought back was taken for a late figure."""
    engine = a_started(an_engine(settings=some_settings(truth=TruthPolicy(foreign="adopt"))))
    sold = by_hand(245, 5)
    back = replace(by_hand(179, 60, "0002.01.02.01"), side=Side.BUY)
    wrong = {"clock_ahead_s": 385}
    first = [a_report(10 + 3 * n, positions={"SPY": -245}, fills=[sold], **wrong) for n in range(3)]
    handle_all(engine, [*first, fired(f"protect:{ADOPTED}", 18), accepted(f"{ADOPTED}:P1", 19)])
    engine.handle(a_report(20, positions={"SPY": -245}, open_orders=lines_of(engine), fills=[sold], **wrong))
    lines = lines_of(engine)
    then = {"positions": {"SPY": -66}, "open_orders": lines, "fills": [sold, back]}
    handle_all(engine, [a_report(70 + 3 * n, **then, **wrong) for n in range(3)])
    assert engine.book.holding("adopted", "SPY") == -66
