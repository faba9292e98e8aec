"""A history walked through: what stood at the broker, on the lines and in the process at each record."""

from __future__ import annotations

from collections import Counter, deque

from msgspec import Struct

from tests.simulation.history import (
    Broker,
    Fault,
    Journalled,
    LineChanged,
    ProcessEnded,
    ProcessStarted,
    Record,
    Sent,
    Settings,
    Told,
)

ORDERS_CLIENT = 7
LONG_AGO = float("-inf")
AWAY = frozenset({13, 14, 40})
"""Faults during which the broker's servers are away."""
LOST, RESTORED = frozenset({"1100", "2110"}), frozenset({"1101", "1102"})
ENTRY_LEG = ":E"


class Working(Struct):
    """An order that can fill at the broker."""

    symbol: str
    remaining: float


class Scene:
    """Mutable; `take` comes after whoever judges a record by what stood before it."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.is_alive = False
        self.started_at = self.ended_at = LONG_AGO
        self.is_told_away = False
        self.away_faults: Counter[int] = Counter()
        self.line = "down"
        self.line_lost_at = LONG_AGO
        self.sent_at = self.journalled_at = LONG_AGO
        self.sent_ids: dict[tuple[int, int], str] = {}
        self.silent: dict[tuple[int, int], float] = {}
        """Orders without any answer yet, by client and id, and when they left."""
        self.working: dict[int, Working] = {}
        self.worked_at: dict[str, float] = {}
        """When an order in the symbol worked last."""
        self.positions: Counter[str] = Counter()
        self.entries: dict[str, deque[tuple[float, str]]] = {}
        """By symbol: when which entries were first filled."""
        self.shares: dict[str, tuple[str, float]] = {}
        """By stem of the execId: the symbol and its signed shares."""
        self.told_executions: set[str] = set()

    @property
    def is_away(self) -> bool:
        """Whether the broker's servers are out of reach of the gateway."""
        return self.is_told_away or any(self.away_faults.values())

    @property
    def is_deaf(self) -> bool:
        """Whether nothing of what happens at the broker reaches the daemon."""
        return self.is_away or self.line != "up"

    def has_worked(self, at: float, within_s: float = 5.0) -> bool:
        """Whether an order works, or has until just now."""
        return bool(self.working) or any(at - worked <= within_s for worked in self.worked_at.values())

    def silent_for(self, at: float, seconds: float) -> bool:
        return any(at - sent >= seconds for sent in self.silent.values())

    # ------------------------------------------------------------------ walking on

    def take(self, record: Record) -> None:
        """Go on past this record; most kinds change nothing."""
        match record:
            case Settings():
                self.settings = record
            case ProcessStarted():
                self.is_alive, self.started_at = True, record.at
            case ProcessEnded():
                self.is_alive, self.ended_at, self.line = False, record.at, "down"
                self.silent.clear()
            case LineChanged():
                self._take_line(record)
            case Journalled():
                self.journalled_at = record.at
            case Sent():
                self._take_sent(record)
            case Told():
                self._take_told(record)
            case Broker():
                self._take_ledger(record)
            case Fault() if record.source == "gateway" and record.number in AWAY:
                self._take_away(record)
            case _:
                pass

    def _take_line(self, record: LineChanged) -> None:
        if record.client_id != ORDERS_CLIENT:
            return
        if record.state != "up" and self.line == "up":
            self.line_lost_at = record.at
        self.line = record.state

    def _take_sent(self, record: Sent) -> None:
        key = record.client_id, record.order_id
        self.sent_at = record.at
        if key not in self.sent_ids:
            self.silent[key] = record.at
        self.sent_ids[key] = record.order.ref

    def _take_told(self, record: Told) -> None:
        fields = record.fields
        named = str(fields.get("orderId", fields.get("reqId", "")))
        if named.lstrip("-").isdigit():
            self.silent.pop((record.client_id, int(named)), None)
        if record.name == "execDetails":
            self.told_executions.add(str(fields.get("execId", "")))
        if record.name == "error":
            code = str(fields.get("code", ""))
            self.is_told_away = code in LOST or (self.is_told_away and code not in RESTORED)

    def _take_away(self, record: Fault) -> None:
        if record.phase == "ended":
            self.away_faults[record.number] = max(self.away_faults[record.number] - 1, 0)
        else:
            self.away_faults[record.number] += 1

    def _take_ledger(self, record: Broker) -> None:
        what, plain = record.what, record.record
        match what:
            case "order":
                self.working[plain["perm_id"]] = Working(plain["symbol"], plain["quantity"])
                self.worked_at[plain["symbol"]] = record.at
            case "execution":
                self._book(plain)
                self._fill(record.at, plain)
            case "correction":
                self._book(plain["execution"])
            case "ended":
                self._leave(record.at, plain["perm_id"])
            case "split":
                self.positions[plain["symbol"]] *= plain["ratio"]
            case _:
                pass

    def _book(self, plain: dict[str, object]) -> None:
        """Its shares, in the place of those of the same execution before."""
        stem, symbol = str(plain["exec_id"]).rpartition(".")[0], str(plain["symbol"])
        _, before = self.shares.get(stem, (symbol, 0.0))
        quantity = float(str(plain["quantity"]))
        signed = quantity if str(plain["side"]) in {"BUY", "BOT"} else -quantity
        self.positions[symbol] += signed - before  # type: ignore[assignment]  # shares may be fractions
        self.shares[stem] = (symbol, signed)

    def _fill(self, at: float, plain: dict[str, object]) -> None:
        perm_id, symbol, ref = int(str(plain["perm_id"])), str(plain["symbol"]), str(plain["order_ref"])
        order = self.working.get(perm_id)
        if order is not None:
            order.remaining -= float(str(plain["quantity"]))
            self.worked_at[symbol] = at
            if order.remaining <= 0:
                self._leave(at, perm_id)
        filled = self.entries.setdefault(symbol, deque(maxlen=20))
        if ref.endswith(ENTRY_LEG) and all(ref != one for _, one in filled):
            filled.append((at, ref))

    def _leave(self, at: float, perm_id: int) -> None:
        order = self.working.pop(perm_id, None)
        if order is not None:
            self.worked_at[order.symbol] = at
