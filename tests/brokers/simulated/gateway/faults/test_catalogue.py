"""The catalogue beside TWS.md 4, its source."""

import re
from pathlib import Path

import pytest

from brokers.simulated.gateway.faults.catalogue import BY_NAME, CATALOGUE, fault_of
from brokers.simulated.gateway.faults.fault import Meet, Touch
from brokers.simulated.gateway.faults.messages import MESSAGES

DESCRIPTION = Path(__file__).parents[6] / "shared" / "TWS.md"
TESTS = Path(__file__).parent


def documented():
    """The numbers of the lines in TWS.md 4."""
    if not DESCRIPTION.is_file():
        pytest.skip(f"{DESCRIPTION.name} is not beside the checkout")
    chapter = DESCRIPTION.read_text().split("\n## 4.")[1].split("\n## 5.")[0]
    return [int(number) for number in re.findall(r"^(\d+)\. ", chapter, re.MULTILINE)]


def test_every_line_of_the_description_is_a_fault_and_no_other():
    assert list(CATALOGUE) == documented() == list(range(1, 55))


def test_names_are_unique_and_say_what_they_are_in_small_letters():
    assert len(BY_NAME) == 54
    assert [name for name in BY_NAME if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)] == []


def test_every_fault_has_a_test_with_its_number():
    named: set[str] = set()
    named.update(*(re.findall(r"def test_fault_(\d+)_", path.read_text()) for path in TESTS.glob("test_*.py")))
    assert sorted(int(number) for number in named) == list(CATALOGUE)


def test_every_fault_says_in_one_sentence_what_happens():
    wrong = [fault.name for fault in CATALOGUE.values() if not re.fullmatch(r"[\w`].{15,140}\.", fault.text)]
    assert wrong == []


def test_what_a_fault_changes_are_messages_of_the_protocol():
    touched = {name for fault in CATALOGUE.values() if isinstance(fault.way, Touch) for name in fault.way.messages}
    assert touched - set(MESSAGES) == set()


def test_faults_that_meet_requests_name_them_as_the_protocol_does():
    met = {fault.kinds for fault in CATALOGUE.values() if isinstance(fault.way, Meet)}
    assert met == {("placeOrder",), ("cancelOrder",), ("reqHistoricalData",)}


@pytest.mark.parametrize("wanted", [19, "duplicate_executions"])
def test_a_fault_is_found_by_number_and_by_name(wanted):
    assert fault_of(wanted) is CATALOGUE[19] is BY_NAME["duplicate_executions"]


@pytest.mark.parametrize("wanted", [0, 55, "", "duplicates", None, 1.5])
def test_what_is_no_fault_is_not_found(wanted):
    assert fault_of(wanted) is None
