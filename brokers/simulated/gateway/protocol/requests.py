"""What clients ask: one struct per request, its fields in wire order at version 176 (TWS.md 2.2).

`REQUESTS` maps the message id to the struct. A struct is read field by field by the type of each field, so
the struct is the layout. placeOrder alone is long and conditional; it is read through its table in
layouts.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TypeVar, get_type_hints

from msgspec import Struct

from brokers.simulated.gateway.protocol.layouts import PLACE_ORDER, REQUEST_CONTRACT
from brokers.simulated.gateway.protocol.wire import FieldReader, Unreadable, integer_of, number_of

R = TypeVar("R", bound="Request")


class ContractFields(Struct, frozen=True):
    """The contract as a request names it; conId 0 means that the other fields must identify it."""

    con_id: int
    symbol: str
    sec_type: str
    last_trade_date: str
    strike: float | None
    right: str
    multiplier: str
    exchange: str
    primary_exchange: str
    currency: str
    local_symbol: str
    trading_class: str


class Legs(Struct, frozen=True):
    """The combination legs of a BAG; read past, because this market holds only stocks."""

    count: int = 0


class DeltaNeutral(Struct, frozen=True):
    """The delta-neutral contract of reqMktData; read past."""

    present: bool = False


class Request(Struct, frozen=True):
    """Anything a client may ask."""


class StartApi(Request, frozen=True):
    version: int
    client_id: int
    capabilities: str


class Versioned(Request, frozen=True):
    """A request that carries nothing but its version number."""

    version: int


class ReqPositions(Versioned, frozen=True): ...


class CancelPositions(Versioned, frozen=True): ...


class ReqOpenOrders(Versioned, frozen=True): ...


class ReqAllOpenOrders(Versioned, frozen=True): ...


class ReqAutoOpenOrders(Request, frozen=True):
    version: int
    auto_bind: bool


class ReqCompletedOrders(Request, frozen=True):
    api_only: bool


class ReqAccountUpdates(Request, frozen=True):
    version: int
    subscribe: bool
    account: str


class ReqAccountUpdatesMulti(Request, frozen=True):
    version: int
    req_id: int
    account: str
    model_code: str
    ledger_and_nlv: bool


class ReqPositionsMulti(Request, frozen=True):
    version: int
    req_id: int
    account: str
    model_code: str


class ReqAccountSummary(Request, frozen=True):
    version: int
    req_id: int
    group: str
    tags: str


class ReqExecutions(Request, frozen=True):
    version: int
    req_id: int
    client_id: int
    account: str
    time: str
    symbol: str
    sec_type: str
    exchange: str
    side: str


class ReqIds(Request, frozen=True):
    version: int
    count: int


class ReqManagedAccounts(Versioned, frozen=True): ...


class ReqCurrentTime(Versioned, frozen=True): ...


class SetServerLogLevel(Request, frozen=True):
    version: int
    level: int


class ReqContractDetails(Request, frozen=True):
    version: int
    req_id: int
    contract: ContractFields
    include_expired: bool
    sec_id_type: str
    sec_id: str
    issuer_id: str


class ReqMarketDataType(Request, frozen=True):
    version: int
    data_type: int


class ReqMarketData(Request, frozen=True):
    version: int
    req_id: int
    contract: ContractFields
    legs: Legs
    delta_neutral: DeltaNeutral
    generic_ticks: str
    snapshot: bool
    regulatory_snapshot: bool


class ReqHistoricalData(Request, frozen=True):
    req_id: int
    contract: ContractFields
    include_expired: bool
    end_at: str
    bar_size: str
    duration: str
    use_rth: bool
    what_to_show: str
    format_date: int
    legs: Legs
    keep_up_to_date: bool


class ReqRealTimeBars(Request, frozen=True):
    version: int
    req_id: int
    contract: ContractFields
    bar_size: int
    what_to_show: str
    use_rth: bool


class Cancel(Request, frozen=True):
    """The end of a subscription."""

    version: int
    req_id: int


class CancelAccountUpdatesMulti(Cancel, frozen=True): ...


class CancelPositionsMulti(Cancel, frozen=True): ...


class CancelAccountSummary(Cancel, frozen=True): ...


class CancelMarketData(Cancel, frozen=True): ...


class CancelHistoricalData(Cancel, frozen=True): ...


class CancelRealTimeBars(Cancel, frozen=True): ...


class CancelOrder(Request, frozen=True):
    version: int
    order_id: int
    manual_cancel_time: str


class ReqGlobalCancel(Versioned, frozen=True): ...


class PlaceOrder(Request, frozen=True, kw_only=True):
    """A new order or a change of one; with `conditions` it is refused, and what follows them not read."""

    order_id: int
    contract: ContractFields
    side: str
    quantity: float
    order_type: str
    limit_price: float | None
    aux_price: float | None
    tif: str
    oca_group: str
    oca_type: int
    account: str
    open_close: str
    order_ref: str
    transmit: bool
    parent_id: int
    outside_rth: bool
    what_if: bool
    conditions: int


REQUESTS: dict[int, type[Request]] = {
    1: ReqMarketData,
    2: CancelMarketData,
    3: PlaceOrder,
    4: CancelOrder,
    5: ReqOpenOrders,
    6: ReqAccountUpdates,
    7: ReqExecutions,
    8: ReqIds,
    9: ReqContractDetails,
    14: SetServerLogLevel,
    15: ReqAutoOpenOrders,
    16: ReqAllOpenOrders,
    17: ReqManagedAccounts,
    20: ReqHistoricalData,
    25: CancelHistoricalData,
    49: ReqCurrentTime,
    50: ReqRealTimeBars,
    51: CancelRealTimeBars,
    58: ReqGlobalCancel,
    59: ReqMarketDataType,
    61: ReqPositions,
    62: ReqAccountSummary,
    63: CancelAccountSummary,
    64: CancelPositions,
    71: StartApi,
    74: ReqPositionsMulti,
    75: CancelPositionsMulti,
    76: ReqAccountUpdatesMulti,
    77: CancelAccountUpdatesMulti,
    99: ReqCompletedOrders,
}


def decode(fields: list[str]) -> Request:
    """The request in `fields`, which begin with the id. Raises Unreadable; KeyError on an unknown id."""
    kind = REQUESTS[integer_of("message id", fields[0] if fields else "")]
    if kind is PlaceOrder:
        return _place_order(fields)
    return _read(kind, FieldReader(fields[1:]))


def _place_order(fields: list[str]) -> PlaceOrder:
    found, _ = PLACE_ORDER.decode(fields)
    quantity = number_of("totalQuantity", found["totalQuantity"])
    if quantity is None or math.isinf(quantity):
        raise Unreadable(f"Unable to parse field 'totalQuantity': {found['totalQuantity']!r} is not a quantity")
    return PlaceOrder(
        order_id=integer_of("orderId", found["orderId"]),
        contract=_contract(FieldReader([found[entry.partition("=")[0]] for entry in REQUEST_CONTRACT]), "contract"),
        side=found["action"],
        quantity=quantity,
        order_type=found["orderType"],
        limit_price=number_of("lmtPrice", found["lmtPrice"]),
        aux_price=number_of("auxPrice", found["auxPrice"]),
        tif=found["tif"] or "DAY",
        oca_group=found["ocaGroup"],
        oca_type=integer_of("ocaType", found["ocaType"]),
        account=found["account"],
        open_close=found["openClose"],
        order_ref=found["orderRef"],
        transmit=bool(integer_of("transmit", found["transmit"])),
        parent_id=integer_of("parentId", found["parentId"]),
        outside_rth=bool(integer_of("outsideRth", found["outsideRth"])),
        what_if=bool(integer_of("whatIf", found["whatIf"])),
        conditions=integer_of("nConditions", found["nConditions"]),
    )


def _read(kind: type[R], reader: FieldReader) -> R:
    return kind(*(take(reader, name) for name, take in _takers(kind)))


@cache
def _takers(kind: type[Struct]) -> tuple[tuple[str, Callable[[FieldReader, str], object]], ...]:
    hints = get_type_hints(kind)
    return tuple((name, _BY_TYPE[hints[name]]) for name in kind.__struct_fields__)


def _contract(reader: FieldReader, name: str) -> ContractFields:
    del name
    return ContractFields(*(take(reader, field) for field, take in _takers(ContractFields)))  # type: ignore[arg-type]


def _legs(reader: FieldReader, name: str) -> Legs:
    count = reader.integer(name) if reader.seen["sec_type"] == "BAG" else 0
    for _ in range(count):
        for part in ("conId", "ratio", "action", "exchange"):
            reader.text(part)
    return Legs(count)


def _delta_neutral(reader: FieldReader, name: str) -> DeltaNeutral:
    present = reader.flag(name)
    if present:
        for part in ("conId", "delta", "price"):
            reader.text(part)
    return DeltaNeutral(present)


_BY_TYPE: dict[object, Callable[[FieldReader, str], object]] = {
    str: FieldReader.text,
    int: FieldReader.integer,
    bool: FieldReader.flag,
    float | None: FieldReader.number,
    ContractFields: _contract,
    Legs: _legs,
    DeltaNeutral: _delta_neutral,
}
