"""Which contract each instrument is: asked before anything is traded, and once more per connect when nobody waits.

A reconnect must not wait for a hundred answers of which all are known: positions and protection are compared first.
"""

from __future__ import annotations

import asyncio

import structlog

from brokers.ib.contracts import Contracts
from brokers.ib.data_questions import DataQuestions
from shared.errors import BrokerUnavailable, ConfigError
from shared.market import Instrument

log = structlog.get_logger("brokers.ib")


class Qualification:
    """The questions about contracts over all connections; the answers are kept in `contracts`."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self._doubted: set[str] = set()
        self._due: list[Instrument] = []

    @property
    def knows_all(self) -> bool:
        """Whether every instrument has its contract, and none was contradicted since."""
        return not self._unknown()

    async def ask_unknown(self, questions: DataQuestions) -> None:
        """Ask for every contract we do not have; those we have are due to be asked for again.

        Raises:
            BrokerUnavailable: no answer, or a contract is denied that was known before.
            ConfigError: an instrument is unknown or ambiguous, or its tick is wrong.
        """
        unknown = self._unknown()
        self._due = [instrument for instrument in self._contracts.universe.instruments if instrument not in unknown]
        # All of them end before the first error is told, so that none goes on unwatched.
        asked = [asyncio.ensure_future(self._ask(instrument, questions)) for instrument in unknown]
        await asyncio.gather(*asked, return_exceptions=True)
        for one in asked:
            one.result()

    async def ask_known(self, questions: DataQuestions) -> None:
        """Ask again, one after the other, for what was known when we connected; BrokerUnavailable ends it.

        A contradiction changes nothing now: it is an error in the log, and the next connect asks first.
        """
        while self._due:
            instrument = self._due[0]
            try:
                await self._ask(instrument, questions)
            except ConfigError as error:
                self._doubted.add(instrument.symbol)
                log.error("broker.contract_contradicted", symbol=instrument.symbol, reason=str(error))  # noqa: TRY400 - no fault of ours
            except BrokerUnavailable as error:
                questions.check()  # the line is gone: its successor goes on here
                log.info("broker.contract_unconfirmed", symbol=instrument.symbol, reason=str(error))
            self._due.pop(0)

    async def _ask(self, instrument: Instrument, questions: DataQuestions) -> None:
        details = await questions.contract_details(self._contracts.question(instrument))
        if not details and self._contracts.knows(instrument.symbol):
            # During its nightly reset TWS denies what it knew (TWS.md 3.39).
            raise BrokerUnavailable(f"contract details of {instrument.symbol}: denied, though known before")
        self._contracts.accept(instrument, details)
        self._doubted.discard(instrument.symbol)

    def _unknown(self) -> list[Instrument]:
        return [
            instrument
            for instrument in self._contracts.universe.instruments
            if instrument.symbol in self._doubted or not self._contracts.knows(instrument.symbol)
        ]
