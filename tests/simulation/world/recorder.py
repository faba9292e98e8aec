"""Writes the history of a run: everybody tells it, nobody reads it before the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from brokers.simulated.gateway.accounts.records import (
    CommissionCharged,
    DividendPaid,
    Execution,
    ExecutionCorrected,
    OrderEnded,
    OrderRecorded,
    SplitApplied,
)
from brokers.simulated.gateway.accounts.records import Record as LedgerRecord
from tests.simulation.history import Broker, Checked, Fault, Noticed, Record, lines_of

if TYPE_CHECKING:
    from brokers.simulated.gateway.server import SimulatedGateway

_WHAT: dict[type, str] = {
    OrderRecorded: "order",
    Execution: "execution",
    ExecutionCorrected: "correction",
    CommissionCharged: "commission",
    OrderEnded: "ended",
    SplitApplied: "split",
    DividendPaid: "dividend",
}


class Recorder:
    """`now` is true time in epoch seconds. What the gateway's faults did is taken in before anything later."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.records: list[Record] = []
        self.keeps: tuple[type, ...] = (Struct,)
        """The kinds of records that are written down; all, unless a run is too long for that."""
        self.process = 0
        """The daemon's process that lives now, or lived last."""
        self.on_fault: Callable[[Fault], None] = lambda _: None
        self._gateway: SimulatedGateway | None = None
        self._faults_told = 0

    def follow(self, gateway: SimulatedGateway) -> None:
        """From now on write what its ledger and its faults say."""
        self._gateway = gateway
        gateway.session.on_records = self._take_ledger

    def add(self, record: Record) -> None:
        """Append it, behind what the gateway's faults did until now."""
        self.catch_up()
        if isinstance(record, self.keeps):
            self.records.append(record)

    def catch_up(self) -> None:
        """Take in what the gateway's faults have done."""
        if self._gateway is None:
            return
        log = self._gateway.faults.log
        while self._faults_told < len(log):
            told = log[self._faults_told]
            self._faults_told += 1
            phase = "happened" if told.rule else "ended"
            self.fault("gateway", told.name, phase, told.detail, number=told.number)

    def fault(self, source: str, name: str, phase: str, detail: str = "", number: int = 0) -> None:
        """Something went wrong on purpose."""
        record = Fault(at=self.now(), source=source, number=number, name=name, phase=phase, detail=detail)
        if isinstance(record, self.keeps):
            self.records.append(record)
        self.on_fault(record)

    def checked(self, what: str, invariant: str, is_good: bool, detail: str = "") -> None:
        """What the world found by itself."""
        self.add(
            Checked(at=self.now(), what=what, invariant=invariant, is_good=is_good, detail="" if is_good else detail)
        )

    def noticed(self, level: str, code: str, text: str) -> None:
        """The daemon told a person."""
        self.add(Noticed(at=self.now(), process=self.process, level=level, code=code, text=text))

    def digest(self, without: str) -> str:
        """Of the whole history: two runs of one seed have the same. `without` is the folder it happened in."""
        return hashlib.sha256(lines_of(self.records).replace(without.encode(), b"")).hexdigest()

    def _take_ledger(self, records: Sequence[LedgerRecord]) -> None:
        for record in records:
            plain: dict[str, Any] = msgspec.to_builtins(record)
            if isinstance(record, SplitApplied | DividendPaid):
                plain["symbol"] = self._symbol_of(record.con_id)
            self.add(Broker(at=self.now(), what=_WHAT[type(record)], record=plain))

    def _symbol_of(self, con_id: int) -> str:
        assert self._gateway is not None
        return str(self._gateway.session.listings.by_con_id[con_id].symbol)
