"""Raw values of the wire as our vocabulary. Pure: whatever depends on time or place is an argument."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import structlog
from ib_insync import CommissionReport, OrderState
from ib_insync import Order as IbOrder
from msgspec import Struct

from shared.errors import DataError
from shared.events import CommissionReported
from shared.orders import CompletedOrder, Fill, OpenOrder, Side

log = structlog.get_logger("brokers.ib")

UNSET_ABOVE = 1e300
"""An unset double is 1.7976931348623157E308 or infinity; no price, size or commission comes near."""
UNSET_COMMISSION = -1.0
"""A second sentinel, seen instead of the first; a rebate of just one dollar is taken for unknown too."""
_AHEAD_MAX = timedelta(hours=1)
_NO_SIDE = "executions: side {!r} is unknown, known are BOT and SLD"
_SIDES = {"BOT": Side.BUY, "SLD": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL, "SSHORT": Side.SELL}
_NOTICE = re.compile(r"SIMULATED gateway: clock=(\S+) speed=(\S+)")


class RawExecution(Struct, frozen=True, kw_only=True):
    """An execution as on the wire; `time` is the raw text, `con_id` to `currency` name the contract."""

    order_id: int
    con_id: int
    symbol: str
    sec_type: str
    currency: str
    exec_id: str
    time: str
    account: str
    side: str
    shares: float
    price: float
    perm_id: int
    client_id: int
    order_ref: str
    is_liquidation: bool = False


def number(value: float) -> float | None:
    """A float that the broker has set, else None."""
    return float(value) if math.isfinite(value) and abs(value) < UNSET_ABOVE else None


def amount(text: str) -> float | None:
    """An account value's text as a number, else None (empty, words, NaN, unset)."""
    try:
        return number(float(text))
    except ValueError:
        return None


def side_of(text: str) -> Side:
    """BOT or BUY, SLD or SELL; anything else is a DataError."""
    try:
        return _SIDES[text]
    except KeyError:
        raise DataError(_NO_SIDE.format(text)) from None


def execution_time(text: str, *, assumed: tzinfo) -> datetime | None:
    """The instant of an execution, in UTC; None if its format or its zone is unknown.

    Seen in the wild (TWS.md 3.26): `20230224  12:04:56` (no zone: `assumed`, the exchange's), `20230224
    12:04:56 US/Eastern` (or MET, Universal, ...), `20231214-20:57:37` (UTC) and epoch seconds.
    """
    if text.isdigit() and len(text) > len("20230224"):
        return datetime.fromtimestamp(int(text), UTC)
    zone: tzinfo | None = assumed
    day, _, rest = text.partition(" ")
    clock, _, zone_name = rest.strip().partition(" ")
    if not rest:
        day, _, clock = text.partition("-")
        zone = UTC
    elif zone_name:
        zone = _zone(zone_name.strip())
    if zone is None:
        return None
    try:
        # The zone is put on one line later.
        naive = datetime.strptime(f"{day} {clock}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007 - the zone follows
    except ValueError:
        return None
    return naive.replace(tzinfo=zone).astimezone(UTC)


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, not a legal key, or a folder such as `US`
        return None


def fill_of(raw: RawExecution, symbol: str, *, now: datetime, assumed: tzinfo) -> Fill:
    """The execution as a Fill; a time that is unreadable or ahead becomes `now`: the fill counts."""
    at = execution_time(raw.time, assumed=assumed)
    if at is None or at > now + _AHEAD_MAX:
        log.warning("broker.execution_time", exec_id=raw.exec_id, told=raw.time, taken=now.isoformat())
        at = now
    return Fill(
        ref=raw.order_ref,
        exec_id=raw.exec_id,
        symbol=symbol,
        side=side_of(raw.side),
        quantity=round(raw.shares),
        price=float(raw.price),
        filled_at=at,
        perm_id=raw.perm_id,
        is_liquidation=raw.is_liquidation,
    )


def commission_of(report: CommissionReport, *, now: datetime) -> CommissionReported | None:
    """What an execution cost, or None while the broker has only a sentinel to say."""
    value = number(report.commission)
    if value is None or value == UNSET_COMMISSION:
        return None
    return CommissionReported(received_at=now, exec_id=report.execId, commission=value, currency=report.currency)


def open_order_of(order: IbOrder, status: str, symbol: str) -> OpenOrder:
    """One line of the open-order list; prices only where the order type has them."""
    is_trail = order.orderType.startswith("TRAIL")
    percent = number(order.trailingPercent) if is_trail else None
    return OpenOrder(
        ref=order.orderRef,
        perm_id=int(order.permId),
        symbol=symbol,
        side=side_of(order.action),
        quantity=round(order.totalQuantity),
        order_type=order.orderType,
        limit_price=number(order.lmtPrice) if "LMT" in order.orderType else None,
        stop_price=_stop_price(order),
        status=status,
        client_id=int(order.clientId),
        order_id=int(order.orderId),
        trail_amount=number(order.auxPrice) if is_trail and percent is None else None,
        trail_percent=percent,
        good_till=execution_time(order.goodTillDate, assumed=UTC) if order.goodTillDate else None,
        oca_group=order.ocaGroup,
    )


def _stop_price(order: IbOrder) -> float | None:
    """Where the stop stands; that of a TRAIL moves with the market."""
    if order.orderType.startswith("TRAIL"):
        return number(order.trailStopPrice)
    return number(order.auxPrice) if order.orderType.startswith("STP") else None


def completed_order_of(order: IbOrder, state: OrderState, symbol: str) -> CompletedOrder:
    """One line of the completed-order list."""
    return CompletedOrder(
        ref=order.orderRef,
        perm_id=int(order.permId),
        symbol=symbol,
        status=state.status,
        filled=round(number(order.filledQuantity) or 0.0),
    )


def simulated_clock(text: str) -> tuple[datetime, float] | None:
    """Market time and speed out of the simulated gateway's notice, or None if `text` is no such notice."""
    match = _NOTICE.search(text)
    if match is None:
        return None
    try:
        at, speed = datetime.fromisoformat(match[1]), float(match[2])
    except ValueError:
        return None
    return (at.astimezone(UTC), speed) if at.tzinfo is not None and math.isfinite(speed) else None
