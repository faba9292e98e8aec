"""Our orders, executions and positions as backtrader's own objects, for those who read them: analyzers and observers.

Nothing here decides or fills anything. backtrader tells its listeners of an order once per change, as a copy, at the
bar after it was sent and at the bar on which it was executed; so does this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from research.backtest.lean_backtrader import bt
from shared.commands import Command, Flatten, PlaceBracket, ReplaceStop
from shared.events import (
    CommissionReported,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
)
from shared.orders import Fill, Order, OrderType, Side

_KINDS = {
    OrderType.MARKET: bt.Order.Market,
    OrderType.LIMIT: bt.Order.Limit,
    OrderType.STOP: bt.Order.Stop,
    OrderType.TRAIL: bt.Order.StopTrail,
}
_HUNDRED = 100.0


class Mirror:
    """backtrader's side of the account: orders by our reference, a position per feed, news not yet told."""

    def __init__(self, feeds: Mapping[str, Any], is_working: Callable[[str], bool]) -> None:
        self.positions = {feed: bt.Position() for feed in feeds.values()}
        self.news: deque[Any] = deque()
        self._feeds = feeds
        self._is_working = is_working
        self._comminfo = bt.CommInfoBase(percabs=True)
        self._sent: dict[str, tuple[Order, str]] = {}
        self._orders: dict[str, Any] = {}
        self._executed: dict[str, Fill] = {}

    def decided(self, command: Command) -> None:
        """Remember what an order that will be accepted looks like."""
        match command:
            case PlaceBracket(bracket=bracket):
                self._sent[bracket.entry.ref] = bracket.entry, ""
                for child in (bracket.stop_loss, bracket.take_profit):
                    if child is not None:
                        self._sent[child.ref] = child, bracket.entry.ref
            case Flatten(order=order) | ReplaceStop(order=order):
                self._sent.setdefault(order.ref, (order, ""))
            case _:
                pass

    def happened(self, event: Event) -> None:
        """Follow what the broker says."""
        match event:
            case OrderAccepted(ref=ref):
                self._accept(ref)
            case OrderFilled(fill=fill):
                self._executed[fill.exec_id] = fill
            case CommissionReported():
                self._execute(self._executed.pop(event.exec_id), event.commission)
            case OrderCancelled(ref=ref) if ref in self._orders:
                self._orders[ref].cancel()
                self._tell(self._orders[ref])
            case OrderRejected(ref=ref) if ref in self._orders:
                self._orders[ref].reject()
                self._tell(self._orders[ref])
            case _:
                pass

    def _accept(self, ref: str) -> None:
        if ref in self._orders or ref not in self._sent:
            return  # a change of it, which backtrader does not know
        order = self._orders[ref] = self._born(*self._sent[ref])
        order.submit()
        self._tell(order)
        order.accept()
        self._tell(order)

    def _born(self, ours: Order, parent: str) -> Any:  # noqa: ANN401 - backtrader is untyped
        kind = bt.BuyOrder if ours.side is Side.BUY else bt.SellOrder
        order = kind(
            data=self._feeds[ours.symbol],
            size=ours.quantity,
            price=ours.limit_price or ours.stop_price,
            exectype=_KINDS[ours.order_type],
            trailamount=ours.trail_amount,
            trailpercent=None if ours.trail_percent is None else ours.trail_percent / _HUNDRED,
            parent=self._orders.get(parent),
        )
        order.addinfo(ref=ours.ref)
        order.addcomminfo(self._comminfo)
        return order

    def _execute(self, fill: Fill, commission: float) -> None:
        order, feed = self._orders[fill.ref], self._feeds[fill.symbol]
        position, size = self.positions[feed], fill.side.sign * fill.quantity
        before = position.price
        held, price, opened, closed = position.update(size, fill.price)
        each = commission / fill.quantity
        order.execute(
            feed.datetime[0],
            size,
            fill.price,
            closed,
            self._comminfo.getvaluesize(-closed, before),
            abs(closed) * each,
            opened,
            self._comminfo.getvaluesize(opened, fill.price),
            abs(opened) * each,
            None,
            self._comminfo.profitandloss(-closed, before, fill.price),
            held,
            price,
        )
        # The other leg of a pair is made smaller by what this one fills: done is what the broker calls done.
        (order.partial if self._is_working(fill.ref) else order.completed)()
        self._tell(order)

    def _tell(self, order: Any) -> None:  # noqa: ANN401 - the library is untyped
        self.news.append(order.clone())
