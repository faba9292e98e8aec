"""Who was held when, from the fills alone: shares per strategy and symbol, the sum over strategies per symbol."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats, ReplayResult, ShareSplit
from research.tear_sheet.rows import RowFinder


class Holding(Struct, frozen=True, kw_only=True):
    """A stretch of rows (`first` to `last`, both included) at whose closes a symbol was held on one side."""

    symbol: str
    side: int
    first: int
    last: int


def holdings_of(result: ReplayResult) -> tuple[Holding, ...]:
    """Every stretch, by symbol in the universe's order, then by time. A fill counts from the close of its row."""
    rows = RowFinder(result.curve)
    moves: dict[str, list[tuple[int, ShareSplit | int]]] = {symbol: [] for symbol in result.symbols}
    for split in result.splits:
        moves[split.symbol].append((rows.from_instant(split.at), split))
    for entry in result.fills:
        moves[entry.fill.symbol].append(
            (rows.from_instant(entry.fill.filled_at), entry.fill.quantity * entry.fill.side.sign)
        )
    return tuple(
        stretch
        for symbol, of_symbol in moves.items()
        # A split stands before the fills of its row; of fills the order does not matter.
        for stretch in _stretches(symbol, sorted(of_symbol, key=lambda move: move[0]), result.rows)
    )


def held_count(holdings: tuple[Holding, ...], rows: int) -> Floats:
    """How many symbols are held at the close of each row, float64 of shape (rows,)."""
    change = np.zeros(rows + 1)
    for held in holdings:
        change[held.first] += 1
        change[held.last + 1] -= 1
    return np.cumsum(change[:-1])


def _stretches(symbol: str, moves: list[tuple[int, ShareSplit | int]], rows: int) -> list[Holding]:
    """The rows of `moves` rise; where several are of one row only what is held after the last of them counts."""
    stretches = []
    shares, side, since = 0, 0, 0
    for row, move in [*moves, (rows, 0)]:
        shares = move.of(shares) if isinstance(move, ShareSplit) else shares + move
        sign = 0 if row == rows else (shares > 0) - (shares < 0)
        if sign == side:
            continue
        if side and row > since:
            stretches.append(Holding(symbol=symbol, side=side, first=since, last=row - 1))
        side, since = sign, row
    return _joined(stretches)


def _joined(stretches: list[Holding]) -> list[Holding]:
    """Flat for a moment inside a row is not flat at a close."""
    joined: list[Holding] = []
    for one in stretches:
        last = joined[-1] if joined else None
        if last is not None and (last.side, last.last + 1) == (one.side, one.first):
            joined[-1] = Holding(symbol=one.symbol, side=one.side, first=last.first, last=one.last)
        else:
            joined.append(one)
    return joined
