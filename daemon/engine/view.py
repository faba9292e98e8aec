"""What the gate sees of the book at the moment of one intent."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from daemon.engine.book import Book
from daemon.engine.exposure import Exposures, Stake, gross_of, stake_of, stakes_of, values_of, weighted
from daemon.engine.plan import Plan
from daemon.engine.self_trade import is_self_trade
from daemon.engine.settings import EngineSettings
from risk.portfolio import Holdings
from risk.trading_state import TradingState, strictest
from risk.view import GroupExposure, RiskView
from shared.market import Universe
from shared.orders import OrderIntent, OrderStatus

_Quote = tuple[float | None, float | None]
_Window = tuple[datetime | None, datetime | None]
_NOTHING = Stake()


class Viewer:
    """Makes a RiskView of the book; what it keeps between two views lasts for the entries of one row.

    Of a limit that is lifted the facts are not looked up: None, or nothing, which its rule does not read.
    """

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe) -> None:
        self._book = book
        self._settings = settings
        self._columns = {symbol: column for column, symbol in enumerate(universe.symbols)}
        self._exposures: Exposures | None = None
        self._unpriced: tuple[str, ...] | None = None
        self._is_deciding = False
        limits = settings.limits
        losses = (limits.max_day_loss, limits.max_strategy_day_loss, limits.max_instrument_day_loss)
        self._is_loss_limited = any(limit is not None for limit in losses)
        self._before = timedelta(seconds=settings.entry_after_open_s)
        self._after = timedelta(seconds=settings.entry_before_close_s)

    def begin_entries(self) -> None:
        """From here to `end_entries` the book changes by sent entries alone: no fill, no price, no report."""
        self.end_entries()
        self._is_deciding = True

    def end_entries(self) -> None:
        """Forget what was kept."""
        self._is_deciding, self._exposures, self._unpriced = False, None, None

    def note_entry(self, symbol: str) -> None:
        """An entry in the instrument was sent."""
        if self._book.foreign_positions:
            self._exposures = None  # they stand behind all plans: all of them anew
        elif self._exposures is not None:
            self._exposures.renew(symbol, stake_of(self._book, symbol, self._columns))

    def of_exit(self, plan: Plan, now: datetime, *, by_operator: bool) -> RiskView:
        """For an intent that closes shares of the plan: it asks for no room, and shall not wait for any."""
        return RiskView.of_exit(
            now,
            position=plan.signed_quantity,
            exits_working=self._book.exits_working(plan),
            trading_state=self.state_for(plan.strategy, plan.symbol),
            operator_flatten=by_operator,
        )

    def of(self, intent: OrderIntent, price: float | None, now: datetime) -> RiskView:
        """For an intent that opens or adds."""
        book, column, symbol, prices = self._book, self._columns[intent.symbol], intent.symbol, self._book.prices
        exposures, (opens_at, closes_at), (bid, ask) = self._exposures_now(), self._window(now), self._quote(column)
        (gross, net_long, net_short, working), stake = exposures.totals(), exposures.stakes.get(symbol, _NOTHING)
        (beta, beta_long, beta_short), counts = self._betas(symbol, exposures), self._counts(symbol, now)
        return RiskView(
            now=now,
            row_at=now if self._settings.is_daily else book.last_row_at,
            price=price,
            price_at=prices.priced_at(column),
            reference_price=prices.good_price(column),
            price_is_suspect=prices.is_suspect(column),
            equity=book.equity,
            position=book.quantity(symbol),
            held_long=stake.long,
            held_short=stake.short,
            working_buy=stake.buying,
            working_sell=stake.selling,
            exits_working=0,
            gross_exposure=gross,
            opens_at=opens_at,
            closes_at=closes_at,
            entry_after_open_s=self._settings.entry_after_open_s,
            entry_before_close_s=self._settings.entry_before_close_s,
            trading_state=self.state_for(intent.strategy, symbol),
            is_reconciled=book.is_reconciled,
            has_unknown=self._has_unknown(symbol),
            is_locked=symbol in book.locks,
            account_at=book.account_at,
            buying_power=book.account.buying_power if book.account else None,
            working_notional=working,
            net_long=net_long,
            net_short=net_short,
            unpriced=self._unpriced_now() if self._is_loss_limited else (),
            beta=beta,
            beta_long=beta_long,
            beta_short=beta_short,
            groups=self._groups(symbol, exposures),
            holdings=self._holdings(column, exposures),
            bid=bid,
            ask=ask,
            is_halted=book.market.is_halted(symbol),
            data_quality=book.market.quality_of(symbol),
            quiet_reason=None if book.hours is None else book.hours.quiet_reason(now),
            sent_last_s=counts[0],
            sent_last_min=counts[1],
            sent_today=book.pace.sent_today,
            is_duplicate=book.pace.is_duplicate(intent, now, self._settings.limits.duplicate_window_s),
            entries_in_window=counts[2],
            is_self_trade=self._settings.self_trade == "refuse" and is_self_trade(book, intent),
        )

    def _has_unknown(self, symbol: str) -> bool:
        """Whether the fate of an order is not known, or why a leg is gone: a split takes it before it shows."""
        if symbol in self._book.legs_gone:
            return True
        for plan in self._book.plans_in(symbol):
            if plan.unprotected_since is not None and plan.open_quantity > 0:
                return True
        return OrderStatus.UNKNOWN in [order.status for order in self._book.orders_in(symbol)]

    def _counts(self, symbol: str, now: datetime) -> tuple[int | None, int | None, int | None]:
        """Entries sent within the last second and minute, and those of the instrument that filled in its window."""
        pace, limits = self._book.pace, self._settings.limits
        return (
            None if limits.max_orders_per_s is None else pace.sent_last_s(now),
            None if limits.max_orders_per_min is None else pace.sent_last_min(now),
            None
            if limits.max_entries_in_window is None
            else pace.entries_in_window(symbol, now, limits.entry_window_s),
        )

    def _exposures_now(self) -> Exposures:
        if self._exposures is not None:
            return self._exposures
        exposures = Exposures(stakes_of(self._book, self._columns))
        if self._is_deciding:
            self._exposures = exposures
        return exposures

    def _unpriced_now(self) -> tuple[str, ...]:
        if self._unpriced is not None:
            return self._unpriced
        held = dict.fromkeys([plan.symbol for plan in self._book.plans.values() if plan.open_quantity])
        columns = ((symbol, self._columns.get(symbol)) for symbol in held)
        good_price = self._book.prices.good_price
        unpriced = tuple(symbol for symbol, column in columns if column is None or good_price(column) is None)
        if self._is_deciding:
            self._unpriced = unpriced
        return unpriced

    def _betas(self, symbol: str, exposures: Exposures) -> tuple[float | None, float | None, float | None]:
        if self._settings.limits.max_beta_exposure is None:
            return None, None, None
        betas = self._settings.groups.betas
        both = weighted(exposures.stakes, betas)
        return betas.get(symbol), *((None, None) if both is None else both)

    def _groups(self, symbol: str, exposures: Exposures) -> tuple[GroupExposure, ...]:
        if self._settings.limits.max_group_exposure is None:
            return ()
        groups = self._settings.groups
        return tuple(
            [
                GroupExposure(name=name, gross=gross_of(exposures.stakes, groups.members[name]))
                for name in groups.of(symbol)
            ]
        )

    def _holdings(self, column: int, exposures: Exposures) -> Holdings | None:
        returns, hours = self._book.returns, self._book.hours
        if returns is None or hours is None:
            return None
        session_s = (hours.closes_at - hours.opens_at).total_seconds()
        return Holdings(
            values=values_of(exposures.stakes, self._columns),
            returns=returns.matrix(),
            per_day=max(session_s / self._settings.interval_s, 1.0),
            column=column,
        )

    def _quote(self, column: int) -> _Quote:
        """Bid and ask as of the last row; None where none is streamed."""
        quotes = self._book.quotes
        if quotes is None:
            return None, None
        bid, ask = float(quotes.bid[column]), float(quotes.ask[column])
        return None if math.isinf(bid) else bid, None if math.isinf(ask) else ask

    def _window(self, now: datetime) -> _Window:
        """The session in which an order decided now acts: with daily bars that is the next one, whenever it opens."""
        if self._book.hours is None:
            return None, None
        if self._settings.is_daily:
            return now - self._before, now + self._after
        return self._book.hours.opens_at, self._book.hours.closes_at

    def state_for(self, strategy: str, symbol: str) -> TradingState:
        """The strictest of the account's, the strategy's and the instrument's trading state."""
        book = self._book
        if not (book.trading_states.by_scope or book.breakers.latched or book.is_stopping):
            return TradingState.ACTIVE
        stopping = TradingState.REDUCING if book.is_stopping else TradingState.ACTIVE
        return strictest(
            book.trading_states.state_for(strategy, symbol), book.breakers.state_for(strategy, symbol), stopping
        )
