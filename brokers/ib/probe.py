"""What a TWS or gateway says about itself when it is asked once, step by step, without trading (openbell doctor).

ib_insync's own `IB` is enough here: nothing is concluded about orders, and only one order is named, a what-if.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from datetime import UTC

import ib_insync
from ib_insync import IB, LimitOrder, Stock
from msgspec import Struct, field

from brokers.port import Clock
from shared.market import Universe

_STEP_S = 8.0
_NEWS_S = 1.5
_FRAME_MAX = 1_000
_VERSIONS = "v157..176"
_ID_IN_USE, _SIMULATED = 326, 2199


class Listed(Struct, frozen=True, kw_only=True):
    """How an instrument is known there: how many contracts answer to its name, and the smallest tick of the first."""

    matches: int
    tick: float | None = None


class GatewayFacts(Struct, kw_only=True):
    """One visit. None where a step was not reached; `errors` are (code, text) as they came."""

    door: str = "unknown"  # closed | unknown_host | silent | other | closed_again | tws
    door_text: str = ""
    server_version: int | None = None
    is_ready: bool | None = None
    id_refused: bool | None = None
    data_id_refused: bool | None = None
    accounts: tuple[str, ...] | None = None
    is_simulated: bool = False
    clock_offset_s: float | None = None
    listed: dict[str, Listed] | None = None
    has_quotes: bool | None = None
    history_bars: int | None = None
    orders_refused: str | None = None
    orders_accepted: bool | None = None
    strange_orders: tuple[str, ...] | None = None
    errors: list[tuple[int, str]] = field(default_factory=list)

    def codes(self) -> set[int]:
        return {code for code, _ in self.errors}


class Visit(Struct, frozen=True, kw_only=True):
    """Where to go and what to ask for; `account` may be empty."""

    host: str
    port: int
    client_id: int
    data_client_id: int
    account: str
    universe: Universe


async def visit(plan: Visit, *, wall: Clock, step_s: float = _STEP_S) -> GatewayFacts:
    """Knock, shake hands, ask; each step within `step_s` seconds, the first that fails ends the visit. Never raises.

    `wall` is this machine's clock, which theirs is compared with.
    """
    facts = GatewayFacts()
    await _knock(plan, facts, step_s)
    if facts.door == "tws":
        await _ask(plan, facts, wall, step_s)
    return facts


async def _knock(plan: Visit, facts: GatewayFacts, step_s: float) -> None:
    """A connection of our own, so that what is no TWS is told apart from a TWS that is silent."""
    try:
        async with asyncio.timeout(step_s):
            reader, writer = await asyncio.open_connection(plan.host, plan.port)
    except (OSError, TimeoutError) as error:
        facts.door = "unknown_host" if isinstance(error, socket.gaierror) else "closed"
        facts.door_text = str(error) or "no answer"
        return
    try:
        writer.write(b"API\0" + struct.pack(">I", len(_VERSIONS)) + _VERSIONS.encode())
        async with asyncio.timeout(step_s):
            head = await reader.readexactly(4)
            size = struct.unpack(">I", head)[0]
            body = await reader.readexactly(size) if size <= _FRAME_MAX else b""
        version = body.split(b"\0")[0]
        facts.door = "tws" if version.isdigit() else "other"
        facts.server_version = int(version) if version.isdigit() else None
        facts.door_text = "" if version.isdigit() else repr((head + body)[:20])
    except TimeoutError:
        facts.door = "silent"
    except (asyncio.IncompleteReadError, ConnectionError):
        facts.door = "closed_again"
    finally:
        writer.close()


async def _ask(plan: Visit, facts: GatewayFacts, wall: Clock, step_s: float) -> None:
    ib = IB()  # type: ignore[no-untyped-call]  # ib_insync has no types here
    ib.RequestTimeout = step_s
    ib.errorEvent += lambda _id, code, text, _contract: facts.errors.append((code, text))
    try:
        facts.is_ready = await _connected(ib, plan, plan.client_id, step_s)
        facts.id_refused = _ID_IN_USE in facts.codes()
        if not facts.is_ready:
            return
        facts.accounts = tuple(ib.managedAccounts())
        await _second_line(plan, facts, step_s)
        await _time(ib, facts, wall)
        await _instruments(ib, plan, facts)
        await _market_data(ib, plan, facts)
        await _orders(ib, plan, facts)
    except (TimeoutError, ConnectionError) as error:
        facts.errors.append((0, f"{type(error).__name__}: {error}"))
    finally:
        ib.disconnect()  # type: ignore[no-untyped-call]  # ib_insync has no types here
        facts.is_simulated = _SIMULATED in facts.codes()


async def _connected(ib: IB, plan: Visit, client_id: int, step_s: float) -> bool:
    try:
        await ib.connectAsync(
            plan.host, plan.port, clientId=client_id, timeout=step_s, readonly=True, account=plan.account
        )
    except (TimeoutError, OSError):
        return False
    return True


async def _second_line(plan: Visit, facts: GatewayFacts, step_s: float) -> None:
    data, refused = IB(), []  # type: ignore[no-untyped-call]  # ib_insync has no types here
    data.errorEvent += lambda _id, code, _text, _contract: refused.append(code)
    try:
        is_open = await _connected(data, plan, plan.data_client_id, step_s)
        facts.data_id_refused = not is_open and _ID_IN_USE in refused
    finally:
        data.disconnect()  # type: ignore[no-untyped-call]  # ib_insync has no types here


async def _time(ib: IB, facts: GatewayFacts, wall: Clock) -> None:
    told = await ib.reqCurrentTimeAsync()
    # Whole seconds are told: the truth lies up to one second later.
    facts.clock_offset_s = round((wall() - told.astimezone(UTC)).total_seconds() - 0.5, 1)


async def _instruments(ib: IB, plan: Visit, facts: GatewayFacts) -> None:
    asked = [ib.reqContractDetailsAsync(_contract(plan, symbol)) for symbol in plan.universe.symbols]
    answers = await asyncio.gather(*asked)
    facts.listed = {
        symbol: Listed(matches=len(details), tick=details[0].minTick if details else None)
        for symbol, details in zip(plan.universe.symbols, answers, strict=True)
    }


async def _market_data(ib: IB, plan: Visit, facts: GatewayFacts) -> None:
    known = next((symbol for symbol, listed in (facts.listed or {}).items() if listed.matches), None)
    if known is None:
        return
    contract = _contract(plan, known)
    ticker = ib.reqMktData(contract, "", False, False)
    await asyncio.sleep(min(_NEWS_S, ib.RequestTimeout / 2))
    facts.has_quotes = ticker.bid > 0 or ticker.last > 0 or ticker.close > 0  # NaN is none of it
    ib.cancelMktData(contract)
    bars = await ib.reqHistoricalDataAsync(contract, "", "2 D", "1 min", "TRADES", True, timeout=ib.RequestTimeout)
    facts.history_bars = len(bars or [])


async def _orders(ib: IB, plan: Visit, facts: GatewayFacts) -> None:
    known = next((symbol for symbol, listed in (facts.listed or {}).items() if listed.matches), None)
    open_orders = await ib.reqAllOpenOrdersAsync()
    facts.strange_orders = tuple(
        f"{held.contract.symbol} {held.order.action} {held.order.totalQuantity:g}"
        for held in open_orders
        if not held.order.orderRef.startswith("OB1:")
    )
    if known is None:
        return
    before = len(facts.errors)
    order = LimitOrder("BUY", 1, 1.0, account=plan.account or (facts.accounts or ("",))[0])
    try:
        async with asyncio.timeout(ib.RequestTimeout):
            preview = await ib.whatIfOrderAsync(_contract(plan, known), order)
    except TimeoutError:
        preview = None
    said = [text for code, text in facts.errors[before:] if code in {201, 321, 436}]
    facts.orders_accepted = isinstance(preview, ib_insync.OrderState)
    facts.orders_refused = said[0] if said else None


def _contract(plan: Visit, symbol: str) -> Stock:
    instrument = plan.universe.instruments[plan.universe.index(symbol)]
    return Stock(instrument.symbol, instrument.exchange, instrument.currency)
