"""What we ask over the data session: contract details and past bars, at the pace that TWS allows."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from datetime import datetime

import structlog
from ib_insync import BarData, Contract, ContractDetails
from msgspec import Struct

from brokers.ib.codes import NO_HISTORY
from brokers.ib.history import BAR_SIZES, instant_text
from brokers.ib.history_pacing import Asked, HistoryLedger
from brokers.ib.line import Line
from brokers.ib.requests import RequestRefused
from shared.errors import BrokerUnavailable

log = structlog.get_logger("brokers.ib")

PACING_VIOLATION = "pacing violation"
HISTORY_TIMEOUT_S = 60.0
OPEN_MAX = 40
"""History requests open at the same time; TWS allows 50 for a login."""


class HistoryQuestion(Struct, frozen=True, kw_only=True):
    """Which past bars: `bar_size_s` is a key of BAR_SIZES, `duration` in TWS's words."""

    bar_size_s: int
    duration: str
    before: datetime


class DataQuestions:
    """The questions of one data session; `ledger` outlives it, because TWS counts for the login."""

    def __init__(self, line: Line, timeout_s: float, ledger: HistoryLedger) -> None:
        self._line = line
        self._timeout_s = timeout_s
        self._ledger = ledger
        self._slots = asyncio.Semaphore(OPEN_MAX)

    def check(self) -> None:
        """Raise BrokerUnavailable unless questions can be asked."""
        self._line.check()

    async def contract_details(self, contract: Contract) -> list[ContractDetails]:
        """Every contract that fits; empty if the broker knows none."""
        self._line.check()
        try:
            return await self._line.ask_by_id(
                f"contract details of {contract.symbol}",
                lambda req_id: self._line.client.reqContractDetails(req_id, contract),
                self._timeout_s,
            )
        except RequestRefused as refused:
            log.warning("broker.no_contract", symbol=contract.symbol, code=refused.code, text=refused.text)
            return []

    async def history(self, contract: Contract, question: HistoryQuestion) -> list[BarData]:
        """Past trades as bars, empty if there were none; BrokerUnavailable if the broker would not say, or not soon."""
        self._line.check()
        name = f"history of {contract.symbol}"

        def send(req_id: int) -> None:
            self._line.client.reqHistoricalData(
                req_id, contract, instant_text(question.before), question.duration,
                BAR_SIZES[question.bar_size_s], "TRADES", True, 2, False, [],
            )  # fmt: skip

        await self._pace(name, asked_of(contract, question))
        async with self._slots:
            try:
                return await self._line.ask_by_id(name, send, max(self._timeout_s, HISTORY_TIMEOUT_S))
            except RequestRefused as refused:
                if refused.code == NO_HISTORY and "no data" in refused.text:
                    return []
                self._ledger.is_strict |= PACING_VIOLATION in refused.text
                raise BrokerUnavailable(f"{name}: {refused}") from None

    async def _pace(self, name: str, asked: Asked) -> None:
        """Wait until the history farm may be asked."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        at_s = self._ledger.allowed_at_s(asked, now_s)
        if at_s > now_s + HISTORY_TIMEOUT_S:
            raise BrokerUnavailable(f"{name}: the pace of history allows it in {at_s - now_s:.0f} s only")
        self._ledger.take(asked, at_s)
        if at_s > now_s:
            log.info("broker.history_paced", question=name, wait_s=round(at_s - now_s, 1))
            await asyncio.sleep(at_s - now_s)
            self._line.check_socket()


def asked_of(contract: Contract, question: Hashable) -> Asked:
    """What the pace of history compares; `question` is what makes two requests different."""
    return Asked((contract.conId, contract.exchange, "TRADES"), question)
