"""How fast entries go out: rates, the same order twice, and one instrument filling again and again.

An entry that fills is counted by its plan, whatever the broker called the order in the meantime: pysystemtrade#1580
sent fifteen orders because each was reported cancelled, and all fifteen filled. Exits are never counted and never wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, field

from shared.orders import OrderIntent

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class Pace(Struct, kw_only=True):
    """Instants of what was sent and filled, oldest first. Mutable, owned by the book.

    `sent_at`: entries of the last minute; `asked`: (content of an intent) to when it was last sent; `filled`: per
    symbol the plans whose entry has filled and when it first did.
    """

    sent_at: list[datetime] = field(default_factory=list)
    sent_today: int = 0
    asked: dict[str, datetime] = field(default_factory=dict)
    filled: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def begin_session(self, now: datetime) -> None:
        """A new day's count; windows, of a day at most, go on across it."""
        self.sent_today = 0
        lately = [(s, {plan: at for plan, at in plans.items() if now - at < _DAY}) for s, plans in self.filled.items()]
        self.filled = {symbol: plans for symbol, plans in lately if plans}

    def note_sent(self, intent: OrderIntent, now: datetime, *, duplicate_window_s: float) -> None:
        """An entry for this intent has been commanded."""
        if not self.sent_at or self.sent_at[-1] != now:  # else the last entry has forgotten all there is to forget
            self.sent_at = [at for at in self.sent_at if now - at < _MINUTE]
            window = timedelta(seconds=duplicate_window_s)
            self.asked = {content: at for content, at in self.asked.items() if now - at < window}
        self.sent_at.append(now)
        self.sent_today += 1
        self.asked[_content(intent)] = now

    def note_filled(self, symbol: str, plan_id: str, filled_at: datetime) -> bool:
        """The plan's entry has an execution; whether it is its first, which is the one that counts."""
        plans = self.filled.setdefault(symbol, {})
        is_first = plan_id not in plans
        plans.setdefault(plan_id, filled_at)
        return is_first

    def sent_last_s(self, now: datetime) -> int:
        """Entries sent within the last second; a clock that stepped back forgets none."""
        since = now - _SECOND
        return sum([at > since for at in self.sent_at])

    def sent_last_min(self, now: datetime) -> int:
        """Entries sent within the last minute."""
        since = now - _MINUTE
        return sum([at > since for at in self.sent_at])

    def is_duplicate(self, intent: OrderIntent, now: datetime, window_s: float) -> bool:
        """Whether the same strategy sent the same side and quantity of the same instrument within the window."""
        asked_at = self.asked.get(_content(intent))
        return asked_at is not None and (now - asked_at).total_seconds() < window_s

    def entries_in_window(self, symbol: str, now: datetime, window_s: float) -> int:
        """Plans of the instrument whose entry first filled within the window."""
        since = now - timedelta(seconds=window_s)
        return sum([at > since for at in self.filled.get(symbol, {}).values()])


def _content(intent: OrderIntent) -> str:
    return f"{intent.strategy}:{intent.symbol}:{intent.side}:{intent.quantity}"
