"""Executions and what they cost, as events: each execId once, a correction replaces the one before.

Lives as long as the process, over all connections, so that what a report tells again is not told again by us.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from ib_insync import CommissionReport

from brokers.ib.translate import commission_of
from brokers.port import Clock
from shared.events import CommissionReported, Event, FillCorrected, OrderFilled
from shared.ids import exec_correction, exec_stem, parse_ref
from shared.orders import Fill

log = structlog.get_logger("brokers.ib")


class FillNews:
    """Turns executions and commission reports into events; `emit` takes them."""

    def __init__(self, emit: Callable[[Event], None], clock: Clock) -> None:
        self._emit = emit
        self._clock = clock
        self._told: dict[str, int] = {}
        self._ours: set[str] = set()
        self._early: dict[str, CommissionReported] = {}
        self._costs: dict[str, tuple[float, str]] = {}

    def execution(self, fill: Fill) -> None:
        """An execution, live or in a report; those of foreign orders are passed over."""
        if parse_ref(fill.ref) is None:
            self._early.pop(fill.exec_id, None)
            return
        stem, suffix = exec_stem(fill.exec_id), exec_correction(fill.exec_id)
        before = self._told.get(stem)
        if before is not None and suffix <= before:
            return
        self._told[stem] = suffix
        self._ours.add(fill.exec_id)
        is_news = before is None and fill.quantity > 0  # a bust takes back what may have been told before we began
        kind = OrderFilled if is_news else FillCorrected
        self._emit(kind(received_at=self._clock(), fill=fill))
        early = self._early.pop(fill.exec_id, None)
        if early is not None:
            self._charge(early)

    def commission(self, report: CommissionReport) -> None:
        """A commission report; one that comes before its execution waits for it."""
        if self._costs.get(report.execId) == (report.commission, report.currency):
            return
        charged = commission_of(report, now=self._clock())
        if charged is None:
            log.info("broker.commission_unknown", exec_id=report.execId)
        elif charged.exec_id in self._ours:
            self._charge(charged)
        else:
            self._early[charged.exec_id] = charged

    def _charge(self, charged: CommissionReported) -> None:
        cost = (charged.commission, charged.currency)
        if self._costs.get(charged.exec_id) != cost:
            self._costs[charged.exec_id] = cost
            self._emit(charged)


def latest(fills: list[Fill]) -> tuple[Fill, ...]:
    """The fills without those that another one in the list corrects, in the order of the list."""
    newest: dict[str, Fill] = {}
    for fill in fills:
        stem = exec_stem(fill.exec_id)
        if stem not in newest or exec_correction(fill.exec_id) > exec_correction(newest[stem].exec_id):
            newest[stem] = fill
    return tuple(newest.values())
