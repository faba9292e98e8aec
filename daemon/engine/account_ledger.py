"""Our own account of the money: what the broker's cash and net liquidation should be, from fills and commissions.

It begins anew with the first complete report of a run and of a session: cash as reported, nothing flowed. The broker
renews its account values only every three minutes (TWS.md 3.28), so a difference counts when two reports at least
that far apart show it and nothing was executed in between. Interest, dividends and fees are not known to us: the
configured drift (risk.max_account_drift_pct of net liquidation) has to cover them.
"""

from __future__ import annotations

import math
from datetime import datetime

from msgspec import Struct, field

from shared.account import Account

ACCOUNT_LAG_S = 180.0
_UNKNOWN_COMMISSION_PCT = 1.0  # IB's fixed tariff for stocks takes at most this share of an execution's value
_UNKNOWN_COMMISSION_MIN = 1.0  # and at least this much (docs/replay.md)


class AccountLedger(Struct, kw_only=True):
    """Money in the account's currency; `since` None = not begun, by the broker's clock like executions.

    `uncharged` has the value of executions whose commission nobody has told, by execId stem; `over_since` is when the
    first report beyond tolerance came.
    """

    since: datetime | None = None
    currency: str = ""
    start_cash: float = 0.0
    flow: float = 0.0
    uncharged: dict[str, float] = field(default_factory=dict)
    moved_at: datetime | None = None
    over_since: datetime | None = None

    def begin(self, account: Account, since: datetime) -> None:
        """Take the reported cash as the start."""
        self.since, self.currency, self.start_cash, self.flow = since, account.currency, account.cash, 0.0
        self.uncharged, self.moved_at, self.over_since = {}, None, None

    def end(self) -> None:
        """Forget; the next complete report begins anew."""
        self.since = None

    def trade(self, stem: str, *, paid: float, uncharged: float, filled_at: datetime, now: datetime) -> None:
        """An execution, or its correction, cost `paid` (negative: brought in).

        `uncharged` is the value of it whose commission nobody has told yet.
        """
        if self.since is None or filled_at < self.since:
            return  # the start already has it in it
        self.flow -= paid
        self.uncharged.pop(stem, None)
        if uncharged:
            self.uncharged[stem] = uncharged
        self.moved_at, self.over_since = now, None

    def charge(self, stem: str, commission: float, filled_at: datetime) -> None:
        """A commission was taken (or, negative, given back)."""
        if self.since is not None and filled_at >= self.since:
            self.uncharged.pop(stem, None)
            self.flow -= commission

    @property
    def tolerance(self) -> float:
        """What commissions that nobody has told us yet may come to."""
        share = _UNKNOWN_COMMISSION_PCT / 100
        return sum(max(_UNKNOWN_COMMISSION_MIN, share * value) for value in self.uncharged.values())

    def drift(self, account: Account, holdings: float | None) -> float:
        """The larger of cash and net liquidation beyond what they should be, in currency, unsigned.

        `holdings` is what our positions are worth; None = not known, then only cash is compared. 0 where nothing can
        be told: the ledger has not begun, or the account tells no number or another currency.
        """
        if self.since is None or account.currency != self.currency or not math.isfinite(account.cash):
            return 0.0
        expected = self.start_cash + self.flow
        gaps = [account.cash - expected]
        if holdings is not None and math.isfinite(account.net_liquidation):
            gaps.append(account.net_liquidation - expected - holdings)
        return max(max(abs(gap) for gap in gaps) - self.tolerance, 0.0)

    def is_lasting(self, now: datetime) -> bool:
        """Note a drift beyond its limit; whether it has lasted longer than the broker's account values are old."""
        if self.over_since is None:
            self.over_since = now
        return (now - self.over_since).total_seconds() >= ACCOUNT_LAG_S
