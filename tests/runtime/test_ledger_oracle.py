"""The oracle itself, by hand: it must find a bare position, or its silence proves nothing."""

from tests.runtime.ledger_oracle import bare_spans


def an_order(at, perm_id, side, kind, quantity, parent=0):
    terms = {"order_type": kind, "quantity": quantity, "parent_perm_id": parent}
    return {"type": "order", "at": at, "perm_id": perm_id, "symbol": "SPY", "side": side, **terms}


def an_execution(at, perm_id, side, quantity, filled):
    return {"type": "execution", "at": at, "perm_id": perm_id, "side": side, "quantity": quantity, "filled": filled}


def an_end(at, perm_id):
    return {"type": "ended", "at": at, "perm_id": perm_id}


BRACKET = [
    an_order(0, 1, "BUY", "MKT", 10),
    an_order(0, 2, "SELL", "STP", 10, parent=1),
    an_execution(0, 1, "BUY", 10, 10),
]


def test_a_bracket_that_fills_and_is_stopped_out_is_never_bare():
    assert bare_spans([*BRACKET, an_execution(9, 2, "SELL", 10, 10)]) == []


def test_a_cancelled_stop_leaves_the_position_bare_until_another_rests():
    assert bare_spans([*BRACKET, an_end(5, 2), an_order(12, 3, "SELL", "STP", 10)]) == [("SPY", 7)]


def test_a_stop_on_the_wrong_side_protects_nothing():
    wrong = [an_order(0, 1, "BUY", "MKT", 10), an_order(0, 2, "BUY", "STP", 10), an_execution(0, 1, "BUY", 10, 10)]
    assert bare_spans([*wrong, an_end(4, 2)]) == [("SPY", 4)]


def test_a_stop_smaller_than_the_position_leaves_a_part_bare():
    small = [
        an_order(0, 1, "BUY", "MKT", 10),
        an_order(0, 2, "SELL", "STP", 6, parent=1),
        an_execution(0, 1, "BUY", 10, 10),
    ]
    assert bare_spans([*small, an_end(3, 2)]) == [("SPY", 3)]
