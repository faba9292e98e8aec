"""Keeps a data session alive: the first must stand, every later one is brought back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from brokers.ib.data_session import DataSession
from brokers.ib.market_data import MarketData
from shared.errors import BrokerUnavailable

log = structlog.get_logger("brokers.ib")

BACK_OFF_S_FIRST = 1.0
BACK_OFF_S_MAX = 30.0
BuildSession = Callable[[Callable[[str], None]], DataSession]
"""Makes a session that is not open yet; it is told whom to tell of its loss."""


class DataLink:
    """The data session of the moment."""

    def __init__(self, build: BuildSession, data: MarketData, connect_timeout_s: float) -> None:
        self._build = build
        self._data = data
        self._connect_timeout_s = connect_timeout_s
        self._session: DataSession | None = None
        self._healing: asyncio.Task[None] | None = None
        self._wants_streams = False

    async def open(self) -> None:
        """Connect. Raises BrokerUnavailable."""
        self._session = await self._connect()
        self._data.on_line_back()

    def heal(self) -> None:
        """Where `open` has failed: go on trying, as after a loss."""
        if self._session is None and self._healing is None:
            self._data.on_line_lost("the line for data could not be opened")
            self._healing = asyncio.get_running_loop().create_task(self._heal(), name="data line")

    async def close(self) -> None:
        """Leave without a word; harmless when not open."""
        healing, self._healing = self._healing, None
        if healing is not None:
            healing.cancel()
            await asyncio.gather(healing, return_exceptions=True)
        self._wants_streams = False  # whoever connects again says when rows may begin
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            self._data.forget_streams()

    def session(self) -> DataSession:
        """The session that stands. Raises BrokerUnavailable while there is none."""
        if self._session is None:
            raise BrokerUnavailable("the line for data is lost")
        return self._session

    async def subscribe(self) -> None:
        """Start the streams, now or as soon as the line is back."""
        self._wants_streams = True
        if self._session is not None:
            try:
                await self._session.subscribe()
            except BrokerUnavailable as error:
                log.warning("broker.not_subscribed", reason=str(error))

    async def _connect(self) -> DataSession:
        session = self._build(self._on_lost)
        try:
            await session.open(self._connect_timeout_s)
        except BaseException:
            await session.close()
            raise
        return session

    def _on_lost(self, reason: str) -> None:
        if self._session is None:
            return
        self._session = None
        log.warning("broker.data_line_lost", reason=reason)
        self._data.on_line_lost(f"the line for data is lost: {reason}")
        self._healing = asyncio.get_running_loop().create_task(self._heal(), name="data line")

    async def _heal(self) -> None:
        delay_s, said = BACK_OFF_S_FIRST, ""
        while True:
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, BACK_OFF_S_MAX)
            try:
                self._session = await self._connect()
            except BrokerUnavailable as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("broker.data_line_down", reason=said)
                continue
            log.info("broker.data_line_back")
            self._data.on_line_back()
            if self._wants_streams:
                await self.subscribe()
            return
