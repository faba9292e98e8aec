"""The order desk: the door to everything that has to do with orders.

Every client has its own order ids, the login has one series of permIds. Orders outlive the connection that
placed them: the desk knows client ids, not sockets, and `tell` drops what nobody is there to hear. What clients
and the market do takes `at`, the market time in epoch seconds; what the broker does of itself reads the venue's.

    a request  -> placing, modify, cancelling, preview -> the matcher
    the market -> the matcher -> outcomes -> the order, its account's ledger, reporting -> messages
    the broker -> acts (broker_acts.py), switches (conduct.py), habits (settings.py)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

from brokers.simulated.gateway.accounts.accounts import Accounts
from brokers.simulated.gateway.accounts.locates import Locates
from brokers.simulated.gateway.accounts.records import Execution
from brokers.simulated.gateway.data.listing import Listings
from brokers.simulated.gateway.orders import binding, cancelling, outcomes, persistence, placing, preview
from brokers.simulated.gateway.orders.book import OrderBook
from brokers.simulated.gateway.orders.broker_acts import BrokerActs
from brokers.simulated.gateway.orders.conduct import Conduct
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import NOT_CONNECTED
from brokers.simulated.gateway.orders.reporting import Reporter, Tell
from brokers.simulated.gateway.orders.settings import OrderSettings
from brokers.simulated.gateway.orders.venue import Venue
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.matching import Matcher, Outcome

LASTING = frozenset({"GTC", "GTD"})
QUARTER_ENDS = "GTC order expired at the end of the quarter"


class Desk:
    """All orders of the login."""

    def __init__(self, accounts: Accounts, listings: Listings, matcher: Matcher, tell: Tell, venue: Venue) -> None:
        self.accounts = accounts
        self.listings = listings
        self.matcher = matcher
        self.tell = tell
        self.venue = venue
        self.settings = OrderSettings()
        self.conduct = Conduct()
        self.locates = Locates()
        self.book = OrderBook()
        self.reporter = Reporter(tell, venue.schedule, self.conduct)
        self.acts = BrokerActs(self)
        self.auto_bind = False
        """Whether client 0 has asked that manual orders become its own at once."""
        self._waiting: list[Callable[[float], None]] | None = None
        """What clients asked while TWS was cut off from IB's servers; None while it is connected."""
        self._timed_to = -math.inf

    @property
    def orders(self) -> dict[int, GatewayOrder]:
        """Every order by permId, refused ones included, in the order in which they came."""
        return self.book.orders

    # ------------------------------------------------------------------ asking

    def next_valid_id(self, client_id: int) -> int:
        return self.book.next_valid_id(client_id)

    def open_orders(self, client_id: int | None = None) -> list[GatewayOrder]:
        """Working orders, of one client or of all; what is not transmitted is invisible (TWS.md 3.3)."""
        return [
            order
            for order in self.book
            if order.transmitted and not order.done and client_id in {None, order.client_id}
        ]

    def completed_orders(self, *, at: float, api_only: bool = False) -> list[GatewayOrder]:
        """Today's only, and with `api_only` none that were entered by hand (TWS.md 3.16)."""
        since = self.venue.midnight(at)
        return [
            order
            for order in self.book
            if order.completed_at is not None and order.completed_at >= since and not (api_only and order.is_manual)
        ]

    # ------------------------------------------------------------------ what clients do

    def place(self, client_id: int, wanted: PlaceOrder, *, at: float, market_open: bool) -> None:
        """A new order, or a change of a live one of the same client and id."""
        if self._waiting is None:
            placing.place(self, client_id, wanted, at=at, market_open=market_open)
        elif self.settings.resubmit:
            self._waiting.append(partial(self._place_late, client_id, wanted))
        else:
            self.reporter.refuse(client_id, wanted.order_id, NOT_CONNECTED)

    def preview(self, client_id: int, wanted: PlaceOrder, *, at: float) -> None:
        preview.preview(self, client_id, wanted, at)

    def cancel(self, client_id: int, order_id: int, *, at: float) -> None:
        if self._waiting is None:
            cancelling.cancel(self, client_id, order_id, at=at)
        else:
            self._waiting.append(lambda later: cancelling.cancel(self, client_id, order_id, at=later))

    def cancel_all(self, *, at: float) -> None:
        """Global cancel: every client's orders, also those not transmitted."""
        if self._waiting is None:
            cancelling.cancel_all(self, at=at)
        else:
            self._waiting.append(lambda later: cancelling.cancel_all(self, at=later))

    def bind_manual_orders(self) -> None:
        """Client 0 takes over what was entered by hand (TWS.md 3.15)."""
        binding.bind_all(self)

    # ------------------------------------------------------------------ what the market does

    def on_quote(
        self,
        index: int,
        bid: float,
        ask: float,
        *,
        at: float,
        regular: bool,
        sizes: tuple[float, float] = (math.inf, math.inf),
    ) -> None:
        """`sizes` is what is shown at the bid and at the ask."""
        bid_size, ask_size = sizes
        quoted = self.matcher.on_quote(index, bid, ask, bid_size=bid_size, ask_size=ask_size, regular=regular)
        self.apply(quoted, at)

    def on_trade(self, index: int, price: float, size: float, *, at: float, regular: bool) -> None:
        self.apply(self.matcher.on_trade(index, price, size, regular=regular), at)

    def on_auction(self, index: int, price: float, size: float, *, at: float, kind: Literal["open", "close"]) -> None:
        self.apply(self.matcher.on_auction(index, price, size, kind=kind), at)

    def on_time(self, *, at: float) -> None:
        """Orders whose date has come end, those that waited for an hour begin to work; a past `at` says nothing."""
        self._timed_to = max(at, self._timed_to)
        self.apply(self.matcher.on_time(self._timed_to), self._timed_to)

    def halt(self, index: int) -> None:
        self.matcher.halt(index)

    def resume(self, index: int) -> None:
        self.matcher.resume(index)

    def working_indexes(self) -> set[int]:
        """The instruments in which an order works; the others' trades touch nobody."""
        return {order.instrument for order in self.matcher.working()}

    def open_session(self, opens_at: float, closes_at: float) -> None:
        """A trading day begins; these are its regular hours. What ended before the last one is forgotten."""
        if math.isfinite(self.venue.opens_at):
            self.book.forget_ended(before=self.venue.midnight(self.venue.opens_at))
        self.venue.open_session(opens_at, closes_at)

    def close_session(self, *, at: float) -> None:
        """The session ends: DAY orders go."""
        self.apply(self.matcher.on_close(), at)
        if self.settings.gtc_ends_with_next_quarter:
            for order in self.book:
                if order.request.tif in LASTING and at >= self.venue.quarter_end_after(order.placed_at):
                    cancelling.cancel_now(self, order, at, QUARTER_ENDS)

    def apply(self, happened: Iterable[Outcome], at: float) -> None:
        """Tell the owners what happened and write it into the ledgers."""
        outcomes.apply(self, happened, at)

    def expect(self, order: GatewayOrder) -> None:
        """Be called when the order's dates come."""
        for instant in (order.good_after, order.good_till):
            if instant is not None:
                self.venue.schedule.at(instant, partial(self.on_time, at=instant))

    # ------------------------------------------------------------------ what the broker does

    def reject(self, perm_id: int, code: int, text: str) -> None:
        """A live order is rejected late: Inactive with this error."""
        self.acts.reject(perm_id, code, text)

    def cancel_by_broker(self, perm_id: int, reason: str) -> None:
        """Cancelled and 202 with the broker's reason."""
        self.acts.cancel(perm_id, reason)

    def fill(self, perm_id: int, quantity: float, price: float, *, tells_group: bool = False) -> None:
        """An execution that the market would not have given; its OCA group shrinks with it only if it is told."""
        self.acts.fill(perm_id, quantity, price, tells_group=tells_group)

    def bust_or_correct(self, exec_id: str, *, price: float | None = None, quantity: float | None = None) -> Execution:
        """Repeat an execution with a higher last part of its id (TWS.md 3.23)."""
        return self.acts.correct(exec_id, price=price, quantity=quantity)

    def liquidate(self, con_id: int, account: str = "") -> Execution | None:
        """Close a position with liquidation=1; None where there is none."""
        return self.acts.liquidate(con_id, account)

    def manual_order(
        self, symbol: str, side: str, quantity: float, *, limit_price: float | None = None, account: str = ""
    ) -> GatewayOrder:
        """Somebody at the TWS enters an order by hand (TWS.md 3.15)."""
        stock = self.listings.by_symbol[symbol]
        request = binding.manual_request(stock, side, quantity, limit_price=limit_price, account=account)
        return binding.enter_by_hand(self, request, self.venue.now())

    def duplicate_live(self, perm_id: int) -> GatewayOrder:
        """A second permId for one order id, both live (TWS.md 3.7)."""
        return self.acts.duplicate(perm_id)

    def hold(self, perm_id: int) -> None:
        """PendingSubmit for ever (fault 39)."""
        self.acts.hold(perm_id)

    def forget(self, perm_ids: Iterable[int]) -> None:
        """A restarted TWS does not know these orders any more (fault 11)."""
        self.acts.forget(perm_ids)

    def roll_back_ids(self, count: int) -> None:
        """Ids that were used are given out again (TWS.md 3.14)."""
        self.book.roll_back_ids(count)

    def apply_split(self, con_id: int, ratio: float, *, at: float) -> None:
        """Orders in the stock are cancelled with 202 (TWS.md 3.20)."""
        self.acts.apply_split(con_id, ratio, at)

    def rename_account(self, old: str, new: str) -> None:
        """The login has another account than before; its orders go with it (fault 12)."""
        for order in self.book:
            if order.account == old:
                order.account = new

    def lose_link(self) -> None:
        """TWS is cut off from IB: orders in the market work on, what clients ask now waits (TWS.md 3.18)."""
        self._waiting = self._waiting or []

    def restore_link(self) -> None:
        """The connection is back: what has waited goes now, in its order."""
        waited, self._waiting = self._waiting or [], None
        for ask in waited:
            ask(self.venue.now())

    def state(self) -> dict[str, Any]:
        """Plain values for `restore`."""
        return persistence.state(self)

    def restore(self, saved: dict[str, Any]) -> None:
        persistence.restore(self, saved)

    # ------------------------------------------------------------------ leaves

    def _place_late(self, client_id: int, wanted: PlaceOrder, at: float) -> None:
        placing.place(self, client_id, wanted, at=at, market_open=self.venue.is_open(at))
