"""The broker's cash and net liquidation against our own ledger of them, after every complete report."""

from __future__ import annotations

from datetime import datetime

from daemon.engine.book import Book
from daemon.engine.settings import EngineSettings
from risk.trading_state import ACCOUNT, TradingState
from shared.account import Account
from shared.commands import Command, Notify
from shared.events import BrokerReported
from shared.market import Universe

RULE = "account_drift"


class MoneyCheck:
    """Latches REDUCING when the money is not what it should be; its only memory is the book's ledger."""

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe) -> None:
        self._book = book
        self._settings = settings
        self._symbols = universe.symbols

    def check(self, report: BrokerReported) -> list[Command]:
        """Begin the ledger, or compare; says and latches a drift that lasts."""
        account, ledger, now = report.account, self._book.ledger, report.received_at
        if account is None:
            return []
        if ledger.since is None:
            ledger.begin(account, self._book.in_broker_time(now))
            return []
        limit_pct = self._settings.limits.max_account_drift_pct
        if limit_pct is None:
            return []
        drift = ledger.drift(account, self._holdings(now))
        if drift <= abs(account.net_liquidation) * limit_pct / 100:
            ledger.over_since = None
            return []
        return self._alarm(account, drift, now) if ledger.is_lasting(now) else []

    def _alarm(self, account: Account, drift: float, now: datetime) -> list[Command]:
        latched = self._book.breakers.latched.get(ACCOUNT, [])
        if any(latch.rule == RULE for latch in latched):
            return []
        ledger = self._book.ledger
        expected = ledger.start_cash + ledger.flow
        text = (
            f"account: the broker's money is {drift:.2f} {account.currency} off ours since {ledger.over_since}: cash "
            f"{account.cash:.2f}, expected {expected:.2f}; net liquidation {account.net_liquidation:.2f}"
        )
        tripped = self._book.breakers.trip(ACCOUNT, RULE, TradingState.REDUCING, text, now)
        return [Notify(level="critical", code=RULE, text=text), *tripped]

    def _holdings(self, now: datetime) -> float | None:
        """Our positions at fresh prices, in currency; None if a price is old or others hold something too."""
        if self._book.foreign_positions:
            return None
        worth, age_max_s = 0.0, self._settings.limits.price_age_max_s
        for symbol, position in self._book.positions().items():
            column = self._symbols.index(symbol)
            price, at = self._book.worth(symbol, column), self._book.prices.priced_at(column)
            if price is None or at is None or (now - at).total_seconds() > age_max_s:
                return None
            worth += position.quantity * price
        return worth
