"""What the fuzzers throw frames at: the gateway's own dispatcher, session and market, without a socket.

`Target.take` answers a frame as the gateway would and raises `Crashed` when the gateway had to catch an exception
of its own (it logs those and answers 322), or when a client got a frame that is no message.
"""

from __future__ import annotations

import logging
import random
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast

from ib_insync import Contract, ExecutionFilter, Order, ScannerSubscription, TagValue
from ib_insync.client import Client as IbClient

from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.runtime.dispatch import answer
from brokers.simulated.gateway.runtime.session import Session
from brokers.simulated.gateway.runtime.settings import Settings
from brokers.simulated.market.source import MarketSource
from brokers.simulated.market.synthetic import SyntheticMarket

ACCOUNT = "DU7654321"
GATEWAY_LOG = logging.getLogger("brokers.simulated.gateway")
FRESH_AFTER = 5_000
"""So many frames meet one session; then a new one begins, so that a long run does not measure its own past."""
ODD_FIELDS = (
    "", "0", "-1", "1", "2147483647", "2147483648", "-2147483649", "99999999999999999999", "1e308", "-1e308",
    "1.7976931348623157E308", "Infinite", "inf", "nan", "0x10", "true", "None", "1.5", "SPY", "\ufffd",
    "A" * 3000, "%s%n", "../../x", "20131008 10:00:00", "20139999 99:99:99 Nowhere/Zone", "20131008-10:00:00",
    "1 D", "0 D", "9" * 30 + " Y", "DU7654321", "BUY", "SELL", "LMT", "TRAIL LIMIT", "GTD", "OPG", "BAG",
    "AAPL;DROP", "\\u0000", "\u00e9\u6f22",
)  # fmt: skip


class Crashed(AssertionError):  # noqa: N818 - what happened, not a kind of error
    """The gateway met a frame it did not expect to meet."""


class Sink:
    """The writing side of a socket that swallows everything and checks that it is made of frames."""

    def __init__(self) -> None:
        self.transport = self
        self.bytes_written = 0
        self.closed = False

    def write(self, data: bytes) -> None:
        self.bytes_written += len(data)
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from(">I", data, at)
            at += 4 + length
            if at > len(data) or data[at - 1] != 0:
                raise Crashed(f"a frame that is no message: {data[:80]!r}")

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True


class Target(logging.Handler):
    """One gateway; frames come from one client after the other, at either version."""

    def __init__(self, market: MarketSource | None = None) -> None:
        super().__init__(logging.ERROR)
        self._market = market or SyntheticMarket(seed=7, symbols=("SPY", "AAPL", "TSLA"))
        self._fault: str | None = None
        self.frames = 0
        self._client, self._session = self._fresh()

    def __enter__(self) -> Self:
        """Listen to the gateway's log; warnings about what it refused are not of interest."""
        self._level = GATEWAY_LOG.level
        GATEWAY_LOG.addHandler(self)
        GATEWAY_LOG.setLevel(logging.ERROR)
        GATEWAY_LOG.propagate = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        GATEWAY_LOG.removeHandler(self)
        GATEWAY_LOG.setLevel(self._level)
        GATEWAY_LOG.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """An error in the gateway's log is a crash."""
        self._fault = logging.Formatter().format(record)

    def take(self, payload: bytes) -> None:
        """Answer one frame. Raises Crashed."""
        assert self in GATEWAY_LOG.handlers, "enter the target first: it would not hear of a crash"
        self.frames += 1
        if self.frames % FRESH_AFTER == 0 or cast("Sink", self._client._writer).closed:  # noqa: SLF001 - our own fake
            self._client, self._session = self._fresh()
        answer(self._session, self._client, payload)
        self._session.flush()
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise Crashed(f"frame {payload[:300]!r}: {fault}")

    def _fresh(self) -> tuple[Client, Session]:
        clock = ManualClock(self._market.opens_at + 600)
        session = Session(self._market, clock, Settings(accounts=(ACCOUNT,)))
        session.stepped_to(self._market.opens_at + 600)
        version = 157 if self.frames // FRESH_AFTER % 2 else 176
        client = Client(cast("Any", Sink()), 1, version)
        session.clients[1] = client
        return client, session


def honest_frames(version: int) -> list[bytes]:
    """One frame of every request ib_insync can write, as the seeds from which a fuzzer departs."""
    client = cast("Any", IbClient)(None)
    client.connState, client._serverVersion = IbClient.CONNECTED, version  # noqa: SLF001 - as if connected
    found: list[bytes] = []
    client.sendMsg = lambda text: found.append(text.encode())
    spy = Contract(secType="STK", symbol="SPY", exchange="SMART", currency="USD")
    for call in _calls(client, spy):
        call()
    return found


def _calls(client: Any, spy: Contract) -> list[Callable[[], object]]:  # noqa: ANN401 - the library is untyped
    limit = Order(action="BUY", totalQuantity=100, orderType="LMT", lmtPrice=600.0, tif="GTC", transmit=True)
    trail = Order(action="SELL", totalQuantity=100, orderType="TRAIL", auxPrice=1.0, tif="DAY", parentId=1)
    scan = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
    options: list[TagValue] = []
    return [
        lambda: client.reqMktData(11, spy, "233,236", False, False, options),
        lambda: client.cancelMktData(11),
        lambda: client.placeOrder(1, spy, limit),
        lambda: client.placeOrder(2, spy, trail),
        lambda: client.cancelOrder(1),
        client.reqOpenOrders, client.reqAllOpenOrders, client.reqScannerParameters, client.reqManagedAccts,
        client.reqCurrentTime, client.reqGlobalCancel, client.reqPositions, client.cancelPositions,
        client.reqFamilyCodes, client.reqMktDepthExchanges, client.reqNewsProviders,
        lambda: client.reqAccountUpdates(True, ACCOUNT),
        lambda: client.reqExecutions(12, ExecutionFilter()),
        lambda: client.reqIds(1),
        lambda: client.reqContractDetails(13, spy),
        lambda: client.reqAutoOpenOrders(True),
        lambda: client.reqHistoricalData(14, spy, "", "1 D", "1 min", "TRADES", True, 2, True, options),
        lambda: client.cancelHistoricalData(14),
        lambda: client.reqScannerSubscription(15, scan, options, options),
        lambda: client.cancelScannerSubscription(15),
        lambda: client.reqRealTimeBars(16, spy, 5, "TRADES", True, options),
        lambda: client.cancelRealTimeBars(16),
        lambda: client.reqMarketDataType(3),
        lambda: client.reqAccountSummary(17, "All", "NetLiquidation,BuyingPower"),
        lambda: client.cancelAccountSummary(17),
        lambda: client.reqPositionsMulti(18, ACCOUNT, ""),
        lambda: client.reqAccountUpdatesMulti(19, ACCOUNT, "", False),
        lambda: client.reqSecDefOptParams(20, "SPY", "", "STK", 756733),
        lambda: client.reqMatchingSymbols(21, "SP"),
        lambda: client.reqHeadTimeStamp(22, spy, "TRADES", True, 1),
        lambda: client.reqMarketRule(26),
        lambda: client.reqPnL(23, ACCOUNT, ""),
        lambda: client.reqPnLSingle(24, ACCOUNT, "", 756733),
        lambda: client.reqHistoricalTicks(25, spy, "", "20251231 16:00:00", 100, "TRADES", True, False, options),
        lambda: client.reqTickByTickData(26, spy, "AllLast", 10, False),
        lambda: client.cancelTickByTickData(26),
        lambda: client.reqCompletedOrders(True),
    ]  # fmt: skip


def mutated(honest: list[bytes], chance: random.Random) -> bytes:
    """A frame that began as an honest one: fields changed, dropped, doubled, cut short, or bytes flipped."""
    fields = chance.choice(honest).split(b"\0")
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(fields))
        match chance.randrange(5):
            case 0 | 1:
                fields[place] = chance.choice(ODD_FIELDS).encode(errors="replace")
            case 2:
                del fields[place:]
                fields = fields or [b""]
            case 3:
                fields.insert(place, fields[place])
            case _:
                fields[place] = chance.randbytes(chance.randrange(6))
    return b"\0".join(fields)
