"""What the gate sees of the book at the moment of one intent."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from daemon.engine.book import Book
from daemon.engine.exposure import Stake, gross_of, stakes_of, values_of, weighted
from daemon.engine.plan import Plan
from daemon.engine.self_trade import is_self_trade
from daemon.engine.settings import EngineSettings
from risk.portfolio import Holdings
from risk.trading_state import TradingState, strictest
from risk.view import GroupExposure, RiskView
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
        stakes = {} if intent.reduces else stakes_of(book, self._columns)  # an exit asks for no room and shall not wait
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
            gross_exposure=sum(stake.gross for stake in stakes.values()),
            opens_at=opens_at,
            closes_at=closes_at,
            entry_after_open_s=self._settings.entry_after_open_s,
            entry_before_close_s=self._settings.entry_before_close_s,
            trading_state=self.state_for(intent.strategy, intent.symbol),
            is_reconciled=book.is_reconciled,
            has_unknown=any(order.order.symbol == intent.symbol for order in book.unknown_orders()),
            is_locked=intent.symbol in book.locks,
            operator_flatten=by_operator,
            **self._account_facts(stakes),
            **self._portfolio_facts(intent, stakes),
            **self._market_facts(intent.symbol, now),
            **self._pace_facts(intent, now),
        )

    def _account_facts(self, stakes: dict[str, Stake]) -> dict[str, Any]:
        book = self._book
        return {
            "account_at": book.account_at,
            "buying_power": None if book.account is None else book.account.buying_power,
            "working_notional": sum(stake.working for stake in stakes.values()),
            "net_long": sum(stake.net_long for stake in stakes.values()),
            "net_short": sum(stake.net_short for stake in stakes.values()),
            "unpriced": self._unpriced(),
        }

    def _unpriced(self) -> tuple[str, ...]:
        held = dict.fromkeys(plan.symbol for plan in self._book.plans.values() if plan.open_quantity)
        columns = ((symbol, self._columns.get(symbol)) for symbol in held)
        good_price = self._book.prices.good_price
        return tuple(symbol for symbol, column in columns if column is None or good_price(column) is None)

    def _portfolio_facts(self, intent: OrderIntent, stakes: dict[str, Stake]) -> dict[str, Any]:
        groups = self._settings.groups
        both = weighted(stakes, groups.betas)
        mine = [(name, gross_of(stakes, groups.members[name])) for name in groups.of(intent.symbol)]
        return {
            "beta": groups.betas.get(intent.symbol),
            "beta_long": None if both is None else both[0],
            "beta_short": None if both is None else both[1],
            "groups": tuple(GroupExposure(name=name, gross=gross) for name, gross in mine),
            "holdings": self._holdings(intent, stakes),
        }

    def _holdings(self, intent: OrderIntent, stakes: dict[str, Stake]) -> Holdings | None:
        returns, hours = self._book.returns, self._book.hours
        if returns is None or hours is None:
            return None
        session_s = (hours.closes_at - hours.opens_at).total_seconds()
        return Holdings(
            values=values_of(stakes, self._columns),
            returns=returns.matrix(),
            per_day=max(session_s / self._settings.interval_s, 1.0),
            column=self._columns[intent.symbol],
        )

    def _market_facts(self, symbol: str, now: datetime) -> dict[str, Any]:
        book, column = self._book, self._columns[symbol]
        bid, ask = (None, None) if book.quotes is None else (book.quotes.bid[column], book.quotes.ask[column])
        return {
            "bid": None if bid is None or math.isinf(bid) else float(bid),
            "ask": None if ask is None or math.isinf(ask) else float(ask),
            "is_halted": book.market.is_halted(symbol),
            "data_quality": book.market.quality_of(symbol),
            "quiet_reason": None if book.hours is None else book.hours.quiet_reason(now),
        }

    def _pace_facts(self, intent: OrderIntent, now: datetime) -> dict[str, Any]:
        pace, limits = self._book.pace, self._settings.limits
        refuses = self._settings.self_trade == "refuse"
        return {
            "sent_last_s": pace.sent_last_s(now),
            "sent_last_min": pace.sent_last_min(now),
            "sent_today": pace.sent_today,
            "is_duplicate": pace.is_duplicate(intent, now, limits.duplicate_window_s),
            "entries_in_window": pace.entries_in_window(intent.symbol, now, limits.entry_window_s),
            "is_self_trade": refuses and is_self_trade(self._book, intent),
        }

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
        return strictest(
            self._book.trading_states.state_for(strategy, symbol),
            self._book.breakers.state_for(strategy, symbol),
            stopping,
        )
