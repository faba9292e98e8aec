"""Both neighbours of an IbBroker: a listener that writes down, and a TWS that says what the test says."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from brokers.ib.broker import IbBroker
from shared.market import Instrument, Universe
from shared.orders import BracketOrder, Order, OrderType, Side

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PLAN = "OB1:sma:20261120:SPY-1"
ENTRY, STOP, TARGET = f"{PLAN}:E", f"{PLAN}:S", f"{PLAN}:T"
UNSET = "1.7976931348623157E308"
WAIT_S = 5.0
ORDERS, DATA = 7, 8
"""The client ids of the two lines."""


class Notebook:
    """A BrokerListener that keeps everything and wakes whoever waits for something."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.bars: list[Any] = []
        self.quotes: list[Any] = []
        self.clocks: list[tuple[datetime, float]] = []
        self._changed = asyncio.Event()

    def on_event(self, event) -> None:
        self.events.append(event)
        self._changed.set()

    def on_bar(self, symbol, opened_at, interval_s, bar) -> None:
        self.bars.append((symbol, opened_at, interval_s, bar))
        self._changed.set()

    def on_quote(self, symbol, bid, ask, at) -> None:
        self.quotes.append((symbol, bid, ask, at))
        self._changed.set()

    def on_clock(self, market_at, speed) -> None:
        self.clocks.append((market_at, speed))
        self._changed.set()

    def of(self, kind) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def told(self) -> list[str]:
        """Names of all events, in order."""
        return [type(event).__name__ for event in self.events]

    def kinds(self, ref: str) -> list[str]:
        """Names of the events about one order, in order."""
        return [type(event).__name__ for event in self.events if getattr(event, "ref", None) == ref]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


async def data_settled(broker: IbBroker, turn: int = 1) -> None:
    """Return when all that TWS has said on the line for data was taken; `turn` differs from call to call."""
    await broker.warm_up(interval_s=60, bars=turn, before=NOW)


def frame(message: str) -> bytes:
    """A message written with `|` for the separators, as in the recorded files."""
    payload = message.replace("|", "\0").encode()
    return struct.pack(">I", len(payload)) + payload


class ScriptedTws:
    """A server that answers each request with what `answers` holds; `{0}`, `{1}` ... are its fields."""

    def __init__(self, **settings) -> None:
        self.greeting = settings.get("greeting", ["15|1|DU123|", "9|1|100|"])
        self.version = settings.get("version", "176|20261120 10:00:00 EST|")
        self.answers: dict[str, list[str]] = {
            "9": [contract_details("{2}", "{4}"), "52|1|{2}|"],
            "5": ["53|1|"],
            "7": ["55|1|{2}|"],
            "16": ["53|1|"],
            "61": ["62|1|"],
            "99": ["102|"],
            "49": ["49|1|1763650800|"],
            "20": ["17|{1}|a|b|0|"],
            "62": [
                "63|1|{2}|DU123|NetLiquidation|1000000.5|USD|",
                "63|1|{2}|DU123|TotalCashValue|900000|USD|",
                "63|1|{2}|DU123|BuyingPower|4000000|USD|",
                "64|1|{2}|",
            ],
        }
        self.on_request: dict[str, Callable[[], None]] = {}
        self.received: list[list[str]] = []
        self.asked_by: dict[int, list[str]] = {}
        """Numbers of the requests, by client id."""
        self.greetings: dict[int, list[str]] = {}
        """What a client id hears instead of `greeting`."""
        self.port = 0
        self._changed = asyncio.Event()
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers.values():
            writer.close()

    def say(self, *messages: str, client: int = ORDERS) -> None:
        self._writers[client].write(b"".join(frame(message) for message in messages))

    def hang_up(self, client: int = ORDERS) -> None:
        self._writers[client].close()

    def reset(self, client: int = ORDERS) -> None:
        """Cut the connection without a farewell."""
        self._writers[client].transport.abort()

    def requests(self, number: str) -> list[list[str]]:
        return [fields for fields in self.received if fields[0] == number]

    async def until(self, number: str, count: int = 1) -> list[list[str]]:
        """The requests of that kind, as soon as there are `count` of them."""
        async with asyncio.timeout(WAIT_S):
            while len(self.requests(number)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.requests(number)

    async def _serve(self, reader, writer) -> None:
        client = 0
        try:
            await reader.readexactly(4)
            await self._read(reader)
            if self.version:
                writer.write(frame(self.version))
            while True:
                fields = await self._read(reader)
                if fields[0] == "71":
                    client = int(fields[2])
                    self._writers[client] = writer
                self._take(client, fields)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _read(self, reader):
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        return (await reader.readexactly(length)).decode().split("\0")[:-1]

    def _take(self, client: int, fields: list[str]) -> None:
        self.received.append(fields)
        self.asked_by[client] = [*self.asked_by.get(client, []), fields[0]]
        greeting = self.greetings.get(client, self.greeting)
        script = greeting if fields[0] == "71" else self.answers.get(fields[0], [])
        self.say(*(line.format(*fields) for line in script), client=client)
        self.on_request.get(fields[0], lambda: None)()
        self._changed.set()


def contract_details(req_id: str, symbol: str, *, con_id: int | str = 756733, tick: str = "0.01") -> str:
    return (
        f"10|{req_id}|{symbol}|STK||0||SMART|USD|{symbol}|{symbol}|{symbol}|{con_id}|{tick}||LMT,MKT|SMART"
        "|1|0|Name|ARCA|||||US/Eastern|||||0|1|||26|||1|1|100|"
    )


def open_order(ref: str, *, order_id=101, status="PreSubmitted", perm_id=7001, **terms) -> str:
    """An openOrder as TWS writes it; `terms`: qty, type, limit, stop, parent, client, side, symbol, oca.

    And where a TRAIL stands: trailed_to, percent.
    """
    get, stood = terms.get, terms.get("trailed_to", "")
    parts = [
        f"5|{order_id}|756733|{get('symbol', 'SPY')}|STK||0|?||SMART|USD|SPY|SPY|{get('side', 'BUY')}",
        f"|{get('qty', 10)}|{get('type', 'MKT')}|{get('limit', '0.0')}|{get('stop', '0.0')}|DAY",
        f"|{get('oca', '')}|DU123||0|{ref}|{get('client', 7)}|{perm_id}|0|0|0||{perm_id}.0/DU123/100",
        "||||||||||0||-1|0||||||2147483647|0|0|0||3|0|0||",
        f"{get('parent', 0)}|0||0|None||0||||?|0|0||0|0|{stood}|{get('percent', '')}||||0|0|0",
        "|2147483647|2147483647|||0||IB|0|0||0|0",
        f"|{status}|" + f"{UNSET}|" * 9 + f"|||||0|0|0|None|{UNSET}|{stood or UNSET}|" + f"{UNSET}|" * 4,
        f"0||||0|1|0|0|0|||0|||{UNSET}|||",
    ]
    return "".join(parts)


def order_status(status: str, *, order_id=101, perm_id=7001, why_held="", client=7) -> str:
    return f"3|{order_id}|{status}|0|10|0|{perm_id}|0|0|{client}|{why_held}|0|"


def execution(ref: str, exec_id: str, *, req_id=-1, **values) -> str:
    get = values.get
    parts = [
        f"11|{req_id}|{get('order_id', 101)}|756733|{get('symbol', 'SPY')}|STK||0.0|||ARCA|USD|SPY|SPY",
        f"|{exec_id}",
        f"|{get('time', '20261120 10:00:05 US/Eastern')}|DU123|ARCA|{get('side', 'BOT')}",
        f"|{get('shares', 10)}|{get('price', 680.5)}|{get('perm_id', 7001)}|7|{get('liquidation', 0)}|10",
        f"|680.5|{ref}||||2|",
    ]
    return "".join(parts)


def commission(exec_id: str, value: str = "1.0") -> str:
    return f"59|1|{exec_id}|{value}|USD|{UNSET}|{UNSET}||"


def universe(*symbols: str, tick: float = 0.01) -> Universe:
    return Universe(tuple(Instrument(symbol=symbol, tick=tick) for symbol in symbols or ("SPY",)))


def ib_broker(port: int, listener: Notebook, *symbols: str, **settings) -> IbBroker:
    defaults: dict[str, Any] = {
        "host": "127.0.0.1",
        "client_id": ORDERS,
        "data_client_id": DATA,
        "universe": universe(*symbols),
        "connect_timeout_s": 2.0,
        "request_timeout_s": 2.0,
        "clock": lambda: NOW,
    }
    return IbBroker(port=port, listener=listener, **(defaults | settings))


def an_order(ref: str, side=Side.BUY, **values) -> Order:
    defaults: dict[str, Any] = {"symbol": "SPY", "quantity": 10, "order_type": OrderType.MARKET}
    return Order(ref=ref, side=side, **(defaults | values))


def a_stop(price: float = 600.0, ref: str = STOP, quantity: int = 10) -> Order:
    return an_order(
        ref,
        Side.SELL,
        order_type=OrderType.STOP,
        stop_price=price,
        tif="GTC",
        oca_group=f"{PLAN}:oca",
        quantity=quantity,
    )


def a_target(price: float = 800.0) -> Order:
    return an_order(
        TARGET, Side.SELL, order_type=OrderType.LIMIT, limit_price=price, tif="GTC", oca_group=f"{PLAN}:oca"
    )


def a_bracket(**entry) -> BracketOrder:
    return BracketOrder(entry=an_order(ENTRY, **entry), stop_loss=a_stop(), take_profit=a_target())
