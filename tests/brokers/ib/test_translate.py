"""Raw values as our words."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ib_insync import Order as IbOrder

from brokers.ib.codes import CodeClass, code_table
from brokers.ib.decoder import RawDecoder
from brokers.ib.translate import (
    RawExecution,
    amount,
    completed_order_of,
    execution_time,
    fill_of,
    number,
    open_order_of,
    side_of,
    simulated_clock,
)
from shared.errors import DataError
from shared.orders import Side
from tests.brokers.ib.peers import NOW, UNSET

NEW_YORK = ZoneInfo("America/New_York")
RECORDED = Path(__file__).resolve().parents[4] / "shared/data/tws/wire_messages.jsonl"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("20230224  12:04:56", "2023-02-24T17:04:56"),
        ("20230224 12:04:56 US/Eastern", "2023-02-24T17:04:56"),
        ("20230224 12:04:56 MET", "2023-02-24T11:04:56"),
        ("20230724 12:04:56 MET", "2023-07-24T10:04:56"),
        ("20230224 12:04:56 Universal", "2023-02-24T12:04:56"),
        ("20231214-20:57:37", "2023-12-14T20:57:37"),
        ("1677258296", "2023-02-24T17:04:56"),
    ],
)
def test_every_time_format_seen_in_the_wild_is_read(text, instant):
    assert execution_time(text, assumed=NEW_YORK) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["20230224 12:04:56 Greenwich Mean Time", "20230224 12:04:56 US", "20230224 12:04:56 ../x", "noon", ""],
)
def test_a_time_that_cannot_be_read_is_none(text):
    assert execution_time(text, assumed=NEW_YORK) is None


def an_execution(**values) -> RawExecution:
    defaults: dict[str, Any] = {
        "order_id": 1, "con_id": 1, "symbol": "SPY", "sec_type": "STK", "currency": "USD",
        "exec_id": "a.b.c.01", "time": "20261120 09:59:00 US/Eastern", "account": "DU1", "side": "SLD",
        "shares": 5.0, "price": 10.25, "perm_id": 3, "client_id": 7, "order_ref": "x",
    }  # fmt: skip
    return RawExecution(**(defaults | values))


def test_an_execution_becomes_a_fill():
    fill = fill_of(an_execution(), "SPY", now=NOW, assumed=UTC)
    assert (fill.side, fill.quantity, fill.price, fill.perm_id) == (Side.SELL, 5, 10.25, 3)
    assert fill.filled_at == datetime(2026, 11, 20, 14, 59, tzinfo=UTC)


@pytest.mark.parametrize("time", ["whenever", "20261121 09:59:00 US/Eastern"])
def test_an_unreadable_or_future_time_becomes_now_and_the_fill_stays(time):
    assert fill_of(an_execution(time=time), "SPY", now=NOW, assumed=UTC).filled_at == NOW


def test_an_unknown_side_is_refused():
    with pytest.raises(DataError, match="known are BOT and SLD"):
        side_of("HELD")


@pytest.mark.parametrize("value", [float(UNSET), float("inf"), float("nan"), -float("inf")])
def test_an_unset_double_is_no_number(value):
    assert number(value) is None


@pytest.mark.parametrize(("text", "value"), [("12.5", 12.5), ("", None), (UNSET, None), ("nan", None), ("x", None)])
def test_an_account_value_is_a_number_or_nothing(text, value):
    assert amount(text) == value


@pytest.mark.parametrize(
    ("order_type", "limit", "stop"),
    [
        ("MKT", None, None),
        ("LMT", 1.5, None),
        ("STP", None, 2.5),
        ("STP LMT", 1.5, 2.5),
    ],
)
def test_an_open_order_shows_the_prices_of_its_type(order_type, limit, stop):
    order = IbOrder(action="BUY", totalQuantity=3.0, orderType=order_type, lmtPrice=1.5, auxPrice=2.5)
    line = open_order_of(order, "Submitted", "SPY")
    assert (line.limit_price, line.stop_price, line.quantity) == (limit, stop, 3)


def test_the_stop_of_a_trail_is_where_it_stands_and_its_distance_is_told_apart():
    by_amount = IbOrder(action="SELL", totalQuantity=3, orderType="TRAIL", auxPrice=2.5, trailStopPrice=97.5)
    by_percent = IbOrder(action="SELL", totalQuantity=3, orderType="TRAIL", trailingPercent=1.5, trailStopPrice=98.5)
    lines = [open_order_of(order, "PreSubmitted", "SPY") for order in (by_amount, by_percent)]
    assert [(line.stop_price, line.trail_amount, line.trail_percent) for line in lines] == [
        (97.5, 2.5, None),
        (98.5, None, 1.5),
    ]


def test_an_open_order_shows_in_which_group_it_stands():
    order = IbOrder(action="SELL", totalQuantity=3, orderType="LMT", lmtPrice=5.0, ocaGroup="OB1:s:20131008:SPY-1#1")
    assert open_order_of(order, "Submitted", "SPY").oca_group == "OB1:s:20131008:SPY-1#1"


def test_an_open_order_shows_until_when_it_is_good():
    order = IbOrder(action="BUY", totalQuantity=3, orderType="LMT", tif="GTD", goodTillDate="20261120-15:04:05")
    assert open_order_of(order, "Submitted", "SPY").good_till == datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["hello", "SIMULATED gateway: clock=2013-10-08T13:30:00 speed=1.0", "SIMULATED gateway: clock=x speed=1"],
)
def test_no_other_text_is_a_clock(text):
    assert simulated_clock(text) is None


def test_a_code_that_nobody_knows_means_ask():
    assert code_table().class_of(87_654) is CodeClass.ASK


@pytest.mark.parametrize(
    ("code_class", "codes"),
    [
        (CodeClass.NOTICE, [10349, 399, 404, 2104, 2109]),
        (CodeClass.DATA, [162, 200, 2103, 2105, 10197]),
        (CodeClass.ORDER_FINAL, [201, 202, 110]),
        (CodeClass.SESSION, [326, 1100, 1101, 1102, 1300]),
        (CodeClass.ASK, [103, 104, 105, 135, 161, 329, 10147, 10148]),
    ],
)
def test_a_code_has_the_class_its_documentation_gives(code_class, codes):
    assert [code_table().codes[code].code_class for code in codes] == [code_class] * len(codes)
    assert all(code_table().codes[code].meaning for code in codes)


class Recorder:
    """Stands where the wrapper stands and keeps every callback."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def unreadable(self, fields, error) -> None:
        raise AssertionError(fields[0]) from error

    def __getattr__(self, name):
        return lambda *values: self.calls.append((name, values))


def recorded(session: str, version: int) -> list[Any]:
    """The callbacks that a recorded conversation leads to."""
    if not RECORDED.exists():
        pytest.skip(f"{RECORDED} is absent")
    recorder = Recorder()
    decoder = RawDecoder(recorder, version)
    for line in map(json.loads, RECORDED.read_text().splitlines()):
        if line["session"] == session and line["dir"] == "server":
            decoder.interpret(line["msg"].split("|")[:-1])
    return recorder.calls


@pytest.mark.recorded
def test_a_recorded_market_order_of_a_real_tws_is_read_to_the_last_message():
    calls = recorded("mkt_order_TSLA_20230224", 169)
    assert [name for name, _ in calls] == [
        "openOrder",
        "orderStatus",
        "execDetails",
        "openOrder",
        "orderStatus",
        "openOrder",
        "commissionReport",
    ]
    raw = calls[2][1][1]
    fill = fill_of(raw, raw.symbol, now=NOW, assumed=NEW_YORK)
    assert (fill.symbol, fill.quantity, fill.price, fill.side) == ("TSLA", 100, 196.52, Side.BUY)
    assert fill.filled_at == datetime(2023, 2, 24, 17, 4, 56, tzinfo=UTC)
    _, contract, order, state = calls[0][1]
    assert open_order_of(order, state.status, contract.symbol).status == "PreSubmitted"


@pytest.mark.recorded
def test_a_recorded_completed_order_of_a_real_tws_is_read():
    (_, (contract, order, state)), (end, _) = recorded("completed_orders", 169)
    line = completed_order_of(order, state, contract.symbol)
    assert (line.symbol, line.status, line.filled, line.perm_id) == ("AAPL", "Filled", 100, 1824933227)
    assert end == "completedOrdersEnd"
