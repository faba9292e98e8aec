"""What clients ask about contracts and markets, beside the plain subscriptions in requests.py (TWS.md 2.2)."""

from __future__ import annotations

from brokers.simulated.gateway.protocol.request_shapes import ContractFields, Request, Versioned


class ReqMatchingSymbols(Request, frozen=True):
    req_id: int
    pattern: str


class ReqMarketRule(Request, frozen=True):
    rule_id: int


class ReqSecDefOptParams(Request, frozen=True):
    req_id: int
    symbol: str
    fut_fop_exchange: str
    sec_type: str
    con_id: int


class ReqHeadTimestamp(Request, frozen=True):
    req_id: int
    contract: ContractFields
    include_expired: bool
    use_rth: bool
    what_to_show: str
    format_date: int


class ReqHistoricalTicks(Request, frozen=True):
    """Either `start_at` or `end_at` is given, as a text with or without a zone."""

    req_id: int
    contract: ContractFields
    include_expired: bool
    start_at: str
    end_at: str
    count: int
    what_to_show: str
    use_rth: bool
    ignore_size: bool


class ReqTickByTick(Request, frozen=True):
    """`tick_type` is Last, AllLast, BidAsk or MidPoint; `number_of_ticks` of the past come first."""

    req_id: int
    contract: ContractFields
    tick_type: str
    number_of_ticks: int
    ignore_size: bool


class ReqPnL(Request, frozen=True):
    req_id: int
    account: str
    model_code: str


class ReqPnLSingle(Request, frozen=True):
    req_id: int
    account: str
    model_code: str
    con_id: int


class ReqScannerSubscription(Request, frozen=True):
    """Filters that are None are not set."""

    req_id: int
    number_of_rows: int
    instrument: str
    location: str
    scan_code: str
    above_price: float | None
    below_price: float | None
    above_volume: int
    market_cap_above: float | None
    market_cap_below: float | None
    moody_rating_above: str
    moody_rating_below: str
    sp_rating_above: str
    sp_rating_below: str
    maturity_date_above: str
    maturity_date_below: str
    coupon_rate_above: float | None
    coupon_rate_below: float | None
    exclude_convertible: bool
    average_option_volume_above: int
    scanner_setting_pairs: str
    stock_type_filter: str


class ReqScannerParameters(Versioned, frozen=True): ...


class ReqFamilyCodes(Request, frozen=True): ...


class ReqDepthExchanges(Request, frozen=True): ...


class ReqNewsProviders(Request, frozen=True): ...


class ReqSoftDollarTiers(Request, frozen=True):
    req_id: int


class ReqSmartComponents(Request, frozen=True):
    req_id: int
    bbo_exchange: str


class Withdraw(Request, frozen=True):
    """The end of a subscription, in the younger messages: without a version."""

    req_id: int


class CancelHeadTimestamp(Withdraw, frozen=True): ...


class CancelPnL(Withdraw, frozen=True): ...


class CancelPnLSingle(Withdraw, frozen=True): ...


class CancelTickByTick(Withdraw, frozen=True): ...


class CancelScannerSubscription(Request, frozen=True):
    version: int
    req_id: int
