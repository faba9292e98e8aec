"""Account values as they stream, and what makes an account unknown; the gateway's ledger is the judge."""

import pytest

from brokers.ib.account_values import Told, account_of
from shared.account import Account
from shared.commands import Flatten
from shared.events import AccountReported
from tests.brokers.ib.gateways import a_gateway, connected, play
from tests.brokers.ib.peers import ENTRY, UNSET, Notebook, ScriptedTws, an_order, ib_broker

VALUES = {
    "NetLiquidation": Told("1000000.5", "USD"),
    "TotalCashValue": Told("900000", "USD"),
    "BuyingPower": Told("4000000", "USD"),
    "MaintMarginReq": Told("25000", "USD"),
    "ExcessLiquidity": Told("975000.5", "USD"),
}


def said(tag: str, value: str, currency: str = "USD", account: str = "DU123") -> str:
    return f"6|2|{tag}|{value}|{currency}|{account}|"


def all_said(**other: str) -> list[str]:
    return [said(tag, other.get(tag, told.text)) for tag, told in VALUES.items()] + ["54|1|DU123|"]


def test_an_account_has_its_margin_beside_the_values_every_limit_needs():
    account = account_of("DU123", VALUES, "USD")
    assert isinstance(account, Account)
    assert (account.net_liquidation, account.cash, account.buying_power) == (1_000_000.5, 900_000.0, 4_000_000.0)
    assert (account.maintenance_margin, account.excess_liquidity) == (25_000.0, 975_000.5)


@pytest.mark.parametrize("text", ["", "NaN", "inf", UNSET, "n/a"])
@pytest.mark.parametrize("tag", ["NetLiquidation", "TotalCashValue", "BuyingPower"])
def test_a_value_that_is_no_number_makes_the_account_unknown(tag, text):
    assert account_of("DU123", VALUES | {tag: Told(text, "USD")}, "USD") == f"the broker did not tell {tag}"


@pytest.mark.parametrize("tag", ["MaintMarginReq", "ExcessLiquidity"])
def test_a_margin_that_is_not_told_is_none_and_not_nought(tag):
    account = account_of("DU123", {name: told for name, told in VALUES.items() if name != tag}, "USD")
    assert isinstance(account, Account)
    assert None in {account.maintenance_margin, account.excess_liquidity}
    assert 0 not in {account.maintenance_margin, account.excess_liquidity}


def test_an_account_in_another_currency_than_the_limits_is_unknown():
    euros = {name: Told(told.text, "EUR") for name, told in VALUES.items()}
    reason = account_of("DU123", euros, "USD")
    assert reason == "the broker tells it in EUR, allowed is USD, the currency of the universe"


async def test_the_values_of_one_change_are_one_event_and_unchanged_ones_none():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        tws.answers["6"] = all_said()
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        await notebook.until(lambda: notebook.of(AccountReported))
        tws.say(*all_said(), said("BuyingPower", "3000000", account="DU999"), said("Cushion", "0.9"))
        await broker.server_time()
        await broker.disconnect()
    (event,) = notebook.of(AccountReported)
    assert event.account.excess_liquidity == 975_000.5


async def test_a_change_within_three_seconds_waits_and_the_last_values_count():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        tws.answers["6"] = all_said()
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        await notebook.until(lambda: notebook.of(AccountReported))
        tws.say(said("BuyingPower", "3000000"), said("BuyingPower", "2000000"))
        await broker.server_time()
        assert len(notebook.of(AccountReported)) == 1
        await notebook.until(lambda: len(notebook.of(AccountReported)) == 2)
        await broker.disconnect()
    assert [event.account.buying_power for event in notebook.of(AccountReported)] == [4_000_000.0, 2_000_000.0]


async def test_what_a_question_was_answered_with_replaces_a_value_whose_news_was_lost():
    """Found by simulation (brutal 40137): the stream went on with the cash of before, every three minutes."""
    notebook = Notebook()
    async with ScriptedTws() as tws:
        tws.answers["6"] = all_said(TotalCashValue="850000")
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        await notebook.until(lambda: notebook.of(AccountReported))
        answered = (await broker.report()).account
        tws.say(said("BuyingPower", "3000000"))
        await notebook.until(lambda: len(notebook.of(AccountReported)) == 2)
        await broker.disconnect()
    assert answered is not None
    assert [event.account.cash for event in notebook.of(AccountReported)] == [850_000.0, answered.cash]
    assert answered.cash == 900_000.0


async def test_a_value_that_becomes_unreadable_is_no_event():
    notebook = Notebook()
    async with ScriptedTws() as tws:
        tws.answers["6"] = all_said(BuyingPower="NaN")
        broker = ib_broker(tws.port, notebook)
        await broker.connect()
        await broker.server_time()
        await broker.disconnect()
    assert notebook.of(AccountReported) == []


@pytest.mark.parametrize(
    "given", [{"how": "nan"}, {"how": "missing"}, {"how": "currency"}, {"how": "nan", "what": "NetLiquidation"}]
)
async def test_fault_54_odd_account_values_are_no_account(given):
    async with a_gateway() as gateway, connected(gateway, Notebook()) as broker:
        gateway.faults.inject("odd_account_values", **given)
        report = await broker.report()
    assert (report.account, report.unanswered) == (None, ("account",))


async def test_a_fill_is_followed_by_the_account_as_the_ledger_has_it():
    notebook = Notebook()
    async with a_gateway() as gateway, connected(gateway, notebook) as broker:
        await notebook.until(lambda: notebook.of(AccountReported))
        await play(gateway, broker, 5)
        await broker.execute(Flatten(order=an_order(ENTRY, quantity=100)))
        await play(gateway, broker, 2)
        await notebook.until(lambda: len(notebook.of(AccountReported)) > 1)
        cash = gateway.ledger.cash
    assert notebook.of(AccountReported)[-1].account.cash == pytest.approx(cash, abs=0.01)
    assert notebook.of(AccountReported)[-1].account.maintenance_margin > 0
