"""I16 after the weather everything works again and every order comes to an end; I22 tasks do not pile up."""

from __future__ import annotations

import math

from tests.simulation.history import BookSeen, Calm, Fault, ProcessEnded, ProcessStarted, Record
from tests.simulation.judge.breach import Invariant
from tests.simulation.judge.scene import Scene

HEAL_S = 60.0
ENDS_S = 30.0
"""Beyond its time, until the cancel of an entry must have been sent."""
TASKS_MORE = 20
"""A question or two under way, and not a task for each thing that ever happened."""
DEAF_S = 60.0
"""Beyond two heartbeats, until a half-open connection (TWS.md 4.7) is left: an answer is waited for in vain."""
OTHER_ACCOUNT = 12
EXPECTED_S = 120.0
DOUBT_S = 30.0
"""An order may be in doubt for the time of an answer, two reports and the 15 s it may travel (docs/orders.md)."""


class Alive(Invariant):
    """I16, at each look later than HEAL_S after a Calm: up, reconciled, nothing unknown, no lock without an open cause.

    What is unknown or has lost its cause has been so for DOUBT_S. Not demanded while the gateway itself is away from
    its servers (nightly windows are no faults). An open cause of a lock: a split, shares that somebody else has traded,
    or a second permId that the broker does not let go. A daemon that ends of an error of its own is excused by a disk
    that refused (F22) and by an account that is not ours (TWS.md 4.12), nothing else.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._disk_at = float("-inf")
        self._tasks: int | None = None
        self._is_healed = False
        self._unknown_since: dict[str, float] = {}
        self._without_cause_since: dict[str, float] = {}

    def before(self, at: float) -> None:
        calm_at = self.scene.calm_at
        if calm_at is not None and at > calm_at + 2 * HEAL_S and not self._is_healed:
            self.breach("I16", f"calm {calm_at}", f"nothing was seen at work {2 * HEAL_S:g} s after the weather ended")
        deaf_since, beat_s = self.scene.reach.deaf_since, self.scene.rule("heartbeat_every_s", 10.0)
        if deaf_since is not None and self.scene.reach.is_alive and at > deaf_since + 2 * beat_s + DEAF_S:
            self.breach("I16", f"deaf {deaf_since}", f"the line for orders is deaf since {deaf_since:.3f}, not left")
        self._watch_entries(at)

    def take(self, record: Record) -> None:
        match record:
            case Fault(source="disk"):
                self._disk_at, self._is_healed = record.at, False
            case Fault():
                self._is_healed = False
            case ProcessStarted():
                self._tasks = None
            case ProcessEnded(how="died", text=text):
                self._died(record.at, text)
            case Calm():
                self._is_healed = False
            case BookSeen():
                self._see(record)
            case _:
                pass

    def _see(self, book: BookSeen) -> None:
        self._unknown_since = {ref: self._unknown_since.get(ref, book.at) for ref in book.unknown}
        without = [lock for lock in book.locks if not self._has_cause(lock)]
        self._without_cause_since = {lock: self._without_cause_since.get(lock, book.at) for lock in without}
        if self._is_due(book.at):
            self._look(book)
        if book.is_up and book.is_reconciled:
            self._is_healed = True
            self._count_tasks(book)

    def _is_due(self, at: float) -> bool:
        calm_at, reach = self.scene.calm_at, self.scene.reach
        return calm_at is not None and at > calm_at + HEAL_S and reach.is_gateway_there and reach.is_server_there

    def _look(self, book: BookSeen) -> None:
        if not book.is_up or not book.is_reconciled:
            self.breach(
                "I16", "up", f"up: {book.is_up}, reconciled: {book.is_reconciled}, {HEAL_S:g} s after the weather ended"
            )
        lasting = [ref for ref in book.unknown if self._unknown_since[ref] <= book.at - DOUBT_S]
        if lasting:
            self.breach("I16", "unknown", f"{', '.join(lasting)}: not known what became of it")
        for lock, since in self._without_cause_since.items():
            if since <= book.at - DOUBT_S:
                self.breach("I16", f"lock {lock}", f"{lock} is locked, and book and broker have no cause left")

    def _has_cause(self, lock: str) -> bool:
        is_differing = lock in self.scene.splits.waiting or lock in self.scene.ledger.disturbed
        return is_differing or self.scene.has_kept_twin(lock)

    def _died(self, at: float, text: str) -> None:
        is_disk = at - self._disk_at <= EXPECTED_S or any(key[0] == "disk" for key in self.scene.reach.open_faults)
        is_other = at - self.scene.fault_at.get(OTHER_ACCOUNT, float("-inf")) <= EXPECTED_S * 5
        if not is_disk and not is_other:
            self.breach("I16", f"died {text}", f"the process ended by itself: {text}")

    def _watch_entries(self, at: float) -> None:
        """An entry whose time is up is cancelled (docs/orders.md), also a part-filled one."""
        if not self.scene.rule("entry_timeout_s", 0.0):
            return
        for order in self.scene.ledger.resting.values():
            timeout_s = self._time_of_an_entry(order.born_at)
            if order.leg != "E" or at < order.born_at + timeout_s:
                continue
            due = self.scene.reach.due_at(order.born_at + timeout_s, ENDS_S)
            if (
                due is not None
                and at > due
                and order.ref not in self.scene.written.cancels
                and self.scene.session_at(at)
            ):
                text = (
                    f"{order.ref}: works {at - order.born_at:.0f} s, its time was {timeout_s:g} s, no cancel was sent"
                )
                self.breach("I16", order.ref, text)

    def _time_of_an_entry(self, born_at: float) -> float:
        """Seconds: as configured; with daily bars to the close that comes next."""
        if not self.scene.is_daily:
            return self.scene.rule("entry_timeout_s", 0.0)
        return next((closes - born_at for _opens, closes in self.scene.settings.sessions if closes > born_at), math.inf)

    def _count_tasks(self, book: BookSeen) -> None:
        if self._tasks is None:
            self._tasks = book.tasks
        elif book.tasks > self._tasks + TASKS_MORE:
            self.breach(
                "I22", f"tasks {book.process}", f"{book.tasks} tasks, {self._tasks} when process {book.process} was new"
            )
