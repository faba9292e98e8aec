"""PURE: what a broker's report calls for when everything is to be pulled or closed. No journal is asked.

The exit of a position bears the reference of the plan whose stop protects it, so that the daemon, when it lives again,
books the fill where it belongs. What no plan explains gets the prefix RESCUE, and the daemon reports it as foreign.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from shared.events import BrokerReported
from shared.ids import OrderRef, leg_ref, parse_ref
from shared.orders import Leg, OpenOrder, Order, OrderType, Side

FOREIGN_PREFIX = "RESCUE"
_STOP_TYPES = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})
_PROTECTIVE = frozenset({Leg.STOP_LOSS, Leg.PROTECTION})


class Protected(Struct, frozen=True, kw_only=True):
    """A position with the stops on its other side."""

    symbol: str
    quantity: float
    average_cost: float
    stops: tuple[OpenOrder, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the stops cover every share; what they had filled already is not known here."""
        return sum(stop.quantity for stop in self.stops) >= abs(self.quantity)


def protected_positions(report: BrokerReported) -> list[Protected]:
    """Every position, in the broker's order."""
    working = _awake(report)
    return [
        Protected(
            symbol=held.symbol,
            quantity=held.quantity,
            average_cost=held.average_cost,
            stops=tuple(order for order in working if _protects(order, held.symbol, held.quantity)),
        )
        for held in report.positions
        if held.quantity
    ]


def stops_without_position(report: BrokerReported, symbols: Sequence[str]) -> list[str]:
    """Those of the instruments in which a stop works though no position is told: it may be on its way."""
    held = {held.symbol for held in report.positions if held.quantity}
    stopped = {order.symbol for order in _awake(report) if order.order_type in _STOP_TYPES}
    return [symbol for symbol in symbols if symbol in stopped - held]


def entries_of(report: BrokerReported) -> list[OpenOrder]:
    """Our orders that open positions; foreign ones are never guessed at."""
    return [order for order in report.open_orders if _is_leg(order, Leg.ENTRY)]


def orders_in(report: BrokerReported, symbols: Sequence[str]) -> list[OpenOrder]:
    """Every open order of those instruments, whoever placed it; children after their entry."""
    found = [order for order in report.open_orders if order.symbol in symbols]
    return sorted(found, key=lambda order: not _is_leg(order, Leg.ENTRY))


def exits_of(report: BrokerReported, symbol: str, now: datetime) -> list[Order]:
    """Market orders that close the position in `symbol`, whole shares; none if it is flat."""
    quantity = next((held.quantity for held in report.positions if held.symbol == symbol), 0.0)
    shares = int(abs(quantity))
    if not shares:
        return []
    side = Side.SELL if quantity > 0 else Side.BUY
    return [
        Order(ref=ref, symbol=symbol, side=side, quantity=count, order_type=OrderType.MARKET)
        for ref, count in _shared_out(report, symbol, shares, side, now)
    ]


def _shared_out(report: BrokerReported, symbol: str, shares: int, side: Side, now: datetime) -> list[tuple[str, int]]:
    """References and quantities: by plan where the stops add up to the position, else the only plan, else none."""
    number = int(f"{now:%H%M%S}")  # beyond any that the daemon has given
    covered: dict[str, int] = {}
    for order in _awake(report):
        ref = parse_ref(order.ref)
        if ref is not None and (order.symbol, order.side) == (symbol, side) and ref.leg in _PROTECTIVE:
            covered[ref.plan_id] = covered.get(ref.plan_id, 0) + order.quantity
    if sum(covered.values()) == shares:
        return [(leg_ref(plan, Leg.EXIT, number), count) for plan, count in covered.items()]
    plans = dict.fromkeys(covered) or _plans_filled(report, symbol)
    if len(plans) == 1:
        return [(leg_ref(next(iter(plans)), Leg.EXIT, number), shares)]
    return [(f"{FOREIGN_PREFIX}:{symbol}:{now:%Y%m%d%H%M%S}", shares)]


def _plans_filled(report: BrokerReported, symbol: str) -> dict[str, None]:
    """Plans of the symbol that today's executions name."""
    refs = [parse_ref(fill.ref) for fill in report.fills if fill.symbol == symbol]
    return dict.fromkeys(ref.plan_id for ref in refs if isinstance(ref, OrderRef))


def _awake(report: BrokerReported) -> list[OpenOrder]:
    """Open orders but for the children of entries of which nothing has filled: those protect nothing yet."""
    opening = {ref.plan_id for order in entries_of(report) if (ref := parse_ref(order.ref)) is not None}
    filled = {ref.plan_id for fill in report.fills if (ref := parse_ref(fill.ref)) is not None}
    return [order for order in report.open_orders if _plan_of(order) not in opening - filled]


def _plan_of(order: OpenOrder) -> str:
    ref = parse_ref(order.ref)
    return "" if ref is None else ref.plan_id


def _protects(order: OpenOrder, symbol: str, quantity: float) -> bool:
    closing = Side.SELL if quantity > 0 else Side.BUY
    return order.symbol == symbol and order.side is closing and order.order_type in _STOP_TYPES


def _is_leg(order: OpenOrder, leg: Leg) -> bool:
    ref = parse_ref(order.ref)
    return ref is not None and ref.leg is leg
