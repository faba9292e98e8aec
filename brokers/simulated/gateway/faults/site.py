"""Where faults work: the session and its controls, what leaves beside the session's own messages, who is meant."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.gateway.faults.fault import Aim, NothingThere, Undo
from brokers.simulated.gateway.protocol.answers import error
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.request_shapes import Request
from brokers.simulated.gateway.runtime.dispatch import HANDLERS

if TYPE_CHECKING:
    from msgspec import Struct

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.orders.order import GatewayOrder
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.connections import Connections
    from brokers.simulated.gateway.runtime.controls import Controls
    from brokers.simulated.gateway.runtime.session import Session

Filter: TypeAlias = "Callable[[Client, Message], Iterable[Message] | None]"
"""What leaves instead of a message; None: the filter does not mean it."""
Watch: TypeAlias = "Callable[[Client, Request], bool]"
"""True: the request is dealt with."""


_Hook = TypeVar("_Hook")


class Site:
    """What a fault may use. A message sent from here leaves as it is, no fault sees it again."""

    def __init__(self, session: Session, controls: Controls, connections: Connections) -> None:
        self.session = session
        self.controls = controls
        self.connections = connections
        self.filters: list[Filter] = []
        self.watches: list[Watch] = []
        self._firsts: dict[tuple[str, object], Message] = {}

    @property
    def market(self) -> DisturbedMarket:
        """Today's."""
        market = self.session.market
        assert isinstance(market, DisturbedMarket)
        return market

    # ------------------------------------------------------------------ sending

    def send(self, client: Client, message: Message) -> None:
        client.send_frame(message.encode(client.version))

    def say(self, client: Client, req_id: int, code: int, text: str) -> None:
        self.send(client, error(req_id, code, text))

    def later(self, delay_s: float, client: Client, message: Message) -> None:
        """Send in `delay_s` market seconds, if the connection is still there."""
        self.session.agenda.after(delay_s, partial(self._deliver, client, message))

    def clients(self, aim: Aim) -> Iterator[Client]:
        return (client for client in self.session.each_client() if aim.client in {None, client.client_id})

    def _deliver(self, client: Client, message: Message) -> None:
        if self.session.clients.get(client.client_id) is client:
            self.send(client, message)

    # ------------------------------------------------------------------ meeting messages and requests

    def filter(self, one: Filter) -> Undo:
        """Let it see every message that leaves; returns what takes it out again."""
        self.filters.append(one)
        return partial(_take_out, self.filters, one)

    def watch(self, one: Watch) -> Undo:
        """Let it see every request that comes; returns what takes it out again."""
        self.watches.append(one)
        return partial(_take_out, self.watches, one)

    def handle(self, client: Client, request: Request) -> None:
        """Answer a request as if no fault had met it."""
        self.session.changes += 1
        HANDLERS[type(request)](self.session, client, request)

    def is_first(self, kind: str, key: object, message: Message) -> bool:
        """Whether this is the first message of its kind about `key`; asked again about it, the answer is the same."""
        return self._firsts.setdefault((kind, key), message) is message

    # ------------------------------------------------------------------ who is meant

    def orders(self, aim: Aim) -> list[GatewayOrder]:
        """Live orders that a client has transmitted, oldest first."""
        return [
            order
            for order in self.session.desk.orders.values()
            if order.transmitted
            and not order.done
            and aim.client in {None, order.client_id}
            and aim.symbol in {"", order.stock.symbol}
        ]

    def in_market(self, aim: Aim) -> list[GatewayOrder]:
        """Those of them that could fill: neither held back nor waiting for a parent."""
        return [order for order in self.orders(aim) if not order.withheld and "child" not in order.why_held]

    def order(self, aim: Aim) -> GatewayOrder:
        """The newest of those. Raises NothingThere."""
        orders = self.in_market(aim)
        if not orders:
            raise NothingThere
        return orders[-1]

    def fillable(self, order: GatewayOrder) -> float:
        """Shares of it that could fill: its rest, of a leg at most what its parent has brought and nobody closed."""
        matcher = self.session.desk.matcher
        return matcher.live_quantity(matcher.order(order.perm_id))

    def stock(self, aim: Aim) -> Listed:
        """The stock that is meant; without a symbol the market's first."""
        listings = self.session.listings
        return listings.by_symbol[aim.symbol] if aim.symbol else listings.all[0]

    def price(self, order: GatewayOrder) -> float:
        """Where the order would trade: its limit, else the last print, else the quote. Raises NothingThere."""
        tape, index = self.session.tape, order.stock.index
        quote = tape.ask if order.request.side == "BUY" else tape.bid
        for price in (order.limit_price, float(tape.last[index]), float(quote[index])):
            if price and price > 0:
                return price
        raise NothingThere

    def symbol_of(self, client: Client, said: Message | Request) -> str:
        """The symbol a message or a request is about; empty where it is about none, or none that is known."""
        if not isinstance(said, Message):
            return _symbol_asked(self.session, client, said)
        values = said.values
        if symbol := values.get("symbol"):
            return str(symbol)
        if (order := self.session.desk.orders.get(_whole(values.get("permId")))) is not None:
            return order.stock.symbol
        if said.name == "commissionReport":
            done = (one for one in self.session.ledger.executions if one.exec_id == values.get("execId"))
            return next((one.symbol for one in done), "")
        wants, req_id = client.subscriptions, _whole(values.get("reqId"))
        for streams in (wants.bars, wants.ticks, wants.tick_by_tick, wants.forming):
            if req_id in streams:
                stock: Listed = streams[req_id].stock
                return stock.symbol
        return ""


@contextlib.contextmanager
def switched(conduct: Struct, **switches: object) -> Iterator[None]:
    """A conduct with other switches, for the time of one request."""
    before = {name: getattr(conduct, name) for name in switches}
    for name, value in switches.items():
        setattr(conduct, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(conduct, name, value)


def _symbol_asked(session: Session, client: Client, request: Request) -> str:
    if (contract := getattr(request, "contract", None)) is not None:
        stock = session.listings.find(contract)
        return stock.symbol if stock is not None else ""
    order_id = getattr(request, "order_id", None)
    owned = (
        one for one in session.desk.orders.values() if (one.client_id, one.order_id) == (client.client_id, order_id)
    )
    return next((one.stock.symbol for one in owned), "")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


def _take_out(from_: list[_Hook], one: _Hook) -> None:
    if one in from_:
        from_.remove(one)
