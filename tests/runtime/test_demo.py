"""The demonstration's own judgement: what the gateway's ledger says is unprotected."""

import json

import pytest

from daemon.runtime.demo import run_demo, unprotected
from shared.errors import Refused


def an_order(perm_id, side, kind, quantity):
    return {
        "type": "order",
        "perm_id": perm_id,
        "symbol": "SPY",
        "side": side,
        "order_type": kind,
        "quantity": quantity,
    }


def a_fill(perm_id, side, quantity):
    return {"type": "execution", "perm_id": perm_id, "symbol": "SPY", "side": side, "quantity": quantity}


ENTERED = [an_order(1, "BUY", "MKT", 100), a_fill(1, "BUY", 100)]
STOP = an_order(2, "SELL", "STP", 100)


@pytest.mark.parametrize(
    ("records", "bare"),
    [
        ([], []),
        (ENTERED, ["SPY"]),
        ([*ENTERED, STOP], []),
        ([*ENTERED, an_order(2, "SELL", "STP", 60)], ["SPY"]),
        ([*ENTERED, STOP, an_order(2, "SELL", "STP", 60)], ["SPY"]),
        ([*ENTERED, STOP, {"type": "ended", "perm_id": 2}], ["SPY"]),
        ([*ENTERED, STOP, a_fill(2, "SELL", 100)], []),
        ([*ENTERED, STOP, a_fill(2, "SELL", 40)], []),
        ([*ENTERED, an_order(2, "BUY", "STP", 100)], ["SPY"]),
        ([*ENTERED, an_order(2, "SELL", "LMT", 100)], ["SPY"]),
        ([an_order(1, "SELL", "MKT", 10), a_fill(1, "SELL", 10), an_order(2, "BUY", "STP", 10)], []),
    ],
)
def test_a_position_counts_as_protected_only_by_working_stops_that_cover_it(tmp_path, records, bare):
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert unprotected(ledger) == bare


def test_the_demo_never_works_in_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(Refused, match="is not empty, the demo wants a new folder"):
        run_demo(seed=7, speed=600, directory=tmp_path)
