"""The one message after the close: what the day brought, and whether anything is left to look at."""

from __future__ import annotations

from datetime import datetime

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Alarm

Facts = dict[str, object]
_TOLD_APART = ("filled", "fill_recovered", "reconciled", "healed", "broker_quiet")


class DayDigest:
    """Counts the day's notices and, once the session is over, says so exactly once."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._last: Facts | None = None
        self._told = ""

    def count(self, code: str) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1

    def on_beat(self, facts: Facts) -> Alarm | None:
        """The digest of the session that this beat shows to be over; None on all other beats."""
        before, self._last = self._last, facts
        over = next((seen for seen in (before, facts) if seen is not None and self._is_over(seen, facts)), None)
        if over is None:
            return None
        self._told, counts, self._counts = str(over["session"]), self._counts, {}
        return Alarm(severity=Severity.DIGEST, code="day_digest", text=digest_text(over, counts))

    def _is_over(self, seen: Facts, now: Facts) -> bool:
        """Whether the session that `seen` tells of has closed by the market time of `now`."""
        closes_at, market_at = seen.get("closes_at"), now.get("market_at")
        if not isinstance(closes_at, str) or not isinstance(market_at, str) or str(seen["session"]) <= self._told:
            return False
        return datetime.fromisoformat(market_at) >= datetime.fromisoformat(closes_at)


def digest_text(facts: Facts, counts: dict[str, int]) -> str:
    """One line per subject; `facts` are the session's last heartbeat, `counts` its notices by code."""
    breaches = {code: count for code, count in counts.items() if code not in _TOLD_APART}
    fills = counts.get("filled", 0) + counts.get("fill_recovered", 0)
    held = facts.get("positions")
    positions = [f"{each['symbol']} {each['quantity']:+}" for each in held] if isinstance(held, list) else []
    causes = facts.get("causes")
    return "\n".join(
        (
            f"session {facts['session']}: {facts.get('verdict')}, {facts.get('state')}",
            f"round trips {facts.get('round_trips', 0)}, fills {fills}",
            _of_money(facts),
            f"positions: {', '.join(positions) or 'none'}",
            f"told: {', '.join(f'{code} {count}' for code, count in breaches.items()) or 'nothing'}",
            f"open causes: {'; '.join(map(str, causes)) if isinstance(causes, list) and causes else 'none'}",
            f"up for {_hours(facts.get('uptime_s'))}, reconnects {facts.get('reconnects', 0)}",
        )
    )


def _of_money(facts: Facts) -> str:
    day, equity, slippage = (_money(facts.get(name)) for name in ("day_profit", "equity", "slippage"))
    return f"day profit {day}, equity {equity}, slippage {slippage}"


def _money(value: object) -> str:
    return f"{value:+,.2f}" if isinstance(value, int | float) else "unknown"


def _hours(value: object) -> str:
    return f"{value / 3600:.1f} h" if isinstance(value, int | float) else "unknown"
