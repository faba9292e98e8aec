"""The real daemon killed by SIGKILL over loopback. Two hundred of them: `python -m bench kills --rounds 200`."""

import pytest

from bench.real_kills import _of_executions, _of_orders, _of_positions, killed
from shared.io.journal import JournalReader
from tests.runtime.builders import a_config, a_morning, at, journalled


@pytest.mark.process
def test_after_three_kills_the_journal_is_the_ledger_no_order_is_double_and_no_share_without_a_stop(tmp_path):
    found = killed(tmp_path, rounds=3, seed=5, speed=600)
    assert found.faults == ()
    assert (found.kills.total(), found.executions > 10, found.orders > 20) == (3, True, True)


def an_execution(seconds=301, **changes):
    """The one of the morning, as the gateway's ledger tells it."""
    facts = {"type": "execution", "exec_id": "0001.01.01.01", "symbol": "SPY", "side": "BUY", "quantity": 10.0}
    return facts | {"price": 166.0, "at": at(seconds).timestamp()} | changes


@pytest.fixture
def journal(tmp_path):
    """One execution, and one report a second after the open."""
    path = tmp_path / "journal.sqlite"
    journalled(path, a_config(tmp_path), a_morning())
    with JournalReader.open(path) as reader:
        yield reader


def test_executions_that_are_the_ledgers_are_no_fault(journal):
    assert _of_executions(journal, [an_execution()]) == ([], 0)
    assert list(_of_positions(journal, [an_execution()])) == []


@pytest.mark.parametrize("changes", [{"price": 166.01}, {"quantity": 9.0}, {"symbol": "IBM"}])
def test_an_execution_that_is_not_the_ledgers_is_a_fault(journal, changes):
    faults, _ = _of_executions(journal, [an_execution(**changes)])
    assert len(faults) == 1
    assert faults[0].startswith("execution 0001.01.01.01: the journal has ('SPY', 10.0, 166.0), the ledger (")


def test_an_execution_the_broker_never_had_is_a_fault(journal):
    faults, _ = _of_executions(journal, [])
    assert faults == ["execution 0001.01.01.01: the journal has ('SPY', 10.0, 166.0), the ledger None"]


@pytest.mark.parametrize(("seconds", "found"), [(0.5, (1, 0)), (2.0, (0, 1))])
def test_a_missing_execution_is_a_fault_if_the_broker_was_asked_after_it_on_its_day(journal, seconds, found):
    faults, unknowable = _of_executions(journal, [an_execution(), an_execution(seconds, exec_id="0001.02.01.01")])
    assert (len(faults), unknowable) == found


def test_a_position_that_is_not_the_ledgers_is_a_fault(journal):
    ledger = [an_execution(), an_execution(302, exec_id="0001.02.01.01", quantity=3.0, side="SELL")]
    assert list(_of_positions(journal, ledger)) == ["SPY: the book holds 10, the ledger 7"]


def test_an_order_that_came_twice_and_an_execution_told_twice_are_faults():
    orders = [{"type": "order", "order_ref": "OB1:s:20131008:SPY-1:E", "perm_id": number} for number in (1, 2, 2)]
    assert list(_of_orders(orders)) == ["OB1:s:20131008:SPY-1:E: 2 orders at the broker"]
    assert list(_of_orders([an_execution(), an_execution()])) == ["execution 0001.01.01.01: 2 times in the ledger"]
