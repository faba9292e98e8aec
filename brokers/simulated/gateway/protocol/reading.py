"""From a frame's fields to a request (requests.py, data_requests.py), at the version agreed with the client."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, get_type_hints

from msgspec import Struct

from brokers.simulated.gateway.protocol import data_requests as data
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.layout import VERSION
from brokers.simulated.gateway.protocol.layouts import REQUEST_CONTRACT
from brokers.simulated.gateway.protocol.order_layouts import PLACE_ORDER
from brokers.simulated.gateway.protocol.request_shapes import ContractFields, DeltaNeutral, Legs, Request
from brokers.simulated.gateway.protocol.wire import FieldReader, Unreadable, integer_of, number_of

R = TypeVar("R", bound=Request)

REQUESTS: dict[int, type[Request]] = {
    1: ask.ReqMarketData,
    2: ask.CancelMarketData,
    3: ask.PlaceOrder,
    4: ask.CancelOrder,
    5: ask.ReqOpenOrders,
    6: ask.ReqAccountUpdates,
    7: ask.ReqExecutions,
    8: ask.ReqIds,
    9: ask.ReqContractDetails,
    14: ask.SetServerLogLevel,
    15: ask.ReqAutoOpenOrders,
    16: ask.ReqAllOpenOrders,
    17: ask.ReqManagedAccounts,
    20: ask.ReqHistoricalData,
    22: data.ReqScannerSubscription,
    23: data.CancelScannerSubscription,
    24: data.ReqScannerParameters,
    25: ask.CancelHistoricalData,
    49: ask.ReqCurrentTime,
    50: ask.ReqRealTimeBars,
    51: ask.CancelRealTimeBars,
    58: ask.ReqGlobalCancel,
    59: ask.ReqMarketDataType,
    61: ask.ReqPositions,
    62: ask.ReqAccountSummary,
    63: ask.CancelAccountSummary,
    64: ask.CancelPositions,
    71: ask.StartApi,
    74: ask.ReqPositionsMulti,
    75: ask.CancelPositionsMulti,
    76: ask.ReqAccountUpdatesMulti,
    77: ask.CancelAccountUpdatesMulti,
    78: data.ReqSecDefOptParams,
    79: data.ReqSoftDollarTiers,
    80: data.ReqFamilyCodes,
    81: data.ReqMatchingSymbols,
    82: data.ReqDepthExchanges,
    83: data.ReqSmartComponents,
    85: data.ReqNewsProviders,
    87: data.ReqHeadTimestamp,
    90: data.CancelHeadTimestamp,
    91: data.ReqMarketRule,
    92: data.ReqPnL,
    93: data.CancelPnL,
    94: data.ReqPnLSingle,
    95: data.CancelPnLSingle,
    96: data.ReqHistoricalTicks,
    97: data.ReqTickByTick,
    98: data.CancelTickByTick,
    99: ask.ReqCompletedOrders,
}
"""Message id to struct."""

SINCE: dict[type[Request], dict[str, int]] = {
    ask.CancelOrder: {"manual_cancel_time": 169},
    ask.ReqContractDetails: {"issuer_id": 176},
}
"""Fields, all of them texts, that clients write only from a version on; below it they read as empty."""


def decode(fields: list[str], version: int = VERSION) -> Request:
    """The request in `fields`, which begin with the id. Raises Unreadable; KeyError on an unknown id."""
    kind = REQUESTS[integer_of("message id", fields[0] if fields else "")]
    if kind is ask.PlaceOrder:
        return _place_order(fields, version)
    return _read(kind, FieldReader(fields[1:]), version)


def _place_order(fields: list[str], version: int) -> ask.PlaceOrder:
    found, _ = PLACE_ORDER.decode(fields, version)

    def whole(name: str) -> int:
        return integer_of(name, found[name])

    def number(name: str) -> float | None:
        return number_of(name, found[name])

    quantity = number("totalQuantity")
    if quantity is None or math.isinf(quantity):
        raise Unreadable(f"Unable to parse field 'totalQuantity': {found['totalQuantity']!r} is not a quantity")
    return ask.PlaceOrder(
        order_id=whole("orderId"),
        contract=_contract(FieldReader([found[entry.partition("=")[0]] for entry in REQUEST_CONTRACT]), "contract"),
        side=found["action"],
        quantity=quantity,
        order_type=found["orderType"],
        limit_price=number("lmtPrice"),
        aux_price=number("auxPrice"),
        tif=found["tif"] or "DAY",
        oca_group=found["ocaGroup"],
        oca_type=whole("ocaType"),
        account=found["account"],
        open_close=found["openClose"],
        order_ref=found["orderRef"],
        transmit=bool(whole("transmit")),
        parent_id=whole("parentId"),
        outside_rth=bool(whole("outsideRth")),
        what_if=bool(whole("whatIf")),
        conditions=whole("nConditions"),
        **_rare(found),
        raw=found,
    )


def _rare(found: dict[str, str]) -> dict[str, Any]:
    """The fields of an order that most orders leave alone."""

    def whole(name: str) -> int:
        return integer_of(name, found[name])

    def number(name: str) -> float | None:
        return number_of(name, found[name])

    return {
        "legs": whole("nLegs") if "nLegs" in found else 0,
        "trail_stop_price": number("trailStopPrice"),
        "trailing_percent": number("trailingPercent"),
        "limit_price_offset": number("lmtPriceOffset"),
        "good_after": found["goodAfterTime"],
        "good_till": found["goodTillDate"],
        "trigger_method": whole("triggerMethod"),
        "all_or_none": bool(whole("allOrNone")),
        "min_qty": whole("minQty"),
        "display_size": whole("displaySize"),
        "hidden": bool(whole("hidden")),
        "short_sale_slot": whole("shortSaleSlot"),
        "designated_location": found["designatedLocation"],
        "exempt_code": whole("exemptCode"),
        "discretionary_amount": number("discretionaryAmt"),
        "model_code": found["modelCode"],
        "cash_quantity": number("cashQty"),
        "algo_strategy": found["algoStrategy"],
    }


def _read(kind: type[R], reader: FieldReader, version: int) -> R:
    since = SINCE.get(kind, {})
    return kind(*("" if version < since.get(name, 0) else take(reader, name) for name, take in _takers(kind)))


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
