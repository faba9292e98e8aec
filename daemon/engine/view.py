"""What the gate sees of the book at the moment of one intent."""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon.engine.book import Book
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from risk.trading_state import TradingState, strictest
from risk.view import RiskView
from shared.market import Universe
from shared.orders import OrderIntent


class Viewer:
    """Makes a RiskView of the book; holds no state of its own."""

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe) -> None:
        self._book = book
        self._settings = settings
        self._columns = {symbol: column for column, symbol in enumerate(universe.symbols)}

    def of(
        self,
        intent: OrderIntent,
        price: float | None,
        now: datetime,
        *,
        plan: Plan | None = None,
        by_operator: bool = False,
    ) -> RiskView:
        book, column = self._book, self._columns[intent.symbol]
        buys, sells = book.working_entries(None, intent.symbol)
        opens_at, closes_at = self._window(now)
        return RiskView(
            now=now,
            price=price,
            price_at=book.prices.priced_at(column),
            reference_price=book.prices.good_price(column),
            price_is_suspect=book.prices.is_suspect(column),
            equity=book.equity,
            position=plan.signed_quantity if plan else book.position(intent.symbol).quantity,
            working_buy=buys,
            working_sell=sells,
            exits_working=book.exits_working(plan) if plan else 0,
            gross_exposure=book.gross_exposure(self._columns),
            opens_at=opens_at,
            closes_at=closes_at,
            entry_after_open_s=self._settings.entry_after_open_s,
            entry_before_close_s=self._settings.entry_before_close_s,
            trading_state=self.state_for(intent.strategy, intent.symbol),
            is_reconciled=book.is_reconciled,
            has_unknown=any(order.order.symbol == intent.symbol for order in book.unknown_orders()),
            is_locked=intent.symbol in book.locks,
            operator_flatten=by_operator,
        )

    def _window(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """The session in which an order decided now acts: with daily bars that is the next one, whenever it opens."""
        if self._book.hours is None:
            return None, None
        if self._settings.is_daily:
            before = timedelta(seconds=self._settings.entry_after_open_s)
            after = timedelta(seconds=self._settings.entry_before_close_s)
            return now - before, now + after
        return self._book.hours.opens_at, self._book.hours.closes_at

    def state_for(self, strategy: str, symbol: str) -> TradingState:
        """The strictest of the account's, the strategy's and the instrument's trading state."""
        stopping = TradingState.REDUCING if self._book.is_stopping else TradingState.ACTIVE
        return strictest(self._book.trading_states.state_for(strategy, symbol), stopping)
