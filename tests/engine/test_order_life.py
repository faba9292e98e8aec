"""The table of order life: against its page, and its promises as properties."""

import re
from pathlib import Path

import pytest

from daemon.engine.order_life import TRANSITIONS, Happening, next_status
from shared.orders import OrderStatus

PAGE = Path(__file__).resolve().parents[2] / "docs/orders.md"
LIVE = [status for status in OrderStatus if not status.is_final]
FINAL = [status for status in OrderStatus if status.is_final]


def the_documented_table():
    lines = [line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    header = next(cells for cells in lines if cells[0] == "what happens")
    rows = [cells for cells in lines if re.fullmatch(r"`[A-Z_]+`", cells[0])]
    return {
        (OrderStatus(column), Happening[cells[0].strip("`")]): OrderStatus(cell)
        for cells in rows
        for column, cell in zip(header[2:], cells[2:], strict=True)
    }


def test_the_table_is_the_one_the_documentation_shows():
    assert the_documented_table() == TRANSITIONS


def test_every_live_status_knows_an_answer_to_everything_that_can_happen():
    assert set(TRANSITIONS) == {(status, happening) for status in LIVE for happening in Happening}


@pytest.mark.parametrize("status", LIVE)
def test_silence_is_never_a_rejection(status):
    assert next_status(status, Happening.SILENCE) is OrderStatus.UNKNOWN


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize("happening", [h for h in Happening if h is not Happening.ALL_FILLED])
def test_no_message_brings_a_final_order_back_to_life(status, happening):
    assert next_status(status, happening) is status


@pytest.mark.parametrize("status", list(OrderStatus))
def test_the_last_execution_fills_an_order_whatever_was_said_of_it_before(status):
    assert next_status(status, Happening.ALL_FILLED) is OrderStatus.FILLED


@pytest.mark.parametrize("status", LIVE)
def test_only_evidence_ends_an_order(status):
    ending = {h for h in Happening if next_status(status, h).is_final}
    assert ending == {Happening.ALL_FILLED, Happening.CANCELLED, Happening.REJECTED, Happening.LOST}
