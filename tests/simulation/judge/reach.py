"""Could the daemon act at all? What it is excused by, each as narrowly as the history tells it.

It can act while its process lives, the connection for orders stands and passes bytes, the gateway reaches IB's
servers (1100 told, 1101 or 1102 not yet), and no fault lasts that stops every byte or every durable write (frozen
gateway, stalled or slow network, a full, broken or slow disk). After each of these it has RECONNECT_S (RELIABILITY.md
4, I1) before a deadline counts again. A question that a fault left unanswered (TWS.md 4.5, 6, 10, 25) begins that
time anew after the next reconciliation. What comes up before the daemon has its connection on a new line (handshake,
account) has until then too.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.history import (
    BrokerSeen,
    Fault,
    Journalled,
    LineChanged,
    ProcessEnded,
    ProcessStarted,
    Record,
    Settings,
    Told,
)

RECONNECT_S = 30.0
_STOPPING = frozenset({"deaf", "stall", "slow", "full", "broken", "freeze"})
_BREAKING = frozenset({1, 2, 3, 4, 7, 8, 11, 12, 13, 14, 16, 17, 18, 40})
"""Faults of the connection (TWS.md 4): time begins anew when one happens."""
_HIDING = frozenset({5, 6, 10, 25})
"""Faults that take an answer away: what they hid is asked for at the next reconciliation."""
_HARMLESS = frozenset({9, 15, 41, *range(42, 51), 52})
"""Faults that touch no order, execution, position or account (TWS.md 4): what is at rest stays comparable."""
_AWAY = frozenset({"1100", "2110"})
_BACK = frozenset({"1101", "1102"})
Key = tuple[str, int, str]


class Reach:
    """`able_since` is None while the daemon cannot act."""

    def __init__(self, history: Iterable[Record], settings: Settings) -> None:
        self._client_id = settings.client_id
        self._reconcile_s = float(settings.rules.get("reconcile_every_s") or RECONNECT_S)
        self._ending = {_key(one) for one in history if isinstance(one, Fault) and one.phase == "ended"}
        self.is_alive = False
        self.is_line_up = False
        self.deaf_since: float | None = None
        """Since when the connection for orders stands and passes nothing."""
        self.greeted_at: float | None = None
        """When the daemon had its connection on the line that stands; None until then."""
        self.is_server_there = True
        self.is_gateway_there = True
        self.open_faults: set[Key] = set()
        self.able_since: float | None = None
        self.fault_at = float("-inf")
        """When anything last went wrong on purpose, or ceased to, that touches orders, executions or the account."""
        self.broken_at = float("-inf")
        """When the daemon was last kept from acting."""
        self._patience_until = float("-inf")

    def take(self, record: Record) -> None:
        """What the record says about it."""
        match record:
            case ProcessStarted():
                self.is_alive, self.is_line_up, self.deaf_since = True, False, None
            case ProcessEnded():
                self.is_alive = self.is_line_up = False
            case LineChanged(client_id=self._client_id, state="deaf") if not self.is_line_up:
                pass  # it was down before
            case LineChanged(client_id=self._client_id, state=state):
                self.is_line_up, self.deaf_since = state == "up", record.at if state == "deaf" else None
                self.is_server_there = self.is_line_up or self.is_server_there
                self.greeted_at = None
            case Journalled(name="ConnectionRestored"):
                self.greeted_at = record.at
            case Told(name="error", client_id=self._client_id, fields=fields):
                self._told(str(fields.get("code", "")))
            case BrokerSeen(is_connected=is_connected):
                self.is_gateway_there = is_connected
            case Fault():
                self._fault(record)
            case _:
                return
        self._judge(record.at)

    @property
    def is_able(self) -> bool:
        return self.able_since is not None

    @property
    def is_disturbed(self) -> bool:
        """Whether a fault lasts that touches orders, executions or the account."""
        return any(_touches_orders(source, number) for source, number, _name in self.open_faults)

    def due_at(self, since: float, within_s: float) -> float | None:
        """When something that is owed since then is late; None while nobody could do it."""
        if self.able_since is None:
            return None
        due = since + within_s
        if self.greeted_at is None or max(self.able_since, self.greeted_at) > since:
            due = max(due, self.able_since + RECONNECT_S)
        return max(due, self._patience_until) if self._patience_until > since else due

    def was_hindered(self, at: float, within_s: float) -> bool:
        """Whether the daemon could not act at some moment of the last so many seconds."""
        return self.able_since is None or self.broken_at > at - within_s

    # ------------------------------------------------------------------ leaves

    def _told(self, code: str) -> None:
        if code in _AWAY:
            self.is_server_there = False
        elif code in _BACK:
            self.is_server_there = True

    def _fault(self, fault: Fault) -> None:
        key = _key(fault)
        if _touches_orders(fault.source, fault.number):
            self.fault_at = fault.at
        if fault.phase == "ended":
            self.open_faults.discard(key)
        elif key in self._ending:
            self.open_faults.add(key)
        if fault.name in _STOPPING or fault.number in _BREAKING:
            self.broken_at, self.able_since = fault.at, None
        if fault.number in _HIDING:
            self._patience_until = max(self._patience_until, fault.at + self._reconcile_s + RECONNECT_S)

    def _judge(self, at: float) -> None:
        is_stopped = any(name in _STOPPING for _source, _number, name in self.open_faults)
        is_up = self.is_alive and self.is_line_up and self.is_server_there and self.is_gateway_there
        if not is_up or is_stopped:
            self.able_since, self.broken_at = None, at
        elif self.able_since is None:
            self.able_since = at


def _touches_orders(source: str, number: int) -> bool:
    return source not in {"mqtt", "clock"} and number not in _HARMLESS


def _key(fault: Fault) -> Key:
    return fault.source, fault.number, fault.name
