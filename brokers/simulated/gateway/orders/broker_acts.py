"""What the broker does of itself: rejects, cancels, corrects, liquidates, forgets (faults 11, 24, 27 to 40, 51).

Called by tests, by the fault switchboard and by corporate actions, never by a client's request. Orders are named
by permId; times are the market's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brokers.simulated.gateway.accounts.ledger import Ledger, stem_of
from brokers.simulated.gateway.accounts.records import Execution
from brokers.simulated.gateway.orders import outcomes, placing
from brokers.simulated.gateway.orders.binding import MANUAL_CLIENT_ID, manual_request
from brokers.simulated.gateway.orders.cancelling import cancel_now
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import Refusal
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.sim_order import Cancelled

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk


class BrokerActs:
    """The broker's own hand on the desk. A permId that is not known is a fault of the caller: KeyError."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reject(self, perm_id: int, code: int, text: str) -> None:
        """A live order is rejected late: Inactive with this error; its children go as with a cancel."""
        order = self._live(perm_id)
        self._take_out(order)
        outcomes.reject(self._desk, order, Refusal(code, text), self._now)

    def cancel(self, perm_id: int, reason: str) -> None:
        """Status Cancelled and 202 with the broker's reason (TWS.md 3.9)."""
        cancel_now(self._desk, self._live(perm_id), self._now, reason)

    def fill(self, perm_id: int, quantity: float, price: float, *, tells_group: bool = False) -> None:
        """An execution that the market would not have given; unless the group is told, what OCA would reduce stays."""
        filled = self._desk.matcher.force_fill(perm_id, quantity, price, tells_group=tells_group)
        outcomes.apply(self._desk, filled, self._now)

    def hold(self, perm_id: int) -> None:
        """PendingSubmit for ever: the order has left the market and nothing more is said (fault 39)."""
        order = self._live(perm_id)
        self._take_out(order)
        order.status, order.why_held, order.withheld = "PendingSubmit", "", True
        self._desk.reporter.status(order)

    def correct(self, exec_id: str, *, price: float | None = None, quantity: float | None = None) -> Execution:
        """A correction repeats the execution with a higher last part of its id; 0 shares is a bust (TWS.md 3.23)."""
        ledger = self._ledger_of(exec_id)
        corrected = ledger.correct(exec_id, quantity=quantity, price=price, at=self._now)
        if (order := self._desk.book.orders.get(corrected.perm_id)) is not None:
            self._desk.reporter.executed(order, corrected)
        return corrected

    def duplicate(self, perm_id: int) -> GatewayOrder:
        """A second permId for one order id, both live (TWS.md 3.7)."""
        order = self._live(perm_id)
        return self.fork(order, replace(order.request, quantity=order.remaining), self._now)

    def fork(self, order: GatewayOrder, wanted: PlaceOrder, at: float) -> GatewayOrder:
        """The change arrives as a new order while the old one works on."""
        alone = replace(wanted, parent_id=0, transmit=True)
        twin = placing.new_order(self._desk, order.client_id, alone, order.stock, at)
        twin.account = order.account
        self._desk.book.add(twin)
        placing.submit(self._desk, twin, at, market_open=self._desk.venue.is_open(at))
        return twin

    def liquidate(self, con_id: int, account: str = "") -> Execution | None:
        """IB closes the position in one execution with liquidation=1; the account's orders in it go first."""
        desk = self._desk
        ledger = desk.accounts[account] if account else desk.accounts.default
        position, stock = ledger.positions.get(con_id), desk.listings.by_con_id[con_id]
        if position is None or not position.quantity:
            return None
        for order in desk.book:
            if not order.done and (order.stock, order.account) == (stock, ledger.account):
                cancel_now(desk, order, self._now, "Margin liquidation")
        side = "SELL" if position.quantity > 0 else "BUY"
        request = manual_request(stock, side, abs(position.quantity), account=ledger.account)
        order = placing.new_order(desk, MANUAL_CLIENT_ID, request, stock, self._now)
        order.transmitted = order.is_liquidation = True
        desk.book.add(order)
        outcomes.record(desk, order, self._now, "liquidation")
        return outcomes.fill(
            desk, order, order.quantity, _or(desk.venue.market_price(order), position.price), self._now
        )

    def forget(self, perm_ids: Iterable[int]) -> None:
        """A restarted TWS does not know these orders any more; nobody is told (fault 11)."""
        for perm_id in sorted(perm_ids, reverse=True):  # children before their parents
            order = self._desk.book.orders[perm_id]
            if not order.done:
                self._take_out(order)
                outcomes.end(self._desk, order, "forgotten", self._now)
            self._desk.book.remove(order)

    def apply_split(self, con_id: int, ratio: float, at: float) -> None:
        """Orders in the stock are cancelled with 202, not adjusted (TWS.md 3.20)."""
        stock = self._desk.listings.by_con_id[con_id]
        for order in self._desk.book:
            if order.stock == stock:
                cancel_now(self._desk, order, at, f"Corporate action: split {ratio:g}:1")

    @property
    def _now(self) -> float:
        return self._desk.venue.now()

    def _live(self, perm_id: int) -> GatewayOrder:
        order = self._desk.book.orders[perm_id]
        assert not order.done, f"order {perm_id} is {order.status}"
        return order

    def _take_out(self, order: GatewayOrder) -> None:
        """Out of the market without a word about itself; what follows for its children is told."""
        happened = self._desk.matcher.cancel(order.perm_id)
        others = [one for one in happened if not (isinstance(one, Cancelled) and one.key == order.perm_id)]
        outcomes.apply(self._desk, others, self._now)

    def _ledger_of(self, exec_id: str) -> Ledger:
        stem = stem_of(exec_id)
        for ledger in self._desk.accounts:
            if any(stem_of(done.exec_id) == stem for done in ledger.reports):
                return ledger
        raise KeyError(exec_id)


def _or(price: float, otherwise: float) -> float:
    return price if price > 0 else otherwise
