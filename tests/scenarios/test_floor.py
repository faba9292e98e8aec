"""The harness itself: a quiet day through the wire."""


async def test_a_bracket_is_entered_filled_and_protected(holding):
    assert holding.shares == 98
    assert holding.stops() == 98
    assert [order.remaining for order in holding.resting("T")] == [98]
    assert holding.book.positions()["SPY"].quantity == 98
