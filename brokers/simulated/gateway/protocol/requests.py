"""What clients ask about orders, the account and the connection: one struct per request, its fields in wire order.

A struct is read field by field by the type of each field, so the struct is the layout (TWS.md 2.2); reading.py does it
and knows which fields older versions lack. placeOrder alone is long and conditional; it is read through its table in
order_layouts.py. Requests about markets are in data_requests.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from brokers.simulated.gateway.protocol.request_shapes import (
    Cancel,
    ContractFields,
    DeltaNeutral,
    Legs,
    Request,
    Versioned,
)


class StartApi(Request, frozen=True):
    version: int
    client_id: int
    capabilities: str


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
    """A new order or a change of one; prices are None where they are unset, instants are the client's texts.

    With `conditions` or `legs` it is refused by the desk. `raw` has every field by its name in the protocol, so that
    openOrder can say what the client said.
    """

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
    legs: int = 0
    trail_stop_price: float | None = None
    trailing_percent: float | None = None
    limit_price_offset: float | None = None
    good_after: str = ""
    good_till: str = ""
    trigger_method: int = 0
    all_or_none: bool = False
    min_qty: int = 0
    display_size: int = 0
    hidden: bool = False
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1
    discretionary_amount: float | None = None
    model_code: str = ""
    cash_quantity: float | None = None
    algo_strategy: str = ""
    raw: Mapping[str, str] = field(default_factory=dict)
