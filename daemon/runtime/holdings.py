"""What is held and what protects it, as plain facts for heartbeats and for the last line of a run."""

from __future__ import annotations

from msgspec import Struct

from daemon.engine.book import PROTECTIVE, Book
from risk.trading_state import ACCOUNT, TradingState, strictest
from shared.orders import WorkingOrder


class Holding(Struct, frozen=True, kw_only=True):
    """One position: signed shares, average price, and the stops that live (or may live) at the broker."""

    symbol: str
    quantity: int
    average_price: float
    stops: tuple[str, ...]
    protected: bool

    def __str__(self) -> str:
        stops = ", ".join(self.stops) if self.stops else "nothing"
        return f"{self.symbol} {self.quantity:+d} at {self.average_price:.2f} protected by {stops}"


def holdings_of(book: Book) -> list[Holding]:
    """Every open position in the order in which it was decided."""
    bare = {plan.symbol for plan in book.unprotected_plans()}
    return [
        Holding(
            symbol=symbol,
            quantity=position.quantity,
            average_price=position.average_price,
            stops=tuple(_stop(order) for order in book.orders.values() if _protects(order, symbol)),
            protected=symbol not in bare,
        )
        for symbol, position in book.positions().items()
    ]


def trading_state(book: Book) -> str:
    """The account's state and those of narrower scopes: 'ACTIVE', or 'REDUCING, strategy:x HALTED'.

    A latched limit counts as much as what a person has set; the stricter of the two is told.
    """
    said, latched = book.trading_states.by_scope, book.breakers
    scopes = dict.fromkeys((ACCOUNT, *said, *latched.latched))
    states = {scope: strictest(said.get(scope, TradingState.ACTIVE), latched.state_of(scope)) for scope in scopes}
    account = states[ACCOUNT].value
    narrower = [
        f"{scope} {state.value}"
        for scope, state in states.items()
        if scope != ACCOUNT and state is not TradingState.ACTIVE
    ]
    return ", ".join([account, *narrower])


def gross_exposure(book: Book, symbols: tuple[str, ...]) -> float:
    """Sum of |quantity| x last believable price, in currency; average price where nothing has printed yet."""
    total = 0.0
    for symbol, position in book.positions().items():
        price = book.prices.good_price(symbols.index(symbol)) if symbol in symbols else None
        total += abs(position.quantity) * (position.average_price if price is None else price)
    return total


def day_profit(book: Book) -> float | None:
    """Equity now minus equity at the session's start, in currency; None before both are known."""
    if book.equity is None or book.day_start_equity is None:
        return None
    return book.equity - book.day_start_equity


def _protects(working: WorkingOrder, symbol: str) -> bool:
    return working.order.symbol == symbol and working.leg in PROTECTIVE


def _stop(working: WorkingOrder) -> str:
    order = working.order
    price = "?" if order.stop_price is None else f"{order.stop_price:.2f}"
    return f"{order.side.value} {working.remaining} STP {price} {order.tif} ({working.status.value})"
