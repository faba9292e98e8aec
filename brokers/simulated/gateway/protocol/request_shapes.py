"""What requests are made of: contracts, and the shapes that many requests share."""

from __future__ import annotations

from msgspec import Struct


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


class Versioned(Request, frozen=True):
    """A request that carries nothing but its version number."""

    version: int


class Cancel(Request, frozen=True):
    """The end of a subscription."""

    version: int
    req_id: int
