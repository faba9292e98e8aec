"""Account values by subscription: everything at first, then what has changed, when it is due."""

import json
from collections import Counter

import pytest
from ib_insync import MarketOrder

from brokers.simulated.gateway.accounts.ledger import Ledger
from brokers.simulated.gateway.accounts.values import summary_rows, values_of
from tests.architecture.source import ROOT
from tests.brokers.simulated.gateway.raw_client import codes
from tests.brokers.simulated.gateway.scripted_market import flat

SAMPLE = ROOT.parent / "shared/data/tws/account_values_sample.json"
TWO = ("DU1111111", "DU2222222")
FOLLOW, STOP = (6, 2, 1), (6, 2, 0)
THREE_MINUTES = 36  # in steps


def the_values(said, *, kind="6", key_at=2):
    """The keys of account values among messages, in order."""
    return [fields[key_at] for fields in said if fields[0] == kind]


def the_ends(said):
    return Counter(fields[0] for fields in said)["54"]


@pytest.mark.skipif(not SAMPLE.exists(), reason="the recorded account values are not here")
def test_every_key_of_a_recorded_account_is_reported():
    recorded = {(row["tag"], row["currency"]) for row in json.loads(SAMPLE.read_text())}
    told = {(row.key, row.currency) for row in values_of(Ledger("DU1234567", 1000.0))}
    assert {key for key, _ in recorded} <= {key for key, _ in told}
    assert {place for place in recorded if place[1] in {"", "BASE", "USD"}} <= told


async def test_after_a_fill_only_the_values_that_changed_are_told(desktop, raw):
    client = await raw(desktop)
    client.say(*FOLLOW, "")
    first = the_values(await client.heard(54))
    await client.answers()
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    again = the_values(await client.answers())
    assert {"AccountType", "AccruedCash", "TotalCashValue", "NetLiquidation"} <= set(first)
    assert {"TotalCashValue", "NetLiquidation", "BuyingPower"} <= set(again)
    assert not {"AccountType", "AccruedCash", "AccountCode"} & set(again)


async def test_prices_alone_change_the_values_every_three_minutes_only(desktop_with, raw):
    desktop = await desktop_with([flat(100.0)] * 3 + [flat(101.0)] * 60)
    await desktop.play()
    client = await raw(desktop)
    client.say(*FOLLOW, "")
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    await client.answers()
    await desktop.play(5)
    assert the_values(await client.answers()) == []
    await desktop.play(THREE_MINUTES)
    assert "NetLiquidation" in the_values(await client.answers())


async def test_a_new_subscription_is_told_everything_again(desktop, raw):
    client = await raw(desktop)
    client.say(*FOLLOW, "")
    first = the_values(await client.heard(54))
    client.say(*STOP, "")
    client.say(*FOLLOW, "")
    assert the_values(await client.heard(54)) == first


async def test_a_second_account_takes_the_place_of_the_first_with_2100(desktop_with, raw):
    desktop = await desktop_with(accounts=TWO)
    client = await raw(desktop)
    client.say(*FOLLOW, TWO[0])
    client.say(*FOLLOW, TWO[0])
    client.say(*FOLLOW, TWO[1])
    said = await client.answers()
    assert [code for code in codes(said) if 2100 <= code <= 2101] == [2100]
    assert the_ends(said) == 3


async def test_another_clients_account_keeps_a_different_one_away_with_2101(desktop_with, raw):
    desktop = await desktop_with(accounts=TWO)
    first, second = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    first.say(*FOLLOW, TWO[0])
    await first.heard(54)
    second.say(*FOLLOW, TWO[1])
    said = await second.answers()
    assert 2101 in codes(said)
    assert the_ends(said) == 0
    second.say(*FOLLOW, TWO[0])
    assert the_ends(await second.answers()) == 1
    first.say(*STOP, "")
    second.say(*STOP, "")
    second.say(*FOLLOW, TWO[1])
    assert the_ends(await second.answers()) == 1


async def test_several_accounts_and_none_named_gets_435(desktop_with, raw):
    desktop = await desktop_with(accounts=TWO)
    client = await raw(desktop)
    client.say(*FOLLOW, "")
    assert 435 in codes(await client.answers())


async def test_the_light_values_of_several_accounts_are_the_balances_and_net_liquidation(desktop_with, raw):
    desktop = await desktop_with(accounts=TWO)
    client = await raw(desktop)
    client.say(76, 1, 7, "", "", 1)
    said = await client.heard(74)
    assert {fields[3] for fields in said if fields[0] == "73"} == set(TWO)
    keys = set(the_values(said, kind="73", key_at=5))
    assert {"CashBalance", "NetLiquidation", "ExchangeRate"} <= keys
    assert not {"BuyingPower", "InitMarginReq", "Cushion"} & keys


async def test_a_summary_tells_changes_and_a_third_one_is_refused(desktop, raw):
    client = await raw(desktop)
    client.say(62, 1, 7, "All", "AccountType,NetLiquidation,TotalCashValue")
    client.say(62, 1, 8, "All", "Leverage")
    client.say(62, 1, 9, "All", "Cushion")
    assert 322 in codes(await client.answers())
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    told = [(fields[2], fields[4]) for fields in await client.answers() if fields[0] == "63"]
    assert told == [("7", "NetLiquidation"), ("7", "TotalCashValue")]


async def test_unknown_tags_draw_nothing_and_a_list_of_none_but_those_321(desktop, raw):
    client = await raw(desktop)
    client.say(62, 1, 7, "All", "NetLiquidation,ReqTMargin")
    assert the_values(await client.heard(64), kind="63", key_at=4) == ["NetLiquidation"]
    client.say(62, 1, 8, "All", "ReqTMargin")
    said = await client.answers()
    assert 321 in codes(said)
    assert the_values(said, kind="64", key_at=2) == []


@pytest.mark.parametrize(
    ("tag", "currencies"),
    [("$LEDGER", {"BASE"}), ("$LEDGER:USD", {"USD"}), ("$LEDGER:ALL", {"BASE", "USD"}), ("$LEDGER:EUR", set())],
)
def test_the_ledger_tag_asks_for_the_balances_of_a_currency(tag, currencies):
    rows = summary_rows(Ledger("DU1234567", 1000.0), [tag])
    assert {row.currency for row in rows} == currencies
    assert all(row.key != "NetLiquidation" for row in rows)


async def test_tiered_commissions_are_reported_with_the_fees_of_third_parties(desktop_with):
    desktop = await desktop_with(commission_model="ib_tiered")
    await desktop.play()
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 100))
    ib.placeOrder(desktop.spy, MarketOrder("SELL", 100))
    await desktop.heard(ib)
    bought, sold = (fill.commissionReport.commission for fill in ib.fills())
    # 0.35 x 1.000735, and 100 x 0.003203; of 9,999 dollars sold 20.60 per million, and 100 x 0.000195
    assert bought == pytest.approx(0.35025725 + 0.3203)
    assert sold == pytest.approx(bought + 0.2059794 + 0.0195)


async def test_a_renamed_account_keeps_its_books_and_writes_them_once(desktop_with, tmp_path):
    desktop = await desktop_with(ledger_path=tmp_path / "ledger.jsonl")
    await desktop.play()
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    ib.disconnect()
    desktop.gateway.controls.restart(0, account="DU9999999")
    await desktop.play()
    assert desktop.gateway.session.accounts["DU9999999"].quantity("SPY") == 10
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert Counter(line["type"] for line in lines)["execution"] == 1
