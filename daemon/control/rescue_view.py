"""PURE: what the broker told, as lines for a person and as facts for `--json`."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import to_builtins

from daemon.control.rescue_plan import protected_positions
from shared.events import BrokerReported
from shared.orders import OpenOrder

_FILLS_SHOWN = 20


def facts_of(report: BrokerReported) -> dict[str, object]:
    """Positions with their stops, open orders, executions; `unanswered` names what could not be asked."""
    positions = protected_positions(report)
    return {
        "positions": [
            {**to_builtins(held), "stops": [stop.ref for stop in held.stops], "protected": held.is_whole}
            for held in positions
        ],
        "orders": to_builtins(report.open_orders),
        "executions": to_builtins(report.fills),
        "unanswered": list(report.unanswered),
    }


def screen(report: BrokerReported) -> Iterator[str]:
    """The lines of `openbell rescue list`."""
    yield "positions:"
    for held in protected_positions(report):
        stops = ", ".join(f"{stop.quantity} at {_price(stop.stop_price)}" for stop in held.stops) or "NOTHING"
        mark = "" if held.is_whole else "  NOT WHOLLY PROTECTED"
        yield f"  {held.symbol:<8} {held.quantity:>+10g} at {held.average_cost:,.4f}  stop: {stops}{mark}"
    if not report.positions:
        yield "  none"
    yield "open orders:"
    yield from [f"  {order_line(order)}" for order in report.open_orders] or ["  none"]
    yield "executions:"
    yield from _executions(report)


def order_line(order: OpenOrder) -> str:
    prices = {"limit": order.limit_price, "stop": order.stop_price}
    at = ", ".join(f"{name} {price:,.2f}" for name, price in prices.items() if price is not None) or "market"
    return (
        f"{order.side.value:<4} {order.quantity:>7} {order.symbol:<8} {order.order_type} {at}  {order.status}  "
        f"client {order.client_id}  permId {order.perm_id}  {order.ref or 'made by hand, no reference'}"
    )


def _executions(report: BrokerReported) -> Iterator[str]:
    if "executions" in report.unanswered:
        yield "  could not be asked"
        return
    for fill in report.fills[-_FILLS_SHOWN:]:
        yield (
            f"  {fill.filled_at:%Y-%m-%d %H:%M:%S} {fill.side.value:<4} {fill.quantity:>7} {fill.symbol:<8} "
            f"at {fill.price:,.4f}  {fill.ref or 'no reference'}"
        )
    if not report.fills:
        yield "  none today"


def _price(price: float | None) -> str:
    return "?" if price is None else f"{price:,.2f}"
