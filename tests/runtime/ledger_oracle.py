"""An independent reader of the gateway's ledger: it imports nothing of ours and believes only the broker.

It walks the ledger in market time and tells where filled exposure had no resting stop of the right side behind it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Line:
    """One order at the broker."""

    symbol: str
    side: str
    kind: str
    quantity: float
    parent: int
    filled: float = 0.0
    live: bool = True


@dataclass
class Walk:
    """Positions and orders as the ledger tells them, up to the record read last."""

    orders: dict[int, Line] = field(default_factory=dict)
    positions: dict[str, float] = field(default_factory=dict)

    def read(self, record):
        match record["type"]:
            case "order":
                self._order(record)
            case "execution":
                line = self.orders[record["perm_id"]]
                line.filled = record["filled"]
                line.live = line.filled < line.quantity
                sign = 1 if record["side"] == "BUY" else -1
                self.positions[line.symbol] = self.positions.get(line.symbol, 0.0) + sign * record["quantity"]
            case "ended":
                self.orders[record["perm_id"]].live = False

    def _order(self, record):
        known = self.orders.get(record["perm_id"])
        if known is not None:
            known.quantity = record["quantity"]
            return
        self.orders[record["perm_id"]] = Line(
            record["symbol"], record["side"], record["order_type"], record["quantity"], record["parent_perm_id"]
        )

    def covered(self, symbol, side):
        """Shares that live stops of that side can close now; a child closes no more than its parent has filled."""
        stops = [line for line in self.orders.values() if line.live and line.symbol == symbol and line.kind == "STP"]
        return sum(self._closes(line) for line in stops if line.side == side)

    def _closes(self, line):
        reach = self.orders[line.parent].filled if line.parent else line.quantity
        return max(min(line.quantity, reach) - line.filled, 0.0)

    def bare(self):
        """Symbols whose position is larger than what stops behind it can close."""
        return [symbol for symbol, held in self.positions.items() if self._is_bare(symbol, held)]

    def _is_bare(self, symbol, held):
        return abs(held) > self.covered(symbol, "SELL" if held > 0 else "BUY")


def records_of(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def bare_spans(records: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """(symbol, seconds) of every stretch of market time in which a position was not wholly behind stops."""
    walk = Walk()
    since: dict[str, float] = {}
    spans: list[tuple[str, float]] = []
    moments = [record for record in records if record["type"] in ("order", "execution", "ended")]
    for record, after in zip(moments, [*moments[1:], None], strict=True):
        walk.read(record)
        if after is not None and after["at"] == record["at"]:
            continue
        bare = walk.bare()
        spans += [(symbol, record["at"] - since.pop(symbol)) for symbol in list(since) if symbol not in bare]
        for symbol in bare:
            since.setdefault(symbol, record["at"])
    last = moments[-1]["at"] if moments else 0.0
    return spans + [(symbol, last - at) for symbol, at in since.items()]
