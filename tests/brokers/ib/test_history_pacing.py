"""The pace of history: counted by hand, and kept against a gateway that enforces it."""

import asyncio
from datetime import UTC, datetime

import pytest

from brokers.ib.history_pacing import BURST_MAX, MARGIN_S, Asked, HistoryLedger
from brokers.simulated.gateway.server import SimulatedGateway
from shared.errors import BrokerUnavailable
from tests.brokers.ib.gateways import MARKET, SYMBOLS
from tests.brokers.ib.peers import NOW, Notebook, ScriptedTws, ib_broker

SPY, IBM = "SPY", "IBM"


def ledger_with(*requests: tuple[float, str, str]) -> HistoryLedger:
    ledger = HistoryLedger()
    for at_s, series, question in requests:
        ledger.take(Asked(series, question), at_s)
    return ledger


def test_the_same_question_waits_fifteen_seconds_and_another_one_does_not():
    ledger = ledger_with((100.0, SPY, "a day"))
    assert ledger.allowed_at_s(Asked(SPY, "a day"), 101.0) == pytest.approx(115.0 + MARGIN_S)
    assert ledger.allowed_at_s(Asked(SPY, "a week"), 101.0) == 101.0
    assert ledger.allowed_at_s(Asked(SPY, "a day"), 116.0) == 116.0


def test_a_sixth_question_about_one_contract_waits_until_the_first_is_two_seconds_old():
    ledger = ledger_with(*((100.0 + n / 10, SPY, f"{n}") for n in range(5)))
    assert ledger.allowed_at_s(Asked(SPY, "six"), 100.5) == pytest.approx(102.0 + MARGIN_S)
    assert ledger.allowed_at_s(Asked(IBM, "six"), 100.5) == 100.5


@pytest.mark.parametrize(("is_strict", "allowed_at_s"), [(False, 160.0), (True, 700.0 + MARGIN_S)])
def test_the_sixty_of_ten_minutes_count_once_tws_has_complained(is_strict, allowed_at_s):
    ledger = ledger_with(*((100.0 + n, f"{n}", "") for n in range(60)))
    ledger.is_strict = is_strict
    assert ledger.allowed_at_s(Asked(SPY, ""), 160.0) == pytest.approx(allowed_at_s)


def test_what_is_promised_a_later_turn_counts_at_that_turn():
    ledger = ledger_with((100.0, SPY, "a day"))
    at_s = ledger.allowed_at_s(Asked(SPY, "a day"), 101.0)
    ledger.take(Asked(SPY, "a day"), at_s)
    assert ledger.allowed_at_s(Asked(SPY, "a day"), 102.0) == pytest.approx(130.0 + 2 * MARGIN_S)


async def test_six_histories_of_one_contract_at_once_all_come_from_a_gateway_that_refuses_the_sixth():
    before = datetime.fromtimestamp(MARKET.opens_at - 60, UTC)
    async with SimulatedGateway(MARKET, port=0, speed=1, pacing="reject") as gateway:
        broker = ib_broker(gateway.port, Notebook(), *SYMBOLS)
        await broker.connect()
        rows = await asyncio.gather(
            *(broker.warm_up(interval_s=60, bars=5 + n, before=before) for n in range(BURST_MAX + 1))
        )
        await broker.disconnect()
    assert [len(one) for one in rows] == [5, 6, 7, 8, 9, 10]


async def test_a_refusal_for_the_pace_is_no_empty_history_and_is_remembered():
    async with ScriptedTws() as tws:
        broker = ib_broker(tws.port, Notebook())
        await broker.connect()
        tws.answers["20"] = ["4|2|{1}|162|Historical Market Data Service error message:Historical data request pacing "]
        tws.answers["20"][0] += "violation||"
        with pytest.raises(BrokerUnavailable, match="pacing violation"):
            await broker.warm_up(interval_s=60, bars=1, before=NOW)
        await broker.disconnect()


async def test_a_wait_of_minutes_is_said_and_not_waited():
    symbols = [f"S{number}" for number in range(61)]
    async with ScriptedTws() as tws:
        tws.answers["9"] = [line.replace("756733", "{2}") for line in tws.answers["9"]]
        broker = ib_broker(tws.port, Notebook(), *symbols)
        await broker.connect()
        tws.answers["20"] = ["4|2|{1}|162|pacing violation||"]
        with pytest.raises(BrokerUnavailable, match="pacing violation"):
            await broker.warm_up(interval_s=60, bars=1, before=NOW)
        with pytest.raises(BrokerUnavailable, match=r"the pace of history allows it in \d+ s only"):
            await broker.warm_up(interval_s=60, bars=2, before=NOW)
        await broker.disconnect()
