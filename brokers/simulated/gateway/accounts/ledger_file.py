"""The ledger as JSON lines, so that another process can compare its own books with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from brokers.simulated.gateway.accounts.ledger import Ledger
from brokers.simulated.gateway.accounts.records import Record


class LedgerFile:
    """Appends each record as it happens; every line is flushed, so the file is whole up to a kill."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def append(self, records: Sequence[Record]) -> None:
        self._file.writelines(msgspec.json.encode(record) + b"\n" for record in records)
        self._file.flush()

    def summary(self, ledger: Ledger) -> None:
        """A line of type `account`: cash and positions as they stand."""
        self._file.write(msgspec.json.encode({"type": "account", **summary_of(ledger)}) + b"\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def summary_of(ledger: Ledger) -> dict[str, object]:
    """Cash, profit and holdings; amounts in USD."""
    return {
        "account": ledger.account,
        "cash": round(ledger.cash, 6),
        "net_liquidation": round(ledger.net_liquidation, 6),
        "realized_pnl": round(ledger.realized_pnl, 6),
        "unrealized_pnl": round(ledger.unrealized_pnl, 6),
        "orders": len(ledger.orders),
        "executions": len(ledger.executions),
        "positions": {
            held.symbol: {"quantity": held.quantity, "average_cost": round(held.average_cost, 8)}
            for held in ledger.positions.values()
            if held.quantity
        },
    }
