"""A broker that streams from a scripted TWS, on a market clock that the test sets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from brokers.ib.broker import IbBroker
from shared.events import DataQualityReported
from tests.brokers.ib.peers import DATA, Notebook, ScriptedTws, contract_details, data_settled, ib_broker

OPEN_AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
"""A Friday, half an hour after the opening."""


class Feed:
    """A TWS, its broker, and what was heard."""

    broker: IbBroker

    def __init__(self, tws: ScriptedTws) -> None:
        self.tws = tws
        self.notebook = Notebook()
        self.now = OPEN_AT
        self._turn = 0

    def bars_id(self, symbol: str) -> str:
        """The request id of the newest stream of the symbol."""
        return [fields[2] for fields in self.tws.requests("50") if fields[4] == symbol][-1]

    def quotes_id(self, symbol: str) -> str:
        return [fields[2] for fields in self.tws.requests("1") if fields[4] == symbol][-1]

    async def hears(self, *messages: str) -> None:
        """Let TWS say it on the line for data, and return when it was taken."""
        self.tws.say(*messages, client=DATA)
        await self.settle()

    async def settle(self) -> None:
        self._turn += 1
        await data_settled(self.broker, self._turn)

    def bar(self, symbol: str = "SPY", *, after_s: int = 0) -> str:
        at = int(OPEN_AT.timestamp()) + after_s
        return f"50|3|{self.bars_id(symbol)}|{at}|680|681|679|680.5|1200|680.1|40|"

    def bid(self, price: object, symbol: str = "SPY") -> str:
        return f"1|6|{self.quotes_id(symbol)}|1|{price}|3|0|"

    def ask(self, price: object, symbol: str = "SPY") -> str:
        return f"1|6|{self.quotes_id(symbol)}|2|{price}|3|0|"

    def passes(self, seconds: float) -> None:
        """Market time goes on."""
        self.now += timedelta(seconds=seconds)

    @property
    def qualities(self) -> list[tuple[str, str]]:
        return [(event.symbol, event.quality) for event in self.notebook.of(DataQualityReported)]

    async def until_quality(self, count: int = 1) -> list[tuple[str, str]]:
        await self.notebook.until(lambda: len(self.qualities) >= count)
        return self.qualities


@asynccontextmanager
async def a_feed(*symbols: str, **settings):
    """A feed whose bars, and quotes if they are wanted, have been asked for."""
    wanted = symbols or ("SPY",)
    async with ScriptedTws() as tws:
        tws.answers["9"] = [contract_details("{2}", "{4}", con_id="{2}"), "52|1|{2}|"]
        feed = Feed(tws)
        feed.broker = ib_broker(tws.port, feed.notebook, *wanted, **({"clock": lambda: feed.now} | settings))
        await feed.broker.connect()
        await feed.broker.subscribe()
        if settings.get("quotes", True):
            await tws.until("1", min(len(wanted), 100))
        try:
            yield feed
        finally:
            await feed.broker.disconnect()
