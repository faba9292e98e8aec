"""What a row says of quotes: shown, not shown, or not streamed."""

import math

from daemon.runtime.quote_board import QuoteBoard
from shared.market import Instrument, Universe

NAN = math.nan


def a_board(*quotes):
    board = QuoteBoard(Universe(tuple(Instrument(symbol=symbol, tick=0.01) for symbol in ("SPY", "IBM"))))
    for symbol, bid, ask in quotes:
        board.put(symbol, bid, ask)
    return board


def test_until_somebody_quotes_no_row_has_quotes():
    assert a_board().row() is None


def test_an_instrument_without_a_line_is_told_apart_from_one_that_nobody_quotes():
    """TWS.md 3.36: a login has 100 lines, so that quotes may be there for a part of the universe only."""
    row = a_board(("SPY", NAN, 100.1)).row()
    assert math.isnan(row.bid[0])
    assert row.ask[0] == 100.1
    assert (row.bid[1], row.ask[1]) == (-math.inf, math.inf)


def test_after_an_interruption_nothing_is_quoted():
    board = a_board(("SPY", 100.0, 100.1))
    board.clear()
    assert board.row() is None
    board.put("IBM", 184.9, 185.1)
    assert board.row().bid[0] == -math.inf
