"""Each situation counts where it was there, and not where only half of it was."""

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from tests.simulation.history import (
    Broker,
    BrokerSeen,
    Fault,
    Journalled,
    LineChanged,
    OperatorAsked,
    Ordered,
    ProcessEnded,
    ProcessStarted,
    Sent,
    Settings,
    Told,
)
from tests.simulation.weather.hits import hits_of
from tests.simulation.weather.situations import SITUATIONS

NEW_YORK = ZoneInfo("America/New_York")
AN_ORDINARY_DAY, A_DAY_OF_CHANGED_CLOCKS = dt.date(2026, 6, 3), dt.date(2026, 3, 16)


def instant(day, hour=10, minute=0):
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).timestamp()


T = instant(AN_ORDINARY_DAY)
ENTRY, OTHER = "OB1:one:20260603:SPY-1:E", "OB1:one:20260603:SPY-2:E"


def begun(at=T - 1800, opens=T - 1800, closes=T + 21_600):
    return Settings(
        at=at,
        seed=1,
        weather="brutal",
        symbols=("SPY",),
        sessions=((opens, closes),),
        bar_s=60,
        limits={},
        rules={},
    )


def started(at=T - 1800, process=1):
    return ProcessStarted(at=at, process=process)


def ended(at, how="killed"):
    return ProcessEnded(at=at, process=1, how=how)


def line(at, state, client_id=7):
    return LineChanged(at=at, process=1, client_id=client_id, state=state)


def fault(at, number=0, source="gateway", name="", phase="happened"):
    return Fault(at=at, source=source, number=number, name=name, phase=phase)


def order(at=T, perm_id=1, quantity=100.0):
    record = {"perm_id": perm_id, "symbol": "SPY", "quantity": quantity, "order_ref": ENTRY}
    return Broker(at=at, what="order", record=record)


def order_ended(at, perm_id=1):
    return Broker(at=at, what="ended", record={"perm_id": perm_id})


def filled(at, perm_id=1, quantity=100.0, ref=ENTRY, exec_id="0001.01", side="BUY"):
    record = {
        "perm_id": perm_id,
        "symbol": "SPY",
        "quantity": quantity,
        "order_ref": ref,
        "exec_id": exec_id,
        "side": side,
    }
    return Broker(at=at, what="execution", record=record)


def split(at):
    return Broker(at=at, what="split", record={"symbol": "SPY", "ratio": 2.0})


def sent(at, order_id=1, ref=ENTRY):
    return Sent(
        at=at,
        process=1,
        client_id=7,
        order_id=order_id,
        parent_id=0,
        transmit=True,
        order=Ordered(ref=ref, symbol="SPY", side="BUY", quantity=100.0, order_type="MKT"),
        oca_type=0,
        last=None,
        last_at=None,
        bid=None,
        ask=None,
    )


def told(at, name, **fields):
    return Told(at=at, process=1, client_id=7, name=name, fields=fields)


def said(at, code, req_id="-1"):
    return told(at, "error", reqId=req_id, code=str(code), text="")


def journalled(at, name, process=1, **event):
    return Journalled(at=at, process=process, sequence=1, name=name, event=event, commands=(), orders=(), cancels=())


def seen(at):
    return BrokerSeen(at=at, cash=0.0, positions={}, average_prices={}, orders=(), is_connected=True)


def asked(at, verb, reply='{"id":"","accepted":true}'):
    return OperatorAsked(at=at, process=1, verb=verb, scope="account", reply=reply)


def on(day, hour=10):
    at = instant(day, hour)
    return [begun(at - 1800, at - 1800, at + 21_600), started(at - 1800), sent(at)]


def half_day(at_hour):
    day = dt.date(2026, 11, 27)
    opens, closes = instant(day, 9, 30), instant(day, 13)
    return [begun(opens, opens, closes), sent(instant(day, at_hour))]


UP = [begun(), started(), line(T - 1700, "up"), line(T - 1700, "up", 8)]

CASES = {
    "F1": (
        [*UP, order(T), fault(T + 9, 11)],
        [*UP, order(T), order_ended(T + 1), fault(T + 9, 11)],
    ),
    "F2": (
        [*UP, order(T), line(T + 1, "down"), filled(T + 2)],
        [*UP, order(T), filled(T + 2), line(T + 3, "down")],
    ),
    "F3": (
        [*UP, sent(T), said(T + 1, 1100), sent(T + 2)],
        [*UP, sent(T), said(T + 1, 1100), said(T + 2, 1102), sent(T + 3)],
    ),
    "F4": (
        [*UP, journalled(T, "BrokerReported", unanswered=["positions"])],
        [*UP, journalled(T, "BrokerReported", unanswered=[])],
    ),
    "F5": (
        [*UP, order(T), ended(T + 1), started(T + 9, 2)],
        [*UP, order(T), order_ended(T + 1), ended(T + 2), started(T + 9, 2)],
    ),
    "F6": ([*UP, fault(T, 26)], [*UP, fault(T, 26, phase="ended")]),
    "F7": (
        [*UP, sent(T), seen(T + 11)],
        [*UP, sent(T), told(T + 1, "orderStatus", orderId="1"), seen(T + 11)],
    ),
    "F8": ([*UP, line(T, "deaf")], [*UP, ended(T), line(T, "deaf")]),
    "F9": (
        [*UP, line(T, "down"), line(T + 61, "up")],
        [*UP, line(T, "down"), line(T + 59, "up")],
    ),
    "F10": ([*UP, fault(T, 22)], [*UP, fault(T, 21)]),
    "F11": ([*UP, said(T, 103, "7")], [*UP, said(T, 104, "7")]),
    "F12": ([*UP, sent(T), ended(T + 0.4)], [*UP, sent(T), ended(T + 0.6)]),
    "F13": (on(A_DAY_OF_CHANGED_CLOCKS), on(AN_ORDINARY_DAY)),
    "F14": (half_day(12), half_day(14)),
    "F15": ([*UP, fault(T, 17)], [*UP, ended(T - 1), fault(T, 17)]),
    "F16": (
        [*UP, order(T), filled(T + 1), split(T + 500)],
        [*UP, order(T), order_ended(T + 1), split(T + 500)],
    ),
    "F17": (
        [*UP, *(filled(T + n, ref=f"{n}:E", exec_id=f"{n}.01") for n in (1, 2, 3, 4, 5))],
        [*UP, *(filled(T + n, exec_id=f"{n}.01") for n in (1, 2, 3, 4, 5))],
    ),
    "F18": ([*UP, fault(T, 43)], [*UP, fault(T, 47)]),
    "F19": ([*UP, fault(T, source="clock", name="step")], [*UP, fault(T, source="mqtt", name="down")]),
    "F20": (
        [*UP, journalled(T, "BarsClosed", process=2, warm_up=True)],
        [*UP, journalled(T, "BarsClosed", process=1, warm_up=True)],
    ),
    "F21": (
        [*UP, ended(T), started(T + 61, 2)],
        [*UP, ended(T), started(T + 59, 2)],
    ),
    "F22": (
        [*UP, fault(T, source="process", name="crash after_commit")],
        [*UP, fault(T, source="process", name="crash step")],
    ),
    "hole 1": ([*UP, asked(T, "reduce")], [*UP, asked(T, "reduce", reply='{"id":"","accepted":false}')]),
    "hole 2": (
        [*UP, journalled(T, "BrokerReported", unanswered=["executions"])],
        [*UP, journalled(T, "BrokerReported", unanswered=["positions"])],
    ),
    "hole 3": ([*UP, fault(T, 32)], [*UP, fault(T, 31)]),
    "hole 5": ([*UP, fault(T, 28)], [*UP, fault(T, 27)]),
    "hole 6": ([*UP, fault(T, 7)], [*UP, line(T - 1, "down"), fault(T, 7)]),
    "hole 7": (
        [*UP, order(T), said(T + 1, 1100), filled(T + 2)],
        [*UP, order(T), said(T + 1, 1100), said(T + 2, 1101), filled(T + 3)],
    ),
    "hole 8": ([*UP, order(T), fault(T + 9, 11)], [*UP, fault(T + 9, 11)]),
    "hole 11": ([*UP, said(T, 399, "7")], [*UP, said(T, 404, "7")]),
    "hole 14": (
        [*UP, told(T, "execDetails", reqId="9", execId="0001.01")],
        [*UP, *(told(T, "execDetails", reqId=reqId, execId="0001.01") for reqId in ("-1", "9"))],
    ),
    "hole 15": ([*UP, said(T, 1100)], [*UP, said(T, 2104)]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_situation_counts_where_it_was_there(name):
    assert hits_of(CASES[name][0])[name] == 1


@pytest.mark.parametrize("name", CASES)
def test_a_situation_does_not_count_where_half_of_it_was_missing(name):
    assert hits_of(CASES[name][1])[name] == 0


def test_every_situation_has_a_case_and_all_of_f1_to_f22_are_there():
    names = [one.name for one in SITUATIONS]
    assert sorted(names) == sorted(CASES)
    assert {f"F{number}" for number in range(1, 23)} <= set(names)


@pytest.mark.parametrize(("apart_s", "hits"), [(59, 1), (60, 2)])
def test_what_goes_on_counts_once_a_minute(apart_s, hits):
    assert hits_of([*UP, fault(T, 22), fault(T + apart_s, 22)])["F10"] == hits


def test_a_day_of_changed_clocks_counts_once_however_much_is_traded():
    history = on(A_DAY_OF_CHANGED_CLOCKS)
    later = sent(history[-1].at + 7200, order_id=2, ref=OTHER)
    assert hits_of([*history, later])["F13"] == 1


def test_a_position_that_was_busted_is_none_when_the_daemon_comes_back():
    bust = Broker(
        at=T + 5,
        what="correction",
        record={"replaces": "0001.01", "execution": filled(T, quantity=0.0, exec_id="0001.02").record},
    )
    back = [ended(T + 6), started(T + 7, 2)]
    assert hits_of([*UP, order(T), filled(T + 1), *back])["F5"] == 1
    assert hits_of([*UP, order(T), filled(T + 1), bust, *back])["F5"] == 0


def test_an_execution_while_a_lasting_fault_takes_the_servers_away_is_unheard():
    away = fault(T + 1, 40), fault(T + 30, 40, phase="ended")
    assert hits_of([*UP, order(T), away[0], filled(T + 2), away[1]])["F2"] == 1
    assert hits_of([*UP, order(T), *away, filled(T + 31)])["F2"] == 0


def test_a_history_without_trouble_has_no_hits():
    history = [*UP, sent(T), told(T + 1, "orderStatus", orderId="1"), order(T + 1), filled(T + 2), seen(T + 30)]
    assert hits_of(history) == Counter()
